/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_LADDER_PRIVATE_H
#define IDLEWALL_LADDER_PRIVATE_H

/*
 * The ladder from inside: events become rows (ladder_story.c), rows that repeat are folded
 * (ladder_fold.c), and then drawn from top to bottom, each as high as its texts need
 * (ladder_row.c, ladder_packet.c). What lies behind, bands and shades, is drawn last, when every
 * row has its place (ladder_band.c), and put first into the file.
 */

#include "tools/timeline/story_clock.h"
#include "tools/timeline/svg.h"
#include "tools/timeline/timeline.h"

#define LADDER_ROWS_MAX 400       /* after folding */
#define LADDER_EVENTS_MAX 1000000 /* nobody looks at what is left of more */
#define LADDER_CONNECTIONS_MAX 100000
#define LADDER_NONE SIZE_MAX

enum ladder_row_kind {
    LADDER_PACKET,
    LADDER_DEED,   /* what the scenario did, across the whole picture */
    LADDER_NOTE,   /* an end did something by itself: a timer */
    LADDER_FLOW,   /* a firewall forgot */
    LADDER_FOLDED, /* stands for `folded` rows that follow and are not shown */
    LADDER_LAST,   /* how it stands at the end */
};

/* A packet at a place. */
struct ladder_hop {
    mtime_t t;
    const struct timeline_packet *packet;
    uint8_t place;
    double y;
    size_t next;
};

/* What an end did, beside a row. */
struct ladder_note {
    const struct timeline_event *event;
    size_t next;
};

struct ladder_row {
    enum ladder_row_kind kind;
    mtime_t t, until;                   /* until: the packet's last hop */
    const struct timeline_event *event; /* NULL: FOLDED, LAST */
    size_t hops, last_hop;              /* PACKET */
    size_t notes, last_note;
    const struct timeline_event *late; /* the firewall's word on a packet that it does not know */
    size_t unit, repeats;              /* FOLDED: so many rows each, so often */
    mtime_t apart_least, apart_most;   /* between two of them */
    size_t folded;
    bool hidden;
    double y, y_until, y_side; /* y_side: where what stands beside it begins */
};

/* A firewall's entry: refreshed, changed, gone. In time order. */
enum ladder_entry_kind { ENTRY_REFRESHED, ENTRY_SET, ENTRY_FORGOTTEN, ENTRY_REMOVED };
struct ladder_entry {
    enum ladder_entry_kind kind;
    mtime_t t;
    uint8_t place;
    uint32_t connection;
    size_t hop; /* of the packet that did it; LADDER_NONE: where its time is */
    mtime_t timeout, deadline;
    unsigned rule;
};

/* Points in time have places; both never fall. */
struct ladder_anchor {
    mtime_t t;
    double y;
};

struct ladder {
    const struct timeline *timeline;
    const struct scenario *scenario;
    uint32_t connections;
    unsigned places;
    struct ladder_row *rows;
    size_t n_rows, room_rows;
    struct ladder_hop *hops;
    size_t n_hops, room_hops;
    struct ladder_note *notes;
    size_t n_notes, room_notes;
    struct ladder_entry *entries;
    size_t n_entries, room_entries;
    uint32_t *last_entry; /* by connection and place: index + 1 */
    struct ladder_anchor *anchors;
    size_t n_anchors, room_anchors;
    bool *visible;             /* by connection: a row of it is shown */
    enum socket_state *states; /* by connection and side, while the story is told */

    /* drawing */
    FILE *to;
    double x[SCENARIO_FIREWALLS + 2]; /* lifelines */
    double width, segment;
    double y;                  /* the next row's */
    double top, bottom;        /* of the lifelines */
    double side_y[2];          /* where the notes at the sides have got to, by flow_side */
    struct socket_view *shown; /* what was last said of each socket, by connection and side */
    struct socket_view *views; /* as it is now */
    size_t socket_event;       /* events before this one are in views */
    mtime_t margin;            /* the last time printed */
    bool shaded;               /* something is blocked or down */
    mtime_t last_packet;       /* when something was last on the wire; -1: never */
};

int ladder_reserve(void **array, size_t *room, size_t n, size_t size);

