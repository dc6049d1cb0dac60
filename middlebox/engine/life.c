/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/engine_private.h"

#include <netinet/in.h>

/* The entry that the wheel moved into the place of another must learn where it is now. */
void life_unwheel(struct engine *e, struct live f)
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
    bool later = deadline >= f.r->deadline;
    mtime_t look;

    f.r->deadline = deadline;
    /* It was early enough for the deadline before. */
    if (later && f.r->wheel_bucket != WHEEL_NOWHERE &&
        profile_of(e, f.r)->on_expiry != ON_EXPIRY_DCD)
        return;
    look = dcd_covers(e, f) ? dcd_look_at(e, f) : deadline;
    if (f.r->wheel_bucket != WHEEL_NOWHERE) {
        if (wheel_start(&e->wheel, f.r->wheel_bucket) <= look)
            return;
        life_unwheel(e, f);
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
    uint32_t *by_state = census_of(e, f.r);

    e->stats.by_state[f.r->state]--;
    e->stats.by_state[state]++;
    by_state[f.r->state]--;
    by_state[state]++;
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
static mtime_t quieter_since(const struct engine *e, struct live f, mtime_t timeout_before,
                             unsigned dir, mtime_t now, bool state_changed)
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
    return since > opened_of(e, f) ? since : opened_of(e, f);
}

mtime_t life_deadline(const struct engine *e, struct live f, mtime_t from)
{
    const mtime_t *timeout = profile_of(e, f.r)->timeout;
    mtime_t idle = mtime_add(from, timeout[f.r->timeout_name]), whole;

    /* Not looked at in vain: when a flow was opened is a cache line that most packets need not
     * touch. */
    if (timeout[TIMEOUT_ACTIVE] == MTIME_NEVER)
        return idle;
    whole = mtime_add(opened_of(e, f), timeout[TIMEOUT_ACTIVE]);
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
        since = f.r->deadline - before > opened_of(e, f) ? f.r->deadline - before : opened_of(e, f);
    f.r->timeout_name = timeout & 63;
    life_set_deadline(e, f, life_deadline(e, f, since));
}

/* What all of it comes to under nearly every policy. */
static bool refresh_plainly(struct engine *e, struct live f, enum policy_timeout timeout)
{
    mtime_t deadline = mtime_add(e->now, profile_of(e, f.r)->timeout[timeout]);

    life_note_idle(f, e->now);
    f.r->last = e->now;
    f.r->timeout_name = timeout & 63;
    if (deadline >= f.r->deadline && f.r->wheel_bucket != WHEEL_NOWHERE)
        f.r->deadline = deadline;
    else
        life_set_deadline(e, f, deadline);
    return true;
}

bool life_refresh(struct engine *e, struct live f, unsigned dir, bool payload,
                  enum policy_timeout timeout, bool state_changed)
{
    const struct policy_profile *profile = profile_of(e, f.r);
    mtime_t since = e->now;

    if (f.r->key.proto == IPPROTO_TCP && steady_of(e, f.r)->any_state)
        return refresh_plainly(e, f, timeout);
    if (!state_changed && !counts_as_activity(profile, f.r, dir, payload)) {
        lengthen(e, f, timeout);
        return false;
    }
    life_note_idle(f, e->now);
    if (policy_refresh_of(profile, f.r->key.proto) == REFRESH_EACH)
        since =
            quieter_since(e, f, profile->timeout[f.r->timeout_name], dir, e->now, state_changed);
    f.r->last = e->now;
    f.r->timeout_name = timeout & 63;
    if (f.r->has_extra)
        dcd_stop(extra_of(e, f));
    life_set_deadline(e, f, life_deadline(e, f, since));
    return true;
}

void life_renew(struct engine *e, struct live f)
{
    life_note_idle(f, e->now);
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
