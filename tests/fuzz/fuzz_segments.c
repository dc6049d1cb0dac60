/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes choose packets of a few flows, near their windows and far off, steps of time, commands and
 * policies. Whatever comes, the engine's invariants hold, what it sends can be read, and a second
 * engine that remembers nothing of ended flows does the same.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/wire.h"

#include <errno.h>
#include <limits.h>

#define STEPS_MAX 400

struct source {
    const uint8_t *data;
    size_t size;
};

static uint8_t byte(struct source *s)
{
    if (s->size == 0)
        return 0;
    s->size--;
    return *s->data++;
}

struct side {
    struct engine *engine;
    struct outcome out;
    struct judgement judgement;
};

struct world {
    struct source in;
    struct side side[2]; /* the second one has no late memory */
    mtime_t now;
    mtime_t burst_from;
    uint32_t rate;
    uint64_t burst; /* segments since then */
    uint32_t next[WIRE_FLOWS][2];
    uint32_t stored[2];
};

/* What a policy may be, by three bytes. */
static struct policy *choose_policy(struct world *w, bool remembers)
{
    struct source in = w->in;
    struct policy *p = wire_policy();
    uint8_t a = byte(&in), b = byte(&in), c = byte(&in);

    unsigned more = a * 7u + b * 13u + c; /* for the settings that came later */

    p->inject_rate = w->rate;
    if ((more & 7) == 7) {
        p->adaptive_start = 2;
        p->adaptive_end = 6;
    }
    p->max_flows = c & 0x40 ? 3 : 100;
    p->on_full = (enum policy_on_full)(c >> 4 & 3) % 3;
    p->adopt_at_start = c & 0x80 ? 20 * MTIME_SEC : 0;
    p->late_memory_count = remembers ? 1 + (c & 3) : 0;
    p->late_memory = 40 * MTIME_SEC;
    for (unsigned i = 0; i < 2; i++) {
        struct policy_profile *profile = &p->profiles[i];

        profile->on_expiry = (enum policy_on_expiry)((a & 3) ^ i);
        profile->on_late = (enum policy_on_late)((a >> 2 & 7) % 6);
        profile->reset_form = (enum policy_reset_form)(a >> 5 & 1);
        profile->on_invalid = (enum policy_on_invalid)(a >> 6 & 1);
        profile->refresh_by = (enum policy_refresh_by)(a >> 7);
        profile->refresh = (enum policy_refresh)((b & 7) % 5);
        if (more & 8)
            profile->on_expiry = ON_EXPIRY_DCD;
        profile->dcd_to = (enum policy_dcd_to)((more >> 4 & 3) % 3);
        profile->dcd_before = more & 64 ? 20 * MTIME_SEC : 0;
        profile->dcd_answers = (enum policy_dcd_answers)(more >> 7 & 1);
        profile->dcd_then = (enum policy_on_expiry)((a & 3) ^ i);
        profile->refresh_in = (enum policy_refresh_in)(more >> 8 & 1);
        profile->half_close = (enum policy_half_close)(more >> 9 & 1);
        profile->rst = (enum policy_rst)((more >> 10 & 3) % 3);
        profile->refresh_udp = (enum policy_refresh_udp)((a ^ b) % 6);
        if (more & 0x40)
            profile->timeout[TIMEOUT_TCP_NO_DATA] = 15 * MTIME_SEC;
        for (unsigned t = TIMEOUT_UDP_FIRST; t <= TIMEOUT_GENERIC_REPLIED; t++)
            profile->timeout[t] = (more >> (t & 7)) & 1 ? (3 + (mtime_t)t) * MTIME_SEC : 0;
        if (b & 8)
            profile->timeout[TIMEOUT_ACTIVE] = 90 * MTIME_SEC;
        if (b & 16)
            profile->timeout[TIMEOUT_TCP_ESTABLISHED] = MTIME_NEVER;
        if (b & 32)
            profile->timeout[TIMEOUT_TCP_UNACKNOWLEDGED] = 1;
    }
    if ((b >> 6) < 3)
        p->rules[0].action = (enum policy_action)(b >> 6);
    return p;
}

static void set_policies(struct world *w)
{
    for (unsigned i = 0; i < 2; i++) {
        struct policy *p = choose_policy(w, i == 0);

        if (w->side[i].engine) {
            FUZZ_CHECK(engine_set_policy(w->side[i].engine, p) == 0);
        } else {
            struct engine_config config = {
                .start = w->now,
                .linger = 5 * MTIME_SEC,
                .wants = UINT32_MAX,
                .hash_secret = {9},
                .classify = wire_classify,
            };
            FUZZ_CHECK(engine_create(&w->side[i].engine, &config, p) == 0);
        }
        policy_unref(p);
    }
    for (unsigned i = 0; i < 3; i++)
        byte(&w->in);
}

