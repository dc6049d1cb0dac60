/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/engine.h"
#include "middlebox/engine/engine_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FRAGMENT_SLOTS 4096
#define SHRINK_EVERY (10 * MTIME_MSEC)
#define NO_POLICY_SLOT UINT16_MAX

const char *reason_name(enum reason reason)
{
    static const char *const names[REASONS] = {
        [REASON_FLOW] = "in a flow",
        [REASON_NEW] = "new flow",
        [REASON_NO_FLOW] = "needs no flow",
        [REASON_ADOPTED] = "adopted mid-stream",
        [REASON_LATE] = "late",
        [REASON_INVALID] = "invalid",
        [REASON_BLOCKED] = "blocked",
        [REASON_RULE] = "by rule",
        [REASON_FULL] = "table full",
        [REASON_DEAD] = "after a reset",
        [REASON_FRAGMENT] = "fragment",
        [REASON_FRAGMENT_LOST] = "fragment before its first",
        [REASON_TRUNCATED] = "truncated",
        [REASON_MALFORMED] = "malformed",
        [REASON_CHECKSUM] = "bad checksum",
        [REASON_PROBE] = "answer to a probe of ours",
    };
    return (unsigned)reason < REASONS ? names[reason] : NULL;
}

static bool can_carry_out(const struct policy *policy)
{
    return policy->n_rules > 0 && policy->n_rules <= INT16_MAX && policy->max_flows > 0;
}

_Static_assert(TCP_CHOICES + POLICY_TIMEOUTS <= ENGINE_CHOICES, "every choice has a number");

enum policy_timeout engine_choice(const struct policy_profile *profile, unsigned choice)
{
    return choice < TCP_CHOICES ? tcp_choice_timeout(choice, profile)
                                : (enum policy_timeout)(choice - TCP_CHOICES);
}

static uint32_t limit_of(const struct engine *e, const struct policy *policy)
{
    uint32_t limit = e->config.max_flows ? e->config.max_flows : policy->max_flows;

    return limit > INT32_MAX ? INT32_MAX : limit;
}

static uint32_t adaptive_above(const struct policy *policy)
{
    return policy->adaptive_start ? policy->adaptive_start : UINT32_MAX;
}

static void policy_leave(struct engine *e, uint32_t slot)
{
    e->policies[slot].policy = policy_unref(e->policies[slot].policy);
    census_finish(&e->policies[slot]);
}

/* What others hold is kept here as well: the late memory lets go of it in the middle of a call. */
static void drop_unused(struct engine *e, uint32_t slot)
{
    struct policy *policy = e->policies[slot].policy;

    if (policy && !in_use(e, slot) && __atomic_load_n(&policy->references, __ATOMIC_ACQUIRE) == 1)
        policy_leave(e, slot);
}

void engine_begin(struct engine *e, mtime_t now)
{
    go_on_to(e, now);
    if (e->policy_hand >= e->n_policies)
        e->policy_hand = 0;
    drop_unused(e, e->policy_hand++);
}

/* A slot for one more policy, or NO_POLICY_SLOT with *error. */
static uint16_t policy_slot(struct engine *e, const struct policy *policy, int *error)
{
    struct engine_policy *grown;
    uint32_t n;

    for (n = 0; n < e->n_policies; n++)
        drop_unused(e, n);
    for (n = 0; n < e->n_policies; n++) /* one that flows still use comes back */
        if (e->policies[n].policy == policy)
            return (uint16_t)n;
    for (n = 0; n < e->n_policies; n++)
        if (!e->policies[n].policy)
            return (uint16_t)n;
    *error = -EUSERS;
    if (n >= NO_POLICY_SLOT)
        return NO_POLICY_SLOT;
    *error = -ENOMEM;
    n = n ? 2 * n : 4;
    if (n > NO_POLICY_SLOT)
        n = NO_POLICY_SLOT;
    grown = realloc(e->policies, n * sizeof(*grown));
    if (!grown)
        return NO_POLICY_SLOT;
    memset(grown + e->n_policies, 0, (n - e->n_policies) * sizeof(*grown));
    e->policies = grown;
    n = e->n_policies;
    e->n_policies = n ? (2 * n > NO_POLICY_SLOT ? NO_POLICY_SLOT : 2 * n) : 4;
    return (uint16_t)n;
}

/* 0 or -ENOMEM. A slot that has it already keeps it. */
static int policy_enter(struct engine *e, uint16_t slot, struct policy *policy)
{
    int r;

    if (e->policies[slot].policy)
        return 0;
    r = census_start(&e->policies[slot], policy);
    if (r == 0)
        e->policies[slot].policy = policy_ref(policy);
    return r;
}

