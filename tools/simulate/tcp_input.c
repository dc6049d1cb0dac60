/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/packet.h"
#include "tools/simulate/tcp_private.h"

#include <errno.h>

/* RFC 9293 3.10.7, in its order, as tcp_rcv_state_process() and tcp_validate_incoming(). Not
 * modelled: PAWS, urgent data, more than one range of payload received out of order. */

uint32_t tcp_segment_end(const struct tcp_segment *segment)
{
    return segment->seq + segment->len + ((segment->flags & TCP_SYN) != 0) +
           ((segment->flags & TCP_FIN) != 0);
}

/* A FIN may stand just beyond the window, payload may not (Linux 6.17 on). */
bool tcp_acceptable(const struct tcp *tcp, const struct tcp_segment *segment)
{
    uint32_t end = tcp_segment_end(segment), last = tcp->rcv_nxt + tcp_receive_window(tcp);

    return !seq_before(end, tcp->rcv_wup) && !seq_after(segment->seq, last) &&
           !seq_after(end - ((segment->flags & TCP_FIN) != 0), last);
}

/* True: the kernel's FLAG_WIN_UPDATE, also where the window stays as it was. */
static bool update_window(struct tcp *tcp, const struct tcp_segment *segment)
{
    uint32_t window = (uint32_t)segment->window << tcp->snd_wscale;

    /* tcp_may_update_window() */
    if (!seq_after(segment->ack, tcp->snd_una) && !seq_after(segment->seq, tcp->snd_wl1) &&
        !(segment->seq == tcp->snd_wl1 && (window > tcp->snd_wnd || window == 0)))
        return false;
    tcp->snd_wl1 = segment->seq;
    tcp->snd_wnd = window;
    if (window > tcp->max_window)
        tcp->max_window = window;
    return true;
}

/* A window probe's byte counts as sent once somebody took it. */
static void take_probe_byte(struct tcp *tcp, uint32_t ack)
{
    if (tcp->pending == PENDING_PERSIST && tcp->host->system->probe_bytes && tcp->probes_out &&
        ack == tcp->snd_nxt + 1 && !tcp_outstanding(tcp) && tcp_unsent(tcp)) {
        tcp->snd_nxt = tcp->snd_una = tcp->tail_seq = ack;
    }
}

/* tcp_ack(): false: the segment is not to be looked at further. */
static bool acknowledge(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    uint32_t una, ack = segment->ack;
    bool outstanding, updated, duplicate;

    take_probe_byte(tcp, ack);
    una = tcp->snd_una;
    if (seq_before(ack, una)) {
        if (!seq_before(ack, una - tcp->max_window))
            return true;         /* old */
        tcp_challenge(tcp, now); /* RFC 5961 5.2 */
        return false;
    }
    if (seq_after(ack, tcp->snd_nxt)) { /* RFC 9293 3.10.7.4; Linux 6.18, measured */
        tcp_challenge(tcp, now);
        return false;
    }
    outstanding = tcp_outstanding(tcp);
    if (segment->has_timestamp && !seq_after(segment->seq, tcp->rcv_wup))
        tcp->ts_recent = segment->tsval;
    updated = update_window(tcp, segment);
    tcp->snd_una = ack;
    tcp->probes_out = 0;
    tcp->soft_error = 0;
    tcp->last_ack = now;
    if (!outstanding) {
        tcp_persist_acked(tcp, now);
        return true;
    }
    /* FLAG_NOT_DUP: FLAG_DATA, FLAG_WIN_UPDATE, FLAG_ACKED */
    duplicate = ack == una && segment->len == 0 && !(segment->flags & TCP_FIN) && !updated;
    tcp_tail_probe_acked(tcp, segment, duplicate);
    if (ack != una)
        tcp_loss_acked(tcp, now, una, segment);
    else if (duplicate || (segment->sack[0] != segment->sack[1] &&
                           seq_after(segment->sack[1], ack))) /* FLAG_DATA_SACKED */
        tcp_loss_duplicate(tcp, now, segment);
    return true;
}

static void duplicate_sack(struct tcp *tcp, uint32_t first, uint32_t end)
{
    tcp->duplicate[0] = first;
    tcp->duplicate[1] = end;
}

/* tcp_data_queue_ofo(): one range; what does not join it is as good as lost. */
static void keep_ahead(struct tcp *tcp, uint32_t seq, uint32_t end, bool fin)
{
    tcp_delack_schedule(tcp);
    if (tcp->ahead[0] == tcp->ahead[1]) {
        tcp->ahead[0] = seq;
        tcp->ahead[1] = end;
        tcp->ahead_fin = fin;
        return;
    }
    if (seq_after(seq, tcp->ahead[1]) || seq_before(end, tcp->ahead[0]))
        return;
    if (seq_before(seq, tcp->ahead[0]))
        tcp->ahead[0] = seq;
    if (seq_after(end, tcp->ahead[1])) {
        tcp->ahead[1] = end;
        tcp->ahead_fin = fin;
    }
}

/* In sequence up to end: true when the FIN was in it. */
static bool take(struct tcp *tcp, uint32_t end, bool fin)
{
    tcp->unread += end - tcp->rcv_nxt - fin;
    tcp->rcv_nxt = end;
    if (tcp->ahead[0] == tcp->ahead[1] || seq_after(tcp->ahead[0], end))
        return fin;
    if (seq_after(tcp->ahead[1], end)) { /* tcp_ofo_queue() */
        fin = tcp->ahead_fin;
        tcp->unread += tcp->ahead[1] - tcp->rcv_nxt - fin;
        tcp->rcv_nxt = tcp->ahead[1];
    }
    tcp->ahead[0] = tcp->ahead[1];
    tcp->ack_now = true; /* RFC 5681 4.2: the gap is filled */
    return fin;
}

