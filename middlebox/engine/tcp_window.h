/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_TCP_WINDOW_H
#define IDLEWALL_TCP_WINDOW_H

/*
 * Which segments are in window, by what a man in the middle has seen: Guido van Rooij's method
 * ("Real Stateful TCP Packet Filtering in IP Filter") as Linux applies it in
 * nf_conntrack_proto_tcp.c, tcp_in_window().
 */

#include "middlebox/engine/packet.h"
#include "middlebox/record/flow.h"

#include <stdbool.h>
#include <stdint.h>

/* What a segment is to the tracker: get_conntrack_index(). */
enum tcp_kind {
    TCP_KIND_SYN,
    TCP_KIND_SYNACK,
    TCP_KIND_FIN,
    TCP_KIND_ACK,
    TCP_KIND_RST,
    TCP_KIND_NONE
};

enum {
    TCP_SIDE_SCALES = 0x01,     /* sent the window scale option */
    TCP_SIDE_SACK = 0x02,       /* permitted SACK */
    TCP_SIDE_CLOSE_INIT = 0x04, /* sent the first FIN */
    TCP_SIDE_LIBERAL = 0x08,    /* picked up mid-stream: scale unknown, out of window is let pass */
    TCP_SIDE_UNACKED = 0x10,    /* sent data nobody acknowledged yet */
    TCP_SIDE_MAXACK = 0x20,     /* maxack holds a value */
};
enum {
    TCP_LAST_SIMULTANEOUS = 0x01,
    TCP_LAST_CHALLENGE = 0x02, /* a challenge ACK may follow the SYN we let pass */
    TCP_LAST_SCALES = 0x04,
    TCP_LAST_SACK = 0x08,
};

/* By direction: 0 what the client sent, 1 what the server sent. */
struct tcp_track {
    uint32_t end[2];    /* td_end: highest seq + len sent */
    uint32_t maxend[2]; /* td_maxend: how far the other end's window lets it send */
    uint32_t maxwin[2]; /* td_maxwin: largest window it ever offered; 0: not seen yet */
    uint32_t maxack[2]; /* td_maxack: highest acknowledgement it sent */
    uint32_t last_seq, last_ack, last_end;
    uint16_t last_win;
    uint8_t scale[2];
    uint8_t flags[2]; /* TCP_SIDE_ */
    uint8_t last_kind : 4, last_dir : 1;
    uint8_t last_flags : 4; /* TCP_LAST_ */
    uint8_t last_wscale : 4;
    uint8_t retrans;
    uint16_t
        id_high; /* not the tracker's: upper bits of the flow's id, kept in what would be padding */
};

static inline bool seq_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool seq_after(uint32_t a, uint32_t b)
{
    return seq_before(b, a);
}

/* By how much an acknowledgement of that side may lag: MAXACKWINCONST at least. */
static inline uint32_t tcp_window_lag(const struct tcp_track *track, unsigned dir)
{
    return track->maxwin[dir] > 66000u ? track->maxwin[dir] : 66000u;
}

/* Sequence number behind the segment: payload, SYN and FIN count. */
static inline uint32_t tcp_segment_end(const struct packet *p)
{
    return p->seq + p->payload_len + !!(p->flags & TCP_SYN) + !!(p->flags & TCP_FIN);
}

/* How often one acknowledgement came again and again, this one counted (`retrans` in
 * tcp_in_window()); for TCP_KIND_ACK. */
static inline uint8_t tcp_window_again(const struct tcp_track *t, unsigned dir,
                                       const struct packet *p, uint32_t seq, uint32_t end,
                                       uint32_t ack)
{
    bool again = (t->last_dir == dir) & (t->last_seq == seq) & (t->last_ack == ack) &
                 (t->last_end == end) & (t->last_win == p->window);

    return again ? (uint8_t)(t->retrans + (t->retrans < UINT8_MAX)) : 0;
}

static inline void tcp_window_keep(struct tcp_track *t, unsigned dir, const struct packet *p,
                                   uint32_t seq, uint32_t end, uint32_t ack, uint8_t again)
{
    t->last_dir = dir & 1;
    t->last_seq = seq;
    t->last_ack = ack;
    t->last_end = end;
    t->last_win = p->window;
    t->retrans = again;
}

/* cond ? a : b, which compilers make a branch of where they see fit. */
static inline uint32_t tcp_window_pick(bool cond, uint32_t a, uint32_t b)
{
    return b ^ ((a ^ b) & (0u - cond));
}

/* What a segment in window teaches, as tcp_in_window() has it. By arithmetic: data one way and
 * acknowledgements the other come in an order that no processor foresees. */
static inline void tcp_window_learn(struct tcp_track *t, unsigned dir, const struct packet *p,
                                    uint32_t end, uint32_t ack, uint32_t sack)
{
    unsigned peer = dir ^ 1;
    /* RFC 7323 2.2: the window of a SYN is never scaled. */
    uint32_t win = (uint32_t)p->window << (p->flags & TCP_SYN ? 0 : t->scale[dir]);
    uint32_t offered = win + (sack - ack), until = sack + win;
    uint32_t beyond = end - t->maxend[dir], peer_end = t->end[peer];
    unsigned mine = t->flags[dir];
    bool sent = seq_after(end, t->end[dir]);
    bool acks = ((p->flags & TCP_ACK) != 0) &
                (((mine & TCP_SIDE_MAXACK) == 0) | seq_after(ack, t->maxack[dir]));

    t->maxwin[dir] = t->maxwin[dir] < offered ? offered : t->maxwin[dir];
    t->end[dir] = tcp_window_pick(sent, end, t->end[dir]);
    t->maxack[dir] = tcp_window_pick(acks, ack, t->maxack[dir]);
    t->flags[dir] =
        (uint8_t)(mine | (sent ? TCP_SIDE_UNACKED : 0u) | (acks ? TCP_SIDE_MAXACK : 0u));
    t->maxwin[peer] += (((int32_t)beyond > 0) & (t->maxwin[peer] != 0)) ? beyond : 0;
    /* One more for a window of 0: room for a window probe. */
    t->maxend[peer] = seq_after(until, t->maxend[peer] - 1) ? until + (win == 0) : t->maxend[peer];
    t->flags[peer] &= (uint8_t) ~(ack == peer_end ? TCP_SIDE_UNACKED : 0u);
}

/* The first segment of a flow, from the client: a SYN, or anything when picked up mid-stream. */
void tcp_window_open(struct tcp_track *track, const struct packet *p);

/* The flow was picked up on a segment of the server's: what was learned belongs to the other
 * direction. */
void tcp_window_swap(struct tcp_track *track);

enum tcp_window {
    TCP_WINDOW_IN,      /* track has learned from it, unless it was picked up and just let pass */
    TCP_WINDOW_DELAYED, /* too old, or a little too much: may be meant so, let it pass */
    TCP_WINDOW_OUT,
};

/* state is the flow's before the segment. */
enum tcp_window tcp_window_segment(struct tcp_track *track, unsigned dir, enum tcp_kind kind,
                                   unsigned state, const struct packet *p);

/* What SYN options say, for a side's flags and scale. */
void tcp_window_options(uint8_t *flags, uint8_t *scale, const struct packet *p);

#endif
