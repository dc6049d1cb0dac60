/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/engine_private.h"

#include <netinet/in.h>
#include <string.h>

unsigned life_client_end(const struct policy *policy, const struct packet *p, bool *guessed)
{
    unsigned sender = p->side;

    *guessed = false;
    if (p->kind == PACKET_ECHO)
        return p->is_reply ? !sender : sender;
    if (p->kind == PACKET_ICMP_ERROR) /* side is the quoted packet's: nothing says who opened */
        *guessed = true;
    else if (p->kind != PACKET_TCP || tcp_kind_of(p->flags) == TCP_KIND_SYN)
        return sender;
    else if (tcp_kind_of(p->flags) == TCP_KIND_SYNACK)
        return !sender;
    *guessed = true;
    if (policy_is_server_port(policy, p->key.port[sender]) &&
        !policy_is_server_port(policy, p->key.port[!sender]))
        return !sender;
    return sender;
}

static void show_key(const struct flow_key *key, unsigned client, struct flow *out)
{
    out->family = key->family;
    out->proto = key->proto;
    out->icmp_type = key->type;
    memcpy(out->addr[FLOW_CLIENT], key->addr[client], 16);
    memcpy(out->addr[FLOW_SERVER], key->addr[!client], 16);
    out->port[FLOW_CLIENT] = key->port[client];
    out->port[FLOW_SERVER] = key->port[!client];
}

void life_sketch(const struct engine *e, const struct packet *p, unsigned client, struct flow *out)
{
    *out = (struct flow){.mark = p->mark,
                         .opened = e->now,
                         .last = e->now,
                         .policy = e->policies[e->current].policy};
    show_key(&p->key, client, out);
}

/* pf.conf(5), adaptive.start: the timeout shrinks with every flow more. */
static mtime_t shrunk(const struct engine *e, struct live f, mtime_t over)
{
    const struct policy *policy = e->policies[e->current].policy;
    mtime_t span = policy->adaptive_end - policy->adaptive_start, left, whole = over - f.r->last;

    if (over == MTIME_NEVER)
        return over;
    if (e->stats.flows >= policy->adaptive_end)
        return f.r->last;
    left = policy->adaptive_end - e->stats.flows;
    return f.r->last + whole / span * left + whole % span * left / span;
}

void life_show(const struct engine *e, struct live f, struct flow *out)
{
    const struct record *r = f.r;
    const struct policy_profile *profile = profile_of(e, r);

    *out = (struct flow){
        .id = record_id(r),
        .state = (enum flow_state)r->state,
        .timeout_name = (enum policy_timeout)f.r->timeout_name,
        .opened = *f.opened,
        .last = r->last,
        .timeout = profile->timeout[f.r->timeout_name],
        .deadline = r->deadline,
        .longest_idle = (mtime_t)f.r->longest_idle_ms * MTIME_MSEC,
        .assured = r->flags & RECORD_ASSURED,
        .guessed = r->flags & RECORD_GUESSED,
        .blocked = {r->flags & RECORD_BLOCKED_CLIENT, r->flags & RECORD_BLOCKED_SERVER},
        .rule = r->rule,
        .mark = f.r->mark,
        .policy = policy_of(e, r),
    };
    show_key(&r->key, client_end(r), out);
    /* Until it is asked, people want to see the idle limit. */
    if (adaptive(e))
        out->deadline = shrunk(e, f, r->deadline);
    if (r->has_extra) {
        const struct flow_extra *x = extra_of(e, f);

        out->probing = dcd_covers(e, f) && (x->dcd_next > 0 || e->now >= out->deadline);
        if (out->probing)
            out->deadline = life_over_at(e, f);
        memcpy(out->keepalive, x->keepalive, sizeof(out->keepalive));
    }
    for (unsigned d = 0; d < 2; d++) {
        const struct record_count *c = &f.r->count[d];
        out->packets[d] = (uint64_t)c->packets_high << 32 | c->packets_low;
        out->bytes[d] = (uint64_t)c->bytes_high << 32 | c->bytes_low;
    }
}

/* The entry that the wheel moved into the place of another must learn where it is now. */
static void wheel_take_out(struct engine *e, struct live f)
{
    struct wheel_place place = {f.r->wheel_bucket, f.r->wheel_place};
    uint32_t moved;

    if (place.bucket == WHEEL_NOWHERE)
        return;
    f.r->wheel_bucket = WHEEL_NOWHERE;
    moved = wheel_remove(&e->wheel, place);
    if (moved != WHEEL_NO_ID) {
        struct record *m = flow_store_at(&e->table.store, moved);
        m->wheel_bucket = place.bucket & 1023;
        m->wheel_place = place.at;
    }
}

/* The wheel looks at a flow early or on time, never late: only a deadline that comes nearer needs a
 * new place. */
