/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/engine_private.h"

#include <netinet/in.h>

/* A tenth of a second's segments may go at once, eight at least. */
mtime_t reset_cost(const struct engine *e, unsigned n)
{
    uint32_t rate = e->policies[e->current].policy->inject_rate;

    return rate && !e->config.unlimited ? (mtime_t)n * (MTIME_SEC / rate) : 0;
}

static mtime_t credit_limit(const struct engine *e)
{
    mtime_t least = reset_cost(e, OUTCOME_SEGMENTS);

    return least > MTIME_SEC / 10 ? least : MTIME_SEC / 10;
}

static mtime_t credit_now(const struct engine *e)
{
    mtime_t limit = credit_limit(e), gained = e->now - e->credit_at;

    if (gained >= limit || e->credit + gained >= limit)
        return limit;
    return e->credit + gained;
}

mtime_t reset_allowed_at(const struct engine *e, unsigned n)
{
    mtime_t lacking = reset_cost(e, n) - credit_now(e);

    return lacking > 0 ? e->now + lacking : e->now;
}

bool reset_allowed(struct engine *e, unsigned n)
{
    mtime_t credit = credit_now(e), cost = reset_cost(e, n);

    e->credit = credit;
    e->credit_at = e->now;
    if (cost > credit)
        return false;
    e->credit -= cost;
    return true;
}

static struct segment *segment_take(struct engine *e, struct outcome *out, enum segment_kind kind)
{
    struct segment *s = &out->segments[out->n_segments++];

    s->kind = kind;
    s->mark = 0;
    s->flow_id = 0;
    s->to_client = 0;
    s->len = 0;
    e->stats.segments[kind]++;
    return s;
}

static void reset_one(struct engine *e, struct live f, unsigned side, uint32_t seq, uint32_t ack,
                      uint8_t flags, struct outcome *out)
{
    struct segment *s = segment_take(e, out, SEGMENT_RESET);
    struct segment_tcp tcp = {
        .key = &f.r->key,
        .from = side == FLOW_CLIENT ? !client_end(f.r) : client_end(f.r),
        .seq = seq,
        .ack = ack,
        .flags = flags,
    };

    segment_tcp(s, &tcp);
    s->mark = f.r->mark;
    s->flow_id = record_id(f.r);
    s->to_client = side == FLOW_CLIENT;
}

/*
 * An established socket takes only the sequence number it expects next (RFC 5961 3.2;
 * tcp_reset_check() and tcp_validate_incoming() in the kernel's tcp_input.c). From the middle that
 * is the highest we forwarded to it, or, if that was lost beyond us, the last it acknowledged. What
 * neither hits, its challenge ACK tells (judge.c, linger).
 */
static void reset_side(struct engine *e, struct live f, unsigned side, struct outcome *out)
{
    const struct tcp_track *t = &f.r->tcp;
    unsigned other = !side;
    bool knows_ack = t->flags[side] & TCP_SIDE_MAXACK;

    if (f.r->state == FLOW_SYN_SENT && side == FLOW_CLIENT) {
        /* RFC 9293 3.10.7.3: in SYN-SENT a RST counts only with an acceptable ACK. */
        reset_one(e, f, side, 0, t->end[side], TCP_RST | TCP_ACK, out);
        return;
    }
    if (t->maxwin[side] == 0) {
        /* It has sent nothing yet, so what it would take for an ACK is not known: without one. */
        reset_one(e, f, side, t->end[other], 0, TCP_RST, out);
        return;
    }
    reset_one(e, f, side, t->end[other], t->end[side], TCP_RST | TCP_ACK, out);
    if (knows_ack && t->maxack[side] != t->end[other])
        reset_one(e, f, side, t->maxack[side], t->end[side], TCP_RST | TCP_ACK, out);
}

void reset_probe(struct engine *e, struct live f, unsigned side, const struct flow_extra *extra,
                 struct outcome *out)
{
    const struct tcp_track *t = &f.r->tcp;
    unsigned other = !side;
    struct segment *s = segment_take(e, out, SEGMENT_PROBE);
    uint32_t window = t->maxwin[other] >> t->scale[other];
    struct segment_tcp tcp = {
        .key = &f.r->key,
        .from = side == FLOW_CLIENT ? !client_end(f.r) : client_end(f.r),
        .seq = t->end[other] - 1,
        .ack = t->end[side],
        .flags = TCP_ACK,
        .window = (uint16_t)(window > UINT16_MAX ? UINT16_MAX : window),
        .has_timestamp = extra->has_timestamp[0] && extra->has_timestamp[1],
        .tsval = extra->tsval[other],
        .tsecr = extra->tsval[side],
    };

    segment_tcp(s, &tcp);
    s->mark = f.r->mark;
    s->flow_id = record_id(f.r);
    s->to_client = side == FLOW_CLIENT;
}

void reset_sides(struct engine *e, struct live f, unsigned sides, struct outcome *out)
{
    for (unsigned side = 0; side < 2; side++)
        if (sides >> side & 1)
            reset_side(e, f, side, out);
}

unsigned reset_sides_of(const struct record *r, enum policy_on_expiry on_expiry)
{
    if (r->key.proto != IPPROTO_TCP || r->state == FLOW_TIME_WAIT || r->state == FLOW_CLOSE)
        return 0;
    switch (on_expiry) {
    case ON_EXPIRY_RESET_CLIENT:
        return 1u << FLOW_CLIENT;
    case ON_EXPIRY_RESET_SERVER:
        return 1u << FLOW_SERVER;
    case ON_EXPIRY_RESET_BOTH:
        return 1u << FLOW_CLIENT | 1u << FLOW_SERVER;
    case ON_EXPIRY_SILENT:
    case ON_EXPIRY_DCD:
        break;
    }
    return 0;
}

static bool answer(struct engine *e, const struct packet *p, enum segment_kind kind,
                   void (*build)(struct segment *, const struct packet *), uint64_t flow_id,
                   bool to_client, struct outcome *out)
{
    struct segment *s;

    if (!reset_allowed(e, 1)) {
        e->stats.rate_limited++;
        return false;
    }
    s = segment_take(e, out, kind);
    build(s, p);
    if (s->len == 0) { /* multicast and the like are never answered */
        out->n_segments--;
        e->stats.segments[kind]--;
        return false;
    }
    s->mark = p->mark;
    s->flow_id = flow_id;
    s->to_client = to_client;
    return true;
}

bool reset_answer(struct engine *e, const struct packet *p, enum policy_reset_form form,
                  uint64_t flow_id, bool to_client, struct outcome *out)
{
    if (p->kind != PACKET_TCP || p->flags & TCP_RST)
        return false;
    return answer(e, p, SEGMENT_RESET,
                  form == RESET_FORM_ECHO ? segment_reset_echo : segment_reset_for, flow_id,
                  to_client, out);
}

bool reset_prohibit(struct engine *e, const struct packet *p, uint64_t flow_id, bool to_client,
                    struct outcome *out)
{
    if (p->kind == PACKET_ICMP_ERROR || (p->kind == PACKET_TCP && p->flags & TCP_RST))
        return false;
    return answer(e, p, SEGMENT_ICMP, segment_icmp_prohibited, flow_id, to_client, out);
}
