/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/summary_private.h"

/* Nine eighths: Linux fires a timer up to an eighth late (kernel/time/timer.c: the wheel's steps
 * grow with the time). */
mtime_t keepalive_silence(const struct keepalive_setting *setting)
{
    mtime_t plain = setting->idle + SUMMARY_LOST * setting->interval;

    return plain + plain / 8 + SUMMARY_RTT;
}

/* Down to a figure that a person would choose: 42 s to 40 s, 3049 s to 3000 s. */
static mtime_t rounded(mtime_t s)
{
    static const struct {
        mtime_t from, step;
    } steps[] = {{3600, 600}, {600, 300}, {60, 30}, {20, 10}, {10, 5}, {0, 1}};

    for (size_t i = 0;; i++)
        if (s >= steps[i].from)
            return s - s % steps[i].step;
}

/* The interval: a tenth of the limit, 75 s (tcp_keepalive_intvl's default) at most. The idle time:
 * what is left. */
bool keepalive_for(mtime_t limit, struct keepalive_setting *out)
{
    mtime_t interval = limit / 10 / MTIME_SEC, idle;

    interval = interval > 75 ? 75 : interval < 1 ? 1 : rounded(interval);
    idle = (limit - SUMMARY_RTT) / 9 * 8 / MTIME_SEC - SUMMARY_LOST * interval;
    if (limit == MTIME_NEVER || idle < 1)
        return false;
    out->interval = interval * MTIME_SEC;
    out->idle = rounded(idle) * MTIME_SEC;
    if (out->idle > 7200 * MTIME_SEC) /* the default, tcp_keepalive_time */
        out->idle = 7200 * MTIME_SEC;
    while (keepalive_silence(out) >= limit && out->idle > MTIME_SEC)
        out->idle -= MTIME_SEC;
    return keepalive_silence(out) < limit;
}
