/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A short cut for what nearly all packets are: an acknowledgement or data in window, of a TCP
 * connection that both ends agree on, under a policy without peculiarities. It does what
 * tcp_packet() does with such a segment, or nothing: unit/steady_test compares the two.
 */

#include "middlebox/engine/engine_private.h"

#include <stdlib.h>

/* All that the choice of a timeout can still hang on. */
enum { STEADY_UNACKED = 1, STEADY_NO_DATA = 2, STEADY_RETRANS = 4 };

static struct steady steady_of(const struct policy_profile *profile)
{
    struct steady s = {
        .applies = profile->on_expiry != ON_EXPIRY_DCD && profile->refresh == REFRESH_BOTH &&
                   profile->refresh_by == REFRESH_BY_ANY &&
                   profile->timeout[TIMEOUT_ACTIVE] == MTIME_NEVER,
        .max_retrans = profile->max_retrans,
    };

    for (unsigned i = 0; i < STEADY_KINDS; i++) {
        unsigned choice = (unsigned)FLOW_ESTABLISHED | (i & STEADY_UNACKED ? CHOICE_UNACKED : 0) |
                          (i & STEADY_NO_DATA ? CHOICE_NO_DATA : 0) |
                          (i & STEADY_RETRANS ? CHOICE_RETRANS : 0);
        enum policy_timeout name = tcp_choice_timeout(choice, profile);

        s.kinds[i] = (struct steady_kind){profile->timeout[name], (uint16_t)choice, name & 63};
    }
    return s;
}

struct steady *steady_create(const struct policy *policy)
{
    struct steady *by_rule = calloc(policy->n_rules, sizeof(*by_rule));

    for (size_t i = 0; by_rule && i < policy->n_rules; i++)
        by_rule[i] = steady_of(&policy->profiles[policy->rules[i].profile]);
    return by_rule;
}

/* What the segment would teach the track, worked out before anything is changed. */
struct lesson {
    uint32_t end, ack, maxwin, peer_maxwin, peer_maxend;
    uint8_t flags, peer_flags;
    bool again; /* the same segment as the last one */
};

/* tcp_window_segment(), for an acknowledgement between two sides that are known. False: anything
 * but in window, or a keepalive probe. */
static inline bool learnable(const struct tcp_track *t, unsigned d, const struct packet *p,
                             struct lesson *l)
{
    unsigned o = !d;
    uint32_t seq = p->seq, end = seq + p->payload_len, ack = p->ack;
    uint32_t sack = t->flags[o] & TCP_SIDE_SACK ? p->sack : ack;
    uint32_t win = (uint32_t)p->window << t->scale[d], swin = win + (sack - ack);
    bool newer = seq_after(end, t->end[d]);

    l->end = newer ? end : t->end[d];
    if ((t->flags[d] | t->flags[o]) & TCP_SIDE_LIBERAL || t->maxwin[d] == 0 || t->maxwin[o] == 0 ||
        !seq_before(seq, t->maxend[d] + 1) || !seq_before(sack, t->end[o] + 1) ||
        !seq_after(end, t->end[d] - t->maxwin[o] - 1) ||
        !seq_after(sack, t->end[o] - tcp_window_lag(t, d) - 1) ||
        (p->payload_len <= 1 && seq + 1 == l->end))
        return false;

    l->ack = !(t->flags[d] & TCP_SIDE_MAXACK) || seq_after(ack, t->maxack[d]) ? ack : t->maxack[d];
    l->flags = (uint8_t)(t->flags[d] | TCP_SIDE_MAXACK | (newer ? TCP_SIDE_UNACKED : 0));
    l->peer_flags = ack == t->end[o] ? t->flags[o] & (uint8_t)~TCP_SIDE_UNACKED : t->flags[o];
    l->maxwin = t->maxwin[d] < swin ? swin : t->maxwin[d];
    l->peer_maxwin = t->maxwin[o] + (seq_after(end, t->maxend[d]) ? end - t->maxend[d] : 0);
    l->peer_maxend = seq_after(sack + win, t->maxend[o] - 1) ? sack + win : t->maxend[o];
    l->again = t->last_dir == d && t->last_seq == seq && t->last_ack == ack && t->last_end == end &&
               t->last_win == p->window;
    return true;
}

static inline void learn_lesson(struct tcp_track *t, unsigned d, const struct packet *p,
                                const struct lesson *l, uint8_t retrans)
{
    unsigned o = !d;

    t->end[d] = l->end;
    t->maxack[d] = l->ack;
    t->maxwin[d] = l->maxwin;
    t->maxwin[o] = l->peer_maxwin;
    t->maxend[o] = l->peer_maxend;
    t->flags[d] = l->flags;
    t->flags[o] = l->peer_flags;
    t->last_dir = d & 1;
    t->last_kind = TCP_KIND_ACK;
    t->last_seq = p->seq;
    t->last_ack = p->ack;
    t->last_end = p->seq + p->payload_len;
    t->last_win = p->window;
    t->retrans = retrans;
}

/* Would the wheel still look at it in time? */
static inline bool in_time(const struct engine *e, const struct record *r, mtime_t deadline)
{
    return r->wheel_bucket != WHEEL_NOWHERE &&
           (deadline >= r->deadline || wheel_start(&e->wheel, r->wheel_bucket) <= deadline);
}

bool steady_packet(struct engine *e, struct live f, const struct packet *p)
{
    struct record *r = f.r;
    const struct steady *s = &e->policies[r->policy].steady[r->rule];
    unsigned d = p->side != client_end(r);
    struct engine_seen seen;
    struct lesson l;
    uint8_t retrans;
    bool data;
    const struct steady_kind *kind;
    mtime_t deadline;

    if ((p->flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK || p->kind != PACKET_TCP ||
        p->window == 0 || r->state != FLOW_ESTABLISHED || r->has_extra || !s->applies ||
        (r->flags & (RECORD_REPLY | RECORD_ASSURED | RECORD_LINGER | RECORD_BLOCKED_CLIENT |
                     RECORD_BLOCKED_SERVER)) != (RECORD_REPLY | RECORD_ASSURED) ||
        !learnable(&r->tcp, d, p, &l))
        return false;
    retrans = l.again ? (uint8_t)(r->tcp.retrans + (r->tcp.retrans < UINT8_MAX)) : 0;
    data = r->data || p->payload_len > 0; /* a probe was sorted out */
    kind =
        &s->kinds[((l.flags | l.peer_flags) & TCP_SIDE_UNACKED ? STEADY_UNACKED : 0) |
                  (data ? 0 : STEADY_NO_DATA) | (retrans >= s->max_retrans ? STEADY_RETRANS : 0)];
    deadline = mtime_add(e->now, kind->timeout);
    if (!in_time(e, r, deadline))
        return false;

    seen = watch_before(e, f, d);
    seen.accepted = seen.refreshed = true;
    seen.choice = kind->choice;
    learn_lesson(&r->tcp, d, p, &l, retrans);
    life_count(f, d, p);
    r->data = data;
    life_note_idle(f, e->now);
    r->last = e->now;
    r->deadline = deadline;
    r->timeout_name = kind->name & 63;
    watch_packet(e, f, p, &seen);
    return true;
}
