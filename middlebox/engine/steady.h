/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_STEADY_H
#define IDLEWALL_STEADY_H

/*
 * A short cut for what nearly all packets are: an acknowledgement or data in window, of a TCP
 * connection that both ends agree on, under a policy without peculiarities. It does what
 * tcp_packet() does with such a segment, or nothing: unit/steady_test compares the two.
 *
 * Questions are asked together and values are chosen by arithmetic: segments of many connections
 * come mixed, so that a branch for each would be guessed wrong every other time.
 */

#include "middlebox/engine/engine_private.h"

/* All that the choice of a timeout can still hang on. */
enum { STEADY_UNACKED = 1, STEADY_NO_DATA = 2, STEADY_RETRANS = 4 };

#define STEADY_FLAGS                                                                               \
    (RECORD_REPLY | RECORD_ASSURED | RECORD_LINGER | RECORD_BLOCKED_CLIENT | RECORD_BLOCKED_SERVER)

static inline bool steady_kind_of_segment(const struct record *r, const struct packet *p)
{
    return ((p->flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK) & (p->window != 0) &
           (r->state == FLOW_ESTABLISHED) & (r->has_extra == 0) &
           ((r->flags & STEADY_FLAGS) == (RECORD_REPLY | RECORD_ASSURED));
}

/* tcp_window_segment(), for an acknowledgement between two sides that are known. False: anything
 * but in window, or a keepalive probe. */
static inline bool steady_in_window(const struct tcp_track *t, unsigned d, const struct packet *p,
                                    uint32_t end, uint32_t sack)
{
    unsigned o = d ^ 1;
    uint32_t sent = t->end[d], heard = t->end[o], latest = seq_after(end, sent) ? end : sent;

    bool in = (t->maxwin[d] != 0) & (t->maxwin[o] != 0);

    in &= ((t->flags[d] | t->flags[o]) & TCP_SIDE_LIBERAL) == 0;
    in &= seq_before(p->seq, t->maxend[d] + 1);
    in &= seq_before(sack, heard + 1);
    in &= seq_after(end, sent - t->maxwin[o] - 1);
    in &= seq_after(sack, heard - tcp_window_lag(t, d) - 1);
    in &= (p->payload_len > 1) | (p->seq + 1 != latest);
    return in;
}

/* Will data be unacknowledged then, from either side? */
static inline bool steady_unacked(const struct tcp_track *t, unsigned d, const struct packet *p,
                                  uint32_t end)
{
    unsigned o = d ^ 1;

    bool unacked = (t->flags[d] & TCP_SIDE_UNACKED) != 0;

    unacked |= seq_after(end, t->end[d]);
    unacked |= ((t->flags[o] & TCP_SIDE_UNACKED) != 0) & (p->ack != t->end[o]);
    return unacked;
}

/* Would the wheel still look at it in time? */
static inline bool steady_in_time(const struct engine *e, const struct record *r, mtime_t deadline)
{
    return r->wheel_bucket != WHEEL_NOWHERE &&
           (deadline >= r->deadline || wheel_start(&e->wheel, r->wheel_bucket) <= deadline);
}

/* True: the packet, of a flow that is not over, was taken. False: nothing was done. */
__attribute__((always_inline)) static inline bool steady_packet(struct engine *e, struct live f,
                                                                const struct packet *p)
{
    struct record *r = f.r;
    const struct steady *s = steady_of(e, r);
    unsigned d = (p->side != client_end(r)), kind;
    uint32_t end = p->seq + p->payload_len;
    uint32_t sack = r->tcp.flags[d ^ 1] & TCP_SIDE_SACK ? p->sack : p->ack;
    struct engine_seen seen;
    mtime_t deadline;
    uint8_t again;
    bool data;

    if (!steady_kind_of_segment(r, p) || !s->applies || !steady_in_window(&r->tcp, d, p, end, sack))
        return false;
    again = tcp_window_again(&r->tcp, d, p, p->seq, end, p->ack);
    data = r->data | (p->payload_len > 0); /* a probe was sorted out */
    kind = (steady_unacked(&r->tcp, d, p, end) ? STEADY_UNACKED : 0u) |
           (data ? 0u : STEADY_NO_DATA) | (again >= s->max_retrans ? STEADY_RETRANS : 0u);
    deadline = mtime_add(e->now, s->kinds[kind].timeout);
    if (!steady_in_time(e, r, deadline))
        return false;

    /* Written once: a copy would wait for its parts. */
    seen.now = e->now;
    seen.last = r->last;
    seen.side = (uint8_t)d;
    seen.timeout = r->timeout_name;
    seen.rule = r->rule;
    seen.slot = f.slot;
    seen.opened = seen.keepalive = seen.doubted = false;
    seen.accepted = seen.refreshed = true;
    seen.choice = s->kinds[kind].choice;
    tcp_window_learn(&r->tcp, d, p, end, p->ack, sack);
    tcp_window_keep(&r->tcp, d, p, p->seq, end, p->ack, again);
    r->tcp.last_kind = TCP_KIND_ACK; /* finish() in tcp_state.c */
    life_count(f, d, p);
    r->data = data;
    life_note_idle(f, e->now);
    r->last = e->now;
    r->deadline = deadline;
    r->timeout_name = s->kinds[kind].name & 63;
    if (e->config.watch)
        e->config.watch->packet(e->config.arg, r + 1, p, &seen);
    return true;
}

#endif
