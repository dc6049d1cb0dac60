/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/packet.h"
#include "tools/simulate/tcp_private.h"

#include <errno.h>

/* FIN_WAIT_2, TIME_WAIT, orphans (RFC 9293 3.6; net/ipv4/tcp_minisocks.c). A new SYN in TIME_WAIT
 * does not open the connection again: the bucket goes, and its sender's next SYN finds a listener.
 */

/* tcp_send_fin(): with the last payload if that still waits. */
void tcp_queue_fin(struct tcp *tcp, mtime_t now)
{
    tcp->state =
        tcp->state == SOCKET_CLOSE_WAIT ? SOCKET_LAST_ACK : SOCKET_FIN_WAIT_1; /* new_state[] */
    tcp->fin_queued = true;
    tcp->write_seq++;
    tcp_push(tcp, now);
}

static bool orphans_only(const struct tcp *tcp)
{
    return tcp->host->system->fin_timeout_orphaned;
}

static bool by_linux(const struct tcp *tcp) /* small sockets without a process; BSD has none */
{
    return orphans_only(tcp) && tcp->host->system->retries_by_time;
}

static mtime_t fin_time(const struct tcp *tcp) /* tcp_fin_time() */
{
    mtime_t time = tcp->host->system->fin_timeout, least = 4 * tcp->rto - tcp->rto / 2;

    return by_linux(tcp) && time < least ? least : time;
}

static void become_bucket(struct tcp *tcp, mtime_t now, mtime_t time)
{
    tcp_set_pending(tcp, now, PENDING_NONE, 0);
    tcp_disarm(tcp, SLOT_DELACK);
    tcp_disarm(tcp, SLOT_KEEPALIVE);
    tcp->bucket = true;
    tcp->last_outside = MTIME_NEVER;
    tcp_arm(tcp, SLOT_KEEPALIVE, now, time);
}

void tcp_enter_time_wait(struct tcp *tcp, mtime_t now)
{
    tcp->state = SOCKET_TIME_WAIT;
    become_bucket(tcp, now, tcp->host->system->time_wait);
}

static void wait_for_fin(struct tcp *tcp, mtime_t now, bool fin_follows)
{
    mtime_t time = fin_time(tcp), time_wait = tcp->host->system->time_wait;

    if (time == MTIME_NEVER)
        return;
    if (by_linux(tcp) && time > time_wait) {
        tcp_arm(tcp, SLOT_KEEPALIVE, now, time - time_wait);
    } else if (by_linux(tcp) && !fin_follows) {
        become_bucket(tcp, now, time); /* tcp_time_wait(sk, TCP_FIN_WAIT2, tmo) */
    } else {
        tcp_disarm(tcp, SLOT_KEEPALIVE);
        tcp_arm(tcp, SLOT_KEEPALIVE, now, time);
    }
}

static bool waits_for_fin(const struct tcp *tcp)
{
    return tcp->state == SOCKET_FIN_WAIT_2 && (tcp->orphaned || !orphans_only(tcp));
}

/* Everything sent is acknowledged, the FIN too (tcp_rcv_state_process()). */
void tcp_ending_fin_acked(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    switch ((enum socket_state)tcp->state) {
    case SOCKET_FIN_WAIT_1:
        tcp->state = SOCKET_FIN_WAIT_2;
        if (waits_for_fin(tcp))
            wait_for_fin(tcp, now, segment->flags & TCP_FIN);
        break;
    case SOCKET_CLOSING:
        tcp_enter_time_wait(tcp, now);
        break;
    case SOCKET_LAST_ACK:
        tcp_done(tcp, 0);
        break;
    case SOCKET_GONE:
    case SOCKET_SYN_SENT:
    case SOCKET_SYN_RECV:
    case SOCKET_ESTABLISHED:
    case SOCKET_FIN_WAIT_2:
    case SOCKET_CLOSE_WAIT:
    case SOCKET_TIME_WAIT:
        break;
    }
}

