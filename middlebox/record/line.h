/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_LINE_H
#define IDLEWALL_LINE_H

/* What every form of a flow or event needs, worked out once; and the forms. See put.h for how they
 * write. */

#include "middlebox/record/write.h"

struct line {
    const struct flow *flow;
    mtime_t idle, remaining, age; /* never below 0 */
    const char *rule, *profile;   /* NULL: unknown */
    const char *timeout_name;
};
void line_init(struct line *line, mtime_t now, const struct flow *flow);

struct event_line {
    struct line line;
    const struct event *event;
    mtime_t t;          /* since the start */
    int64_t wall_ns;    /* Unix time */
    const char *reason; /* NULL: has none */
    int reason_number;
    mtime_t expired_t, late_by; /* LATE, remembered */
};
void event_line_init(struct event_line *line, const struct record_clock *clock,
                     const struct event *event);

/* As tcpdump prints them: `S.`, `P.`, `none`. */
char *put_tcp_flags(char *p, uint8_t flags);

char *text_header(char *p);
char *text_flow(char *p, const struct line *line);
char *text_event(char *p, const struct event_line *line);
char *json_flow(char *p, const struct line *line);
char *json_event(char *p, const struct event_line *line);
char *csv_header(char *p);
char *csv_flow(char *p, const struct line *line);
/* Columns, each with the comma after it. */
char *csv_number(char *p, uint64_t value);
char *csv_time(char *p, mtime_t time); /* never: empty */
char *csv_word(char *p, const char *word);
/* From the id to the state. */
char *csv_tuple(char *p, const struct flow *flow);
char *conntrack_flow(char *p, const struct line *line);

char *status_text(char *p, const struct record_clock *clock, const struct record_status *status);
char *status_json(char *p, const struct record_clock *clock, const struct record_status *status);
/* What the status forms take beside strings: more lines, more room. */
#define STATUS_ROOM 8192

#endif