static void check_segment(const struct segment *s)
{
    struct packet p = {
        .data = s->data, .caplen = s->len, .len = s->len, .checksum_ready = true, .mark = s->mark};

    FUZZ_CHECK(s->len > 0 && s->len <= SEGMENT_MAX);
    packet_decode(&p);
    FUZZ_CHECK(p.kind == (s->kind == SEGMENT_ICMP ? PACKET_ICMP_ERROR : PACKET_TCP));
    FUZZ_CHECK(packet_checksum_ok(&p));
    FUZZ_CHECK(wire_knows(&p.key));
    FUZZ_CHECK(p.kind != PACKET_TCP || !(p.flags & TCP_RST) == (s->kind == SEGMENT_PROBE));
    FUZZ_CHECK(s->mark == 3);
}

static void check_flows(struct engine *e, mtime_t now)
{
    struct engine_stats stats;
    struct flow flow;
    uint64_t cursor = 0, packets = 0;
    uint32_t states = 0, n = 0;
    mtime_t next = MTIME_NEVER;

    engine_stats(e, &stats);
    if (!engine_next_deadline(e, &next))
        next = MTIME_NEVER;
    while (engine_read(e, now, &cursor, &flow, 1) == 1) {
        const struct policy_profile *profile =
            &flow.policy->profiles[flow.policy->rules[flow.rule].profile];

        n++;
        FUZZ_CHECK(flow.id != 0);
        FUZZ_CHECK(flow.deadline > now);
        FUZZ_CHECK(flow.timeout == profile->timeout[flow.timeout_name]);
        if (!flow.probing) {
            FUZZ_CHECK(flow.deadline <= mtime_add(flow.last, flow.timeout));
            FUZZ_CHECK(flow.deadline <= mtime_add(flow.opened, profile->timeout[TIMEOUT_ACTIVE]));
        }
        /* It may wait for inject-rate, but not for ever. */
        FUZZ_CHECK(next <= flow.deadline || next <= now + MTIME_SEC);
    }
    for (unsigned i = 0; i < REASONS; i++)
        packets += stats.packets[i];
    for (unsigned i = 0; i < FLOW_STATES; i++)
        states += stats.by_state[i];
    FUZZ_CHECK(packets == stats.accepted + stats.dropped);
    FUZZ_CHECK(states == stats.flows && n <= stats.flows && stats.flows <= stats.peak_flows);
    FUZZ_CHECK(stats.opened == stats.flows + stats.ended[1] + stats.ended[2] + stats.ended[3] +
                                   stats.ended[4] + stats.ended[5]);
    FUZZ_CHECK(stats.flows + stats.lingering <= stats.max_flows);
    FUZZ_CHECK(stats.policies >= 1 && stats.policies <= stats.flows + stats.lingering + 1);
}

/* After every step: what came out of both engines. */
static void settle(struct world *w)
{
    const struct outcome *a = &w->side[0].out, *b = &w->side[1].out;

    FUZZ_CHECK(a->n_segments == b->n_segments && a->n_events == b->n_events);
    for (size_t i = 0; i < a->n_segments; i++) {
        check_segment(&a->segments[i]);
        FUZZ_CHECK(a->segments[i].len == b->segments[i].len);
        FUZZ_CHECK(memcmp(a->segments[i].data, b->segments[i].data, a->segments[i].len) == 0);
    }
    for (size_t i = 0; i < a->n_events; i++) {
        FUZZ_CHECK(a->events[i].kind == b->events[i].kind);
        FUZZ_CHECK(a->events[i].action == b->events[i].action);
        FUZZ_CHECK(!b->events[i].remembered);
    }
    w->burst += a->n_segments;
    if (w->rate) {
        uint64_t room = w->rate / 10 > OUTCOME_SEGMENTS ? w->rate / 10 : OUTCOME_SEGMENTS;

        FUZZ_CHECK(w->burst <=
                   room + (uint64_t)((w->now - w->burst_from) / MTIME_MSEC + 1) * w->rate / 1000 +
                       1);
    }
    for (unsigned i = 0; i < 2; i++) {
        const char *fault = engine_check(w->side[i].engine);

        if (fault)
            fprintf(stderr, "%s\n", fault);
        FUZZ_CHECK(fault == NULL);
        check_flows(w->side[i].engine, w->now);
        w->side[i].out.n_segments = w->side[i].out.n_events = 0;
    }
}