/* ladder_story.c: 0, -ENOMEM, -E2BIG. */
int ladder_tell(struct ladder *ladder);
int ladder_add_row(struct ladder *ladder, const struct ladder_row *row);
/* ladder_entry.c: what the firewalls' tables did; hop: of the packet e. */
int ladder_entry_packet(struct ladder *ladder, const struct timeline_event *e, size_t hop);
/* *forgot: an end still had the connection; worth a row of its own. */
int ladder_entry_flow(struct ladder *ladder, const struct timeline_event *e, bool *forgot);

/* ladder_fold.c */
int ladder_fold(struct ladder *ladder);

/* ladder_text.c: each writes into text and returns it. */
#define LADDER_TEXT 256
char *ladder_text_flags(char *text, const struct timeline_packet *packet);
/* What it is for; empty if its flags say it all. */
char *ladder_text_note(char *text, const struct ladder *ladder, const struct ladder_row *row);
/* Why it got no further than hop; empty if it arrived. */
char *ladder_text_end(char *text, const struct ladder *ladder, const struct ladder_row *row,
                      const struct ladder_hop *hop);
char *ladder_text_deed(char *text, const struct ladder *ladder, const struct deed *deed);
char *ladder_text_app(char *text, const struct timeline_event *e);
char *ladder_text_duration(char *text, mtime_t duration); /* "1h 59min 54s" */
char *ladder_text_limit(char *text, mtime_t duration);    /* as in policies: "350s" */
/* Does a deed hold up what is lost at this hop? */
bool ladder_is_blocked(const struct ladder *ladder, const struct ladder_hop *hop);
char *ladder_text_forgot(char *text, const struct ladder *ladder, const struct timeline_event *e);
bool ladder_is_alarm(const struct timeline_event *e); /* an application got something bad */

/* ladder_row.c */
int ladder_draw_rows(struct ladder *ladder);
double ladder_y_at(const struct ladder *ladder, mtime_t t);
int ladder_anchor(struct ladder *ladder, mtime_t t, double y);

/* ladder_packet.c: draws it from ladder->y on; moves ladder->y. */
void ladder_draw_packet(struct ladder *ladder, struct ladder_row *row);
double ladder_label_width(const struct ladder *ladder);

/* ladder_side.c: beside the outer lifelines. */
void ladder_side_text(struct ladder *ladder, unsigned side, double y, const struct svg_font *font,
                      const char *text);
void ladder_draw_notes(struct ladder *ladder, const struct ladder_row *row);
/* What has changed of the sockets before `until`, at the end of a burst. */
void ladder_draw_sockets(struct ladder *ladder, const struct ladder_row *row, mtime_t until);
void ladder_draw_last(struct ladder *ladder);

/* ladder_life.c */
bool ladder_lasts(const struct deed *deed); /* until another deed ends it */
void ladder_draw_shades(struct ladder *ladder);
int ladder_draw_lives(struct ladder *ladder);

/* ladder_band.c: all that lies behind. */
int ladder_draw_behind(struct ladder *ladder);

/* ladder_frame.c: title and who stands where; legend and outcome. */
void ladder_draw_head(struct ladder *ladder);
int ladder_draw_foot(struct ladder *ladder);

/* Names that others wrote are cut to this width. */
void ladder_wrapped(struct ladder *ladder, double x, double *y, double width, double step,
                    enum svg_anchor anchor, const struct svg_font *font, const char *text,
                    unsigned lines);

#define LADDER_MARGIN 88.0
#define LADDER_SIDE 196.0
#define LADDER_LINE 13.0

#define COLOUR_INK "#1f2933"
#define COLOUR_GREY "#6b7680"
#define COLOUR_PACKET "#1b4f8a"
#define COLOUR_MADE "#a03c9c" /* by a firewall */
#define COLOUR_BAD "#c2161c"
#define COLOUR_BAND "#9fc6e8"
#define COLOUR_DEED "#b35c00"
#define COLOUR_ALIVE "#4b9a62" /* an end with a socket; with one, and nobody at the other end: */
#define COLOUR_ALONE "#d9480f"

#endif
