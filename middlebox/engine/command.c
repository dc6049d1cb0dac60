/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/engine_private.h"

#define SLICE 4096 /* records looked at in one call */

static void set_blocked(struct live f, const struct engine_command *c, bool blocked)
{
    uint8_t bits = RECORD_BLOCKED_CLIENT | RECORD_BLOCKED_SERVER;

    if (c->side_given)
        bits = c->side == FLOW_CLIENT ? RECORD_BLOCKED_CLIENT : RECORD_BLOCKED_SERVER;
    f.r->flags = (uint8_t)(blocked ? f.r->flags | bits : f.r->flags & ~bits);
}

/* False: not now, inject-rate forbids it. */
static bool apply(struct engine *e, struct live f, const struct engine_command *c,
                  struct outcome *out)
{
    unsigned both = reset_sides_of(f.r, ON_EXPIRY_RESET_BOTH);

    switch (c->verb) {
    case ENGINE_EXPIRE:
        if (life_expiry_must_wait(e, f))
            return false;
        life_set_deadline(e, f, e->now);
        life_expire(e, f, out); /* without asking the ends first, whatever dcd says */
        break;
    case ENGINE_FORGET:
        life_end(e, f, FLOW_END_FORCED, ACTED_NONE, 0, out);
        break;
    case ENGINE_KILL:
        if (both && !reset_allowed(e, 2 * RESETS_A_SIDE))
            return false;
        reset_sides(e, f, both, out);
        life_end(e, f, FLOW_END_FORCED, both ? ACTED_RESET_BOTH : ACTED_NONE, both, out);
        break;
    case ENGINE_BLOCK:
        set_blocked(f, c, true);
        break;
    case ENGINE_UNBLOCK:
        set_blocked(f, c, false);
        break;
    }
    return true;
}

bool engine_command(struct engine *e, mtime_t now, struct engine_command *c, struct outcome *out)
{
    struct flow shown;

    engine_begin(e, now);
    for (unsigned n = 0; n < SLICE; n++) {
        uint32_t slot = c->cursor < STORE_NONE
                            ? flow_store_next(&e->table.store, (uint32_t)c->cursor)
                            : STORE_NONE;
        struct live f;

        if (slot == STORE_NONE)
            return false;
        if (!outcome_has_room(out)) {
            c->cursor = slot;
            return true;
        }
        f = live_at(e, slot);
        c->cursor = (uint64_t)slot + 1;
        if (f.r->flags & RECORD_LINGER || e->now >= life_over_at(e, f))
            continue;
        if (c->match) {
            life_show(e, f, &shown);
            if (!c->match(c->arg, &shown))
                continue;
        }
        if (!apply(e, f, c, out)) {
            c->cursor = slot;
            e->stalled_until = reset_allowed_at(e, 2 * RESETS_A_SIDE);
            return true;
        }
        c->matched++;
    }
    return true;
}
