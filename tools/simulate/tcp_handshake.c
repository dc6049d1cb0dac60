/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/packet.h"
#include "tools/simulate/tcp_private.h"

#include <errno.h>

/* RFC 9293 3.5; tcp_connect(), tcp_rcv_synsent_state_process(), and the listener's request
 * (tcp_check_req(), reqsk_timer_handler()). Not modelled: SYN cookies, Fast Open, a full backlog.
 */

#define DEFAULT_MSS 536  /* RFC 9293 3.7.1 */
#define TIMESTAMP_LEN 12 /* with its padding */

static void send_syn(struct tcp *tcp, mtime_t now, enum packet_note note)
{
    const struct system *system = tcp->host->system;
    bool answer = tcp->state == SOCKET_SYN_RECV;
    uint32_t window = system->receive_buffer;
    struct tcp_segment syn = {.seq = tcp->iss,
                              .flags = TCP_SYN | (answer ? TCP_ACK : 0),
                              .mss = system->mss,
                              .note = note,
                              .nth = tcp->retransmits};

    tcp->rcv_wnd = window < UINT16_MAX ? window : UINT16_MAX;
    tcp->rcv_wup = tcp->rcv_nxt;
    syn.window = (uint16_t)tcp->rcv_wnd; /* never scaled: RFC 7323 2.2 */
    syn.has_timestamp = answer ? tcp->timestamps : system->timestamps;
    syn.sack_permitted = answer ? tcp->sack : system->sack;
    syn.wscale = (answer ? tcp->wscale_ok : system->window_scale) ? system->wscale : TCP_NO_WSCALE;
    tcp->head_sent = tcp->tail_sent = now;
    tcp_transmit(tcp, now, &syn);
}

static void agree(struct tcp *tcp, const struct tcp_segment *syn)
{
    const struct system *system = tcp->host->system;
    uint16_t theirs = syn->mss ? syn->mss : DEFAULT_MSS;

    tcp->timestamps = system->timestamps && syn->has_timestamp;
    tcp->sack = system->sack && syn->sack_permitted;
    tcp->wscale_ok = system->window_scale && syn->wscale != TCP_NO_WSCALE;
    tcp->rcv_wscale = tcp->wscale_ok ? system->wscale : 0;
    tcp->snd_wscale = 0;
    if (tcp->wscale_ok)
        tcp->snd_wscale = syn->wscale < 14 ? syn->wscale : 14; /* RFC 7323 2.3 */
    tcp->mss = theirs < system->mss ? theirs : system->mss;
    if (tcp->mss < DEFAULT_MSS / 2) /* as tcp_min_snd_mss: a hostile one */
        tcp->mss = DEFAULT_MSS / 2;
    if (tcp->timestamps) {
        tcp->mss -= TIMESTAMP_LEN;
        tcp->ts_recent = syn->tsval;
    }
    tcp->rcv_nxt = tcp->rcv_wup = syn->seq + 1;
    tcp->snd_wl1 = syn->seq;
    tcp->snd_wnd = tcp->max_window = syn->window;
}

static void start(struct tcp *tcp)
{
    tcp->snd_una = tcp->tail_seq = tcp->again_end = tcp->lost_end = tcp->iss;
    tcp->snd_nxt = tcp->write_seq = tcp->push_seq = tcp->iss + 1;
    tcp->mss = DEFAULT_MSS;
}

void tcp_connect(struct tcp *tcp, mtime_t now)
{
    tcp->state = SOCKET_SYN_SENT;
    start(tcp);
    tcp->retrans_stamp = now; /* tcp_connect() */
    send_syn(tcp, now, NOTE_NONE);
    tcp_set_pending(tcp, now, PENDING_RETRANSMIT, tcp->rto);
}

void tcp_accept(struct tcp *tcp, mtime_t now, const struct tcp_segment *syn)
{
    tcp->passive = true;
    tcp->state = SOCKET_SYN_RECV;
    start(tcp);
    agree(tcp, syn);
    send_syn(tcp, now, NOTE_NONE);
    tcp_set_pending(tcp, now, PENDING_RETRANSMIT, tcp->rto);
}

/* tcp_write_timeout() for SYN_SENT: by number, linear ones on top, or by the time that syn_retries
 * alone would take, whichever is first. syn_ack_recalc() for a request, which goes without a word.
 */
static bool given_up(const struct tcp *tcp, mtime_t now)
{
    const struct system *system = tcp->host->system;
    bool active = tcp->state == SOCKET_SYN_SENT;
    mtime_t waited = now - tcp->retrans_stamp;

    if (tcp->retransmits >=
        (active ? system->syn_retries + system->syn_linear : system->synack_retries))
        return true;
    if (!active || tcp->retransmits == 0)
        return false;
    if (tcp->options.user_timeout)
        return tcp_user_timeout_over(tcp, now, tcp->retrans_stamp);
    return system->retries_by_time &&
           waited >= tcp_model_timeout(system, system->rto_initial, system->syn_retries);
}

