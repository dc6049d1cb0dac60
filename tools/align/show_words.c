/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "tools/align/show.h"

#include <string.h>

const char *show_time(char buf[SHOW_TIME], mtime_t t)
{
    mtime_t step = t >= 10 * MTIME_SEC ? MTIME_SEC / 10 : MTIME_SEC / 1000;

    if (t >= 600 * MTIME_SEC)
        step = MTIME_SEC;
    if (t < MTIME_NEVER - step)
        t = (t + step / 2) / step * step;
    *put_duration(buf, t) = '\0';
    return buf;
}

static size_t put_bounds(char *buf, size_t size, struct bounds b)
{
    char low[SHOW_TIME], high[SHOW_TIME];

    *put_seconds(low, b.low) = '\0';
    *put_seconds(high, b.high) = '\0';
    if (b.low <= MTIME_SEC && b.high == MTIME_NEVER)
        snprintf(buf, size, "?");
    else if (b.low == b.high)
        snprintf(buf, size, "%s", low);
    else if (b.high == MTIME_NEVER)
        snprintf(buf, size, "%s..", low);
    else
        snprintf(buf, size, "%s..%s", low, high);
    return strlen(buf);
}

const char *show_keepalive(char *buf, size_t size, const struct end *end)
{
    size_t n = 0;

    if (end->keepalive != KEEPALIVE_ON)
        return end->keepalive == KEEPALIVE_OFF ? "off" : "?";
    if (end->figures != FIGURES_READ)
        buf[n++] = '~';
    n += put_bounds(buf + n, size - n, end->idle);
    buf[n++] = '/';
    n += put_bounds(buf + n, size - n, end->interval);
    if (end->count > 0)
        snprintf(buf + n, size - n, "/%u", end->count);
    else
        snprintf(buf + n, size - n, "/?");
    return buf;
}

const char *show_refresh(const struct limit *limit)
{
    if (limit->timeout == MTIME_NEVER)
        return "-";
    if (limit->hop->behaviour_unknown)
        return "?";
    if (limit->absolute)
        return "nothing";
    switch (limit->hop->profile.refresh) {
    case REFRESH_BOTH:
        return limit->payload ? "payload" : "any packet";
    case REFRESH_CLIENT:
        return limit->payload ? "client's payload" : "client's packets";
    case REFRESH_SERVER:
        return limit->payload ? "server's payload" : "server's packets";
    case REFRESH_EACH:
        return limit->payload ? "payload of both" : "packets of both";
    case REFRESH_NONE:
        break;
    }
    return "nothing";
}
