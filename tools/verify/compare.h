/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_COMPARE_H
#define IDLEWALL_COMPARE_H

/*
 * Two timelines of one scenario, event by event: kind, side, flags, relative sequence and
 * acknowledgement numbers, length, errno, state and timer of both sockets, firewall events; in
 * order, and in time within an eighth of each armed timer plus 50 ms of wall time. Events closer
 * together than that tolerance and of different places may stand in another order.
 */

#include "tools/timeline/timeline.h"

#include <stdio.h>

struct compare_pair {
    const struct timeline_event *live, *virtual; /* NULL: only the other has it */
    bool differs;
    char why[120]; /* "length 0, not 1"; "8.2s late" */
};
struct compare {
    struct compare_pair *pairs; /* owned */
    size_t n, differences;
};
/* 0 or -ENOMEM. */
int compare_timelines(struct compare *out, const struct timeline *live,
                      const struct timeline *virtual, unsigned speed);
void compare_finish(struct compare *compare);
/* Side by side, differences marked, and a last line that says how many. */
int compare_write(FILE *to, const struct compare *compare, const struct scenario *scenario);

#endif
