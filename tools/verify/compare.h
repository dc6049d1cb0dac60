/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_COMPARE_H
#define IDLEWALL_COMPARE_H

/*
 * Two timelines of one scenario, event by event. At every place, for each connection, packets,
 * applications, sockets and the firewall's events must come in the same order and be the same:
 * kind, side, flags, relative sequence and acknowledgement numbers, length, errno, state and timer
 * of both sockets. In time they may differ by an eighth of what was waited for, as a timer may be
 * late, and 50 ms of wall time. What a socket shows for a moment only is not compared: the lab
 * looks now and then. A write longer than a segment is one packet (long_write.h).
 */

#include "tools/timeline/timeline.h"

#include <stdio.h>

struct compare_pair {
    const struct timeline_event *live, *virtual; /* NULL: only the other has it */
    bool differs;
    char why[120]; /* "length 0, not 1"; "8.2s late" */
};
struct compare {
    struct compare_pair *pairs; /* owned; in time order */
    size_t n, room, differences;
    struct timeline_event *events[2]; /* owned: what pairs point to */
};
/* speed: story seconds a wall second of the live run. 0 or -ENOMEM; compare_finish() either way. */
int compare_timelines(struct compare *out, const struct timeline *live,
                      const struct timeline *virtual, unsigned speed);
void compare_finish(struct compare *compare);
/* Side by side, differences marked, and a last line that says how many. 0 or a negative errno. */
int compare_write(FILE *to, const struct compare *compare, const struct scenario *scenario);

#endif
