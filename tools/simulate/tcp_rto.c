/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/tcp_private.h"

/* RFC 6298 as Linux does it: tcp_rtt_estimator() and tcp_set_rto() of net/ipv4/tcp_input.c. The
 * least is not rto_min but srtt + rto_min, because the deviation never falls below rto_min. */

static uint32_t least_us(const struct tcp *tcp)
{
    return (uint32_t)(tcp->host->system->rto_min / 1000);
}

void tcp_rto_init(struct tcp *tcp)
{
    tcp->rto = tcp->host->system->rto_initial;
    tcp->mdev_us = (uint32_t)(tcp->rto / 1000);
}

/* icsk_rto is in jiffies, usecs_to_jiffies() rounds up: what is doubled later is the rounded one.
 */
static mtime_t rounded(const struct tcp *tcp, mtime_t t)
{
    mtime_t jiffy;

    if (tcp->host->system->clock != CLOCK_WHEEL)
        return t;
    jiffy = MTIME_SEC / tcp->host->system->hz;
    return (t + jiffy - 1) / jiffy * jiffy;
}

static void first(struct tcp *tcp, uint32_t rtt)
{
    tcp->srtt_us = rtt << 3;
    tcp->mdev_us = rtt << 1;
    tcp->rttvar_us = tcp->mdev_us > least_us(tcp) ? tcp->mdev_us : least_us(tcp);
    tcp->mdev_max_us = tcp->rttvar_us;
    tcp->rtt_seq = tcp->snd_nxt;
}

static void next(struct tcp *tcp, uint32_t rtt)
{
    int64_t m = (int64_t)rtt - (tcp->srtt_us >> 3);

    tcp->srtt_us = (uint32_t)(tcp->srtt_us + m);
    if (m < 0) {
        m = -m - (tcp->mdev_us >> 2);
        if (m > 0) /* faster than thought: a lower gain, or the deviation would rise */
            m >>= 3;
    } else {
        m -= tcp->mdev_us >> 2;
    }
    tcp->mdev_us = (uint32_t)(tcp->mdev_us + m);
    if (tcp->mdev_us > tcp->mdev_max_us) {
        tcp->mdev_max_us = tcp->mdev_us;
        if (tcp->mdev_max_us > tcp->rttvar_us)
            tcp->rttvar_us = tcp->mdev_max_us;
    }
    if (seq_after(tcp->snd_una, tcp->rtt_seq)) { /* once a round trip it may fall */
        if (tcp->mdev_max_us < tcp->rttvar_us)
            tcp->rttvar_us -= (tcp->rttvar_us - tcp->mdev_max_us) >> 2;
        tcp->rtt_seq = tcp->snd_nxt;
        tcp->mdev_max_us = least_us(tcp);
    }
}

void tcp_rto_sample(struct tcp *tcp, mtime_t rtt)
{
    mtime_t longest = 100 * MTIME_SEC; /* srtt_us << 3 must fit */
    uint32_t us = (uint32_t)((rtt < longest ? rtt : longest) / 1000);

    if (tcp->srtt_us)
        next(tcp, us);
    else
        first(tcp, us);
    if (tcp->srtt_us == 0)
        tcp->srtt_us = 1;
    tcp->rto = rounded(tcp, ((mtime_t)(tcp->srtt_us >> 3) + tcp->rttvar_us) * 1000);
    if (tcp->rto > tcp->host->system->rto_max)
        tcp->rto = tcp->host->system->rto_max;
    tcp->backoff = 0; /* RFC 6298 5.7: only a valid measurement undoes the doubling */
}

void tcp_rto_back_off(struct tcp *tcp)
{
    mtime_t longest = tcp->host->system->rto_max;

    tcp->backoff++;
    tcp->rto = tcp->rto < longest / 2 ? 2 * tcp->rto : longest;
}

uint32_t tcp_timestamp(const struct tcp *tcp, mtime_t now)
{
    return (uint32_t)(now / MTIME_MSEC) + tcp->host->ts_offset;
}
