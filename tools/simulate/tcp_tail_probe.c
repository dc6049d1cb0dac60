/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/tcp_private.h"

/* RFC 8985 7 as net/ipv4/tcp_output.c does it: before the retransmission timeout the last segment
 * is sent once more, or a new one, so that an ACK tells what is missing. On a short path it comes
 * at the time of the timeout and puts that off by one. */

/* tcp_schedule_loss_probe(). A single segment's ACK may be delayed by up to rto_min. */
bool tcp_tail_probe_schedule(struct tcp *tcp, mtime_t now, bool advancing)
{
    const struct system *system = tcp->host->system;
    mtime_t delay = system->rto_initial;
    mtime_t rto = advancing ? tcp->rto : tcp->head_sent + tcp->rto - now;

    if (!system->tail_loss_probe || !tcp_outstanding(tcp) || !tcp->sack || tcp_loss_recovering(tcp))
        return false;
    if (tcp->srtt_us)
        delay = (mtime_t)(tcp->srtt_us >> 2) * 1000 +
                (tcp_packets_out(tcp) == 1 ? system->rto_min : 2 * MTIME_MSEC);
    if (rto > 0 && rto < delay)
        delay = rto;
    tcp_set_pending(tcp, now, PENDING_TAIL_PROBE, delay);
    return true;
}

/* New data, if there is any that the window lets out; Nagle and cwnd do not hold it up. */
static bool send_new(struct tcp *tcp, mtime_t now)
{
    uint32_t left = tcp->write_seq - tcp->snd_nxt - tcp->fin_queued;
    uint32_t len = left < tcp->mss ? left : tcp->mss;

    if (!tcp_unsent(tcp) ||
        seq_after(tcp->snd_nxt + len + (tcp->fin_queued && len == left), tcp_window_end(tcp)))
        return false;
    return tcp_send_new(tcp, now, len, false, NOTE_TAIL_PROBE);
}

/* tcp_send_loss_probe() */
void tcp_tail_probe_fire(struct tcp *tcp, mtime_t now)
{
    uint32_t from = seq_after(tcp->tail_seq, tcp->snd_una) ? tcp->tail_seq : tcp->snd_una;

    if (!tcp_outstanding(tcp)) {
        tcp->pending = PENDING_NONE;
        return;
    }
    if (!tcp->probe_pending) { /* at most one; the next one waits for an ACK beyond it */
        tcp->probe_again = !send_new(tcp, now);
        if (tcp->probe_again)
            tcp_send_again(tcp, now, from, NOTE_TAIL_PROBE);
        tcp->probe_pending = true;
        tcp->probe_high = tcp->snd_nxt;
        tcp->pending = PENDING_NONE; /* the whole timeout from now on */
    }
    tcp_retransmit_rearm(tcp, now);
}

void tcp_tail_probe_acked(struct tcp *tcp, const struct tcp_segment *segment, bool duplicate)
{
    bool dsack = segment->sack[0] != segment->sack[1] && seq_before(segment->sack[0], segment->ack);

    if (!tcp->probe_pending || seq_before(segment->ack, tcp->probe_high))
        return;
    if (!tcp->probe_again || dsack || duplicate || seq_after(segment->ack, tcp->probe_high))
        tcp->probe_pending = false;
}
