/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/packet.h"
#include "tools/simulate/tcp_private.h"

/*
 * When an ACK goes out (RFC 1122 4.2.3.2). Linux: at once for the first segments, later after an
 * adaptive time, and hardly at all by itself once the two sides take turns ("ping-pong"). Others:
 * every second full segment at once, else after a fixed time.
 */

#define ATO_MIN (40 * MTIME_MSEC)     /* TCP_ATO_MIN, TCP_DELACK_MIN */
#define DELACK_MAX (200 * MTIME_MSEC) /* TCP_DELACK_MAX */
#define MAX_QUICKACKS 16u
#define MSS_DEFAULT 536u /* TCP_MSS_DEFAULT */

static bool adaptive(const struct tcp *tcp)
{
    return tcp->host->system->delayed_ack_adaptive;
}

void tcp_delack_init(struct tcp *tcp, mtime_t now)
{
    uint32_t mss = tcp->mss < MSS_DEFAULT ? tcp->mss : MSS_DEFAULT;

    tcp->rcv_mss = (uint16_t)(adaptive(tcp) ? mss : tcp->mss); /* tcp_initialize_rcv_mss() */
    tcp->last_received = now;
}

void tcp_delack_schedule(struct tcp *tcp)
{
    tcp->ack_scheduled = true;
}

static void add_quick(struct tcp *tcp) /* tcp_incr_quickack() */
{
    uint32_t quick = tcp->rcv_wnd / (2u * tcp->rcv_mss);

    if (quick == 0)
        quick = 2;
    if (quick > MAX_QUICKACKS)
        quick = MAX_QUICKACKS;
    if (quick > tcp->quick)
        tcp->quick = (uint8_t)quick;
}

void tcp_delack_quick(struct tcp *tcp)
{
    tcp->ack_scheduled = true;
    if (!adaptive(tcp)) {
        tcp->ack_now = true;
        return;
    }
    add_quick(tcp);
    tcp->pingpong = false;
    tcp->ato = ATO_MIN;
}

/* tcp_measure_rcv_mss(), less its care for options of changing length. */
static void measure(struct tcp *tcp, const struct tcp_segment *segment)
{
    uint16_t len = (uint16_t)(segment->len < tcp->mss ? segment->len : tcp->mss), last;

    if (len >= tcp->rcv_mss) {
        tcp->rcv_mss = len;
        tcp->pushed |= (segment->flags & TCP_PSH) != 0;
        return;
    }
    last = tcp->last_segment;
    tcp->last_segment = 0;
    if (len >= MSS_DEFAULT || (len >= 88 && !(segment->flags & (TCP_PSH | TCP_FIN)))) {
        tcp->last_segment = len;
        if (len == last) {
            tcp->rcv_mss = len;
            return;
        }
    }
    tcp->pushed_twice |= tcp->pushed;
    tcp->pushed = true;
}

void tcp_delack_received(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    mtime_t gap = now - tcp->last_received;

    tcp->ack_scheduled = true;
    if (adaptive(tcp)) {
        measure(tcp, segment);
        if (tcp->ato == 0) {
            add_quick(tcp);
            tcp->ato = ATO_MIN;
        } else if (gap <= ATO_MIN / 2) {
            tcp->ato = tcp->ato / 2 + ATO_MIN / 2;
        } else if (gap < tcp->ato) {
            tcp->ato = tcp->ato / 2 + gap;
            if (tcp->ato > tcp->rto)
                tcp->ato = tcp->rto;
        } else if (gap > tcp->rto) {
            add_quick(tcp); /* too long a gap: the sender may start slowly again */
        }
    }
    tcp->last_received = now;
}

/* A reply: from now on ACKs are expected to go with data. */
void tcp_delack_data_sent(struct tcp *tcp, mtime_t now)
{
    if (now - tcp->last_received < tcp->ato)
        tcp->pingpong = true;
}

