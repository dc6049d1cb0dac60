/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Dead connection detection. At the idle limit, or dcd-before it, the ends are probed as a
 * keepalive of the other end would: all that are asked answer, and the idle time begins anew; they
 * do not, and the flow ends. Cisco ASA probes both, RFC 6146 3.5.2.2 (a NAT64) one, FreeBSD's ipfw
 * in the last 20 s of a dynamic rule (dyn_keepalive in ip_fw_dynamic.c).
 */

#include "middlebox/engine/engine_private.h"

static unsigned asked_sides(const struct policy_profile *profile)
{
    switch (profile->dcd_to) {
    case DCD_TO_CLIENT:
        return 1u << FLOW_CLIENT;
    case DCD_TO_SERVER:
        return 1u << FLOW_SERVER;
    case DCD_TO_BOTH:
        break;
    }
    return 1u << FLOW_CLIENT | 1u << FLOW_SERVER;
}

bool dcd_covers(const struct engine *e, struct live f)
{
    return f.r->has_extra && f.r->state == FLOW_ESTABLISHED && !(f.r->flags & RECORD_LINGER) &&
           profile_of(e, f.r)->on_expiry == ON_EXPIRY_DCD;
}

mtime_t dcd_grace(const struct engine *e, struct live f)
{
    const struct policy_profile *profile = profile_of(e, f.r);

    if (profile->dcd_before > 0)
        return 0;
    if (profile->dcd_interval > (MTIME_NEVER - extra_of(e, f)->dcd_wait) / profile->dcd_count)
        return MTIME_NEVER;
    return profile->dcd_interval * profile->dcd_count + extra_of(e, f)->dcd_wait;
}

mtime_t dcd_look_at(const struct engine *e, struct live f)
{
    const struct policy_profile *profile = profile_of(e, f.r);
    const struct flow_extra *extra = extra_of(e, f);
    mtime_t over = mtime_add(f.r->deadline, dcd_grace(e, f)), look = over;

    if (extra->dcd_sent == 0 && extra->dcd_next == 0)
        look = f.r->deadline == MTIME_NEVER ? MTIME_NEVER : f.r->deadline - profile->dcd_before;
    else if (extra->dcd_sent < profile->dcd_count)
        look = extra->dcd_next;
    if (look < f.r->last) /* dcd-before is longer than the timeout */
        look = f.r->last;
    return look < over ? look : over;
}

static void tell(struct engine *e, struct live f, struct outcome *out)
{
    struct event *ev = event_take(e, out, EVENT_UPDATE);

    if (!ev)
        return;
    life_show(e, f, &ev->flow);
    ev->action = ACTED_PROBED;
}

void dcd_step(struct engine *e, struct live f, struct outcome *out)
{
    const struct policy_profile *profile = profile_of(e, f.r);
    struct flow_extra *extra = extra_of(e, f);
    unsigned sides = asked_sides(profile) & ~(unsigned)extra->dcd_answered;
    unsigned n = (sides & 1) + (sides >> 1);

    if (extra->dcd_sent >= profile->dcd_count)
        return;
    if (!reset_allowed(e, n)) {
        mtime_t then = reset_allowed_at(e, n);

        /* A turn of its own: if all came back together, all but one would be refused again. */
        if (then < e->dcd_turn)
            then = e->dcd_turn;
        e->dcd_turn = mtime_add(then, reset_cost(e, n));
        e->stats.rate_limited++;
        extra->dcd_wait = mtime_add(extra->dcd_wait, then - e->now);
        extra->dcd_next = then;
        return;
    }
    for (unsigned side = 0; side < 2; side++)
        if (sides >> side & 1)
            reset_probe(e, f, side, extra, out);
    extra->dcd_sent++;
    extra->dcd_next = mtime_add(e->now, profile->dcd_interval);
    tell(e, f, out);
}

bool dcd_is_answer(const struct engine *e, struct live f, unsigned dir, const struct packet *p)
{
    const struct tcp_track *t = &f.r->tcp;

    return f.r->has_extra && extra_of(e, f)->dcd_sent > 0 && dcd_covers(e, f) &&
           tcp_kind_of(p->flags) == TCP_KIND_ACK && p->seq == t->end[dir] /* and no payload */ &&
           p->ack == t->end[!dir] && asked_sides(profile_of(e, f.r)) >> dir & 1;
}

void dcd_answer(struct engine *e, struct live f, unsigned dir)
{
    struct flow_extra *extra = extra_of(e, f);
    unsigned asked = asked_sides(profile_of(e, f.r));

    extra->dcd_answered |= (uint8_t)(1u << dir);
    if ((extra->dcd_answered & asked) != asked)
        return;
    dcd_stop(extra);
    life_renew(e, f);
}

void dcd_stop(struct flow_extra *extra)
{
    extra->dcd_sent = extra->dcd_answered = 0;
    extra->dcd_next = extra->dcd_wait = 0;
}
