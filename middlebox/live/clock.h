/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_CLOCK_H
#define IDLEWALL_CLOCK_H

/* The only place of the daemon that reads clocks. Engine time is CLOCK_MONOTONIC since the start
 * times
 * --speed, plus one nanosecond, so that 0 never occurs. */

#include "middlebox/record/write.h"
#include "policy/mtime.h"

#include <time.h>

#define CLOCK_SPEED_MAX 10000 /* 2^63 ns last 10 days then, and 292 years at speed 1 */

struct live_clock {
    int64_t mono_start; /* ns */
    int64_t wall_start; /* Unix time, ns */
    unsigned speed;
};

void live_clock_init(struct live_clock *clock, unsigned speed);
mtime_t live_clock_now(const struct live_clock *clock);
/* How long until engine time `when`, in wall time, rounded up; 0 if it is past. */
struct timespec live_clock_until(const struct live_clock *clock, mtime_t when);
struct record_clock live_clock_record(const struct live_clock *clock, mtime_t now);

int64_t live_monotonic(void); /* ns, not sped up */
int64_t live_wall(void);      /* Unix time, ns */

#endif