/* Keeps the flows in order of activity where the policy asks for the oldest. */
static int follow_order(struct engine *e, const struct policy *policy)
{
    age_finish(&e->age);
    return policy->on_full == ON_FULL_EVICT_OLDEST ? age_start(&e->age, &e->table.store) : 0;
}

int engine_create(struct engine **out, const struct engine_config *config, struct policy *policy)
{
    struct engine *e;
    int r = 0;

    if (!can_carry_out(policy))
        return -EINVAL;
    e = calloc(1, sizeof(*e));
    if (!e)
        return -ENOMEM;
    e->config = *config;
    e->now = config->start;
    e->credit_at = config->start;
    e->credit = MTIME_SEC; /* clipped to the limit at first use */
    e->next_id = 1;
    e->adopt_until = mtime_add(config->start, policy->adopt_at_start);
    e->current = policy_slot(e, policy, &r);
    if (e->current == NO_POLICY_SLOT)
        goto out;
    r = policy_enter(e, e->current, policy);
    if (r < 0)
        goto out;
    late_memory_init(&e->late, config->watch ? 0 : policy->late_memory_count, policy->late_memory);
    wheel_init(&e->wheel, config->start);
    e->max_flows = limit_of(e, policy);
    e->adaptive_above = adaptive_above(policy);
    r = flow_table_init(&e->table, e->max_flows, config->hash_secret);
    if (r < 0)
        goto out;
    e->table.quick = config->quick_hash;
    if (config->many)
        flow_table_expect_many(&e->table);
    if (config->watch)
        r = flow_store_set_beside(&e->table.store, config->watch->room);
    if (r == 0)
        r = fragment_create(&e->fragments, FRAGMENT_SLOTS, config->hash_secret);
    if (r == 0)
        r = follow_order(e, policy);
out:
    if (r < 0)
        e = engine_destroy(e);
    *out = e;
    return r;
}

struct engine *engine_destroy(struct engine *e)
{
    if (!e)
        return NULL;
    fragment_destroy(e->fragments);
    age_finish(&e->age);
    extra_pool_finish(&e->extras);
    late_memory_finish(&e->late);
    wheel_finish(&e->wheel);
    flow_table_finish(&e->table);
    for (uint32_t i = 0; i < e->n_policies; i++)
        policy_leave(e, i);
    free(e->policies);
    free(e);
    return NULL;
}

/* Its slot. */
static int policy_add(struct engine *e, struct policy *policy, bool *known)
{
    uint16_t slot;
    int r = 0;

    if (!can_carry_out(policy))
        return -EINVAL;
    slot = policy_slot(e, policy, &r);
    if (slot == NO_POLICY_SLOT)
        return r;
    *known = e->policies[slot].policy;
    r = policy_enter(e, slot, policy);
    return r < 0 ? r : slot;
}

int engine_set_policy(struct engine *e, struct policy *policy)
{
    uint16_t old = e->current, slot;
    uint32_t limit;
    bool known = false;
    int r = policy_add(e, policy, &known);

    if (r < 0)
        return r;
    slot = (uint16_t)r;
    limit = limit_of(e, policy);
    r = flow_table_set_limit(&e->table, limit > e->table.store.used ? limit : e->table.store.used);
    if (r == 0)
        r = follow_order(e, policy);
    if (r < 0) {
        flow_table_set_limit(&e->table, e->max_flows > e->table.store.used ? e->max_flows
                                                                           : e->table.store.used);
        follow_order(e, e->policies[old].policy);
        if (!known)
            policy_leave(e, slot);
        return r;
    }
    e->max_flows = limit;
    e->adaptive_above = adaptive_above(policy);
    e->current = slot;
    late_memory_configure(&e->late, e->config.watch ? 0 : policy->late_memory_count,
                          policy->late_memory);
    return 0;
}

int engine_add_policy(struct engine *e, struct policy *policy)
{
    bool known = false;

    return policy_add(e, policy, &known);
}

void engine_use_policy(struct engine *e, unsigned number)
{
    e->current = (uint16_t)number;
}

void engine_want(struct engine *e, uint32_t wants)
{
    e->config.wants = wants;
}

void engine_show(const struct engine *e, const struct engine_seen *seen, struct flow *out)
{
    life_show(e, live_at(e, seen->slot), out);
}