void life_set_deadline(struct engine *e, struct live f, mtime_t deadline)
{
    struct wheel_place place;
    mtime_t look;

    f.r->deadline = deadline;
    look = dcd_covers(e, f) ? dcd_look_at(e, f) : deadline;
    if (f.r->wheel_bucket != WHEEL_NOWHERE) {
        if (wheel_start(&e->wheel, f.r->wheel_bucket) <= look)
            return;
        wheel_take_out(e, f);
    }
    if (look == MTIME_NEVER)
        return;
    /* Without memory it is not looked at, but still judged by its deadline when a packet comes. */
    if (wheel_add(&e->wheel, look, f.slot, &place) < 0)
        return;
    f.r->wheel_bucket = place.bucket & 1023;
    f.r->wheel_place = place.at;
}

void life_set_state(struct engine *e, struct live f, enum flow_state state)
{
    e->stats.by_state[f.r->state]--;
    e->stats.by_state[state]++;
    f.r->state = state & 15;
}

void life_count(struct live f, unsigned dir, const struct packet *p)
{
    record_count_add(&f.r->count[dir], p->len);
    f.r->mark = p->mark;
}

static bool counts_as_activity(const struct policy_profile *profile, const struct record *r,
                               unsigned dir, bool payload)
{
    if (profile->refresh_in == REFRESH_IN_ESTABLISHED && r->key.proto == IPPROTO_TCP &&
        r->state != FLOW_ESTABLISHED)
        return false;
    switch (policy_refresh_of(profile, r->key.proto)) {
    case REFRESH_CLIENT:
        if (dir != FLOW_CLIENT)
            return false;
        break;
    case REFRESH_SERVER:
        if (dir != FLOW_SERVER)
            return false;
        break;
    case REFRESH_NONE:
        return false;
    case REFRESH_BOTH:
    case REFRESH_EACH:
        break;
    }
    return profile->refresh_by == REFRESH_BY_ANY || payload;
}

/*
 * refresh each: when the quieter side was last active, once dir is at now. Not stored: the deadline
 * says it, as it counts from then. (Cut short by active-timeout it says less, but then that rules
 * anyway.)
 */
static mtime_t quieter_since(struct live f, mtime_t timeout_before, unsigned dir, mtime_t now,
                             bool state_changed)
{
    mtime_t since;

    if (state_changed || f.r->deadline == MTIME_NEVER) {
        f.r->sides = !dir;
        return now;
    }
    if (f.r->sides == dir || f.r->sides == RECORD_NO_SIDE) {
        f.r->sides = !dir;
        return f.r->last;
    }
    since = f.r->deadline - timeout_before;
    return since > *f.opened ? since : *f.opened;
}

mtime_t life_deadline(const struct engine *e, struct live f, mtime_t from)
{
    const mtime_t *timeout = profile_of(e, f.r)->timeout;
    mtime_t idle = mtime_add(from, timeout[f.r->timeout_name]), whole;

    /* Not looked at in vain: when a flow was opened is a cache line that most packets need not
     * touch. */
    if (timeout[TIMEOUT_ACTIVE] == MTIME_NEVER)
        return idle;
    whole = mtime_add(*f.opened, timeout[TIMEOUT_ACTIVE]);
    return idle < whole ? idle : whole;
}

/* A packet that is no activity may still end the reason for a short timeout: an acknowledgement,
 * say, that of tcp-unacknowledged. The idle time runs on, towards the longer limit. */
static void lengthen(struct engine *e, struct live f, enum policy_timeout timeout)
{
    const struct policy_profile *profile = profile_of(e, f.r);
    mtime_t before = profile->timeout[f.r->timeout_name], since = f.r->last;

    if (profile->timeout[timeout] <= before)
        return;
    if (policy_refresh_of(profile, f.r->key.proto) == REFRESH_EACH &&
        f.r->sides != RECORD_NO_SIDE && f.r->deadline - before < since)
        since = f.r->deadline - before > *f.opened ? f.r->deadline - before : *f.opened;
    f.r->timeout_name = timeout & 63;
    life_set_deadline(e, f, life_deadline(e, f, since));
}

static void note_idle(struct live f, mtime_t now)
{
    mtime_t idle = (now - f.r->last) / MTIME_MSEC;

    if (idle > f.r->longest_idle_ms)
        f.r->longest_idle_ms = idle > UINT32_MAX ? UINT32_MAX : (uint32_t)idle;
}

void life_refresh(struct engine *e, struct live f, unsigned dir, bool payload,
                  enum policy_timeout timeout, bool state_changed)
{
    const struct policy_profile *profile = profile_of(e, f.r);
    mtime_t since = e->now;

