/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/scripts/script.h"

#include "policy/duration.h"

#include <stdlib.h>
#include <string.h>

static void describe(const struct script_flow *flow, const struct packet *p, char *to, size_t size)
{
    static const char letters[] = "FSRP.U";
    char flags[8] = "-";
    unsigned n = 0;
    bool from_server = flow && p->side != (memcmp(flow->addr[0], p->key.addr[0], 16) != 0 ||
                                           flow->port[0] != p->key.port[0]);
    uint32_t seq = p->seq, ack = p->ack;

    if (p->kind != PACKET_TCP) {
        snprintf(to, size, "an ICMP error of %u bytes", p->len);
        return;
    }
    for (unsigned i = 0; i < 6; i++)
        if (p->flags & 1u << i)
            flags[n++] = letters[i];
    if (n)
        flags[n] = '\0';
    if (flow) {
        seq -= flow->isn[from_server];
        ack -= flow->isn[!from_server];
    }
    snprintf(to, size, "%s %s %u:%u(%u) ack %u (on the wire %u, ack %u)",
             from_server ? "client" : "server", flags, seq, seq + p->payload_len, p->payload_len,
             ack, p->seq, p->ack);
}

static struct packet reread(const struct segment *segment)
{
    struct packet p = {
        .data = segment->data, .caplen = segment->len, .len = segment->len, .checksum_ready = true};

    packet_decode(&p);
    return p;
}

static const struct script_flow *flow_of(const struct script *s, const struct flow_key *key)
{
    for (unsigned i = 0; i < s->n_flows; i++) {
        const struct script_flow *f = &s->flows[i];
        struct flow_key k;

        flow_key_init(&k, f->family, f->proto, f->addr[0], f->port[0], f->addr[1], f->port[1],
                      key->type);
        k.asker = key->asker;
        if (flow_key_equal(&k, key))
            return f;
    }
    return NULL;
}

static bool nothing_more(struct script *s)
{
    char text[160];
    struct packet p;

    if (s->seen_segments == s->out.n_segments)
        return true;
    p = reread(&s->segments[s->seen_segments]);
    describe(flow_of(s, &p.key), &p, text, sizeof(text));
    return script_fault(s, "before this line the engine sent: %s", text);
}

bool script_settled(struct script *s)
{
    if (!nothing_more(s))
        return false;
    s->out.n_segments = s->out.n_events = 0;
    s->seen_segments = s->seen_events = 0;
    return true;
}

bool script_sane(struct script *s)
{
    const char *fault = engine_check(s->engine);
    struct engine_stats stats;
    uint64_t packets = 0, states = 0, cursor = 0;
    struct flow flow;
    mtime_t next = MTIME_NEVER;

    if (fault)
        return script_fault(s, "engine_check(): %s", fault);
    engine_stats(s->engine, &stats);
    for (unsigned i = 0; i < REASONS; i++)
        packets += stats.packets[i];
    for (unsigned i = 0; i < FLOW_STATES; i++)
        states += stats.by_state[i];
    if (packets != stats.accepted + stats.dropped)
        return script_fault(s, "the packets by reason are not those accepted and dropped");
    if (states != stats.flows || stats.flows > stats.peak_flows)
        return script_fault(s, "the counts of flows contradict each other");
    if (!engine_next_deadline(s->engine, &next))
        next = MTIME_NEVER;
    while (engine_read(s->engine, s->origin + s->now, &cursor, &flow, 1) == 1)
        if (flow.deadline < next && flow.policy->adaptive_start == 0)
            return script_fault(s, "a flow is due before engine_next_deadline()");
    return true;
}

static bool next_is(char **words, unsigned n, unsigned i, const char *word)
{
    return i < n && strcmp(words[i], word) == 0;
}

