/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/packet.h"
#include "tools/simulate/tcp_private.h"

/*
 * Segments out (net/ipv4/tcp_output.c). Not modelled: TSO, pacing, corking, a send buffer's limit,
 * window clamps and the receive buffer's growth: the window is the buffer less what is unread.
 */

uint32_t tcp_window_end(const struct tcp *tcp)
{
    return tcp->snd_una + tcp->snd_wnd;
}

uint32_t tcp_receive_window(const struct tcp *tcp)
{
    uint32_t end = tcp->rcv_wup + tcp->rcv_wnd;

    return seq_after(end, tcp->rcv_nxt) ? end - tcp->rcv_nxt : 0;
}

/* __tcp_select_window(): a small window is not worth offering (receiver's side of RFC 9293
 * 3.8.6.2.2). */
uint32_t tcp_select_window(const struct tcp *tcp)
{
    uint32_t full = tcp->host->system->receive_buffer, unit = 1u << tcp->rcv_wscale;
    uint32_t free = full > tcp->unread ? full - tcp->unread : 0;

    if (free < full / 2 && (free < full / 16 || free < tcp->rcv_mss))
        return 0;
    free = free / unit * unit;
    return free < UINT32_C(65535) << tcp->rcv_wscale ? free : UINT32_C(65535) << tcp->rcv_wscale;
}

/* tcp_select_window(): what was offered is never taken back. */
static uint16_t offer(struct tcp *tcp)
{
    uint32_t old = tcp_receive_window(tcp), unit = 1u << tcp->rcv_wscale;
    uint32_t window = tcp_select_window(tcp);

    if (window < old)
        window = (old + unit - 1) / unit * unit;
    tcp->rcv_wnd = window;
    tcp->rcv_wup = tcp->rcv_nxt;
    window >>= tcp->rcv_wscale;
    return window > UINT16_MAX ? UINT16_MAX : (uint16_t)window;
}

static void add_sack(struct tcp *tcp, struct tcp_segment *segment)
{
    uint32_t *block = tcp->duplicate[0] != tcp->duplicate[1] ? tcp->duplicate : tcp->ahead;

    if (!tcp->sack || (segment->flags & TCP_SYN))
        return;
    segment->sack[0] = block[0];
    segment->sack[1] = block[1];
    tcp->duplicate[0] = tcp->duplicate[1];
}

/* __tcp_transmit_skb() */
void tcp_transmit(struct tcp *tcp, mtime_t now, struct tcp_segment *segment)
{
    if (!(segment->flags & TCP_SYN)) {
        segment->has_timestamp = tcp->timestamps;
        segment->wscale = TCP_NO_WSCALE;
        segment->window = offer(tcp);
    }
    if (segment->has_timestamp) {
        segment->tsval = tcp_timestamp(tcp, now);
        segment->tsecr = tcp->ts_recent;
    }
    if (segment->flags & TCP_ACK) {
        segment->ack = tcp->rcv_nxt;
        add_sack(tcp, segment);
        tcp_delack_ack_sent(tcp);
    }
    if (segment->len && !segment->garbage)
        tcp_delack_data_sent(tcp, now);
    tcp->host->wiring->transmit(tcp->host->arg, tcp, segment);
}

/* tcp_acceptable_seq(): a window that was taken back must not make our ACKs unacceptable. */
static uint32_t acceptable_seq(const struct tcp *tcp)
{
    uint32_t end = tcp_window_end(tcp);

    if (!seq_before(end, tcp->snd_nxt) || tcp->snd_nxt - end < 1u << tcp->rcv_wscale)
        return tcp->snd_nxt;
    return end;
}

void tcp_send_ack(struct tcp *tcp, mtime_t now, enum packet_note note)
{
    struct tcp_segment ack = {.seq = acceptable_seq(tcp), .flags = TCP_ACK, .note = note};

    tcp_transmit(tcp, now, &ack);
}

void tcp_send_reset(struct tcp *tcp, mtime_t now)
{
    struct tcp_segment reset = {.seq = acceptable_seq(tcp), .flags = TCP_RST | TCP_ACK};

    tcp_transmit(tcp, now, &reset);
}

void tcp_send_probe(struct tcp *tcp, mtime_t now, uint8_t bytes, enum packet_note note, uint8_t nth)
{
    struct tcp_segment probe = {.seq = tcp->snd_una - 1,
                                .len = bytes,
                                .garbage = bytes > 0,
                                .flags = TCP_ACK,
                                .note = note,
                                .nth = nth};

    tcp_transmit(tcp, now, &probe);
}

