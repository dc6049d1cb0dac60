/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/engine_private.h"

void life_bury(struct engine *e, struct live f)
{
    life_unwheel(e, f);
    age_remove(&e->age, f.slot);
    if (f.r->has_extra)
        extra_pool_give(&e->extras, *flow_store_extra(&e->table.store, f.slot));
    e->policies[f.r->policy].flows--;
    e->lingering--;
    flow_table_remove(&e->table, f.slot);
}

/* When it was over, by its time or by what happened now. */
static mtime_t ended_at(const struct engine *e, struct live f)
{
    mtime_t over = life_over_at(e, f);

    return over < e->now ? over : e->now;
}

static void tell_watch(const struct engine *e, struct live f, enum flow_end reason)
{
    struct flow flow;

    life_show(e, f, &flow);
    e->config.watch->ended(e->config.arg, flow_store_beside(&e->table.store, f.slot), &flow, reason,
                           ended_at(e, f));
}

static void remember(struct engine *e, struct live f, enum flow_end reason)
{
    struct late_entry entry = {
        .key = f.r->key,
        .policy = policy_of(e, f.r),
        .id = record_id(f.r),
        .opened = opened_of(e, f),
        .last = f.r->last,
        .timeout = profile_of(e, f.r)->timeout[f.r->timeout_name],
        .ended = ended_at(e, f),
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
    if (e->config.watch)
        tell_watch(e, f, reason);
    if (e->late.count)
        remember(e, f, reason);
    if (expired)
        e->stats.expired++;
    e->stats.ended[reason]++;
    e->stats.by_state[f.r->state]--;
    census_of(e, f.r)[f.r->state]--;
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
    return adaptive(e) ? life_shrunk(e, f, over) : over;
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
        f.r->deadline == mtime_add(opened_of(e, f), profile->timeout[TIMEOUT_ACTIVE]))
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
