/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_MTIME_H
#define IDLEWALL_MTIME_H

#include <stdint.h>

/*
 * A point in time or a duration, in nanoseconds. Points are counted from an origin the front end
 * chooses (CLOCK_MONOTONIC times --speed live, the capture's first packet in replay, 0 in the
 * simulator); the engine never asks a clock. MTIME_NEVER is later than every point: adding to it
 * keeps it.
 */
typedef int64_t mtime_t;

#define MTIME_NEVER INT64_MAX
#define MTIME_MSEC INT64_C(1000000)
#define MTIME_SEC INT64_C(1000000000)

/* point + duration, saturating at MTIME_NEVER. Both must be >= 0. */
static inline mtime_t mtime_add(mtime_t point, mtime_t duration)
{
    return duration >= MTIME_NEVER - point ? MTIME_NEVER : point + duration;
}

static inline double mtime_seconds(mtime_t t)
{
    return (double)t / (double)MTIME_SEC;
}

#endif
