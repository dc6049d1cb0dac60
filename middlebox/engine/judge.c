/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/engine_private.h"
#include "middlebox/engine/keepalive.h"

static struct judgement invalid(const struct policy_profile *profile)
{
    return judged(profile->on_invalid == ON_INVALID_PASS ? VERDICT_ACCEPT : VERDICT_DROP,
                  REASON_INVALID);
}

uint16_t judge_classify(struct engine *e, const struct packet *p, unsigned client, bool guessed)
{
    const struct policy *policy = e->policies[e->current].policy;
    struct flow sketch;
    unsigned rule;

    if (!e->config.classify || policy->n_rules == 1)
        return (uint16_t)(policy->n_rules - 1);
    life_sketch(e, p, client, &sketch);
    sketch.guessed = guessed;
    rule = e->config.classify(e->config.arg, policy, &sketch);
    return (uint16_t)(rule < policy->n_rules ? rule : policy->n_rules - 1);
}

/* No flow vouches for it: what may not open one may not pass as "invalid" either. */
static struct judgement invalid_alone(struct engine *e, const struct packet *p)
{
    const struct policy *policy = e->policies[e->current].policy;
    bool guessed;
    unsigned client = life_client_end(policy, p, &guessed);
    const struct policy_rule *rule = &policy->rules[judge_classify(e, p, client, guessed)];
    struct judgement j = rule->action != ACTION_USE ? judged(VERDICT_DROP, REASON_RULE)
                                                    : invalid(&policy->profiles[rule->profile]);

    watch_stray(e, p, client, guessed, (uint16_t)(rule - policy->rules), j, ACTED_DROPPED);
    return j;
}

static struct judgement open_new(struct engine *e, const struct packet *p, uint64_t hash,
                                 struct outcome *out)
{
    const struct policy *policy = e->policies[e->current].policy;
    bool guessed;
    unsigned client = life_client_end(policy, p, &guessed);
    uint16_t rule = judge_classify(e, p, client, guessed);
    enum reason reason = REASON_RULE;

    if (policy->rules[rule].action == ACTION_USE) {
        if (life_open(e, p, hash, client, guessed, rule, out) == LIFE_OPENED)
            return judged(VERDICT_ACCEPT, REASON_NEW);
        reason = REASON_FULL;
    }
    if (policy->rules[rule].action == ACTION_REJECT) {
        if (p->kind == PACKET_TCP)
            reset_answer(e, p, RESET_FORM_RFC9293, 0, true, out);
        else
            reset_prohibit(e, p, 0, true, out);
    }
    watch_stray(e, p, client, guessed, rule, judged(VERDICT_DROP, reason),
                policy->rules[rule].action != ACTION_REJECT ? ACTED_DROPPED
                : p->kind == PACKET_TCP                     ? ACTED_RESET_SENDER
                                                            : ACTED_ICMP);
    return judged(VERDICT_DROP, reason);
}

static struct judgement without_flow(struct engine *e, const struct packet *p, uint64_t hash,
                                     struct outcome *out)
{
    if (p->kind == PACKET_TCP && !tcp_flags_valid(p->flags))
        return invalid_alone(e, p);
    if (p->kind == PACKET_TCP && tcp_kind_of(p->flags) != TCP_KIND_SYN)
        return late_judge(e, p, hash, out);
    if (p->kind == PACKET_ECHO && p->is_reply)
        return late_judge(e, p, hash, out);
    return open_new(e, p, hash, out);
}

static void tell_update(struct engine *e, struct live f, unsigned dir, struct outcome *out)
{
    struct event *ev = event_take(e, out, EVENT_UPDATE);

    if (!ev)
        return;
    life_show(e, f, &ev->flow);
    ev->side = (enum flow_side)dir;
}

/* Is it a probe, or the answer to one? */
static bool note_keepalive(struct engine *e, struct live f, unsigned dir, const struct packet *p)
{
    struct flow_extra *extra = extra_of(e, f);
    bool keepalive = keepalive_is_probe(&f.r->tcp, dir, p);

    if (keepalive) {
        extra = life_extra(e, f);
        if (extra)
            keepalive_probe(extra, dir, p, e->now);
    } else if (extra) {
        keepalive = keepalive_answer(extra, &f.r->tcp, dir, p);
    }
    if (extra && p->has_timestamp) {
        extra->tsval[dir] = p->tsval;
        extra->has_timestamp[dir] = true;
    }
    return keepalive;
}