/* `=> client R. 1:1(0) ack 1`, `=> client prohibited`, `=> none` */
bool script_expect_segment(struct script *s, char **words, unsigned n)
{
    const struct segment *segment = &s->segments[s->seen_segments];
    struct script_flow *flow;
    char got[160];
    struct packet p;
    uint32_t seq, len, ack = 0, mark;
    uint8_t flags;
    unsigned side, i = 3;
    bool raw = false;

    if (n == 1 && strcmp(words[0], "none") == 0)
        return nothing_more(s);
    if (s->seen_segments == s->out.n_segments)
        return script_fault(s, "the engine sent nothing more");
    if (n < 2 || !(flow = script_end(s, words[0], &side)))
        return script_fault(s, "=> SIDE FLAGS SEQ:END(LENGTH)");
    s->seen_segments++;
    p = reread(segment);
    describe(flow, &p, got, sizeof(got));
    if (!packet_checksum_ok(&p))
        return script_fault(s, "what the engine sent has a wrong checksum: %s", got);
    if (flow_of(s, &p.key) != flow)
        return script_fault(s, "the segment is of another flow: %s", got);
    if (strcmp(words[1], "prohibited") == 0)
        return p.kind == PACKET_ICMP_ERROR || script_fault(s, "the engine sent: %s", got);
    if (n < 3 || !script_tcp_flags(s, words[1], &flags) || !script_range(s, words[2], &seq, &len))
        return script_fault(s, "=> SIDE FLAGS SEQ:END(LENGTH)");
    while (i < n) {
        if (next_is(words, n, i, "ack") && i + 1 < n && script_number(s, words[i + 1], &ack))
            i += 2;
        else if (next_is(words, n, i, "raw"))
            raw = true, i++;
        else if (next_is(words, n, i, "mark") && i + 1 < n && script_number(s, words[i + 1], &mark))
            i += segment->mark == mark ? 2 : script_fault(s, "mark is %u", segment->mark);
        else
            return script_fault(s, "\"%s\" says nothing about a segment", words[i]);
        if (s->fault[0])
            return false;
    }
    if (!raw) {
        seq += flow->isn[!side];
        ack += flags & TCP_ACK ? flow->isn[side] : 0;
    }
    if (p.kind != PACKET_TCP || p.flags != flags || p.seq != seq || p.payload_len != len ||
        p.ack != ack || segment->to_client != !side ||
        memcmp(p.data + (flow->family == 4 ? 16 : 24), flow->addr[side],
               flow->family == 4 ? 4 : 16) != 0)
        return script_fault(s, "the engine sent: %s%s", got,
                            segment->to_client != !side ? ", marked as for the other side" : "");
    return true;
}

static bool wrong(struct script *s, const char *what, const char *got)
{
    return script_fault(s, "%s is \"%s\"", what, got ? got : "nothing");
}

static bool check_duration(struct script *s, const char *what, const char *word, mtime_t got)
{
    char text[DURATION_TEXT];
    mtime_t want;

    if (!script_time(s, word, &want))
        return false;
    return want == got || wrong(s, what, got > 0 ? duration_format(got, text, sizeof(text)) : "0");
}

static bool check_event(struct script *s, const struct event *e, char **words, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const char *key = words[i], *value = i + 1 < n ? words[i + 1] : "";

        if (strcmp(key, "remembered") == 0) {
            if (!e->remembered && !s->forget_all)
                return wrong(s, "the event", "not about a remembered flow");
            continue;
        }
        if (strcmp(key, "unknown") == 0) {
            if (e->remembered)
                return wrong(s, "the event", "about a remembered flow");
            continue;
        }
        i++;
        if (strcmp(key, "reason") == 0) {
            if (!flow_end_name(e->reason) || strcmp(flow_end_name(e->reason), value) != 0)
                return wrong(s, key, flow_end_name(e->reason));
        } else if (strcmp(key, "was") == 0) {
            if (!s->forget_all && strcmp(flow_end_name(e->was), value) != 0)
                return wrong(s, key, flow_end_name(e->was));
        } else if (strcmp(key, "action") == 0) {
            if (!event_action_name(e->action) || strcmp(event_action_name(e->action), value) != 0)
                return wrong(s, key, event_action_name(e->action));
        } else if (strcmp(key, "side") == 0) {
            if (strcmp(flow_side_name(e->side), value) != 0)
                return wrong(s, key, flow_side_name(e->side));
        } else if (strcmp(key, "state") == 0) {
            if ((e->kind != EVENT_LATE || !s->forget_all) &&
                strcmp(flow_state_name(e->flow.state), value) != 0)
                return wrong(s, key, flow_state_name(e->flow.state));
        } else if (strcmp(key, "late-by") == 0) {
            if (!s->forget_all && !check_duration(s, key, value, e->time - e->expired_at))
                return false;
        } else if (strcmp(key, "rule") == 0) {
            const struct policy *policy = e->flow.policy;

            if (strcmp(policy->rules[e->flow.rule].name, value) != 0)
                return wrong(s, key, policy->rules[e->flow.rule].name);
        } else {
            return script_fault(s, "\"%s\" says nothing about an event", key);
        }
    }
    return true;
}

