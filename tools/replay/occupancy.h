/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_OCCUPANCY_H
#define IDLEWALL_OCCUPANCY_H

/*
 * How many entries there were, exactly, whatever found them over and when, and however they were
 * spread over engines: from the times at which they opened and closed. One that closes as another
 * opens has made room for it.
 */

#include "policy/mtime.h"

#include <stddef.h>
#include <stdint.h>

struct occupancy_times {
    mtime_t *at;
    size_t n, room;
};
/* 0 or -ENOMEM. */
int occupancy_note(struct occupancy_times *times, mtime_t at);
void occupancy_times_finish(struct occupancy_times *times);

struct occupancy {
    int64_t live;
    uint64_t peak;
    /* Openings at the end of the last stretch: what closes at that very moment may yet come. */
    size_t held;
    mtime_t held_at;
    /* The sum of all lives so far, in two parts as it may exceed 64 bits of nanoseconds. */
    int64_t seconds, nanoseconds;
    mtime_t *scratch;
    uint32_t *closed;
    size_t room;
};
void occupancy_finish(struct occupancy *occupancy);
/* A stretch of time up to and with now: what opened in it (ascending, each of the n arrays) and
 * what closed in it (in any order). Wherever stretches are cut, the figures are the same. 0 or
 * -ENOMEM. */
int occupancy_add(struct occupancy *occupancy, const struct occupancy_times *opens,
                  const struct occupancy_times *closes, size_t n, mtime_t now);
/* No more will come. 0 or -ENOMEM. */
int occupancy_end(struct occupancy *occupancy);
/* After the end: over the time from first to last, what still lives counted up to it. */
double occupancy_mean(const struct occupancy *occupancy, mtime_t first, mtime_t last);

#endif
