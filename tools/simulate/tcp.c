/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/tcp_private.h"

#include <errno.h>
#include <string.h>

/* Not modelled: a limit of what a socket queues to send, other than this one. */
#define SEND_QUEUE_MAX (1u << 30)

const size_t TCP_SIZE = sizeof(struct tcp);

uint32_t tcp_random(struct tcp_host *host)
{
    uint64_t z = host->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) >> 32);
}

void tcp_init(struct tcp *tcp, struct tcp_host *host, const struct tcp_options *options)
{
    memset(tcp, 0, sizeof(*tcp));
    tcp->host = host;
    tcp->options = *options;
    for (unsigned i = 0; i < TCP_SLOTS; i++)
        tcp->fires[i] = tcp->expires[i] = MTIME_NEVER;
    tcp->state = SOCKET_GONE;
    tcp->last_outside = tcp->retrans_stamp = tcp->window_closed = MTIME_NEVER;
    tcp->iss = tcp_random(host);
    tcp->cwnd = 10; /* RFC 6928, TCP_INIT_CWND */
    tcp->ssthresh = UINT16_MAX;
    tcp_rto_init(tcp);
}

void tcp_notify(struct tcp *tcp, enum tcp_notice notice, int error)
{
    tcp->host->wiring->notify(tcp->host->arg, tcp, notice, error);
}

void tcp_done(struct tcp *tcp, int error)
{
    /* A request that was never accepted is nobody's socket. */
    bool alone = tcp->orphaned || (tcp->passive && tcp->state == SOCKET_SYN_RECV);

    for (unsigned i = 0; i < TCP_SLOTS; i++)
        tcp_disarm(tcp, i);
    tcp->pending = PENDING_NONE;
    tcp->state = SOCKET_GONE;
    tcp->bucket = false;
    tcp->probes_out = tcp->retransmits = 0;
    tcp->write_seq = tcp->snd_nxt = tcp->snd_una; /* tcp_write_queue_purge() */
    if (alone) {
        tcp->orphaned = true;
        tcp_notify(tcp, TCP_GONE, 0);
    } else if (error) {
        tcp->error = (int16_t)error;
        tcp_notify(tcp, TCP_ERROR, error);
    }
}

bool tcp_outstanding(const struct tcp *tcp)
{
    return tcp->snd_nxt != tcp->snd_una;
}

bool tcp_unsent(const struct tcp *tcp)
{
    return tcp->write_seq != tcp->snd_nxt;
}

bool tcp_established(const struct tcp *tcp)
{
    return tcp->state >= SOCKET_ESTABLISHED && tcp->state != SOCKET_TIME_WAIT && !tcp->bucket;
}

void tcp_become_established(struct tcp *tcp, mtime_t now)
{
    tcp->state = SOCKET_ESTABLISHED;
    tcp_set_pending(tcp, now, PENDING_NONE, 0);
    tcp->retransmits = tcp->backoff = 0;
    tcp->retrans_stamp = MTIME_NEVER;
    tcp->small_end = tcp->tail_seq = tcp->again_end = tcp->lost_end = tcp->lost_next = tcp->snd_una;
    tcp_delack_init(tcp, now);
    tcp_keepalive_set(tcp, now, NULL);
}

static int take_error(struct tcp *tcp) /* sock_error(): once */
{
    int error = tcp->error;

    tcp->error = 0;
    return -error;
}

/* tcp_sendmsg_locked(); a closed sending side is EPIPE after any pending error
 * (sk_stream_error()). */
int tcp_send(struct tcp *tcp, mtime_t now, uint32_t bytes, enum packet_note note)
{
    if (tcp->error)
        return take_error(tcp);
    if (tcp->state == SOCKET_GONE || tcp->state == SOCKET_TIME_WAIT || tcp->fin_queued)
        return -EPIPE;
    if (tcp->state < SOCKET_ESTABLISHED)
        return -EAGAIN;
    if (bytes > SEND_QUEUE_MAX - (tcp->write_seq - tcp->snd_una))
        return -EAGAIN;
    if (bytes == 0)
        return 0;
    tcp->write_seq += bytes;
    tcp->push_seq = tcp->write_seq;
    tcp->note = (uint8_t)note;
    tcp_push(tcp, now);
    return 0;
}