void tcp_delack_ack_sent(struct tcp *tcp)
{
    if (tcp->quick && tcp->ack_scheduled && --tcp->quick == 0) /* tcp_dec_quickack_mode() */
        tcp->ato = ATO_MIN;
    tcp->ack_scheduled = tcp->ack_now = tcp->pushed = tcp->pushed_twice = false;
    tcp_disarm(tcp, SLOT_DELACK);
}

static mtime_t delay(const struct tcp *tcp)
{
    mtime_t ato = tcp->ato, most = 500 * MTIME_MSEC;
    mtime_t rtt = (mtime_t)(tcp->srtt_us >> 3) * 1000;

    if (!adaptive(tcp))
        return tcp->host->system->delayed_ack;
    if (ato > ATO_MIN) {
        if (tcp->pingpong || tcp->pushed)
            most = DELACK_MAX;
        if (rtt && rtt < ATO_MIN)
            rtt = ATO_MIN;
        if (rtt && rtt < most)
            most = rtt;
        if (ato > most)
            ato = most;
    }
    return ato < DELACK_MAX ? ato : DELACK_MAX;
}

/* tcp_send_delayed_ack(): a timer that runs is not put off. */
static void later(struct tcp *tcp, mtime_t now, enum packet_note note)
{
    mtime_t ato = delay(tcp), armed = tcp->expires[SLOT_DELACK];
    bool running = tcp->fires[SLOT_DELACK] != MTIME_NEVER;

    if (running && armed <= now + ato / 4) {
        tcp_send_ack(tcp, now, note);
        return;
    }
    if (!running || now + ato < armed)
        tcp_arm(tcp, SLOT_DELACK, now, ato);
}

static bool at_once(const struct tcp *tcp)
{
    uint32_t received = tcp->rcv_nxt - tcp->rcv_wup;

    if (tcp->ack_now || tcp->ahead[0] != tcp->ahead[1]) /* RFC 5681 4.2: a gap, or its end */
        return true;
    if (!adaptive(tcp))
        return received >= 2u * tcp->mss || tcp->host->system->delayed_ack == 0;
    /* __tcp_ack_snd_check() wants the window to move on too. A kernel's buffer has room beyond what
     * it offers, so that a few segments that wait to be read do not matter. */
    return (received > tcp->rcv_mss && tcp->unread <= tcp->host->system->receive_buffer / 5) ||
           (tcp->quick && !tcp->pingpong);
}

void tcp_delack_check(struct tcp *tcp, mtime_t now, enum packet_note note)
{
    if (!tcp->ack_scheduled)
        return;
    if (at_once(tcp))
        tcp_send_ack(tcp, now, note);
    else
        later(tcp, now, note);
}

/* __tcp_cleanup_rbuf(): reading may be worth an ACK, or the news that the window is open again. */
void tcp_delack_read(struct tcp *tcp, mtime_t now, uint32_t bytes)
{
    uint32_t offered = tcp_receive_window(tcp), window;

    if (!tcp_established(tcp))
        return;
    if (tcp->ack_scheduled &&
        (tcp->rcv_nxt - tcp->rcv_wup > tcp->rcv_mss ||
         (adaptive(tcp) && bytes && (tcp->pushed_twice || (tcp->pushed && !tcp->pingpong))))) {
        tcp_send_ack(tcp, now, NOTE_NONE);
        return;
    }
    window = tcp_select_window(tcp);
    if (!tcp->fin_received && 2 * (uint64_t)offered <= tcp->host->system->receive_buffer &&
        window && window >= 2 * (uint64_t)offered)
        tcp_send_ack(tcp, now, NOTE_WINDOW_UPDATE);
}

/* tcp_delack_timer_handler() */
void tcp_delack_fire(struct tcp *tcp, mtime_t now)
{
    if (!tcp->ack_scheduled)
        return;
    if (!tcp->pingpong) {
        tcp->ato = 2 * tcp->ato < tcp->rto ? 2 * tcp->ato : tcp->rto;
    } else {
        tcp->pingpong = false;
        tcp->ato = ATO_MIN;
    }
    tcp_send_ack(tcp, now, NOTE_NONE);
}
