/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What countdowns tell of keepalive's figures. From net/ipv4/tcp_timer.c, tcp_keepalive_timer():
 * traffic does not touch the timer. When it fires and something was received less than `idle` ago,
 * it is armed for the rest: it then ends at `received + idle`. Else a probe goes out, and it is
 * armed for `interval`, whatever is answered. Armed for 50 ms or 500 ms it tries something again.
 * All figures are whole seconds.
 */
#include "tools/align/socket_parts.h"

#define RETRY (500 * MTIME_MSEC)   /* TCP_RESOURCE_PROBE_INTERVAL */
#define ROUNDED (10 * MTIME_MSEC)  /* the kernel's ticks, netstat's two digits */
#define WATCHED (100 * MTIME_MSEC) /* both looks take a while */

static mtime_t up(mtime_t t)
{
    return t <= 0 ? 0 : (t + MTIME_SEC - 1) / MTIME_SEC * MTIME_SEC;
}

static mtime_t down(mtime_t t)
{
    return t == MTIME_NEVER ? t : t / MTIME_SEC * MTIME_SEC;
}

/* What a countdown may be too short by: ss drops milliseconds from 10 s on, seconds from 10 min on
 * (print_ms_timer()). */
static mtime_t grain(const struct socket_fact *fact)
{
    if (fact->line == 0 || fact->timer_left < 10 * MTIME_SEC)
        return ROUNDED;
    return fact->timer_left < 600 * MTIME_SEC ? MTIME_SEC : 60 * MTIME_SEC;
}

static mtime_t larger(mtime_t a, mtime_t b)
{
    return a > b ? a : b;
}

static void cut(struct bounds *b, mtime_t low, mtime_t high)
{
    b->low = larger(b->low, low);
    if (high < b->high)
        b->high = high;
}

/* A socket that its process has closed waits for the peer's FIN with the same timer
 * (tcp_rcv_state_process(), inet_csk_reset_keepalive_timer()). */
static bool may_be_closed(const struct socket_fact *fact)
{
    return fact->state != SOCKET_ESTABLISHED && fact->state != SOCKET_CLOSE_WAIT &&
           fact->inode == 0;
}

/* Before ESTABLISHED the timer does not run (tcp_set_keepalive()). */
static bool has_keepalive_timer(const struct socket_fact *fact)
{
    switch (fact->state) {
    case SOCKET_ESTABLISHED:
    case SOCKET_CLOSE_WAIT:
    case SOCKET_FIN_WAIT_1:
    case SOCKET_FIN_WAIT_2:
    case SOCKET_CLOSING:
    case SOCKET_LAST_ACK:
        return fact->timer_known && !may_be_closed(fact);
    case SOCKET_GONE:
    case SOCKET_SYN_SENT:
    case SOCKET_SYN_RECV:
    case SOCKET_TIME_WAIT:
        break;
    }
    return false;
}

static bool is_counting(const struct socket_fact *fact)
{
    return has_keepalive_timer(fact) && fact->timer == TIMER_KEEPALIVE;
}

struct inferred {
    struct bounds idle, interval;
};

static struct inferred from_one_look(const struct socket_fact *fact)
{
    struct inferred seen = {BOUNDS_UNKNOWN, BOUNDS_UNKNOWN};
    mtime_t left = fact->timer_left;

    cut(&seen.idle, MTIME_SEC, MTIME_NEVER);
    cut(&seen.interval, MTIME_SEC, MTIME_NEVER);
    if (fact->probes == 0) {
        cut(&seen.idle, up(left - ROUNDED), MTIME_NEVER);
        return seen;
    }
    cut(&seen.interval, up(left - ROUNDED), MTIME_NEVER);
    /* The first of the probes went out after `idle`, all but the last were followed by a whole
     * interval, which is at least what is left of this one. */
    if (fact->last_received != MTIME_NEVER)
        cut(&seen.idle, 0,
            larger(down(fact->last_received - (fact->probes - 1) * left + ROUNDED), MTIME_SEC));
    return seen;
}