/* The next event of that kind since the last thing that happened; `event none KIND`: there is no
 * more of it. */
bool script_expect_event(struct script *s, char **words, unsigned n)
{
    bool none = n > 1 && strcmp(words[0], "none") == 0;
    int kind = n ? event_kind_parse(words[none]) : -1;

    if (kind < 0)
        return script_fault(s, "event KIND ...");
    while (s->seen_events < s->out.n_events) {
        const struct event *e = &s->events[s->seen_events];

        if ((int)e->kind == kind && none)
            return script_fault(s, "there is such an event");
        s->seen_events++;
        if ((int)e->kind == kind)
            return check_event(s, e, words + 1, n - 1);
    }
    return none || script_fault(s, "there is no such event");
}

bool script_flow_matches(const struct script_flow *flow, const struct flow *shown)
{
    bool same = memcmp(shown->addr[0], flow->addr[0], 16) == 0 &&
                memcmp(shown->addr[1], flow->addr[1], 16) == 0 && shown->port[0] == flow->port[0] &&
                shown->port[1] == flow->port[1];
    bool swapped = memcmp(shown->addr[0], flow->addr[1], 16) == 0 &&
                   memcmp(shown->addr[1], flow->addr[0], 16) == 0 &&
                   shown->port[0] == flow->port[1] && shown->port[1] == flow->port[0];

    return flow->proto == shown->proto && flow->family == shown->family && (same || swapped);
}

static bool find_flow(struct script *s, const char *name, struct flow *out)
{
    const struct script_flow *flow = script_flow_find(s, name);
    uint64_t cursor = 0;

    while (flow && engine_read(s->engine, s->origin + s->now, &cursor, out, 1) == 1)
        if (script_flow_matches(flow, out))
            return true;
    return false;
}

bool script_expect_gone(struct script *s, const char *name)
{
    struct flow flow;

    if (!find_flow(s, name, &flow))
        return !s->fault[0];
    return script_fault(s, "the flow is in %s", flow_state_name(flow.state));
}

static bool check_flag(struct script *s, const char *word, const struct flow *flow,
                       const struct script_flow *named)
{
    bool swapped =
        memcmp(flow->addr[0], named->addr[0], 16) != 0 || flow->port[0] != named->port[0];
    bool not = strncmp(word, "not-", 4) == 0, holds;

    word += not ? 4 : 0;
    if (strcmp(word, "assured") == 0)
        holds = flow->assured;
    else if (strcmp(word, "guessed") == 0)
        holds = flow->guessed;
    else if (strcmp(word, "swapped") == 0)
        holds = swapped;
    else if (strcmp(word, "blocked-client") == 0)
        holds = flow->blocked[0];
    else if (strcmp(word, "blocked-server") == 0)
        holds = flow->blocked[1];
    else
        return script_fault(s, "\"%s\" says nothing about a flow", word);
    return holds != not || script_fault(s, "the flow is%s %s", not ? "" : " not", word);
}

