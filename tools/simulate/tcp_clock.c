/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/tcp_private.h"

/*
 * When a timer that is armed now really fires. Linux: kernel/time/timer.c, calc_wheel_index() and
 * calc_index(). The farther away, the coarser the step it is rounded up to: up to an eighth late.
 * Not modelled: a timer that is armed while timers run counts from the next jiffy, which matters
 * only at the very edge of a level; softirqs that run late.
 */

#define LVL_CLK_SHIFT 3
#define LVL_SIZE 64u /* LVL_BITS 6 */

/* jiffies since time 0 */
static uint64_t jiffies(mtime_t t, unsigned hz)
{
    return (uint64_t)(t / MTIME_SEC) * hz + (uint64_t)(t % MTIME_SEC) * hz / MTIME_SEC;
}

/* msecs_to_jiffies() and its like round up. Less than a nanosecond too much is no jiffy more: at
 * 300 Hz no jiffy is a whole number of them. */
static uint64_t to_jiffies(mtime_t delay, unsigned hz)
{
    return (uint64_t)(delay / MTIME_SEC) * hz +
           ((uint64_t)(delay % MTIME_SEC) * hz + MTIME_SEC - 1 - hz) / MTIME_SEC;
}

/* When the counter reaches it. */
static mtime_t begins(uint64_t jiffy, unsigned hz)
{
    return (mtime_t)(jiffy / hz) * MTIME_SEC + (mtime_t)((jiffy % hz * MTIME_SEC + hz - 1) / hz);
}

static uint64_t level_start(unsigned level) /* LVL_START() */
{
    return (uint64_t)(LVL_SIZE - 1) << ((level - 1) * LVL_CLK_SHIFT);
}

/* The jiffy whose bucket a timer for `expires` is put into at `clk`. */
static uint64_t wheel_bucket(uint64_t expires, uint64_t clk, unsigned hz)
{
    unsigned depth = hz > 100 ? 9 : 8, level = 0; /* LVL_DEPTH */
    uint64_t cutoff = level_start(depth);

    while (level < depth - 1 && expires - clk >= level_start(level + 1))
        level++;
    if (expires - clk >= cutoff) /* WHEEL_TIMEOUT_MAX */
        expires = clk + cutoff - (UINT64_C(1) << ((depth - 1) * LVL_CLK_SHIFT));
    return ((expires >> (level * LVL_CLK_SHIFT)) + 1) << (level * LVL_CLK_SHIFT);
}

static void arm_wheel(struct tcp *tcp, enum tcp_timer_slot slot, mtime_t now, mtime_t delay)
{
    uint64_t zero = tcp->host->jiffy;
    unsigned hz = tcp->host->system->hz;
    uint64_t clk = zero + jiffies(now, hz), expires = clk + to_jiffies(delay, hz);

    tcp->expires[slot] = begins(expires - zero, hz);
    tcp->fires[slot] = begins(wheel_bucket(expires, clk, hz) - zero, hz);
}

/* tcp_slowtimo() counts down at every tick, and the first may come at once. Delayed ACKs have a
 * timer of their own, tcp_fasttimo(), that sends all that wait. */
static void arm_ticks(struct tcp *tcp, enum tcp_timer_slot slot, mtime_t now, mtime_t delay)
{
    mtime_t tick = slot == SLOT_DELACK ? delay : tcp->host->system->tick;
    mtime_t phase, count;

    if (tick <= 0)
        tick = 1;
    phase = (mtime_t)(tcp->host->jiffy % (uint64_t)tick);
    count = delay <= 0 ? 1 : (delay - 1) / tick + 1;
    tcp->fires[slot] = ((now + phase) / tick + count) * tick - phase;
    tcp->expires[slot] = tcp->fires[slot];
}

mtime_t tcp_elapsed(const struct tcp *tcp, mtime_t now, mtime_t since)
{
    unsigned hz = tcp->host->system->hz;
    uint64_t n;

    if (tcp->host->system->clock != CLOCK_WHEEL)
        return now - since;
    n = jiffies(now, hz) - jiffies(since, hz);
    return (mtime_t)(n / hz) * MTIME_SEC + (mtime_t)(n % hz * MTIME_SEC / hz);
}

void tcp_arm(struct tcp *tcp, enum tcp_timer_slot slot, mtime_t now, mtime_t delay)
{
    if (delay == MTIME_NEVER) {
        tcp_disarm(tcp, slot);
        return;
    }
    if (delay < 0)
        delay = 0;
    switch (tcp->host->system->clock) {
    case CLOCK_EXACT:
        tcp->fires[slot] = tcp->expires[slot] = now + delay;
        break;
    case CLOCK_WHEEL:
        arm_wheel(tcp, slot, now, delay);
        break;
    case CLOCK_TICKS:
        arm_ticks(tcp, slot, now, delay);
        break;
    }
}

void tcp_disarm(struct tcp *tcp, enum tcp_timer_slot slot)
{
    tcp->fires[slot] = tcp->expires[slot] = MTIME_NEVER;
}
