/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/engine_private.h"

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
mtime_t life_shrunk(const struct engine *e, struct live f, mtime_t over)
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
        .opened = opened_of(e, f),
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
        out->deadline = life_shrunk(e, f, r->deadline);
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