/* tcp_recvmsg_locked(): payload first, then the end of file, then a pending error. */
int64_t tcp_read(struct tcp *tcp, mtime_t now)
{
    uint32_t bytes = tcp->unread;

    if (bytes) {
        tcp->unread = 0;
        tcp_delack_read(tcp, now, bytes);
        return bytes;
    }
    if (tcp->fin_received) {
        tcp->eof_read = true;
        return 0;
    }
    if (tcp->error)
        return take_error(tcp);
    return tcp->state == SOCKET_GONE ? 0 : -EAGAIN;
}

void tcp_shutdown(struct tcp *tcp, mtime_t now)
{
    if ((tcp->state == SOCKET_ESTABLISHED || tcp->state == SOCKET_CLOSE_WAIT) && !tcp->fin_queued)
        tcp_queue_fin(tcp, now);
}

void tcp_abort(struct tcp *tcp, mtime_t now)
{
    if (tcp->orphaned)
        return;
    if (tcp_established(tcp))
        tcp_send_reset(tcp, now); /* tcp_disconnect() */
    tcp->orphaned = true;
    if (tcp->state == SOCKET_TIME_WAIT)
        return;
    tcp_done(tcp, 0);
}

/* __tcp_close() */
void tcp_close(struct tcp *tcp, mtime_t now)
{
    if (tcp->orphaned)
        return;
    if (tcp->state == SOCKET_GONE || tcp->state == SOCKET_SYN_SENT || tcp->unread > 0) {
        tcp_abort(tcp, now);
        return;
    }
    tcp_shutdown(tcp, now);
    tcp->orphaned = true;
    tcp_ending_orphaned(tcp, now);
}

void tcp_set_options(struct tcp *tcp, mtime_t now, const struct tcp_options *options)
{
    struct tcp_options before = tcp->options;

    tcp->options = *options;
    if (tcp_established(tcp))
        tcp_keepalive_set(tcp, now, &before);
}

mtime_t tcp_due(const struct tcp *tcp)
{
    mtime_t due = MTIME_NEVER;

    for (unsigned i = 0; i < TCP_SLOTS; i++)
        if (tcp->fires[i] < due)
            due = tcp->fires[i];
    return due;
}

static void fire(struct tcp *tcp, mtime_t now, enum tcp_timer_slot slot)
{
    tcp_disarm(tcp, slot);
    switch (slot) {
    case SLOT_RETRANSMIT:
        tcp_retransmit_fire(tcp, now);
        break;
    case SLOT_DELACK:
        tcp_delack_fire(tcp, now);
        break;
    case SLOT_KEEPALIVE:
        if (tcp_ending_owns_timer(tcp))
            tcp_ending_fire(tcp, now);
        else
            tcp_keepalive_fire(tcp, now);
        break;
    }
}

void tcp_timer(struct tcp *tcp, mtime_t now)
{
    for (enum tcp_timer_slot slot = SLOT_RETRANSMIT; slot < TCP_SLOTS; slot++)
        if (tcp->fires[slot] <= now && tcp->fires[slot] != MTIME_NEVER)
            fire(tcp, now, slot);
}

/* The order of inet_sk_diag_fill(); a request and a bucket: inet_req_diag_fill(),
 * inet_twsk_diag_fill(). */
static enum socket_timer shown_timer(const struct tcp *tcp, mtime_t *expires)
{
    *expires = MTIME_NEVER;
    if (tcp->pending != PENDING_NONE) {
        *expires = tcp->expires[SLOT_RETRANSMIT];
        return tcp->pending == PENDING_PERSIST ? TIMER_PERSIST : TIMER_ON;
    }
    if (tcp->fires[SLOT_KEEPALIVE] == MTIME_NEVER)
        return TIMER_OFF;
    *expires = tcp->expires[SLOT_KEEPALIVE];
    return tcp->bucket || tcp->state == SOCKET_TIME_WAIT ? TIMER_TIMEWAIT : TIMER_KEEPALIVE;
}

void tcp_view(const struct tcp *tcp, struct socket_view *out)
{
    memset(out, 0, sizeof(*out));
    out->state = tcp->state;
    out->timer = shown_timer(tcp, &out->expires);
    out->orphaned = tcp->orphaned;
    if (tcp->state == SOCKET_GONE || tcp->bucket)
        return;
    out->retransmits = tcp->retransmits;
    out->probes = tcp->probes_out;
    out->send_queue = tcp->write_seq - tcp->snd_una;
    out->receive_queue = tcp->unread + (tcp->fin_received && !tcp->eof_read);
}

uint32_t tcp_probes_sent(const struct tcp *tcp)
{
    return tcp->probes_sent;
}

uint32_t tcp_retransmits_sent(const struct tcp *tcp)
{
    return tcp->retransmits_sent;
}