/* tcp_fin() */
void tcp_ending_fin_in(struct tcp *tcp, mtime_t now)
{
    tcp->fin_received = true;
    tcp_delack_schedule(tcp);
    switch ((enum socket_state)tcp->state) {
    case SOCKET_ESTABLISHED:
        tcp->state = SOCKET_CLOSE_WAIT;
        if (tcp->host->system->delayed_ack_adaptive)
            tcp->pingpong = true; /* its own FIN may soon follow */
        else
            tcp->ack_now = true;
        break;
    case SOCKET_FIN_WAIT_1:
        tcp_send_ack(tcp, now, NOTE_NONE);
        tcp->state = SOCKET_CLOSING;
        break;
    case SOCKET_FIN_WAIT_2:
        tcp_send_ack(tcp, now, NOTE_NONE);
        tcp_enter_time_wait(tcp, now);
        break;
    case SOCKET_GONE:
    case SOCKET_SYN_SENT:
    case SOCKET_SYN_RECV:
    case SOCKET_CLOSE_WAIT:
    case SOCKET_CLOSING:
    case SOCKET_LAST_ACK:
    case SOCKET_TIME_WAIT:
        break;
    }
}

void tcp_ending_orphaned(struct tcp *tcp, mtime_t now)
{
    if (tcp->state == SOCKET_FIN_WAIT_2 && orphans_only(tcp))
        wait_for_fin(tcp, now, false);
}

bool tcp_ending_owns_timer(const struct tcp *tcp)
{
    return tcp->bucket || (waits_for_fin(tcp) && tcp->host->system->fin_timeout != MTIME_NEVER);
}

void tcp_ending_fire(struct tcp *tcp, mtime_t now)
{
    mtime_t left = by_linux(tcp) && !tcp->bucket
                       ? fin_time(tcp) - tcp->host->system->time_wait
                       : 0; /* tcp_keepalive_timer(): FIN_WAIT2 and SOCK_DEAD */

    if (left > 0) {
        become_bucket(tcp, now, left);
        return;
    }
    if (by_linux(tcp) && !tcp->bucket)
        tcp_send_reset(tcp, now);
    tcp_done(tcp, 0);
}

static void refuse(struct tcp *tcp, const struct tcp_segment *segment)
{
    struct tcp_segment answer;

    if (tcp_answer_closed(segment, &answer))
        tcp->host->wiring->transmit(tcp->host->arg, tcp, &answer);
}

static bool in_window(const struct tcp *tcp, const struct tcp_segment *segment)
{
    uint32_t end = tcp_segment_end(segment), last = tcp->rcv_nxt + tcp_receive_window(tcp);

    if (segment->seq == tcp->rcv_nxt)
        return true;
    if (seq_after(end, tcp->rcv_nxt) && seq_before(segment->seq, last))
        return true;
    return segment->seq == last && segment->seq == end;
}

static void fin_wait_2_bucket(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    uint32_t end = tcp_segment_end(segment);

    if (!in_window(tcp, segment)) {
        if (!(segment->flags & TCP_RST))
            tcp_answer_outside(tcp, now, segment);
        return;
    }
    if (segment->flags & TCP_RST) {
        tcp_done(tcp, 0);
        return;
    }
    if (!(segment->flags & TCP_SYN) &&
        (!(segment->flags & TCP_ACK) || !seq_after(end, tcp->rcv_nxt) || end == segment->seq))
        return;
    if ((segment->flags & TCP_SYN) || !(segment->flags & TCP_FIN) || end != tcp->rcv_nxt + 1) {
        refuse(tcp, segment); /* new data, and nobody to read it */
        tcp_done(tcp, 0);
        return;
    }
    tcp->rcv_nxt = end;
    tcp->fin_received = true;
    if (segment->has_timestamp)
        tcp->ts_recent = segment->tsval;
    tcp_enter_time_wait(tcp, now);
    tcp_send_ack(tcp, now, NOTE_NONE);
}

/* tcp_timewait_state_process() */
void tcp_ending_bucket_input(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    uint32_t end = tcp_segment_end(segment);

    if (tcp->state == SOCKET_FIN_WAIT_2) {
        fin_wait_2_bucket(tcp, now, segment);
        return;
    }
    if (segment->seq == tcp->rcv_nxt && (end == segment->seq || (segment->flags & TCP_RST))) {
        if (segment->flags & TCP_RST)
            tcp_done(tcp, 0); /* RFC 1337's assassination; tcp_rfc1337 is off */
        else
            tcp_arm(tcp, SLOT_KEEPALIVE, now, tcp->host->system->time_wait);
        return;
    }
    if (segment->flags & TCP_RST)
        return;
    if ((segment->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
        seq_after(segment->seq, tcp->rcv_nxt)) {
        tcp_done(tcp, 0);
        return;
    }
    if (segment->flags & TCP_ACK) /* our last ACK got lost: its FIN again */
        tcp_arm(tcp, SLOT_KEEPALIVE, now, tcp->host->system->time_wait);
    tcp_answer_outside(tcp, now, segment);
}