/* The longer of the two can only be the interval. */
static void settle(struct inferred *seen)
{
    if (seen->idle.low > seen->idle.high) {
        cut(&seen->interval, seen->idle.low, MTIME_NEVER);
        seen->idle.low = MTIME_SEC;
    }
    if (seen->interval.low > seen->interval.high)
        seen->interval.high = MTIME_NEVER; /* changed meanwhile */
}

static void infer(struct socket_fact *fact, struct inferred seen)
{
    if (fact->figures == FIGURES_DEFAULT) {
        mtime_t longer = larger(fact->idle.low, fact->interval.low);

        if (seen.idle.low <= longer && fact->idle.low <= seen.idle.high &&
            seen.interval.low <= fact->interval.low && fact->interval.low <= seen.interval.high) {
            fact->at_least = larger(fact->at_least, seen.idle.low);
            return;
        }
        fact->idle = fact->interval = BOUNDS_UNKNOWN;
        fact->count = 0;
    }
    cut(&seen.idle, fact->idle.low, fact->idle.high);
    cut(&seen.interval, fact->interval.low, fact->interval.high);
    settle(&seen);
    fact->idle = seen.idle;
    fact->interval = seen.interval;
    fact->figures = FIGURES_INFERRED;
}

void figures_look(struct socket_fact *fact)
{
    if (fact->figures == FIGURES_READ || !has_keepalive_timer(fact))
        return;
    if (fact->timer == TIMER_OFF) {
        fact->keepalive = KEEPALIVE_OFF;
    } else if (is_counting(fact)) {
        fact->keepalive = KEEPALIVE_ON;
        infer(fact, from_one_look(fact));
    }
}

static void from_two_looks(struct inferred *seen, const struct socket_fact *first,
                           const struct socket_fact *now, mtime_t elapsed)
{
    mtime_t slack = WATCHED + grain(now), fired = first->timer_left;
    mtime_t since = elapsed + now->timer_left - fired; /* the first firing to the next one */

    /* The same countdown still; also one that is due, for timers come up to an eighth late
     * (kernel/time/timer.c). */
    if (now->timer_left == 0 || since <= WATCHED + grain(first) + grain(now))
        return;
    /* Armed when something was received at the earliest before the first look; or a probe went out,
     * because nothing was for `idle`. */
    if (first->last_received != MTIME_NEVER)
        cut(&seen->idle, 0, down(first->last_received + elapsed + now->timer_left + slack));
    /* Nothing was received since before it fired, and no probe is out: it ends at `received +
     * idle`. */
    if (now->probes == 0 && now->last_received != MTIME_NEVER && now->timer_left > RETRY &&
        now->last_received > elapsed - fired + slack)
        cut(&seen->idle, up(now->last_received + now->timer_left - ROUNDED),
            down(now->last_received + now->timer_left + slack));
    if (now->probes > first->probes)
        cut(&seen->interval, 0,
            larger(down((since + grain(first) + slack) / (now->probes - first->probes)),
                   MTIME_SEC));
}

void figures_narrow(struct socket_fact *fact, const struct socket_fact *later, mtime_t elapsed)
{
    if (later->figures == FIGURES_READ || fact->keepalive == KEEPALIVE_UNKNOWN ||
        (later->keepalive != KEEPALIVE_UNKNOWN && later->keepalive != fact->keepalive)) {
        fact->keepalive = later->keepalive;
        fact->figures = later->figures;
        fact->idle = later->idle;
        fact->interval = later->interval;
        fact->count = later->count;
        fact->user_timeout = later->user_timeout;
        fact->at_least = later->at_least;
    } else if (fact->figures != FIGURES_READ && later->keepalive == KEEPALIVE_ON &&
               is_counting(later)) {
        struct inferred seen = from_one_look(later);

        if (is_counting(fact))
            from_two_looks(&seen, fact, later, elapsed);
        infer(fact, seen);
    }
}
