/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_TIMELINE_TEXT_H
#define IDLEWALL_TIMELINE_TEXT_H

/* One event as people read it: what the timeline, the ladder and the comparison of two stories
 * show. Each writes into text and returns it. */

#include "tools/timeline/timeline.h"

#include <stdarg.h>
#include <stdio.h>

/* The last that was seen of a packet. */
struct text_fate {
    enum passage last;
    uint8_t place;
    enum reason reason;
    bool silent;
    mtime_t t;
};

/* `Flags [P.], seq 1:101, ack 1, win 502, length 100`, as tcpdump. */
char *text_packet(char *text, size_t size, const struct timeline_packet *packet);
/* What it is for and what became of it: `  keepalive probe 1, dropped by firewall: late`; empty if
 * there is nothing to say. e is the event that sent it. */
char *text_fate(char *text, size_t size, const struct timeline *timeline,
                const struct timeline_event *e, const struct text_fate *fate);
/* `ESTABLISHED  timer:(keepalive,53sec,0)  keepalive (53.93/0/0)`, as ss and netstat. */
char *text_socket(char *text, size_t size, const struct socket_view *view, mtime_t now);
/* `keepalive (53.93/0/0)`. */
char *text_netstat_timer(char *text, size_t size, const struct socket_view *view, mtime_t now);
/* `read() = -1 ETIMEDOUT (Connection timed out)`, as strace. */
char *text_app(char *text, size_t size, const struct timeline_app *app);
/* `expired  idle timeout in ESTABLISHED after 1h idle (...)`, as `idlewall events`. */
char *text_flow_event(char *text, size_t size, const struct event *event);
/* `client: link up with new address`. */
char *text_deed(char *text, size_t size, const struct scenario *scenario, const struct deed *deed);
/* Title and who stands on the path, a line each; names in columns of that width. */
void text_cast(FILE *to, const struct scenario *scenario, int width);

#endif