static struct judgement take_answer(struct engine *e, struct live f, unsigned dir)
{
    bool swallow = profile_of(e, f.r)->dcd_answers == DCD_ANSWERS_SWALLOW;

    dcd_answer(e, f, dir);
    return swallow ? judged(VERDICT_DROP, REASON_PROBE) : judged(VERDICT_ACCEPT, REASON_FLOW);
}

/* nf_tcp_handle_invalid(): a long wait becomes a short one. */
static void doubt(struct engine *e, struct live f)
{
    mtime_t until = mtime_add(e->now, profile_of(e, f.r)->timeout[TIMEOUT_TCP_UNACKNOWLEDGED]);

    if (f.r->deadline >= mtime_add(e->now, 120 * MTIME_SEC) && f.r->deadline > until) {
        f.r->sides = RECORD_NO_SIDE;
        life_set_deadline(e, f, until);
    }
}

/* It belongs to the flow and does not count for it. */
static struct judgement out_of_order(struct engine *e, struct live f, const struct packet *p,
                                     const struct engine_seen *seen)
{
    watch_packet(e, f, p, seen);
    return invalid(profile_of(e, f.r));
}

static struct judgement close_now(struct engine *e, struct live f, const struct packet *p,
                                  struct engine_seen *seen, struct outcome *out)
{
    seen->accepted = seen->refreshed = true;
    watch_packet(e, f, p, seen);
    life_set_state(e, f, FLOW_CLOSE);
    life_end(e, f, FLOW_END_DETECTED, ACTED_NONE, 0, out);
    return judged(VERDICT_ACCEPT, REASON_FLOW);
}

static struct judgement tcp_packet(struct engine *e, struct live f, unsigned dir,
                                   const struct packet *p, uint64_t hash, struct outcome *out)
{
    struct engine_seen seen = watch_before(e, f, dir);
    struct tcp_flow tf = {
        .track = &f.r->tcp,
        .state = (enum flow_state)f.r->state,
        .reply = f.r->flags & RECORD_REPLY,
        .assured = f.r->flags & RECORD_ASSURED,
    };
    const struct policy_profile *profile = profile_of(e, f.r);
    enum tcp_kind kind = tcp_kind_of(p->flags);
    enum tcp_outcome outcome;
    /* RFC 9293 3.8.4: a keepalive probe may carry one byte, of what was sent already. */
    bool payload = p->payload_len > 1 || (p->payload_len == 1 && p->seq + 1 != f.r->tcp.end[dir]);
    bool changed;

    tf.data = f.r->data || payload;
    if (!tcp_flags_valid(p->flags))
        return out_of_order(e, f, p, &seen);
    outcome = tcp_state_segment(&tf, dir, p);
    switch (outcome) {
    case TCP_DOUBT:
        doubt(e, f);
        seen.doubted = true;
        return out_of_order(e, f, p, &seen);
    case TCP_INVALID:
        return out_of_order(e, f, p, &seen);
    case TCP_REOPEN:
        life_end(e, f, FLOW_END_DETECTED, ACTED_NONE, 0, out);
        return open_new(e, p, hash, out);
    case TCP_GONE:
        if (profile->rst == RST_IGNORED)
            break;
        life_count(f, dir, p);
        return close_now(e, f, p, &seen, out);
    case TCP_REFRESH:
    case TCP_IGNORE:
    case TCP_KEEP:
        break;
    }
    life_count(f, dir, p);
    seen.accepted = true;
    seen.keepalive = note_keepalive(e, f, dir, p);
    if (dcd_is_answer(e, f, dir, p)) {
        watch_packet(e, f, p, &seen);
        return take_answer(e, f, dir);
    }
    if (kind == TCP_KIND_RST && tf.state == FLOW_CLOSE && profile->rst == RST_ENDS)
        return close_now(e, f, p, &seen, out);
    if (kind == TCP_KIND_RST && profile->rst == RST_IGNORED) {
        tf.state = (enum flow_state)f.r->state;
        kind = TCP_KIND_ACK; /* any packet */
    }
    if (tf.assured)
        f.r->flags |= RECORD_ASSURED;
    f.r->data = tf.data;
    changed = tf.state != f.r->state;
    if (changed)
        life_set_state(e, f, tf.state);
    if (outcome == TCP_REFRESH) {
        unsigned choice = tcp_state_choice(&tf, profile, kind);
        enum policy_timeout timeout = choice_timeout(e, f.r, choice);

        seen.choice = (uint16_t)choice;
        seen.refreshed = life_refresh(e, f, dir, payload, timeout, changed);
    }
    watch_packet(e, f, p, &seen);
    if (dir == FLOW_SERVER)
        f.r->flags |= RECORD_REPLY;
    if (changed)
        tell_update(e, f, dir, out);
    return judged(VERDICT_ACCEPT, REASON_FLOW);
}