    if (!state_changed && !counts_as_activity(profile, f.r, dir, payload)) {
        lengthen(e, f, timeout);
        return;
    }
    note_idle(f, e->now);
    if (policy_refresh_of(profile, f.r->key.proto) == REFRESH_EACH)
        since = quieter_since(f, profile->timeout[f.r->timeout_name], dir, e->now, state_changed);
    f.r->last = e->now;
    f.r->timeout_name = timeout & 63;
    if (f.r->has_extra)
        dcd_stop(extra_of(e, f));
    life_set_deadline(e, f, life_deadline(e, f, since));
}

void life_renew(struct engine *e, struct live f)
{
    note_idle(f, e->now);
    f.r->last = e->now;
    f.r->sides = FLOW_CLIENT;
    life_set_deadline(e, f, life_deadline(e, f, e->now));
}

struct flow_extra *life_extra(struct engine *e, struct live f)
{
    uint32_t number;

    if (f.r->has_extra)
        return extra_of(e, f);
    number = extra_pool_take(&e->extras);
    if (number == 0)
        return NULL;
    *flow_store_extra(&e->table.store, f.slot) = number;
    f.r->has_extra = true;
    return extra_of(e, f);
}

void life_bury(struct engine *e, struct live f)
{
    wheel_take_out(e, f);
    age_remove(&e->age, f.slot);
    if (f.r->has_extra)
        extra_pool_give(&e->extras, *flow_store_extra(&e->table.store, f.slot));
    e->policies[f.r->policy].flows--;
    e->lingering--;
    flow_table_remove(&e->table, f.slot);
}

static void remember(struct engine *e, struct live f, enum flow_end reason)
{
    mtime_t over = life_over_at(e, f);
    struct late_entry entry = {
        .key = f.r->key,
        .policy = policy_of(e, f.r),
        .id = record_id(f.r),
        .opened = *f.opened,
        .last = f.r->last,
        .timeout = profile_of(e, f.r)->timeout[f.r->timeout_name],
        .ended =
            over < e->now && (reason == FLOW_END_IDLE || reason == FLOW_END_ACTIVE) ? over : e->now,
        .count = {f.r->count[0], f.r->count[1]},
        .longest_idle_ms = f.r->longest_idle_ms,
        .rule = f.r->rule,
        .state = f.r->state,
        .flags = f.r->flags,
        .timeout_name = f.r->timeout_name,
        .reason = (uint8_t)reason,
    };

    late_memory_put(&e->late, flow_table_hash(&e->table, &f.r->key), &entry);
}

void life_end(struct engine *e, struct live f, enum flow_end reason, enum event_action action,
              unsigned linger_sides, struct outcome *out)
{
    bool expired = reason == FLOW_END_IDLE || reason == FLOW_END_ACTIVE;
    struct event *ev = event_take(e, out, expired ? EVENT_EXPIRED : EVENT_ENDED);

    if (ev) {
        life_show(e, f, &ev->flow);
        ev->reason = reason;
        ev->action = action;
    }
    remember(e, f, reason);
    if (expired)
        e->stats.expired++;
    e->stats.ended[reason]++;
    e->stats.by_state[f.r->state]--;
    e->stats.flows--;

    e->lingering++;
    if (linger_sides == 0) {
        life_bury(e, f);
        return;
    }
    f.r->flags |= RECORD_LINGER;
    f.r->sides = linger_sides & 3;
    life_set_deadline(e, f, mtime_add(e->now, e->config.linger));
}

static enum event_action action_of(unsigned sides)
{
    static const enum event_action actions[] = {ACTED_NONE, ACTED_RESET_CLIENT, ACTED_RESET_SERVER,
                                                ACTED_RESET_BOTH};
    return actions[sides & 3];
}

static unsigned resets_for(unsigned sides)
{
    return RESETS_A_SIDE * ((sides & 1) + (sides >> 1 & 1));
}

bool life_expiry_must_wait(struct engine *e, struct live f)
{
    unsigned sides = reset_sides_of(f.r, life_on_expiry(profile_of(e, f.r)));

    return sides && !(f.r->flags & RECORD_LINGER) &&
           reset_allowed_at(e, resets_for(sides)) > e->now;
}

mtime_t life_over_at(const struct engine *e, struct live f)
{
    mtime_t over = f.r->deadline;

    if (f.r->flags & RECORD_LINGER)
        return over;
    if (f.r->has_extra && dcd_covers(e, f))
        over = mtime_add(over, dcd_grace(e, f));
    return adaptive(e) ? shrunk(e, f, over) : over;
}

bool life_is_over(struct engine *e, struct live f)
{
    const struct policy_profile *profile = profile_of(e, f.r);
    mtime_t active, deadline;

    if (e->now < life_over_at(e, f))
        return false;
    if (!e->config.activity || f.r->flags & RECORD_LINGER ||
        policy_refresh_of(profile, f.r->key.proto) == REFRESH_NONE)
        return true;
    active = e->config.activity(e->config.arg, &f.r->key);
    if (active > e->now)
        active = e->now;
    if (active <= f.r->last)
        return true;
    deadline = life_deadline(e, f, active);
    f.r->last = active;
    life_set_deadline(e, f, deadline);
    return e->now >= life_over_at(e, f);
}

