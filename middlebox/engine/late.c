/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/engine_private.h"

/* The flow that the memory holds, as it was. */
static void show_remembered(const struct late_entry *m, struct event *ev)
{
    unsigned client = !!(m->flags & RECORD_CLIENT_IS_1);

    ev->remembered = true;
    ev->expired_at = m->ended;
    ev->was = (enum flow_end)m->reason;
    ev->flow.id = m->id;
    ev->flow.state = (enum flow_state)m->state;
    ev->flow.timeout_name = (enum policy_timeout)m->timeout_name;
    ev->flow.timeout = m->timeout;
    ev->flow.opened = m->opened;
    ev->flow.last = m->last;
    ev->flow.deadline = m->ended;
    ev->flow.longest_idle = (mtime_t)m->longest_idle_ms * MTIME_MSEC;
    ev->flow.assured = m->flags & RECORD_ASSURED;
    ev->flow.guessed = m->flags & RECORD_GUESSED;
    ev->flow.rule = m->rule;
    ev->flow.policy = m->policy;
    for (unsigned i = 0; i < 16; i++) {
        ev->flow.addr[FLOW_CLIENT][i] = m->key.addr[client][i];
        ev->flow.addr[FLOW_SERVER][i] = m->key.addr[!client][i];
    }
    ev->flow.port[FLOW_CLIENT] = m->key.port[client];
    ev->flow.port[FLOW_SERVER] = m->key.port[!client];
    for (unsigned d = 0; d < 2; d++) {
        ev->flow.packets[d] = (uint64_t)m->count[d].packets_high << 32 | m->count[d].packets_low;
        ev->flow.bytes[d] = (uint64_t)m->count[d].bytes_high << 32 | m->count[d].bytes_low;
    }
}

static void report(struct engine *e, const struct packet *p, uint64_t hash, unsigned client,
                   uint16_t rule, enum event_action action, struct outcome *out)
{
    const struct late_entry *m = late_memory_find(&e->late, hash, &p->key, e->now);
    /* An ICMP error's side is the quoted packet's sender; the error itself comes from the far side.
     */
    unsigned sender = p->kind == PACKET_ICMP_ERROR ? !p->side : p->side;
    struct event *ev;

    e->stats.late++;
    e->stats.late_action[action]++;
    if (m) {
        e->stats.late_remembered++;
        census_late_idle(&e->stats, e->now - m->last);
    }
    ev = event_take(e, out, EVENT_LATE);
    if (!ev)
        return;
    life_sketch(e, p, client, &ev->flow);
    ev->flow.rule = rule;
    ev->side = sender == client ? FLOW_CLIENT : FLOW_SERVER;
    ev->action = action;
    ev->tcp_flags = p->flags;
    ev->seq = p->seq;
    ev->ack = p->ack;
    ev->payload_len = p->payload_len;
    if (m) {
        show_remembered(m, ev);
        ev->side = sender == !!(m->flags & RECORD_CLIENT_IS_1) ? FLOW_CLIENT : FLOW_SERVER;
    }
}

static enum event_action answer_sender(struct engine *e, const struct packet *p, bool from_client,
                                       enum policy_reset_form form, enum event_action done,
                                       struct outcome *out)
{
    uint64_t before = e->stats.rate_limited;

    if (reset_answer(e, p, form, 0, from_client, out))
        return done;
    return e->stats.rate_limited != before ? ACTED_RATE_LIMITED : ACTED_DROPPED;
}

static enum event_action prohibit(struct engine *e, const struct packet *p, bool from_client,
                                  struct outcome *out)
{
    uint64_t before = e->stats.rate_limited;

    if (reset_prohibit(e, p, 0, from_client, out))
        return ACTED_ICMP;
    return e->stats.rate_limited != before ? ACTED_RATE_LIMITED : ACTED_DROPPED;
}

/* Which of on-late's actions; an ICMP error is dropped or, where the firewall is loose, let pass.
 */
static enum event_action act(struct engine *e, const struct packet *p, bool from_client,
                             const struct policy_profile *profile, struct outcome *out)
{
    switch (profile->on_late) {
    case ON_LATE_DROP:
        break;
    case ON_LATE_RESET:
        return answer_sender(e, p, from_client, profile->reset_form, ACTED_RESET_SENDER, out);
    case ON_LATE_RESET_CLIENT:
        if (from_client)
            return answer_sender(e, p, true, profile->reset_form, ACTED_RESET_CLIENT, out);
        break;
    case ON_LATE_RESET_SERVER:
        if (!from_client)
            return answer_sender(e, p, false, profile->reset_form, ACTED_RESET_SERVER, out);
        break;
    case ON_LATE_ICMP:
        return prohibit(e, p, from_client, out);
    case ON_LATE_ADOPT:
        return ACTED_ADOPTED;
    }
    return ACTED_DROPPED;
}

