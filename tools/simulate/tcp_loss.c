/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/tcp_private.h"

/*
 * How much may be under way, and what is sent again when (RFC 5681, RFC 6582). Not modelled: the
 * SACK scoreboard, F-RTO, and any congestion control but Reno's: what a
 * middlebox's idle limit does to a connection does not depend on them.
 */

static unsigned segments(const struct tcp *tcp, uint32_t bytes)
{
    return (bytes + tcp->mss - 1) / tcp->mss;
}

unsigned tcp_packets_out(const struct tcp *tcp)
{
    if (!tcp_outstanding(tcp))
        return 0;
    if (!seq_after(tcp->tail_seq, tcp->snd_una))
        return 1;
    return segments(tcp, tcp->tail_seq - tcp->snd_una) + 1;
}

bool tcp_loss_recovering(const struct tcp *tcp)
{
    return seq_after(tcp->lost_end, tcp->snd_una);
}

bool tcp_cwnd_allows(const struct tcp *tcp)
{
    unsigned flight = tcp_packets_out(tcp);

    if (tcp_loss_recovering(tcp) && !tcp->fast)
        flight = segments(tcp, tcp->lost_next - tcp->snd_una) +
                 segments(tcp, tcp->snd_nxt - tcp->lost_end);
    return flight < tcp->cwnd;
}

static void halve(struct tcp *tcp)
{
    unsigned half = tcp->cwnd / 2;

    tcp->ssthresh = (uint16_t)(half > 2 ? half : 2); /* tcp_reno_ssthresh() */
}

void tcp_loss_enter(struct tcp *tcp)
{
    if (!tcp_loss_recovering(tcp))
        halve(tcp);
    tcp->cwnd = 1;
    tcp->cwnd_count = 0;
    tcp->fast = false;
    tcp->lost_end = tcp->snd_nxt;
    tcp->lost_next = tcp->snd_una;
}

/* Slow start, then one segment a round trip; only as far as the window was made use of
 * (tcp_is_cwnd_limited()). */
static void grow(struct tcp *tcp, unsigned before, unsigned acked)
{
    if (tcp->cwnd >= tcp->ssthresh ? before < tcp->cwnd : 2 * before <= tcp->cwnd)
        return;
    if (tcp->cwnd < tcp->ssthresh) {
        tcp->cwnd = (uint16_t)(tcp->cwnd + acked > 10000 ? 10000 : tcp->cwnd + acked);
        return;
    }
    tcp->cwnd_count = (uint16_t)(tcp->cwnd_count + acked);
    if (tcp->cwnd_count >= tcp->cwnd) {
        tcp->cwnd_count = 0;
        tcp->cwnd++;
    }
}

/* Karn: what was sent again is measured by timestamps or not at all (tcp_ack_update_rtt()). */
static void measure(struct tcp *tcp, mtime_t now, uint32_t una, const struct tcp_segment *segment)
{
    if (!seq_after(tcp->again_end, una)) {
        tcp_rto_sample(tcp, now - tcp->head_sent);
    } else if (tcp->timestamps && segment->has_timestamp && segment->tsecr) {
        uint32_t ms = tcp_timestamp(tcp, now) - segment->tsecr; /* tcp_rtt_tsopt_us() */

        if (ms <= INT32_MAX)
            tcp_rto_sample(tcp, (ms ? ms : 1) * MTIME_MSEC);
    }
}

static void send_lost(struct tcp *tcp, mtime_t now)
{
    if (seq_before(tcp->lost_next, tcp->snd_una))
        tcp->lost_next = tcp->snd_una;
    if (tcp->fast) { /* RFC 6582 3.2: a partial ACK says what is missing next */
        tcp_send_again(tcp, now, tcp->snd_una, NOTE_RETRANSMIT);
        return;
    }
    while (seq_before(tcp->lost_next, tcp->lost_end) && tcp_cwnd_allows(tcp))
        tcp->lost_next = tcp_send_again(tcp, now, tcp->lost_next, NOTE_RETRANSMIT);
}

void tcp_loss_acked(struct tcp *tcp, mtime_t now, uint32_t una, const struct tcp_segment *segment)
{
    unsigned acked = segments(tcp, tcp->snd_una - una);
    bool recovering = seq_after(tcp->lost_end, una);
    unsigned before = tcp_packets_out(tcp) + acked;

    measure(tcp, now, una, segment);
    if (!seq_before(tcp->snd_una, tcp->tail_seq))
        tcp->head_sent = tcp->tail_sent;
    tcp->duplicate_acks = 0;
    tcp->retransmits = 0;
    if (!tcp->fast || !recovering)
        grow(tcp, recovering ? tcp->cwnd : before, acked);
    if (tcp_loss_recovering(tcp)) {
        send_lost(tcp, now);
    } else {
        tcp->retrans_stamp = MTIME_NEVER;
        tcp->lost_end = tcp->lost_next = tcp->snd_una;
        tcp->fast = false;
    }
    if (!tcp_tail_probe_schedule(tcp, now, true)) /* tcp_set_xmit_timer() */
        tcp_retransmit_rearm(tcp, now);
}

/* Fast retransmit (RFC 5681 3.2): the first segment is lost, those behind it are not. */
static void lost_first(struct tcp *tcp, mtime_t now)
{
    halve(tcp);
    tcp->cwnd = tcp->ssthresh;
    tcp->fast = true;
    tcp->lost_end = tcp->snd_nxt;
    tcp->lost_next = tcp->snd_una;
    if (tcp->retrans_stamp == MTIME_NEVER)
        tcp->retrans_stamp = now;
    tcp_send_again(tcp, now, tcp->snd_una, NOTE_RETRANSMIT);
    tcp_set_pending(tcp, now, PENDING_RETRANSMIT, tcp->rto);
}

void tcp_loss_fire(struct tcp *tcp, mtime_t now)
{
    if (tcp_outstanding(tcp) && !tcp_loss_recovering(tcp))
        lost_first(tcp, now);
    else
        tcp_retransmit_rearm(tcp, now);
}

/* What was sent later has come: the first is lost once it is a quarter of the round trip overdue
 * (RFC 8985 6.2; tcp_rack_mark_lost(), with TCP_TIMEOUT_MIN_US). */
static void wait_for_reordering(struct tcp *tcp, mtime_t now)
{
    mtime_t rtt = (mtime_t)(tcp->srtt_us >> 3) * 1000;
    mtime_t left = tcp->head_sent + rtt + rtt / 4 - now;

    if (left > 0)
        tcp_set_pending(tcp, now, PENDING_REORDER, left + 2 * MTIME_MSEC);
    else
        lost_first(tcp, now);
}

void tcp_loss_duplicate(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    bool sacked = segment->sack[0] != segment->sack[1] && seq_after(segment->sack[1], tcp->snd_una);

    if (tcp->duplicate_acks < UINT8_MAX)
        tcp->duplicate_acks++;
    if (tcp_loss_recovering(tcp))
        return;
    if (tcp->duplicate_acks == 3)
        lost_first(tcp, now);
    else if (sacked && tcp->host->system->tail_loss_probe && tcp->pending != PENDING_REORDER)
        wait_for_reordering(tcp, now);
}
