/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of engine.h that reads, restores, counts and checks the table. */
#include "middlebox/engine/engine_private.h"

#include <errno.h>
#include <string.h>

size_t engine_read(struct engine *e, mtime_t now, uint64_t *cursor, struct flow *flows, size_t n)
{
    size_t k = 0;

    engine_begin(e, now);
    while (k < n && *cursor < STORE_NONE) {
        uint32_t slot = flow_store_next(&e->table.store, (uint32_t)*cursor);
        struct live f;

        *cursor = (uint64_t)slot + 1;
        if (slot == STORE_NONE)
            break;
        f = live_at(e, slot);
        if (!(f.r->flags & RECORD_LINGER) && e->now < life_over_at(e, f))
            life_show(e, f, &flows[k++]);
    }
    return k;
}

static bool restorable(const struct engine *e, const struct flow *flow)
{
    bool tcp = flow->proto == 6;

    return (flow->family == 4 || flow->family == 6) && (unsigned)flow->state < FLOW_STATES &&
           flow->state != FLOW_NONE && (unsigned)flow->timeout_name < POLICY_TIMEOUTS &&
           tcp == (flow->state < FLOW_UNREPLIED) && flow->last <= e->now &&
           flow->opened <= flow->last && flow->last >= 0 && flow->opened >= 0;
}

int engine_restore(struct engine *e, mtime_t now, const struct flow *flow)
{
    const struct policy *policy = e->policies[e->current].policy;
    struct flow_key key;
    unsigned client, rule = (unsigned)policy->n_rules - 1;
    uint64_t hash;
    uint32_t slot;
    struct live f;

    go_on_to(e, now);
    if (!restorable(e, flow))
        return -EINVAL;
    if (e->config.classify)
        rule = e->config.classify(e->config.arg, policy, flow);
    if (rule >= policy->n_rules || policy->rules[rule].action != ACTION_USE)
        return -EINVAL;
    client = flow_key_init(&key, flow->family, flow->proto, flow->addr[FLOW_CLIENT],
                           flow->port[FLOW_CLIENT], flow->addr[FLOW_SERVER],
                           flow->port[FLOW_SERVER], flow->icmp_type);
    if (flow->icmp_type)
        flow_key_set_asker(&key, client);
    hash = flow_table_hash(&e->table, &key);
    if (flow_table_find(&e->table, &key, hash) != STORE_NONE)
        return -EEXIST;
    slot = flow_table_insert(&e->table, &key, hash);
    if (slot == STORE_NONE)
        return -ENOSPC;
    f = live_at(e, slot);
    life_born(e, f,
              (uint8_t)((client ? RECORD_CLIENT_IS_1 : 0) | RECORD_GUESSED |
                        (flow->packets[FLOW_SERVER] ? RECORD_REPLY : 0) |
                        (flow->assured ? RECORD_ASSURED : 0) |
                        (flow->blocked[FLOW_CLIENT] ? RECORD_BLOCKED_CLIENT : 0) |
                        (flow->blocked[FLOW_SERVER] ? RECORD_BLOCKED_SERVER : 0)),
              (uint16_t)rule, flow->state, flow->opened, flow->last);
    /* The windows are not saved: learned anew, as after a mid-stream pick-up. */
    f.r->tcp.last_kind = TCP_KIND_NONE;
    f.r->tcp.flags[0] = f.r->tcp.flags[1] = TCP_SIDE_SACK | TCP_SIDE_LIBERAL;
    f.r->mark = flow->mark;
    f.r->timeout_name = policy_timeout_of(profile_of(e, f.r), flow->timeout_name, flow->proto) & 63;
    f.r->data = flow->timeout_name != TIMEOUT_TCP_NO_DATA;
    f.r->longest_idle_ms = flow->longest_idle / MTIME_MSEC > UINT32_MAX
                               ? UINT32_MAX
                               : (uint32_t)(flow->longest_idle / MTIME_MSEC);
    for (unsigned d = 0; d < 2; d++) {
        f.r->count[d] = (struct record_count){
            .packets_low = (uint32_t)flow->packets[d],
            .packets_high = (uint16_t)(flow->packets[d] >> 32),
            .bytes_low = (uint32_t)flow->bytes[d],
            .bytes_high = (uint16_t)(flow->bytes[d] >> 32),
        };
    }
    life_set_deadline(e, f, life_deadline(e, f, flow->last));
    return 0;
}

void engine_stats(const struct engine *e, struct engine_stats *out)
{
    *out = e->stats;
    out->max_flows = e->table.store.limit;
    out->lingering = e->lingering;
    for (uint32_t i = 0; i < e->n_policies; i++)
        out->policies += in_use(e, i);
    out->memory = flow_table_memory(&e->table) + wheel_memory(&e->wheel) +
                  late_memory_bytes(&e->late) + extra_pool_memory(&e->extras);
}

static const char *check_record(const struct engine *e, struct live f)
{
    const struct record *r = f.r;
    mtime_t looked_at;

    if (r->policy >= e->n_policies || !e->policies[r->policy].policy)
        return "a flow's policy is gone";
    if (r->rule >= policy_of(e, r)->n_rules || policy_of(e, r)->rules[r->rule].action != ACTION_USE)
        return "a flow's rule does not exist or opens no flows";
    if (r->state == FLOW_NONE || r->state >= FLOW_STATES ||
        (r->key.proto == 6) != (r->state < FLOW_UNREPLIED))
        return "a flow is in no state of its protocol";
    if (r->deadline != MTIME_NEVER && r->wheel_bucket == WHEEL_NOWHERE)
        return "a flow that can expire is not in the wheel";
    if (r->wheel_bucket != WHEEL_NOWHERE &&
        (wheel_id_at(&e->wheel, (struct wheel_place){r->wheel_bucket, r->wheel_place}) != f.slot))
        return "the wheel has something else where a flow should be";
    looked_at = wheel_start(&e->wheel, r->wheel_bucket % WHEEL_BUCKETS);
    if (r->wheel_bucket != WHEEL_NOWHERE &&
        looked_at > (dcd_covers(e, f) ? dcd_look_at(e, f) : r->deadline) &&
        looked_at > e->wheel.now)
        return "the wheel looks at a flow too late";
    if (!(r->flags & RECORD_LINGER) && r->deadline > life_deadline(e, f, r->last))
        return "a deadline is later than the policy allows";
    if (r->last > e->now || opened_of(e, f) > r->last)
        return "a flow was active in the future";
    return NULL;
}

const char *engine_check(const struct engine *e)
{
    uint32_t by_state[FLOW_STATES] = {0}, lingering = 0, flows = 0;
    uint32_t slot = flow_store_next(&e->table.store, 0);
    const char *fault = flow_table_check(&e->table);

    if (!fault)
        fault = wheel_check(&e->wheel);
    for (; !fault && slot != STORE_NONE; slot = flow_store_next(&e->table.store, slot + 1)) {
        struct live f = live_at(e, slot);

        fault = check_record(e, f);
        if (f.r->flags & RECORD_LINGER) {
            lingering++;
            continue;
        }
        if (!fault)
            by_state[f.r->state]++;
        flows++;
    }
    if (fault)
        return fault;
    if (flows != e->stats.flows || lingering != e->lingering)
        return "the count of flows is wrong";
    if (memcmp(by_state, e->stats.by_state, sizeof(by_state)) != 0)
        return "the count of flows by state is wrong";
    if (!census_agrees(e))
        return "the count of flows by profile is wrong";
    return NULL;
}