/* `state ESTABLISHED timeout tcp-established remaining 10s packets 2 1 assured` */
bool script_expect_state(struct script *s, const char *name, char **words, unsigned n)
{
    struct flow flow;
    mtime_t now = s->origin + s->now;

    if (!find_flow(s, name, &flow))
        return script_fault(s, "there is no such flow");
    if (n == 0 || strcmp(flow_state_name(flow.state), words[0]) != 0)
        return wrong(s, "the state", flow_state_name(flow.state));
    for (unsigned i = 1; i < n; i++) {
        const char *key = words[i], *value = i + 1 < n ? words[i + 1] : "";

        if (strcmp(key, "timeout") == 0) {
            if (strcmp(policy_timeout_name(flow.timeout_name), value) != 0)
                return wrong(s, key, policy_timeout_name(flow.timeout_name));
        } else if (strcmp(key, "remaining") == 0) {
            if (!check_duration(s, key, value,
                                flow.deadline == MTIME_NEVER ? MTIME_NEVER : flow.deadline - now))
                return false;
        } else if (strcmp(key, "idle") == 0) {
            if (!check_duration(s, key, value, now - flow.last))
                return false;
        } else if (strcmp(key, "longest-idle") == 0) {
            if (!check_duration(s, key, value, flow.longest_idle))
                return false;
        } else if (strcmp(key, "rule") == 0) {
            if (strcmp(flow.policy->rules[flow.rule].name, value) != 0)
                return wrong(s, key, flow.policy->rules[flow.rule].name);
        } else if (strcmp(key, "id") == 0) {
            if (flow.id != strtoull(value, NULL, 10))
                return script_fault(s, "id is %llu", (unsigned long long)flow.id);
        } else if (strcmp(key, "packets") == 0) {
            if (i + 2 >= n || flow.packets[0] != strtoull(value, NULL, 10) ||
                flow.packets[1] != strtoull(words[i + 2], NULL, 10))
                return script_fault(s, "packets are %llu and %llu",
                                    (unsigned long long)flow.packets[0],
                                    (unsigned long long)flow.packets[1]);
            i++;
        } else if (check_flag(s, key, &flow, script_flow_find(s, name))) {
            continue;
        } else {
            return false;
        }
        i++;
    }
    return true;
}

/* `count flows 3`: the counters of engine_stats(). */
bool script_expect_count(struct script *s, char **words, unsigned n)
{
    struct engine_stats stats;
    uint64_t got;
    uint32_t want;

    if (n != 2 || !script_number(s, words[1], &want))
        return script_fault(s, "count NAME NUMBER");
    engine_stats(s->engine, &stats);
    if (strcmp(words[0], "flows") == 0)
        got = stats.flows;
    else if (strcmp(words[0], "max-flows") == 0)
        got = stats.max_flows;
    else if (strcmp(words[0], "lingering") == 0)
        got = stats.lingering;
    else if (strcmp(words[0], "policies") == 0)
        got = stats.policies;
    else if (strcmp(words[0], "late") == 0)
        got = stats.late;
    else if (strcmp(words[0], "remembered") == 0)
        got = s->forget_all ? want : stats.late_remembered;
    else if (strcmp(words[0], "rate-limited") == 0)
        got = stats.rate_limited;
    else if (strcmp(words[0], "resets") == 0)
        got = stats.segments[SEGMENT_RESET];
    else if (strcmp(words[0], "expired") == 0)
        got = stats.expired;
    else if (strcmp(words[0], "idle") == 0)
        got = stats.ended[FLOW_END_IDLE];
    else if (strcmp(words[0], "active") == 0)
        got = stats.ended[FLOW_END_ACTIVE];
    else if (strcmp(words[0], "detected") == 0)
        got = stats.ended[FLOW_END_DETECTED];
    else if (strcmp(words[0], "forced") == 0)
        got = stats.ended[FLOW_END_FORCED];
    else if (strcmp(words[0], "resources") == 0)
        got = stats.ended[FLOW_END_RESOURCES];
    else if (strcmp(words[0], "dropped") == 0)
        got = stats.dropped;
    else
        return script_fault(s, "\"%s\" is not counted", words[0]);
    return got == want || script_fault(s, "%s is %llu", words[0], (unsigned long long)got);
}