static struct judgement adopt(struct engine *e, const struct packet *p, uint64_t hash,
                              unsigned client, uint16_t rule, struct outcome *out)
{
    const struct policy *policy = e->policies[e->current].policy;
    bool opens = p->kind == PACKET_TCP && tcp_state_open(p) == FLOW_ESTABLISHED;
    uint32_t slot = opens ? flow_table_find(&e->table, &p->key, hash) : STORE_NONE;

    if (slot != STORE_NONE) /* one that lingers gives way to the flow that is picked up */
        life_bury(e, live_at(e, slot));
    if (opens && life_open(e, p, hash, client, true, rule, out) == LIFE_OPENED)
        return judged(VERDICT_ACCEPT, REASON_ADOPTED);
    if (opens)
        return judged(VERDICT_DROP, REASON_FULL);
    /* conntrack takes up only what carries an ACK and no more; a SYN|ACK, FIN or RST is "invalid",
     * and so are an echo reply and an ICMP error without a flow. */
    if (policy->profiles[policy->rules[rule].profile].on_invalid == ON_INVALID_PASS)
        return judged(VERDICT_ACCEPT, REASON_INVALID);
    return judged(VERDICT_DROP, REASON_INVALID);
}

static bool may_adopt(const struct engine *e, const struct packet *p)
{
    const struct engine_watch *watch = e->config.watch;

    return watch ? watch->adopt(e->config.arg, p) : e->now < e->adopt_until;
}

struct judgement late_judge(struct engine *e, const struct packet *p, uint64_t hash,
                            struct outcome *out)
{
    const struct policy *policy = e->policies[e->current].policy;
    bool guessed, from_client;
    unsigned client = life_client_end(policy, p, &guessed);
    uint16_t rule = judge_classify(e, p, client, guessed);
    enum policy_action allowed = policy->rules[rule].action;
    enum event_action action;
    struct judgement j = judged(VERDICT_DROP, REASON_LATE);

    from_client = (p->kind == PACKET_ICMP_ERROR ? !p->side : p->side) == client;
    if (allowed == ACTION_DROP) {
        action = ACTED_DROPPED;
    } else if (allowed == ACTION_REJECT) {
        action = p->kind == PACKET_TCP
                     ? answer_sender(e, p, from_client, RESET_FORM_RFC9293, ACTED_RESET_SENDER, out)
                     : prohibit(e, p, from_client, out);
    } else if (p->kind == PACKET_TCP && tcp_state_open(p) == FLOW_ESTABLISHED && may_adopt(e, p)) {
        /* We have just started and know nothing: not their fault. */
        j = adopt(e, p, hash, client, rule, out);
        if (j.reason != REASON_ADOPTED)
            watch_stray(e, p, client, guessed, rule, j, ACTED_DROPPED);
        return j;
    } else {
        action = act(e, p, from_client, &policy->profiles[policy->rules[rule].profile], out);
        if (action == ACTED_ADOPTED)
            j = adopt(e, p, hash, client, rule, out);
        if (action == ACTED_ADOPTED && j.verdict == VERDICT_DROP)
            action = ACTED_DROPPED;
        else if (action == ACTED_ADOPTED && j.reason != REASON_ADOPTED)
            action = ACTED_NONE;
    }
    if (j.reason != REASON_ADOPTED && p->kind != PACKET_ICMP_ERROR)
        watch_stray(e, p, client, guessed, rule, j, action);
    report(e, p, hash, client, rule, action, out);
    return j;
}

void late_answer_dead(struct engine *e, const struct packet *p, uint64_t hash, struct live f,
                      unsigned dir, struct outcome *out)
{
    bool from_client = dir == FLOW_CLIENT;
    enum event_action action =
        answer_sender(e, p, from_client, RESET_FORM_RFC9293,
                      from_client ? ACTED_RESET_CLIENT : ACTED_RESET_SERVER, out);

    report(e, p, hash, client_end(f.r), f.r->rule, action, out);
}
