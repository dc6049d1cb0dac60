/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/tcp_window.h"

#include <string.h>

void tcp_window_options(uint8_t *flags, uint8_t *scale, const struct packet *p)
{
    *flags = (uint8_t)((*flags & TCP_SIDE_LIBERAL) | (p->has_wscale ? TCP_SIDE_SCALES : 0) |
                       (p->sack_permitted ? TCP_SIDE_SACK : 0));
    *scale = p->has_wscale ? p->wscale : 0;
}

static uint32_t at_least_1(uint32_t window)
{
    return window ? window : 1;
}

/* tcp_new() in nf_conntrack_proto_tcp.c */
void tcp_window_open(struct tcp_track *t, const struct packet *p)
{
    uint16_t id_high = t->id_high;

    memset(t, 0, sizeof(*t));
    t->id_high = id_high;
    t->last_kind = TCP_KIND_NONE;
    t->end[0] = tcp_segment_end(p);
    t->maxwin[0] = at_least_1(p->window);
    t->maxend[0] = t->end[0];
    if (p->flags & TCP_SYN) {
        tcp_window_options(&t->flags[0], &t->scale[0], p);
    } else {
        /* The scale is lost: SACK is assumed, and the window is not enforced. */
        t->maxend[0] += t->maxwin[0];
        t->end[1] = t->maxend[1] = p->sack; /* all there is to say of the other side */
        t->flags[0] = t->flags[1] = TCP_SIDE_SACK | TCP_SIDE_LIBERAL;
    }
}

void tcp_window_swap(struct tcp_track *t)
{
    struct tcp_track old = *t;

    for (unsigned d = 0; d < 2; d++) {
        t->end[d] = old.end[!d];
        t->maxend[d] = old.maxend[!d];
        t->maxwin[d] = old.maxwin[!d];
        t->maxack[d] = old.maxack[!d];
        t->scale[d] = old.scale[!d];
        t->flags[d] = old.flags[!d];
    }
}

/* tcp_init_sender(): a SYN|ACK, or the second SYN of a simultaneous open */
static void side_open(struct tcp_track *t, unsigned d, const struct packet *p)
{
    t->end[d] = t->maxend[d] = tcp_segment_end(p);
    t->maxwin[d] = at_least_1(p->window);
    tcp_window_options(&t->flags[d], &t->scale[d], p);
    /* RFC 7323 2.2: scaling only when both asked for it, which the answer says. */
    if (d == 1 && !(t->flags[0] & t->flags[1] & TCP_SIDE_SCALES))
        t->scale[0] = t->scale[1] = 0;
}

/* First segment of this side, and not a SYN: what it says is all there is. */
static void side_pick_up(struct tcp_track *t, unsigned d, const struct packet *p, uint32_t sack)
{
    unsigned r = !d;

    t->end[d] = tcp_segment_end(p);
    t->maxwin[d] = at_least_1((uint32_t)p->window << t->scale[d]);
    t->maxend[d] = t->end[d] + t->maxwin[d];
    if (t->maxwin[r] == 0)
        t->end[r] = t->maxend[r] = sack; /* the other side is still to be seen */
    else if (sack == t->end[r] + 1)
        t->end[r]++; /* the picked-up segment was a keepalive probe, one below */
}

/* nf_tcp_log_invalid(): a flow that was picked up has no window to be held to. */
static enum tcp_window unless_liberal(const struct tcp_track *t, unsigned d, enum tcp_window found)
{
    return t->flags[d] & TCP_SIDE_LIBERAL ? TCP_WINDOW_IN : found;
}

/* Beyond what the other end's window allows. If it is no more than that window again and all else
 * is in order, it may well be accepted and acknowledged: the acknowledgement must then pass. */
static enum tcp_window judge_ahead(struct tcp_track *t, unsigned d, uint32_t end, bool ack_in_order)
{
    uint32_t window = t->maxwin[!d];

    if (!ack_in_order || window == 0 || !seq_after(end, t->end[d] - window - 1) ||
        end - t->maxend[d] + 1 > window)
        return unless_liberal(t, d, TCP_WINDOW_OUT);
    t->end[d] = end;
    t->flags[d] |= TCP_SIDE_UNACKED;
    return unless_liberal(t, d, TCP_WINDOW_DELAYED);
}

/* tcp_in_window() */
enum tcp_window tcp_window_segment(struct tcp_track *t, unsigned d, enum tcp_kind kind,
                                   unsigned state, const struct packet *p)
{
    unsigned r = !d;
    bool syn = p->flags & TCP_SYN, is_ack = p->flags & TCP_ACK, rst = p->flags & TCP_RST;
    uint32_t seq = p->seq, end = tcp_segment_end(p), ack = p->ack_field;
    uint32_t sack = is_ack && t->flags[r] & TCP_SIDE_SACK ? p->sack : ack;
    uint32_t peer_end;
    bool acks_sent, acks_lately;

    if (t->maxwin[d] == 0) {
        if (!syn) {
            side_pick_up(t, d, p, sack);
        } else {
            side_open(t, d, p);
            if (!is_ack)
                return TCP_WINDOW_IN;
        }
    } else if (syn && seq_after(end, t->end[d]) &&
               (state == FLOW_SYN_SENT || state == FLOW_SYN_RECV)) {
        /* RFC 9293 3.4.3: a TCP that starts anew uses higher numbers. */
        side_open(t, d, p);
        if (d == 1 && !is_ack)
            return TCP_WINDOW_IN;
    }

    /* Picked up, and the other end never heard: the kernel has 0 for where it is, so that hardly
     * anything is in window, or learned from. We note it, for a reset. */
    peer_end = t->end[r];
    if (t->maxwin[r] == 0 && t->flags[r] & TCP_SIDE_LIBERAL) {
        if (is_ack)
            t->end[r] = t->maxend[r] = sack;
        peer_end = 0;
    }

    /* No acknowledgement, or the zero that some stacks put into a RST: taken for a good one. */
    if (!is_ack || (rst && ack == 0))
        ack = sack = peer_end;
    /* RFC 9293 3.10.7.1: the RST that answers a SYN may have sequence 0. */
    if (rst && seq == 0 && state == FLOW_SYN_SENT)
        seq = end = t->end[d];

    acks_sent = seq_before(sack, peer_end + 1);
    acks_lately = seq_after(sack, peer_end - tcp_window_lag(t, d) - 1);
    if (!seq_before(seq, t->maxend[d] + 1))
        return judge_ahead(t, d, end, acks_sent && acks_lately);
    if (!acks_sent)
        return unless_liberal(t, d, TCP_WINDOW_OUT);
    if ((t->maxwin[r] != 0 && !seq_after(end, t->end[d] - t->maxwin[r] - 1)) || !acks_lately)
        return unless_liberal(t, d, TCP_WINDOW_DELAYED);
    tcp_window_learn(t, d, p, end, ack, sack);
    if (kind == TCP_KIND_ACK)
        tcp_window_keep(t, d, p, seq, end, ack, tcp_window_again(t, d, p, seq, end, ack));
    return TCP_WINDOW_IN;
}