static void give(struct world *w, const struct wire *wire, mtime_t time)
{
    struct packet p = wire_packet(wire, time);

    for (unsigned i = 0; i < 2; i++) {
        struct side *side = &w->side[i];

        side->out.judgements = &side->judgement;
        FUZZ_CHECK(engine_packets(side->engine, &p, 1, &side->out) == 1);
        FUZZ_CHECK(side->judgement.reason < REASONS && side->judgement.verdict <= VERDICT_DROP);
    }
    FUZZ_CHECK(w->side[0].judgement.verdict == w->side[1].judgement.verdict);
    FUZZ_CHECK(w->side[0].judgement.reason == w->side[1].judgement.reason);
}

static const uint32_t offsets[8] = {0, 0, 0, 0xffffffff, 1, 1000, 70000, 0x80000000};

static void step_tcp(struct world *w, uint8_t op)
{
    static const uint8_t flags[16] = {
        TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK,           TCP_ACK,
        TCP_ACK, TCP_ACK | TCP_PSH, TCP_FIN | TCP_ACK, TCP_FIN | TCP_ACK,
        TCP_RST, TCP_RST | TCP_ACK, TCP_SYN | TCP_FIN, 0,
        TCP_FIN, TCP_SYN | TCP_RST, TCP_ACK | TCP_URG, 0x3f};
    static const uint32_t lengths[8] = {0, 0, 0, 1, 1, 2, 100, 120};
    uint8_t a = byte(&w->in), b = byte(&w->in);
    unsigned flow = op % WIRE_FLOWS, side = op >> 3 & 1;
    uint32_t seq = w->next[flow][side] + offsets[a & 7];
    uint32_t ack = w->next[flow][!side] + offsets[a >> 3 & 7];
    uint32_t len = lengths[b >> 4 & 7], end;
    struct wire wire;

    wire_tcp(&wire, flow, side, flags[b & 15], seq, ack, a & 0x40 ? 0 : (uint16_t)(op * 257u), len);
    if (b & 0x80 && !(flow & 1))
        wire_fragment(&wire, a, 0, false);
    give(w, &wire, w->now);
    end = seq + len + !!(flags[b & 15] & (TCP_SYN | TCP_FIN));
    if ((int32_t)(end - w->next[flow][side]) > 0)
        w->next[flow][side] = end;
}

static void step_other(struct world *w, uint8_t op)
{
    uint8_t a = byte(&w->in);
    unsigned flow = op % WIRE_FLOWS, side = op >> 3 & 1;
    struct wire wire;

    switch (a % 8) {
    case 0:
    case 1:
        wire_udp(&wire, flow, side, a >> 4);
        break;
    case 2:
    case 3:
        wire_echo(&wire, flow, side, a & 1);
        break;
    case 4:
        wire_unreachable(&wire, flow, side, w->next[flow][!side] + offsets[a >> 5]);
        break;
    case 5:
        wire_udp(&wire, flow & 6, side, 24);
        wire_fragment(&wire, a >> 6, a & 16 ? 32 : 0, !(a & 32));
        break;
    case 6:
        wire_ip(&wire, flow, side, 132, 12);
        break;
    default: /* spoilt */
        wire_tcp(&wire, flow, side, TCP_SYN, 1, 2, 3, 0);
        wire.data[a >> 3] ^= 1u << (a >> 5);
        wire.len -= a >> 6;
        break;
    }
    give(w, &wire, w->now);
}

static void step_time(struct world *w)
{
    uint8_t a = byte(&w->in);
    static const mtime_t steps[16] = {0,
                                      1,
                                      MTIME_MSEC,
                                      100 * MTIME_MSEC,
                                      MTIME_SEC,
                                      MTIME_SEC + 1,
                                      3 * MTIME_SEC,
                                      7 * MTIME_SEC,
                                      10 * MTIME_SEC,
                                      13 * MTIME_SEC,
                                      17 * MTIME_SEC,
                                      37 * MTIME_SEC,
                                      60 * MTIME_SEC,
                                      91 * MTIME_SEC,
                                      299 * MTIME_SEC,
                                      100000 * MTIME_SEC};

    w->now += steps[a & 15] + (a >> 4);
}

static void step_advance(struct world *w, unsigned budget)
{
    bool more[2];

    for (unsigned i = 0; i < 2; i++)
        more[i] = engine_advance(w->side[i].engine, w->now, budget, &w->side[i].out);
    FUZZ_CHECK(more[0] == more[1]);
}

static bool match(void *arg, const struct flow *flow)
{
    return flow->port[FLOW_CLIENT] % 4 == *(const uint8_t *)arg % 4;
}