/* tcp_write_xmit() leaves the queue as it is when __ip_queue_xmit() has no route: nothing is
 * outstanding, and it is the window's timer that tries again. Others than Linux have counted it
 * already. */
static bool counts(struct tcp *tcp)
{
    const struct tcp_host *host = tcp->host;

    return !host->system->retries_by_time || !host->wiring->routed ||
           host->wiring->routed(host->arg, tcp);
}

bool tcp_send_new(struct tcp *tcp, mtime_t now, uint32_t len, bool psh, enum packet_note note)
{
    struct tcp_segment segment = {
        .seq = tcp->snd_nxt, .len = len, .flags = TCP_ACK, .note = note, .nth = note ? 1 : 0};
    bool fin = tcp->fin_queued && tcp->snd_nxt + len + 1 == tcp->write_seq;

    if (len && (psh || segment.seq + len == tcp->push_seq))
        segment.flags |= TCP_PSH;
    if (fin)
        segment.flags |= TCP_FIN;
    if (!counts(tcp)) {
        tcp_transmit(tcp, now, &segment);
        return false;
    }
    if (!tcp_outstanding(tcp))
        tcp->head_sent = now;
    tcp->tail_seq = tcp->snd_nxt;
    tcp->tail_sent = now;
    tcp->snd_nxt += len + fin;
    if (len < tcp->mss) /* tcp_minshall_update() */
        tcp->small_end = tcp->snd_nxt;
    tcp_transmit(tcp, now, &segment);
    return true;
}

/* Where the segment that was sent at seq ends. A short last one joins what is before it if both fit
 * into one (tcp_retrans_try_collapse()). */
static uint32_t end_of_sent(const struct tcp *tcp, uint32_t seq)
{
    uint32_t left = tcp->snd_nxt - seq;
    bool fin = tcp->fin_queued && tcp->snd_nxt == tcp->write_seq;

    if (left - fin <= tcp->mss)
        return tcp->snd_nxt;
    if (seq_after(tcp->tail_seq, seq) && tcp->tail_seq - seq < tcp->mss)
        return tcp->tail_seq;
    return seq + tcp->mss;
}

uint32_t tcp_send_again(struct tcp *tcp, mtime_t now, uint32_t seq, enum packet_note note)
{
    uint32_t end = end_of_sent(tcp, seq);
    bool fin = tcp->fin_queued && end == tcp->write_seq;
    struct tcp_segment segment = {.seq = seq,
                                  .len = end - seq - fin,
                                  .flags = TCP_ACK,
                                  .note = note,
                                  .nth = tcp->retransmits ? tcp->retransmits : 1};

    if (segment.len && (seq + segment.len == tcp->push_seq || segment.len < tcp->mss))
        segment.flags |= TCP_PSH;
    if (fin)
        segment.flags |= TCP_FIN;
    if (seq == tcp->snd_una)
        tcp->head_sent = now;
    if (end == tcp->snd_nxt) {
        tcp->tail_sent = now;
        tcp->tail_seq = seq;
    }
    if (!seq_after(tcp->again_end, tcp->snd_una) || seq_after(end, tcp->again_end))
        tcp->again_end = end;
    tcp->retransmits_sent++;
    tcp_transmit(tcp, now, &segment);
    return end;
}

/* tcp_nagle_test(), Minshall's way: one small segment may be under way, behind full ones too. */
static bool nagle_allows(const struct tcp *tcp, uint32_t len, bool fin)
{
    if (fin || len >= tcp->mss || !tcp_outstanding(tcp))
        return true;
    return !seq_after(tcp->small_end, tcp->snd_una) || seq_after(tcp->small_end, tcp->snd_nxt);
}

/* tcp_write_xmit() and __tcp_push_pending_frames() */
void tcp_push(struct tcp *tcp, mtime_t now)
{
    bool idle = !tcp_outstanding(tcp), sent = false;

    while (tcp_unsent(tcp) && tcp_cwnd_allows(tcp)) {
        uint32_t left = tcp->write_seq - tcp->snd_nxt - tcp->fin_queued;
        uint32_t len = left < tcp->mss ? left : tcp->mss;
        bool fin = tcp->fin_queued && len == left;

        if (seq_after(tcp->snd_nxt + len + fin, tcp_window_end(tcp)) ||
            !nagle_allows(tcp, len, fin))
            break;
        if (!tcp_send_new(tcp, now, len, false, tcp->note))
            break;
        sent = true;
    }
    if (sent)
        tcp_retransmit_sent(tcp, now, idle);
    else
        tcp_persist_check(tcp, now);
}