void tcp_handshake_fire(struct tcp *tcp, mtime_t now)
{
    const struct system *system = tcp->host->system;
    bool active = tcp->state == SOCKET_SYN_SENT;

    if (given_up(tcp, now)) {
        tcp_done(tcp, tcp->soft_error ? tcp->soft_error : ETIMEDOUT);
        return;
    }
    tcp->retransmits++;
    tcp->retransmits_sent++;
    tcp->again_end = tcp->snd_nxt;
    if (tcp->retrans_stamp == MTIME_NEVER)
        tcp->retrans_stamp = now;
    send_syn(tcp, now, NOTE_RETRANSMIT);
    if (!active || tcp->retransmits > system->syn_linear)
        tcp_rto_back_off(tcp);
    tcp_set_pending(tcp, now, PENDING_RETRANSMIT,
                    active ? tcp_user_timeout_clamp(tcp, now, tcp->retrans_stamp, tcp->rto)
                           : tcp->rto);
}

static void refuse(struct tcp *tcp, const struct tcp_segment *segment)
{
    struct tcp_segment answer;

    if (tcp_answer_closed(segment, &answer))
        tcp->host->wiring->transmit(tcp->host->arg, tcp, &answer);
}

/* The SYN is acknowledged: its round trip, and what it cost to get there. */
static void complete(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    unsigned sent_again = tcp->retransmits;

    tcp->snd_una = tcp->iss + 1;
    tcp->last_ack = now;
    tcp->rto = tcp->host->system->rto_initial;
    if (sent_again == 0) {
        tcp_rto_sample(tcp, now - tcp->head_sent);
    } else if (!tcp->passive && tcp->timestamps && segment->tsecr) {
        uint32_t ms = tcp_timestamp(tcp, now) - segment->tsecr;

        tcp_rto_sample(tcp, (ms ? ms : 1) * MTIME_MSEC);
    }
    if (sent_again > 1)
        tcp->cwnd = 1; /* tcp_init_transfer() */
    tcp_become_established(tcp, now);
}

/* RFC 9293 3.10.7.3 */
static void syn_sent(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    if ((segment->flags & TCP_ACK) &&
        (!seq_after(segment->ack, tcp->snd_una) || seq_after(segment->ack, tcp->snd_nxt))) {
        /* Somebody's who does not know this connection: the RST makes him forget, and the SYN
         * follows at once (TCP_TIMEOUT_MIN: 2 jiffies). */
        if (tcp->retransmits == 0 && tcp->host->system->clock == CLOCK_WHEEL)
            tcp_set_pending(tcp, now, PENDING_RETRANSMIT, 2 * MTIME_SEC / tcp->host->system->hz);
        refuse(tcp, segment);
        return;
    }
    if (segment->flags & TCP_RST) {
        if (segment->flags & TCP_ACK)
            tcp_done(tcp, ECONNREFUSED);
        return;
    }
    if (!(segment->flags & TCP_SYN))
        return;
    agree(tcp, segment);
    if (segment->flags & TCP_ACK) {
        complete(tcp, now, segment);
        tcp_send_ack(tcp, now, NOTE_NONE);
        tcp_notify(tcp, TCP_CONNECTED, 0);
        return;
    }
    tcp->state = SOCKET_SYN_RECV; /* both opened at once: figure 8 */
    send_syn(tcp, now, NOTE_NONE);
}

/* tcp_check_req() */
static void syn_recv(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    uint8_t kind = segment->flags & (TCP_SYN | TCP_RST | TCP_ACK);
    bool active = !tcp->passive;

    if (kind == TCP_SYN && segment->seq + 1 == tcp->rcv_nxt) { /* our answer got lost */
        tcp->retransmits_sent++;
        send_syn(tcp, now, NOTE_RETRANSMIT);
        tcp_set_pending(tcp, now, PENDING_RETRANSMIT, tcp->rto);
        return;
    }
    if ((kind & TCP_ACK) && segment->ack != tcp->iss + 1) {
        refuse(tcp, segment);
        return;
    }
    if (!tcp_acceptable(tcp, segment) && !(active && segment->seq + 1 == tcp->rcv_nxt)) {
        if (!(kind & TCP_RST))
            tcp_answer_outside(tcp, now, segment);
        return;
    }
    /* RFC 5961 3.2 for a half-open connection too: Linux 6.18, measured */
    if ((kind & TCP_RST) && tcp->host->system->reset == RESET_EXACT &&
        segment->seq != tcp->rcv_nxt) {
        tcp_challenge(tcp, now);
        return;
    }
    if ((kind & TCP_RST) || ((kind & TCP_SYN) && segment->seq + 1 != tcp->rcv_nxt)) {
        if (!(kind & TCP_RST))
            refuse(tcp, segment);
        tcp_done(tcp, ECONNREFUSED);
        return;
    }
    if (!(kind & TCP_ACK))
        return;
    complete(tcp, now, segment);
    tcp_notify(tcp, active ? TCP_CONNECTED : TCP_ACCEPTED, 0);
}

void tcp_handshake_input(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    if (tcp->state == SOCKET_SYN_SENT)
        syn_sent(tcp, now, segment);
    else
        syn_recv(tcp, now, segment);
}