void engine_watch_all(struct engine *e)
{
    const struct flow_store *store = &e->table.store;
    struct flow flow;

    for (uint32_t slot = flow_store_next(store, 0); slot != STORE_NONE;
         slot = flow_store_next(store, slot + 1)) {
        struct live f = live_at(e, slot);

        if (f.r->flags & RECORD_LINGER)
            continue;
        life_show(e, f, &flow);
        e->config.watch->ended(e->config.arg, flow_store_beside(store, slot), &flow, FLOW_END_NONE,
                               e->now);
    }
}

bool engine_owns(struct engine *e, const struct packet *p, struct judgement *judgement)
{
    uint32_t slot;
    struct live f;

    if (p->kind != PACKET_ICMP_ERROR || !packet_checksum_ok(p))
        return false;
    slot = flow_table_find(&e->table, &p->key, flow_table_hash(&e->table, &p->key));
    if (slot == STORE_NONE)
        return false;
    go_on_to(e, p->time);
    f = live_at(e, slot);
    if (life_is_over(e, f))
        return false;
    *judgement = judge_error(f, p);
    return true;
}

#define DUE 8

/* Of the next few that are due, those whose records have arrived by now will ask for more; the
 * records of those behind them are asked for. */
static void prefetch_due(const struct engine *e)
{
    const struct flow_store *store = &e->table.store;
    uint32_t ids[2 * DUE];
    size_t n = wheel_peek(&e->wheel, ids, 2 * DUE);

    for (size_t i = DUE; i < n; i++)
        flow_store_prefetch(store, flow_store_at(store, ids[i]));
    for (size_t i = 0; i < n && i < DUE; i++) {
        const struct record *r = flow_store_at(store, ids[i]);

        if (e->now < r->deadline)
            continue;
        __builtin_prefetch(flow_store_opened(store, ids[i]));
        flow_table_prefetch_bucket(&e->table, flow_table_hash(&e->table, &r->key));
    }
}

/* Adaptive timeouts shrink for all flows at once, which the wheel cannot know: a look at the next
 * few, round robin, as pf_purge_expired_states() does. */
static void shrink(struct engine *e, unsigned budget, struct outcome *out)
{
    for (unsigned n = 0; n < budget && outcome_has_room(out); n++) {
        uint32_t slot = flow_store_next(&e->table.store, e->adaptive_hand);

        if (slot == STORE_NONE) {
            e->adaptive_hand = 0;
            return;
        }
        e->adaptive_hand = slot + 1;
        if (life_is_over(e, live_at(e, slot)) && !life_expiry_must_wait(e, live_at(e, slot)))
            life_expire(e, live_at(e, slot), out);
    }
}

bool engine_advance(struct engine *e, mtime_t now, unsigned budget, struct outcome *out)
{
    mtime_t next;

    engine_begin(e, now);
    if (e->stalled_until > e->now)
        return false;
    late_memory_purge(&e->late, e->now);
    for (unsigned n = 0; n < budget; n++) {
        struct live f;
        uint32_t slot;

        if (!outcome_has_room(out))
            return true;
        if (n % DUE == 0)
            prefetch_due(e);
        slot = wheel_pop(&e->wheel, e->now);
        if (slot == WHEEL_NO_ID) {
            if (adaptive(e))
                shrink(e, budget - n, out);
            return false;
        }
        f = live_at(e, slot);
        f.r->wheel_bucket = WHEEL_NOWHERE;
        if (!life_is_over(e, f)) {
            if (dcd_covers(e, f) && e->now >= dcd_look_at(e, f))
                dcd_step(e, f, out);
            if (f.r->wheel_bucket == WHEEL_NOWHERE)
                life_set_deadline(e, f, f.r->deadline); /* it was refreshed since */
        } else if (life_expiry_must_wait(e, f)) {
            life_set_deadline(e, f, f.r->deadline);
            e->stalled_until = reset_allowed_at(e, 2 * RESETS_A_SIDE);
            return false;
        } else {
            life_expire(e, f, out);
        }
    }
    return wheel_next(&e->wheel, &next) && next <= e->now;
}

bool engine_next_deadline(const struct engine *e, mtime_t *when)
{
    if (e->stalled_until > e->now) {
        *when = e->stalled_until;
        return true;
    }
    if (adaptive(e)) {
        bool any = wheel_next(&e->wheel, when);
        mtime_t soon = mtime_add(e->now, SHRINK_EVERY);

        if (!any || soon < *when)
            *when = soon;
        return true;
    }
    return wheel_next(&e->wheel, when);
}