/* A side is answered for as long as if the timer had run in time: no verdict hangs on when it did.
 * Only resets that had to wait, and adaptive timeouts, which reach back, count from now. */
static mtime_t linger_from(const struct engine *e, struct live f)
{
    mtime_t over = life_over_at(e, f);

    return over > e->now || over <= e->stalled_until || adaptive(e) ? e->now : over;
}

bool life_expire(struct engine *e, struct live f, struct outcome *out)
{
    const struct policy_profile *profile = profile_of(e, f.r);
    unsigned sides = reset_sides_of(f.r, life_on_expiry(profile));
    enum flow_end reason = FLOW_END_IDLE;
    enum event_action action = action_of(sides);
    mtime_t until = mtime_add(linger_from(e, f), e->config.linger);

    if (f.r->flags & RECORD_LINGER) {
        life_bury(e, f);
        return false;
    }
    if (profile->timeout[TIMEOUT_ACTIVE] != MTIME_NEVER &&
        f.r->deadline == mtime_add(*f.opened, profile->timeout[TIMEOUT_ACTIVE]))
        reason = FLOW_END_ACTIVE;
    /* Nobody was cut off: it had ended, and its entry is cleared away. */
    if (f.r->state == FLOW_TIME_WAIT || f.r->state == FLOW_CLOSE)
        reason = FLOW_END_DETECTED;
    if (sides && !reset_allowed(e, resets_for(sides))) {
        action = ACTED_RATE_LIMITED;
        e->stats.rate_limited++;
        sides = 0;
    }
    reset_sides(e, f, sides, out);
    life_end(e, f, reason, action, until > e->now ? sides : 0, out);
    if (!sides || until <= e->now)
        return false;
    life_set_deadline(e, f, until);
    return true;
}

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

enum life_open life_open(struct engine *e, const struct packet *p, uint64_t hash, unsigned client,
                         bool guessed, uint16_t rule, struct outcome *out)
{
    unsigned dir = p->side != client;
    enum flow_state state = FLOW_UNREPLIED;
    enum policy_timeout timeout;
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
    f.r->flags =
        (uint8_t)(RECORD_USED | (client ? RECORD_CLIENT_IS_1 : 0) | (guessed ? RECORD_GUESSED : 0));
    f.r->rule = rule;
    f.r->policy = e->current;
    f.r->wheel_bucket = WHEEL_NOWHERE;
    f.r->last = *f.opened = e->now;
    age_add(&e->age, &e->table.store, slot);
    /* Without memory for it the flow is forgotten without being asked. */
    if (profile_of(e, f.r)->on_expiry == ON_EXPIRY_DCD && p->kind == PACKET_TCP)
        life_extra(e, f);
    f.r->id_low = (uint32_t)e->next_id;
    f.r->tcp.id_high = (uint16_t)(e->next_id++ >> 32);
    e->policies[e->current].flows++;
    timeout = first_timeout(profile_of(e, f.r), p);

    if (p->kind == PACKET_TCP) {
        struct tcp_flow tf = {
            .track = &f.r->tcp, .state = tcp_state_open(p), .data = p->payload_len > 0};

        tcp_window_open(&f.r->tcp, p);
        if (dir == FLOW_SERVER) /* picked up on a segment of the server's */
            tcp_window_swap(&f.r->tcp);
        f.r->tcp.last_dir = dir & 1;
        /* As the kernel runs the opening packet through the state machine as well. */
        state = tf.state;
        f.r->data = tf.data;
        tcp_window_segment(&f.r->tcp, dir, tcp_kind_of(p->flags), FLOW_NONE, p);
        f.r->tcp.last_kind = tcp_kind_of(p->flags) & 0xf;
        timeout = tcp_state_timeout(&tf, profile_of(e, f.r), tcp_kind_of(p->flags));
    }
    f.r->state = state & 15;
    e->stats.by_state[state]++;
    e->stats.flows++;
    e->stats.opened++;
    if (e->stats.flows > e->stats.peak_flows)
        e->stats.peak_flows = e->stats.flows;
    life_count(f, dir, p);
    life_refresh(e, f, dir, true, timeout, true);

    ev = event_take(e, out, EVENT_NEW);
    if (ev) {
        life_show(e, f, &ev->flow);
        ev->side = (enum flow_side)dir;
        ev->action = guessed && p->kind == PACKET_TCP ? ACTED_ADOPTED : ACTED_NONE;
    }
    return LIFE_OPENED;
}
