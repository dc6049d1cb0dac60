/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/tcp_private.h"

/* TCP_USER_TIMEOUT (RFC 5482) as net/ipv4/tcp_timer.c has it, in milliseconds of the clock that
 * retransmissions are stamped with. Keepalive's part is in tcp_keepalive.c. */

static mtime_t elapsed(mtime_t now, mtime_t since)
{
    return now / MTIME_MSEC * MTIME_MSEC - since / MTIME_MSEC * MTIME_MSEC;
}

/* retransmits_timed_out() and tcp_probe_timer() */
bool tcp_user_timeout_over(const struct tcp *tcp, mtime_t now, mtime_t since)
{
    mtime_t limit = tcp->options.user_timeout;

    return limit && since != MTIME_NEVER && elapsed(now, since) >= limit;
}

/* tcp_clamp_rto_to_user_timeout(), tcp_clamp_probe0_to_user_timeout(): past its end, as soon as the
 * clock allows (a jiffy; the kernel's window probes have two). */
mtime_t tcp_user_timeout_clamp(const struct tcp *tcp, mtime_t now, mtime_t since, mtime_t delay)
{
    const struct system *system = tcp->host->system;
    mtime_t left;

    if (!tcp->options.user_timeout || since == MTIME_NEVER)
        return delay;
    left = tcp->options.user_timeout - elapsed(now, since);
    if (left <= 0)
        left = system->clock == CLOCK_WHEEL ? MTIME_SEC / system->hz : MTIME_MSEC;
    return left < delay ? left : delay;
}
