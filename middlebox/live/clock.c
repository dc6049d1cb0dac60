/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/clock.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * MTIME_SEC + ts.tv_nsec;
}

int64_t live_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t live_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

void live_clock_init(struct live_clock *clock, unsigned speed)
{
    clock->mono_start = live_monotonic();
    clock->wall_start = live_wall();
    clock->speed = speed;
}

mtime_t live_clock_now(const struct live_clock *clock)
{
    int64_t elapsed = live_monotonic() - clock->mono_start;
    int64_t story;

    if (__builtin_mul_overflow(elapsed, (int64_t)clock->speed, &story))
        return MTIME_NEVER - 1;
    return story < MTIME_NEVER - 1 ? story + 1 : MTIME_NEVER - 1;
}

struct timespec live_clock_until(const struct live_clock *clock, mtime_t when)
{
    mtime_t now = live_clock_now(clock);
    int64_t wall = 0;

    if (when > now)
        wall = (when - now - 1) / (int64_t)clock->speed + 1;
    return (struct timespec){.tv_sec = wall / MTIME_SEC, .tv_nsec = wall % MTIME_SEC};
}

struct record_clock live_clock_record(const struct live_clock *clock, mtime_t now)
{
    return (struct record_clock){
        .now = now, .start = 1, .wall_start_ns = clock->wall_start, .speed = clock->speed};
}
