/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/connection_private.h"

#include <errno.h>
#include <string.h>

unsigned connections_key(const struct flow *flow, struct flow_key *key)
{
    return flow_key_init(key, flow->family, flow->proto, flow->addr[FLOW_CLIENT],
                         flow->port[FLOW_CLIENT], flow->addr[FLOW_SERVER], flow->port[FLOW_SERVER],
                         flow->icmp_type);
}

struct flow connections_sketch(const struct connections *cs, const struct packet *p,
                               const struct engine_stray *stray)
{
    struct flow flow = {.family = p->key.family,
                        .proto = p->key.proto,
                        .icmp_type = p->key.type,
                        .opened = stray->now,
                        .last = stray->now,
                        .deadline = MTIME_NEVER,
                        .guessed = stray->guessed,
                        .rule = stray->rule,
                        .policy = cs->policy};

    for (unsigned d = 0; d < 2; d++) {
        unsigned end = d == FLOW_CLIENT ? stray->client : !stray->client;

        memcpy(flow.addr[d], p->key.addr[end], sizeof(flow.addr[d]));
        flow.port[d] = p->key.port[end];
    }
    return flow;
}

static void swap(void *a, void *b, size_t n)
{
    uint8_t *x = a, *y = b;

    for (size_t i = 0; i < n; i++) {
        uint8_t t = x[i];

        x[i] = y[i];
        y[i] = t;
    }
}

static void swap_sides(struct flow *flow)
{
    swap(flow->addr[0], flow->addr[1], sizeof(flow->addr[0]));
    swap(&flow->port[0], &flow->port[1], sizeof(flow->port[0]));
    swap(&flow->packets[0], &flow->packets[1], sizeof(flow->packets[0]));
    swap(&flow->bytes[0], &flow->bytes[1], sizeof(flow->bytes[0]));
    swap(&flow->keepalive[0], &flow->keepalive[1], sizeof(flow->keepalive[0]));
}

/* What its entry shows, and what came before and beside it. */
static void add_story(struct flow *flow, const struct story *s)
{
    if (s->flow.opened != 0)
        flow->opened = s->flow.opened;
    if (s->flow.last > flow->last)
        flow->last = s->flow.last;
    for (unsigned d = 0; d < 2; d++) {
        const struct flow_keepalive *before = &s->flow.keepalive[d];
        struct flow_keepalive *k = &flow->keepalive[d];

        flow->packets[d] += s->packets[d];
        flow->bytes[d] += s->bytes[d];
        if (k->last == 0) {
            k->last = before->last;
            k->length = before->length;
        }
        if (k->interval == 0)
            k->interval = before->interval;
        k->seen += before->seen;
        k->answered += before->answered;
        if (k->seen == 0) /* what there is was another connection's */
            *k = (struct flow_keepalive){0};
    }
}

static enum replay_outcome outcome_of(const struct connection *c, enum story_fate fate,
                                      bool was_late)
{
    if (was_late)
        return REPLAY_BROKEN;
    switch (fate) {
    case STORY_FORGOTTEN:
        return REPLAY_EXPIRED;
    case STORY_EVICTED:
    case STORY_REFUSED:
        return REPLAY_REFUSED;
    case STORY_NEVER:
    case STORY_ENTERED:
    case STORY_CLOSED:
        break;
    }
    return c->flags & CONNECTION_SAVED ? REPLAY_SAVED : REPLAY_FINE;
}

static void hand_out(struct connections *cs, const struct connection *c, const struct flow *flow,
                     const struct story *s, enum story_fate fate, enum flow_end reason)
{
    const struct policy_profile *profile =
        &cs->policy->profiles[cs->policy->rules[c->rule].profile];
    mtime_t limit = c->longest == 0               ? flow->timeout
                    : c->limit == POLICY_TIMEOUTS ? 0
                                                  : profile->timeout[c->limit];
    struct replay_flow out = {
        .flow = *flow,
        .outcome = outcome_of(c, fate, s && s->late_packets > 0),
        .midstream = c->flags & CONNECTION_MIDSTREAM,
        .retransmitted_syn = c->flags & CONNECTION_SYN_LATE,
        .first_number = s ? s->first_number : c->order,
        .last_number = c->last_number,
        .longest_idle = c->longest,
        .longest_idle_at = c->longest > 0 ? c->longest_at : flow->opened,
        .longest_idle_payload = c->longest_payload,
        .limit = limit,
        .end = reason,
    };

    out.flow.id = c->order;
    out.flow.longest_idle = c->longest;
    out.flow.policy = cs->policy;
    if (s) {
        out.late = s->late;
        out.late_packets = s->late_packets;
    }
    cs->flows++;
    cs->midstream += out.midstream;
    cs->by_outcome[out.outcome]++;
    if (cs->emit)
        cs->emit(cs->arg, &out);
}

void connections_finish_entry(struct connections *cs, const struct connection *c,
                              const struct flow *flow, enum flow_end reason)
{
    struct story *s = c->story ? story_at(cs->book, c->story) : NULL;
    enum story_fate fate = reason == FLOW_END_IDLE || reason == FLOW_END_ACTIVE ? STORY_FORGOTTEN
                           : reason == FLOW_END_RESOURCES                       ? STORY_EVICTED
                                                                                : STORY_CLOSED;
    struct flow whole;

    if (!s) {
        hand_out(cs, c, flow, NULL, fate, reason);
        return;
    }
    whole = *flow;
    if (c->flags & CONNECTION_SWAPPED)
        swap_sides(&whole);
    add_story(&whole, s);
    hand_out(cs, c, &whole, s, fate, reason);
    story_remove(cs->book, s);
}

struct story *connections_detach(struct connections *cs, struct connection *c,
                                 const struct flow *flow, enum flow_end reason)
{
    struct story *s = c->story ? story_at(cs->book, c->story) : NULL;
    struct flow whole = *flow;

    if (!s) {
        struct flow_key key;
        unsigned client = connections_key(flow, &key);

        s = story_add(cs->book, &key);
        if (!s) {
            cs->error = -ENOMEM;
            return NULL;
        }
        s->client = (uint8_t)client;
        s->first_number = c->order;
    }
    if (c->flags & CONNECTION_SWAPPED)
        swap_sides(&whole);
    add_story(&whole, s);
    for (unsigned d = 0; d < 2; d++) {
        s->packets[d] = whole.packets[d];
        s->bytes[d] = whole.bytes[d];
    }
    s->flow = whole;
    s->c = *c;
    s->c.flags &= (uint8_t)~CONNECTION_SWAPPED;
    s->c.story = 0;
    s->end = (uint8_t)reason;
    return s;
}

void connections_finish_story(struct connections *cs, struct story *s)
{
    for (unsigned d = 0; d < 2; d++) {
        s->flow.packets[d] = s->packets[d];
        s->flow.bytes[d] = s->bytes[d];
    }
    hand_out(cs, &s->c, &s->flow, s, (enum story_fate)s->fate, (enum flow_end)s->end);
    story_remove(cs->book, s);
}

void connections_sweep(struct connections *cs, mtime_t now)
{
    struct story *s;

    while ((s = story_overdue(cs->book, now)))
        connections_finish_story(cs, s);
}

void connections_drain(struct connections *cs)
{
    struct story *s;

    engine_watch_all(cs->engine);
    while ((s = story_any(cs->book)))
        connections_finish_story(cs, s);
}