static void step_command(struct world *w)
{
    uint8_t a = byte(&w->in);

    for (unsigned i = 0; i < 2; i++) {
        struct engine_command c = {
            .verb = (enum engine_verb)(a % 5),
            .side_given = a & 8,
            .side = a & 16 ? FLOW_SERVER : FLOW_CLIENT,
            .match = a & 32 ? match : NULL,
            .arg = &a,
        };
        engine_command(w->side[i].engine, w->now, &c, &w->side[i].out);
    }
}

/* Forgets one flow and puts it back as from a saved table. */
static void step_restore(struct world *w)
{
    uint8_t a = byte(&w->in);
    uint64_t cursor[2] = {a % 4, a % 4};

    for (unsigned i = 0; i < 2; i++) {
        struct engine_command c = {.verb = ENGINE_FORGET, .match = match, .arg = &a};
        struct flow flow;
        int r;

        if (engine_read(w->side[i].engine, w->now, &cursor[i], &flow, 1) == 0)
            continue;
        a = (uint8_t)flow.port[FLOW_CLIENT];
        flow.last -= flow.last > MTIME_SEC && flow.opened < flow.last - MTIME_SEC ? MTIME_SEC : 0;
        engine_command(w->side[i].engine, w->now, &c, &w->side[i].out);
        r = engine_restore(w->side[i].engine, w->now, &flow);
        FUZZ_CHECK(r == 0 || r == -EEXIST || r == -EINVAL || r == -ENOSPC);
    }
}

static void step(struct world *w)
{
    uint8_t op = byte(&w->in);

    switch (op >> 4) {
    case 10:
    case 11:
        step_other(w, op);
        break;
    case 12:
        step_time(w);
        break;
    case 13:
        step_advance(w, op & 8 ? UINT_MAX : (op & 7));
        break;
    case 14:
        step_command(w);
        break;
    case 15:
        if (op & 8)
            step_restore(w);
        else if (op & 4)
            set_policies(w);
        else
            step_time(w);
        break;
    default:
        step_tcp(w, op);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t rates[4] = {0, 10, 100, 5000};
    struct world w = {.in = {data, size}, .now = 1000};

    w.rate = rates[byte(&w.in) & 3];
    w.burst_from = w.now;
    for (unsigned f = 0; f < WIRE_FLOWS; f++) {
        w.next[f][0] = f * 1000;
        w.next[f][1] = 0u - f * 50;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct outcome *out = &w.side[i].out;

        /* Not a byte more than a step may need. */
        out->max_segments = OUTCOME_SEGMENTS + 3;
        out->max_events = OUTCOME_EVENTS + 1;
        out->segments = malloc(out->max_segments * sizeof(struct segment));
        out->events = malloc(out->max_events * sizeof(struct event));
        FUZZ_CHECK(out->segments && out->events);
    }
    set_policies(&w);
    for (unsigned n = 0; w.in.size > 0 && n < STEPS_MAX; n++) {
        step(&w);
        settle(&w);
    }
    for (unsigned i = 0; i < 2; i++) {
        engine_destroy(w.side[i].engine);
        free(w.side[i].out.segments);
        free(w.side[i].out.events);
    }
    return 0;
}

/* Handshakes, data, ends and silences, under every policy that one byte can choose. */
size_t fuzz_seed(size_t index, uint8_t *data, size_t max)
{
    static const uint8_t life[] = {
        0x00, 0,    0x00, 0x08, 0,    0x01, 0x00, 0,    0x02, 0x00, 0,    0x65, 0x08, 0,    0x02,
        0xc9, 0x04, 0xd8, 0x01, 0,    0x00, 0x09, 0,    0x01, 0x01, 0,    0x02, 0x01, 0,    0x06,
        0x09, 0,    0x06, 0x01, 0,    0x02, 0xc0, 0x0e, 0xd8, 0x00, 0,    0x65, 0x08, 0,    0x02,
        0xe0, 0x02, 0xc0, 0x04, 0x08, 0,    0x02, 0xa2, 0x10, 0xaa, 0x10, 0xa4, 0x02, 0xac, 0x03,
        0xa2, 0x04, 0xc0, 0x0b, 0xd8, 0xf8, 0,    0xf4, 1,    2,    3,    0x00, 0,    0x00};
    uint8_t head[4] = {(uint8_t)(index & 3), (uint8_t)(index * 37), (uint8_t)(index * 73),
                       (uint8_t)(index * 11)};

    if (index >= 256 || max < sizeof(head) + 2 * sizeof(life))
        return 0;
    memcpy(data, head, sizeof(head));
    memcpy(data + sizeof(head), life, sizeof(life));
    memcpy(data + sizeof(head) + sizeof(life), life, sizeof(life));
    return sizeof(head) + 2 * sizeof(life);
}
