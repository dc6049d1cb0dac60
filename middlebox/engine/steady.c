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

/* tcp_window_segment(), for an acknowledgement between two sides that are known. False: anything
 * but in window, or a keepalive probe. */
static inline bool in_window(const struct tcp_track *t, size_t d, size_t o, const struct packet *p,
                             uint32_t end, uint32_t sack)
{
    uint32_t sent = t->end[d];

    if ((t->flags[d] | t->flags[o]) & TCP_SIDE_LIBERAL || t->maxwin[d] == 0 || t->maxwin[o] == 0)
        return false;
    if (!seq_before(p->seq, t->maxend[d] + 1) || !seq_before(sack, t->end[o] + 1) ||
        !seq_after(end, sent - t->maxwin[o] - 1) ||
        !seq_after(sack, t->end[o] - tcp_window_lag(t, (unsigned)d) - 1))
        return false;
    return p->payload_len > 1 || p->seq + 1 != (seq_after(end, sent) ? end : sent);
}

static inline bool again(const struct tcp_track *t, size_t d, const struct packet *p, uint32_t end)
{
    return t->last_seq == p->seq && t->last_end == end && t->last_ack == p->ack &&
           t->last_win == p->window && t->last_dir == d;
}

/* As learn() in tcp_window.c, and finish() in tcp_state.c. */
static inline void learn_segment(struct tcp_track *t, size_t d, size_t o, const struct packet *p,
                                 uint32_t end, uint32_t sack, uint8_t retrans)
{
    uint32_t win = (uint32_t)p->window << t->scale[d], swin = win + (sack - p->ack);
    uint8_t mine = t->flags[d];

    if (t->maxwin[d] < swin)
        t->maxwin[d] = swin;
    if (!(mine & TCP_SIDE_MAXACK) || seq_after(p->ack, t->maxack[d]))
        t->maxack[d] = p->ack;
    mine |= TCP_SIDE_MAXACK;
    if (seq_after(end, t->end[d])) {
        t->end[d] = end;
        mine |= TCP_SIDE_UNACKED;
    }
    t->flags[d] = mine;
    if (seq_after(end, t->maxend[d]))
        t->maxwin[o] += end - t->maxend[d];
    if (seq_after(sack + win, t->maxend[o] - 1))
        t->maxend[o] = sack + win;
    if (p->ack == t->end[o])
        t->flags[o] &= (uint8_t)~TCP_SIDE_UNACKED;
    t->last_seq = p->seq;
    t->last_ack = p->ack;
    t->last_end = end;
    t->last_win = p->window;
    t->last_dir = d & 1;
    t->last_kind = TCP_KIND_ACK;
    t->retrans = retrans;
}

/* Will data be unacknowledged then, from either side? */
static inline bool unacked(const struct tcp_track *t, size_t d, size_t o, const struct packet *p,
                           uint32_t end)
{
    return t->flags[d] & TCP_SIDE_UNACKED || seq_after(end, t->end[d]) ||
           (t->flags[o] & TCP_SIDE_UNACKED && p->ack != t->end[o]);
}

/* Would the wheel still look at it in time? */
static inline bool in_time(const struct engine *e, const struct record *r, mtime_t deadline)
{
    return r->wheel_bucket != WHEEL_NOWHERE &&
           (deadline >= r->deadline || wheel_start(&e->wheel, r->wheel_bucket) <= deadline);
}

#define STEADY_FLAGS                                                                               \
    (RECORD_REPLY | RECORD_ASSURED | RECORD_LINGER | RECORD_BLOCKED_CLIENT | RECORD_BLOCKED_SERVER)

bool steady_packet(struct engine *e, struct live f, const struct packet *p)
{
    struct record *r = f.r;
    const struct steady *s = &e->policies[r->policy].steady[r->rule];
    size_t d = p->side != client_end(r), o = d ^ 1;
    uint32_t end = p->seq + p->payload_len;
    uint32_t sack = r->tcp.flags[o] & TCP_SIDE_SACK ? p->sack : p->ack;
    const struct steady_kind *kind;
    struct engine_seen seen;
    uint8_t retrans = 0;
    mtime_t deadline;
    bool data;

    if ((p->flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK || p->window == 0 ||
        r->state != FLOW_ESTABLISHED || r->has_extra || !s->applies ||
        (r->flags & STEADY_FLAGS) != (RECORD_REPLY | RECORD_ASSURED) ||
        !in_window(&r->tcp, d, o, p, end, sack))
        return false;
    if (again(&r->tcp, d, p, end))
        retrans = (uint8_t)(r->tcp.retrans + (r->tcp.retrans < UINT8_MAX));
    data = r->data || p->payload_len > 0; /* a probe was sorted out */
    kind =
        &s->kinds[(unacked(&r->tcp, d, o, p, end) ? STEADY_UNACKED : 0) |
                  (data ? 0 : STEADY_NO_DATA) | (retrans >= s->max_retrans ? STEADY_RETRANS : 0)];
    deadline = mtime_add(e->now, kind->timeout);
    if (!in_time(e, r, deadline))
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
    seen.choice = kind->choice;
    learn_segment(&r->tcp, d, o, p, end, sack, retrans);
    life_count(f, (unsigned)d, p);
    r->data = data;
    life_note_idle(f, e->now);
    r->last = e->now;
    r->deadline = deadline;
    r->timeout_name = kind->name & 63;
    if (e->config.watch)
        e->config.watch->packet(e->config.arg, r + 1, p, &seen);
    return true;
}
