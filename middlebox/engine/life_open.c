/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/engine_private.h"

#include <netinet/in.h>

/* A flow that is over makes room, whenever engine_advance() last ran: however many were refreshed
 * since, which each goes to a later place once. */
static bool expire_due(struct engine *e, struct outcome *out)
{
    uint32_t aside[64]; /* to be probed: due still */
    unsigned n = 0;
    bool found = false, over = false;

    while (!over && n < 64) {
        uint32_t slot = wheel_pop(&e->wheel, e->now);
        struct live f;

        if (slot == WHEEL_NO_ID)
            break;
        f = live_at(e, slot);
        f.r->wheel_bucket = WHEEL_NOWHERE;
        over = life_is_over(e, f);
        found = over && !life_expiry_must_wait(e, f);
        if (found) {
            if (life_expire(e, f, out))
                life_bury(e, f);
        } else if (!over && dcd_covers(e, f) && e->now >= dcd_look_at(e, f)) {
            aside[n++] = slot;
        } else if (f.r->wheel_bucket == WHEEL_NOWHERE) {
            life_set_deadline(e, f, f.r->deadline);
        }
    }
    while (n > 0) {
        struct live f = live_at(e, aside[--n]);

        life_set_deadline(e, f, f.r->deadline);
    }
    return found;
}

static bool make_room(struct engine *e, struct outcome *out)
{
    const struct policy *policy = e->policies[e->current].policy;
    uint32_t best = STORE_NONE, slot = e->evict_hand;
    struct live f;

    if (expire_due(e, out))
        return true;
    /* A look at the next few entries, round robin: a flow that only lingers goes first, then the
     * longest quiet. */
    for (unsigned n = 0; n < 64; n++) {
        slot = flow_store_next(&e->table.store, slot);
        if (slot == STORE_NONE) {
            slot = 0;
            continue;
        }
        f = live_at(e, slot++);
        if (f.r->flags & RECORD_LINGER) {
            life_bury(e, f);
            e->evict_hand = slot;
            return true;
        }
        if (policy->on_full == ON_FULL_DROP_NEW ||
            (policy->on_full == ON_FULL_EVICT_UNASSURED && f.r->flags & RECORD_ASSURED))
            continue;
        if (best == STORE_NONE || f.r->last < flow_store_at(&e->table.store, best)->last)
            best = f.slot;
    }
    e->evict_hand = slot;
    if (age_in_use(&e->age))
        best = age_oldest(&e->age, &e->table.store);
    if (best == STORE_NONE)
        return false;
    if (live_at(e, best).r->flags & RECORD_LINGER) {
        life_bury(e, live_at(e, best));
        return true;
    }
    life_end(e, live_at(e, best), FLOW_END_RESOURCES, ACTED_NONE, 0, out);
    return true;
}

static enum policy_timeout first_timeout(const struct policy_profile *profile,
                                         const struct packet *p)
{
    switch (p->kind) {
    case PACKET_UDP:
        return policy_timeout_of(profile, TIMEOUT_UDP_FIRST, p->key.proto);
    case PACKET_ECHO:
        return p->key.family == 4 ? TIMEOUT_ICMP : TIMEOUT_ICMPV6;
    case PACKET_TCP:
    case PACKET_GENERIC:
    case PACKET_ICMP_ERROR:
    case PACKET_ICMP_OTHER:
    case PACKET_FRAGMENT:
    case PACKET_TRUNCATED:
    case PACKET_MALFORMED:
        break;
    }
    return policy_timeout_of(profile, TIMEOUT_GENERIC_FIRST, p->key.proto);
}

/* A limit that was lowered is reached as flows end: nobody is thrown out for it. */
static void follow_limit(struct engine *e)
{
    struct flow_store *store = &e->table.store;

    if (store->limit > e->max_flows)
        flow_store_set_limit(store, store->used > e->max_flows ? store->used : e->max_flows);
}

void life_born(struct engine *e, struct live f, uint8_t flags, uint16_t rule, enum flow_state state,
               mtime_t opened, mtime_t last)
{
    f.r->flags = flags | RECORD_USED;
    f.r->rule = rule & INT16_MAX;
    f.r->state = state & 15;
    f.r->policy = e->current;
    f.r->wheel_bucket = WHEEL_NOWHERE;
    f.r->id_low = (uint32_t)e->next_id;
    f.r->tcp.id_high = (uint16_t)(e->next_id++ >> 32);
    f.r->last = last;
    *flow_store_opened(&e->table.store, f.slot) = opened;
    age_add(&e->age, &e->table.store, f.slot);
    /* Without memory for it the flow is forgotten without being asked. */
    if (profile_of(e, f.r)->on_expiry == ON_EXPIRY_DCD && f.r->key.proto == IPPROTO_TCP)
        life_extra(e, f);
    e->policies[e->current].flows++;
    e->stats.by_state[state]++;
    census_of(e, f.r)[state]++;
    e->stats.flows++;
    e->stats.opened++;
    if (e->stats.flows > e->stats.peak_flows)
        e->stats.peak_flows = e->stats.flows;
}

enum life_open life_open(struct engine *e, const struct packet *p, uint64_t hash, unsigned client,
                         bool guessed, uint16_t rule, struct outcome *out)
{
    unsigned dir = p->side != client;
    enum policy_timeout timeout;
    struct engine_seen seen;
    unsigned choice;
    struct event *ev;
    struct live f;
    uint32_t slot;

    follow_limit(e);
    if (e->table.store.used >= e->table.store.limit && !make_room(e, out))
        return LIFE_FULL;
    slot = flow_table_insert(&e->table, &p->key, hash);
    if (slot == STORE_NONE)
        return LIFE_FULL;
    f = live_at(e, slot);
    life_born(e, f, (uint8_t)((client ? RECORD_CLIENT_IS_1 : 0) | (guessed ? RECORD_GUESSED : 0)),
              rule, p->kind == PACKET_TCP ? tcp_state_open(p) : FLOW_UNREPLIED, e->now, e->now);
    timeout = first_timeout(profile_of(e, f.r), p);
    choice = plain_choice(timeout);

    if (p->kind == PACKET_TCP) {
        struct tcp_flow tf = {
            .track = &f.r->tcp, .state = (enum flow_state)f.r->state, .data = p->payload_len > 0};

        tcp_window_open(&f.r->tcp, p);
        if (dir == FLOW_SERVER) /* picked up on a segment of the server's */
            tcp_window_swap(&f.r->tcp);
        f.r->tcp.last_dir = dir & 1;
        /* As the kernel runs the opening packet through the state machine as well. */
        f.r->data = tf.data;
        tcp_window_segment(&f.r->tcp, dir, tcp_kind_of(p->flags), FLOW_NONE, p);
        f.r->tcp.last_kind = tcp_kind_of(p->flags) & 0xf;
        choice = tcp_state_choice(&tf, profile_of(e, f.r), tcp_kind_of(p->flags));
        timeout = choice_timeout(e, f.r, choice);
    }
    life_count(f, dir, p);
    life_refresh(e, f, dir, true, timeout, true);
    seen = watch_before(e, f, dir);
    seen.opened = seen.accepted = seen.refreshed = true;
    seen.choice = (uint16_t)choice;
    watch_packet(e, f, p, &seen);

    ev = event_take(e, out, EVENT_NEW);
    if (ev) {
        life_show(e, f, &ev->flow);
        ev->side = (enum flow_side)dir;
        ev->action = guessed && p->kind == PACKET_TCP ? ACTED_ADOPTED : ACTED_NONE;
    }
    return LIFE_OPENED;
}