/* nf_conntrack_udp_packet(): the long timeout only for what was answered and lives longer than 2 s.
 */
static enum policy_timeout udp_timeout(const struct engine *e, struct live f, bool replied)
{
    return replied && e->now - opened_of(e, f) > 2 * MTIME_SEC ? TIMEOUT_UDP_STREAM : TIMEOUT_UDP;
}

/* Of a flow without TCP, once a packet more than the first has come. */
static enum policy_timeout plain_timeout(const struct engine *e, struct live f,
                                         const struct packet *p, bool replied, bool now_replied)
{
    const struct policy_profile *profile = profile_of(e, f.r);

    if (p->kind == PACKET_UDP)
        return udp_timeout(e, f, replied);
    if (p->kind == PACKET_ECHO && now_replied)
        return policy_timeout_of(profile, TIMEOUT_ICMP_REPLIED, p->key.proto);
    if (p->kind == PACKET_ECHO)
        return p->key.family == 4 ? TIMEOUT_ICMP : TIMEOUT_ICMPV6;
    return now_replied ? policy_timeout_of(profile, TIMEOUT_GENERIC_REPLIED, p->key.proto)
                       : TIMEOUT_GENERIC;
}

static struct judgement plain_packet(struct engine *e, struct live f, unsigned dir,
                                     const struct packet *p, struct outcome *out)
{
    struct engine_seen seen = watch_before(e, f, dir);
    enum policy_timeout timeout;
    bool replied = f.r->flags & RECORD_REPLY;
    bool changed = dir == FLOW_SERVER && !replied;

    timeout = plain_timeout(e, f, p, replied, replied || changed);
    life_count(f, dir, p);
    if (changed) {
        f.r->flags |= RECORD_REPLY | (p->kind == PACKET_UDP ? 0 : RECORD_ASSURED);
        life_set_state(e, f, FLOW_REPLIED);
    }
    if (timeout == TIMEOUT_UDP_STREAM)
        f.r->flags |= RECORD_ASSURED;
    seen.accepted = true;
    seen.choice = plain_choice(timeout);
    seen.refreshed = life_refresh(e, f, dir, p->payload_len > 0, timeout, changed);
    watch_packet(e, f, p, &seen);
    if (changed)
        tell_update(e, f, dir, out);
    return judged(VERDICT_ACCEPT, REASON_FLOW);
}

/*
 * A flow that we reset a moment ago. A side that is told so still sends what was on its way, or a
 * challenge ACK (RFC 5961 3.2) which names the number it expects: a reset just there ends it.
 */
static struct judgement linger_packet(struct engine *e, struct live f, unsigned dir,
                                      const struct packet *p, uint64_t hash, struct outcome *out)
{
    bool syn = p->kind == PACKET_TCP && tcp_kind_of(p->flags) == TCP_KIND_SYN;
    bool same_syn = syn && dir == FLOW_CLIENT && f.r->state == FLOW_SYN_SENT &&
                    tcp_segment_end(p) == f.r->tcp.end[FLOW_CLIENT];
    bool told = f.r->sides >> dir & 1;

    if (p->kind == PACKET_TCP && !tcp_flags_valid(p->flags))
        return invalid(profile_of(e, f.r));
    if (syn && !same_syn) {
        life_bury(e, f);
        return open_new(e, p, hash, out);
    }
    if (!told)
        return late_judge(e, p, hash, out);
    late_answer_dead(e, p, hash, f, dir, out);
    return judged(VERDICT_DROP, REASON_DEAD);
}

