/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_OUTCOME_H
#define IDLEWALL_OUTCOME_H

/* What came of it: who forgot, who noticed, when, who still believes, what would have prevented it.
 * Worked out from the timeline alone, so live and virtual alike. */

#include "tools/timeline/timeline.h"

#include <stdio.h>

struct outcome_side {
    mtime_t noticed; /* when its application got the error or end; MTIME_NEVER: it did not */
    int error;       /* errno; 0: EOF, its own close, or nothing */
    bool eof, closed, gave_up; /* gave_up: an own timeout */
    bool exited;               /* a real program ended by itself */
    enum socket_state state;   /* at the end */
    bool believes; /* ESTABLISHED or CLOSE_WAIT at the end, and the other end's socket is gone */
    bool crashed;  /* its host was, at the end */
    mtime_t crashed_at; /* the first time while the connection was there; MTIME_NEVER */
    bool vanished;      /* its host's link is down at the end, or came back with another address */
    bool moved;         /* the latter */
    struct socket_view view;      /* at the end */
    mtime_t ended;                /* when its socket went; MTIME_NEVER */
    mtime_t closed_at;            /* by its application or with its process; MTIME_NEVER */
    bool probing;                 /* what it sent last was a keepalive probe */
    uint32_t probes, retransmits; /* sent */
};
struct outcome_connection {
    uint32_t connection;
    struct outcome_side side[2];
    int forgotten_by; /* place of the first firewall that forgot it while an end still believed; -1
                       */
    mtime_t forgotten_at;
    enum policy_timeout forgotten_timeout;
    mtime_t forgotten_after; /* the limit; 0: it was told to, or for lack of room */
    enum event_action forgotten_action;
    uint16_t forgotten_rule;
    bool late; /* a packet came too late */
    mtime_t late_at;
    enum event_action late_action;
    mtime_t longest_idle; /* between packets that arrived somewhere, while both ends were up */
    mtime_t begun, ended; /* its first event, its last */
    bool broken; /* an end got an error, gave up, still believes, or what is there now cannot reach
                    the other end */
    bool stuck;  /* half closed, or full, at the end: it waits for an application */
};
/* 0, -ENOENT when there is no such connection. */
int story_outcome(const struct timeline *timeline, uint32_t connection,
                  struct outcome_connection *out);
/* Of all connections that there were, ascending by number; the caller frees *out. 0 or -ENOMEM. */
int story_outcomes(const struct timeline *timeline, struct outcome_connection **out, uint32_t *n);
/* One paragraph, wrapped to width columns. */
int story_outcome_text(FILE *to, const struct timeline *timeline, unsigned width);
/* The same as one JSON object, type "outcome". */
int story_outcome_json(FILE *to, const struct timeline *timeline);

#endif