/* tcp_data_queue(). Returns what an immediate answer is for. */
static enum packet_note queue(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    uint32_t end = tcp_segment_end(segment), window = tcp_receive_window(tcp);
    bool fin = segment->flags & TCP_FIN, bare_fin = fin && segment->len == 0;

    if (end == segment->seq)
        return NOTE_NONE;
    if (!seq_after(end, tcp->rcv_nxt)) { /* all known: a keepalive probe, or sent again */
        bool probe = segment->len == 1 && !fin && end == tcp->rcv_nxt;

        duplicate_sack(tcp, segment->seq, end);
        tcp_delack_quick(tcp);
        return probe ? NOTE_PROBE_ANSWER : NOTE_NONE;
    }
    if (window == 0 && !(bare_fin && segment->seq == tcp->rcv_nxt)) {
        tcp_delack_quick(tcp);
        return NOTE_WINDOW_ANSWER;
    }
    if (seq_after(segment->seq, tcp->rcv_nxt)) {
        keep_ahead(tcp, segment->seq, end, fin);
        return NOTE_NONE;
    }
    if (seq_before(segment->seq, tcp->rcv_nxt))
        duplicate_sack(tcp, segment->seq, tcp->rcv_nxt);
    fin = take(tcp, end, fin);
    if (segment->len)
        tcp_delack_received(tcp, now, segment);
    if (fin)
        tcp_ending_fin_in(tcp, now);
    return NOTE_NONE;
}

/* New payload for a socket that nobody reads any more (RFC 1122 4.2.2.13, tcp_rcv_state_process()):
 * a RST. Also after a FIN. */
static bool unwanted(const struct tcp *tcp, const struct tcp_segment *segment)
{
    uint32_t end = segment->seq + segment->len;

    return (tcp->orphaned || tcp->fin_received) && tcp->state != SOCKET_ESTABLISHED &&
           segment->len && seq_after(end, tcp->rcv_nxt) &&
           (tcp->orphaned || seq_before(segment->seq, tcp->rcv_nxt));
}

static void refuse(struct tcp *tcp, const struct tcp_segment *segment)
{
    struct tcp_segment answer;

    if (tcp_answer_closed(segment, &answer))
        tcp->host->wiring->transmit(tcp->host->arg, tcp, &answer);
}

/* tcp_validate_incoming() */
static bool valid(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    uint32_t end = tcp_segment_end(segment);

    tcp_keepalive_heard(tcp, now);
    if (segment->flags & TCP_RST) {
        tcp_reset_in(tcp, now, segment);
        return false;
    }
    if (segment->flags & TCP_SYN) { /* RFC 5961 4.2 */
        tcp_challenge(tcp, now);
        return false;
    }
    if (tcp_acceptable(tcp, segment))
        return segment->flags & TCP_ACK;
    if (end != segment->seq && seq_before(segment->seq, tcp->rcv_nxt)) { /* tcp_send_dupack() */
        tcp_delack_quick(tcp);
        duplicate_sack(tcp, segment->seq, seq_before(end, tcp->rcv_nxt) ? end : tcp->rcv_nxt);
    }
    tcp_answer_outside(tcp, now, segment);
    return false;
}

static void synchronized(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    uint32_t unread = tcp->unread;
    bool outstanding = tcp_outstanding(tcp), eof = tcp->fin_received;
    enum packet_note note;

    if (!valid(tcp, now, segment) || !acknowledge(tcp, now, segment))
        return;
    if (tcp->fin_queued && tcp->snd_una == tcp->write_seq)
        tcp_ending_fin_acked(tcp, now, segment);
    if (tcp->state == SOCKET_GONE || tcp->state == SOCKET_TIME_WAIT)
        return;
    if (tcp->bucket) { /* what came with the ACK of our FIN */
        if (tcp_segment_end(segment) != segment->seq)
            tcp_ending_bucket_input(tcp, now, segment);
        return;
    }
    if (unwanted(tcp, segment)) {
        refuse(tcp, segment);
        tcp_done(tcp, ECONNRESET);
        return;
    }
    note = queue(tcp, now, segment);
    if (tcp_established(tcp)) {
        tcp_push(tcp, now); /* tcp_data_snd_check() */
        tcp_delack_check(tcp, now, note);
    }
    /* Readers wake up after the ACK has been decided on. */
    if (tcp->orphaned)
        return;
    if (tcp->unread != unread)
        tcp_notify(tcp, TCP_READABLE, 0);
    if (tcp->fin_received && !eof)
        tcp_notify(tcp, TCP_EOF, 0);
    if (outstanding && tcp_established(tcp) && tcp->snd_una == tcp->write_seq)
        tcp_notify(tcp, TCP_WRITABLE, 0);
}

void tcp_input(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    if (tcp->state == SOCKET_GONE) {
        refuse(tcp, segment);
        return;
    }
    if (tcp->bucket) {
        tcp_ending_bucket_input(tcp, now, segment);
        return;
    }
    if (tcp->state < SOCKET_ESTABLISHED) {
        tcp_handshake_input(tcp, now, segment);
        /* What completes a handshake may bring payload too: tcp_child_process(). */
        if (tcp->state != SOCKET_ESTABLISHED || (segment->flags & TCP_SYN))
            return;
    }
    synchronized(tcp, now, segment);
}