struct judgement judge_error(struct live f, const struct packet *p)
{
    bool from_server = p->side == client_end(f.r);

    if (f.r->flags & RECORD_LINGER)
        return judged(VERDICT_DROP, REASON_DEAD);
    if (f.r->flags & (from_server ? RECORD_BLOCKED_SERVER : RECORD_BLOCKED_CLIENT))
        return judged(VERDICT_DROP, REASON_BLOCKED);
    return judged(VERDICT_ACCEPT, REASON_NO_FLOW);
}

static struct judgement with_flow(struct engine *e, struct live f, const struct packet *p,
                                  uint64_t hash, struct outcome *out)
{
    unsigned dir = p->side != client_end(f.r);

    if (p->kind == PACKET_ICMP_ERROR)
        return judge_error(f, p);
    if (f.r->flags & RECORD_LINGER)
        return linger_packet(e, f, dir, p, hash, out);
    if (f.r->flags & (dir ? RECORD_BLOCKED_SERVER : RECORD_BLOCKED_CLIENT)) {
        struct engine_seen seen = watch_before(e, f, dir);

        watch_packet(e, f, p, &seen);
        return judged(VERDICT_DROP, REASON_BLOCKED);
    }
    if (p->kind == PACKET_TCP)
        return tcp_packet(e, f, dir, p, hash, out);
    return plain_packet(e, f, dir, p, out);
}

static struct judgement later_fragment(struct engine *e, const struct packet *p)
{
    switch (fragment_get(e->fragments, p, e->now)) {
    case FRAGMENT_ACCEPT:
        return judged(VERDICT_ACCEPT, REASON_FRAGMENT);
    case FRAGMENT_DROP:
        return judged(VERDICT_DROP, REASON_FRAGMENT);
    case FRAGMENT_UNKNOWN:
        break;
    }
    return judged(VERDICT_DROP, REASON_FRAGMENT_LOST);
}

static struct judgement look_up(struct engine *e, const struct packet *p, uint64_t hash,
                                uint32_t slot, struct outcome *out)
{
    if (p->checksum_ready && !packet_checksum_ok(p)) {
        struct judgement j = invalid_alone(e, p);
        j.reason = REASON_CHECKSUM;
        return j;
    }
    if (slot != STORE_NONE && judge_may_be_over(e, flow_store_at(&e->table.store, slot)) &&
        life_is_over(e, live_at(e, slot))) {
        life_expire(e, live_at(e, slot), out);
        slot = flow_table_find(&e->table, &p->key, hash); /* it may linger */
    }
    if (slot != STORE_NONE)
        return with_flow(e, live_at(e, slot), p, hash, out);
    if (p->kind == PACKET_ICMP_ERROR)
        return late_judge(e, p, hash, out);
    return without_flow(e, p, hash, out);
}

struct judgement judge_packet(struct engine *e, const struct packet *p, uint64_t hash,
                              uint32_t slot, struct outcome *out)
{
    struct judgement j;

    switch (p->kind) {
    case PACKET_TRUNCATED:
        return judged(VERDICT_DROP, REASON_TRUNCATED);
    case PACKET_MALFORMED:
        return judged(VERDICT_DROP, REASON_MALFORMED);
    case PACKET_ICMP_OTHER:
        return judged(VERDICT_ACCEPT, REASON_NO_FLOW);
    case PACKET_FRAGMENT:
        return later_fragment(e, p);
    case PACKET_TCP:
    case PACKET_UDP:
    case PACKET_ECHO:
    case PACKET_GENERIC:
    case PACKET_ICMP_ERROR:
        break;
    }
    j = look_up(e, p, hash, slot, out);
    if (p->more_fragments)
        fragment_put(e->fragments, p, e->now, j.verdict == VERDICT_ACCEPT);
    return j;
}
