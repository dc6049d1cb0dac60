/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "middlebox/engine/engine_private.h"
#include "tests/unit/random_seed.h"
#include "tests/unit/wire.h"

#define TRAFFIC 3000
#define TRAFFIC_END 6 /* the last of them, not by chance */
#define ROOM 64

/* Packets of a few flows with the times they come at. */
struct traffic {
    struct wire wire[TRAFFIC];
    struct packet packet[TRAFFIC];
};

/* What chance brings about in most seeds only: a flow that is forgotten when another's packet
 * comes, a packet of it a moment later, and one too late. */
static void traffic_end(struct traffic *t, unsigned at, mtime_t now)
{
    const mtime_t established = 300 * MTIME_SEC; /* wire_policy() */

    now += 2 * 3600 * MTIME_SEC; /* nothing is left of what was before */
    wire_tcp(&t->wire[at], 0, 0, TCP_SYN, 100, 0, 60000, 0);
    t->packet[at] = wire_packet(&t->wire[at], now);
    wire_tcp(&t->wire[at + 1], 0, 1, TCP_SYN | TCP_ACK, 500, 101, 60000, 0);
    t->packet[at + 1] = wire_packet(&t->wire[at + 1], now);
    wire_tcp(&t->wire[at + 2], 0, 0, TCP_ACK, 101, 501, 60000, 0);
    t->packet[at + 2] = wire_packet(&t->wire[at + 2], now);
    wire_udp(&t->wire[at + 3], 1, 0, 10);
    t->packet[at + 3] = wire_packet(&t->wire[at + 3], now + established + MTIME_SEC);
    for (unsigned i = 0; i < 2; i++) {
        wire_tcp(&t->wire[at + 4 + i], 0, 0, TCP_ACK | TCP_PSH, 101, 501, 60000, 5);
        t->packet[at + 4 + i] =
            wire_packet(&t->wire[at + 4 + i], now + established + (i == 0 ? 2 : 20) * MTIME_SEC);
    }
}

static struct traffic *traffic_new(const char *test)
{
    static const uint8_t flags[] = {TCP_SYN,           TCP_SYN | TCP_ACK, TCP_ACK,
                                    TCP_ACK | TCP_PSH, TCP_FIN | TCP_ACK, TCP_RST | TCP_ACK};
    struct traffic *t = calloc(1, sizeof(*t));
    struct random random = random_start(test);
    uint32_t next[WIRE_FLOWS][2] = {0};
    mtime_t now = 0;

    assert_non_null(t);
    for (unsigned i = 0; i < TRAFFIC - TRAFFIC_END; i++) {
        unsigned flow = random_below(&random, WIRE_FLOWS), side = random_below(&random, 2);
        unsigned f = random_below(&random, 20);
        uint8_t flag = flags[f < 4 ? f : f < 17 ? 2 + (f & 1) : f - 15 > 3 ? 5 : 4];
        uint32_t len = flag & TCP_PSH ? random_below(&random, 100) : 0;

        if (random_below(&random, 10) == 0)
            now += (mtime_t)random_any_size(&random, 38);
        switch (random_below(&random, 12)) {
        case 0:
            wire_udp(&t->wire[i], flow, side, 10);
            break;
        case 1:
            wire_echo(&t->wire[i], flow, side, random_below(&random, 2));
            break;
        case 2:
            wire_unreachable(&t->wire[i], flow, side, next[flow][!side]);
            break;
        default:
            wire_tcp(&t->wire[i], flow, side, flag, next[flow][side], next[flow][!side], 60000,
                     len);
            next[flow][side] += len + !!(flag & (TCP_SYN | TCP_FIN));
        }
        t->packet[i] = wire_packet(&t->wire[i], now);
    }
    traffic_end(t, TRAFFIC - TRAFFIC_END, now);
    return t;
}

static struct engine *engine_new(struct policy *policy, mtime_t start)
{
    struct engine_config config = {
        .start = start,
        .linger = 5 * MTIME_SEC,
        .wants = UINT32_MAX,
        .hash_secret = {1, 2},
        .classify = wire_classify,
    };
    struct engine *e;

    assert_int_equal(engine_create(&e, &config, policy), 0);
    return e;
}

static struct policy *resetting_policy(void)
{
    struct policy *p = wire_policy();

    p->profiles[0].on_expiry = ON_EXPIRY_RESET_BOTH;
    p->profiles[0].on_late = ON_LATE_RESET;
    p->profiles[1].on_expiry = ON_EXPIRY_RESET_CLIENT;
    p->profiles[1].on_late = ON_LATE_ICMP;
    return p;
}

/* All that was put out, one after another. */
struct tape {
    struct judgement judgements[TRAFFIC];
    struct segment segments[2 * TRAFFIC];
    struct event events[3 * TRAFFIC];
    size_t n_segments, n_events;
};

static void keep(struct tape *tape, struct outcome *out)
{
    for (size_t i = 0; i < out->n_segments; i++)
        tape->segments[tape->n_segments++] = out->segments[i];
    for (size_t i = 0; i < out->n_events; i++)
        tape->events[tape->n_events++] = out->events[i];
    out->n_segments = out->n_events = 0;
}

/* In portions of at most `portion` packets, with room for so many outcomes. */
static struct tape *play(const struct traffic *t, unsigned portion, size_t segments, size_t events)
{
    struct policy *policy = resetting_policy();
    struct engine *e = engine_new(policy, 0);
    struct tape *tape = calloc(1, sizeof(*tape));
    struct outcome out = {.max_segments = segments, .max_events = events};
    unsigned early = 0;

    out.segments = calloc(segments, sizeof(struct segment));
    out.events = calloc(events, sizeof(struct event));
    assert_true(tape && out.segments && out.events);
    for (unsigned i = 0; i < TRAFFIC;) {
        unsigned n = TRAFFIC - i < portion ? TRAFFIC - i : portion;
        size_t done;

        out.judgements = tape->judgements + i;
        done = engine_packets(e, t->packet + i, n, &out);
        assert_true(done <= n && (done > 0 || out.n_segments || out.n_events));
        early += done < n;
        i += (unsigned)done;
        assert_true(out.n_segments <= segments && out.n_events <= events);
        keep(tape, &out);
    }
    assert_null(engine_check(e));
    assert_int_equal(early > 0, segments < ROOM && portion > 1);
    engine_destroy(e);
    policy_unref(policy);
    free(out.segments);
    free(out.events);
    return tape;
}

static void expect_same(const struct tape *a, const struct tape *b)
{
    assert_int_equal(a->n_segments, b->n_segments);
    assert_int_equal(a->n_events, b->n_events);
    assert_memory_equal(a->judgements, b->judgements, sizeof(a->judgements));
    for (size_t i = 0; i < a->n_segments; i++) {
        assert_int_equal(a->segments[i].len, b->segments[i].len);
        assert_memory_equal(a->segments[i].data, b->segments[i].data, a->segments[i].len);
    }
    for (size_t i = 0; i < a->n_events; i++) {
        assert_int_equal(a->events[i].kind, b->events[i].kind);
        assert_int_equal(a->events[i].flow.id, b->events[i].flow.id);
    }
}

static void batches_and_room_change_nothing(void **state)
{
    struct traffic *t = traffic_new(__func__);
    struct tape *one = play(t, 1, ROOM, ROOM);
    struct tape *some = play(t, 100, OUTCOME_SEGMENTS, OUTCOME_EVENTS);
    struct tape *all = play(t, TRAFFIC, OUTCOME_SEGMENTS + 5, OUTCOME_EVENTS + 1);
    unsigned reasons[REASONS] = {0};

    (void)state;
    expect_same(one, some);
    expect_same(one, all);
    /* It was about something. */
    for (unsigned i = 0; i < TRAFFIC; i++)
        reasons[one->judgements[i].reason]++;
    assert_true(reasons[REASON_NEW] && reasons[REASON_FLOW] && reasons[REASON_LATE] &&
                reasons[REASON_DEAD]);
    assert_true(one->n_segments > 20);
    free(t);
    free(one);
    free(some);
    free(all);
}

/* Silent, so that only verdicts can differ: an expired flow is expired, swept or not. */
static void advance_by_budgets(const struct traffic *t, uint32_t max_flows)
{
    struct policy *policy = wire_policy();
    static const unsigned budgets[4] = {0, 1, 3, UINT32_MAX};
    struct engine *e[4];
    struct segment segments[ROOM];
    struct event events[ROOM];

    policy->max_flows = max_flows;
    for (unsigned k = 0; k < 4; k++)
        e[k] = engine_new(policy, 0);
    for (unsigned i = 0; i < TRAFFIC; i++) {
        struct judgement j[4];

        for (unsigned k = 0; k < 4; k++) {
            struct outcome out = {.judgements = &j[k],
                                  .segments = segments,
                                  .max_segments = ROOM,
                                  .events = events,
                                  .max_events = ROOM};

            if (budgets[k])
                engine_advance(e[k], t->packet[i].time, budgets[k], &out);
            out.n_segments = out.n_events = 0;
            assert_int_equal(engine_packets(e[k], &t->packet[i], 1, &out), 1);
            assert_int_equal(j[k].verdict, j[0].verdict);
            assert_int_equal(j[k].reason, j[0].reason);
        }
    }
    for (unsigned k = 0; k < 4; k++) {
        assert_null(engine_check(e[k]));
        engine_destroy(e[k]);
    }
    assert_int_equal(policy->references, 1);
    policy_unref(policy);
}

static void when_the_timer_ran_changes_no_verdict(void **state)
{
    struct traffic *t = traffic_new(__func__);

    (void)state;
    advance_by_budgets(t, 1000);
    advance_by_budgets(t, 5); /* full of what is over, to one that was not swept */
    free(t);
}

/* What one engine is told, the other one does not know. */
static void engines_share_nothing(void **state)
{
    struct traffic *t = traffic_new(__func__);
    struct policy *policy = resetting_policy();
    struct engine *e[3] = {engine_new(policy, 0), engine_new(policy, 0), engine_new(policy, 0)};
    struct engine_stats a, b;

    (void)state;
    for (unsigned i = 0; i < TRAFFIC; i++) {
        struct judgement j[3];

        /* The third one gets only every other packet, in between. */
        for (unsigned k = 0; k < 3; k++) {
            struct segment segments[ROOM];
            struct event events[ROOM];
            struct outcome out = {.judgements = &j[k],
                                  .segments = segments,
                                  .max_segments = ROOM,
                                  .events = events,
                                  .max_events = ROOM};

            if (k == 2 && i % 2)
                continue;
            assert_int_equal(engine_packets(e[2 - k], &t->packet[i], 1, &out), 1);
        }
        assert_true(i % 2 || j[0].verdict <= VERDICT_DROP);
    }
    engine_stats(e[1], &a);
    engine_stats(e[2], &b);
    assert_memory_equal(a.packets, b.packets, sizeof(a.packets));
    assert_memory_equal(a.by_state, b.by_state, sizeof(a.by_state));
    assert_int_equal(a.opened, b.opened);
    engine_stats(e[0], &b);
    assert_true(a.accepted + a.dropped == TRAFFIC && b.accepted + b.dropped == TRAFFIC / 2);
    for (unsigned k = 0; k < 3; k++) {
        assert_null(engine_check(e[k]));
        engine_destroy(e[k]);
    }
    policy_unref(policy);
    free(t);
}

struct one {
    struct engine *engine;
    struct policy *policy;
    struct judgement judgement;
    struct segment segments[ROOM];
    struct event events[ROOM];
    struct outcome out;
    struct wire wire;
};

static void one_start(struct one *o, struct policy *policy)
{
    memset(o, 0, sizeof(*o));
    o->policy = policy;
    o->engine = engine_new(policy, 0);
    o->out = (struct outcome){.judgements = &o->judgement,
                              .segments = o->segments,
                              .max_segments = ROOM,
                              .events = o->events,
                              .max_events = ROOM};
}

static void one_finish(struct one *o)
{
    assert_null(engine_check(o->engine));
    engine_destroy(o->engine);
    policy_unref(o->policy);
}

static enum verdict give(struct one *o, mtime_t time)
{
    struct packet p = wire_packet(&o->wire, time);

    o->out.n_segments = o->out.n_events = 0;
    assert_int_equal(engine_packets(o->engine, &p, 1, &o->out), 1);
    assert_null(engine_check(o->engine));
    return (enum verdict)o->judgement.verdict;
}

static void open_tcp(struct one *o, unsigned flow, mtime_t time)
{
    wire_tcp(&o->wire, flow, 0, TCP_SYN, 100, 0, 60000, 0);
    assert_int_equal(give(o, time), VERDICT_ACCEPT);
    wire_tcp(&o->wire, flow, 1, TCP_SYN | TCP_ACK, 500, 101, 60000, 0);
    assert_int_equal(give(o, time), VERDICT_ACCEPT);
    wire_tcp(&o->wire, flow, 0, TCP_ACK, 101, 501, 60000, 0);
    assert_int_equal(give(o, time), VERDICT_ACCEPT);
}

static void read_one(struct one *o, mtime_t now, struct flow *flow)
{
    uint64_t cursor = 0;

    assert_int_equal(engine_read(o->engine, now, &cursor, flow, 1), 1);
}

/* The one flow that is over is found behind all that were refreshed, though no timer ran. */
static void what_is_over_makes_room(void **state)
{
    enum { FLOWS = 900 };
    struct policy *policy = wire_policy();
    struct flow first;
    struct one o;

    (void)state;
    policy->max_flows = FLOWS;
    policy->on_full = ON_FULL_DROP_NEW;
    one_start(&o, policy);
    wire_udp(&o.wire, 0, 0, 1);
    for (unsigned i = 0; i < 2 * FLOWS - 1; i++) { /* all but the first once more */
        wire_put16(o.wire.data + 20, i < FLOWS ? i : i - FLOWS + 1);
        assert_int_equal(give(&o, i < FLOWS ? 0 : MTIME_SEC), VERDICT_ACCEPT);
    }
    wire_put16(o.wire.data + 20, FLOWS);
    read_one(&o, MTIME_SEC, &first);
    assert_int_equal(give(&o, first.deadline - 1), VERDICT_DROP);
    assert_int_equal(give(&o, first.deadline), VERDICT_ACCEPT);
    assert_int_equal(o.judgement.reason, REASON_NEW);
    one_finish(&o);
}

static void an_error_is_judged_by_its_owner(void **state)
{
    struct one here, there;
    struct judgement j = {9, 9};
    struct packet p;
    struct engine_command c = {.verb = ENGINE_BLOCK, .side_given = true, .side = FLOW_SERVER};
    struct wire error;

    (void)state;
    one_start(&here, wire_policy());
    one_start(&there, wire_policy());
    open_tcp(&there, 2, 0);
    wire_unreachable(&error, 2, 1, 101);
    p = wire_packet(&error, MTIME_SEC);
    assert_false(engine_owns(here.engine, &p, &j));
    assert_true(engine_owns(there.engine, &p, &j));
    assert_int_equal(j.verdict, VERDICT_ACCEPT);
    assert_int_equal(j.reason, REASON_NO_FLOW);
    p.checksum_ready = true; /* and then it is wrong */
    assert_false(engine_owns(there.engine, &p, &j));
    p.checksum_ready = false;
    /* What the server sent is blocked, and so is an error from there; not one of the client's. */
    engine_command(there.engine, MTIME_SEC, &c, &there.out);
    assert_true(engine_owns(there.engine, &p, &j));
    assert_int_equal(j.reason, REASON_BLOCKED);
    wire_unreachable(&error, 2, 0, 501);
    p = wire_packet(&error, MTIME_SEC);
    assert_true(engine_owns(there.engine, &p, &j));
    assert_int_equal(j.reason, REASON_NO_FLOW);
    /* Over is over, though no timer ran. */
    p.time = 300 * MTIME_SEC - 1;
    assert_true(engine_owns(there.engine, &p, &j));
    p.time = 300 * MTIME_SEC;
    assert_false(engine_owns(there.engine, &p, &j));
    wire_tcp(&there.wire, 2, 0, TCP_ACK, 101, 501, 60000, 0);
    p = wire_packet(&there.wire, 0);
    assert_false(engine_owns(there.engine, &p, &j));
    one_finish(&here);
    one_finish(&there);
}

static void a_saved_table_comes_back(void **state)
{
    struct one before, after;
    struct flow flows[8], again[8];
    uint64_t cursor = 0;
    size_t n, m;

    (void)state;
    one_start(&before, wire_policy());
    open_tcp(&before, 0, 0);
    open_tcp(&before, 1, 2 * MTIME_SEC);
    wire_udp(&before.wire, 2, 0, 5);
    give(&before, 3 * MTIME_SEC);
    wire_echo(&before.wire, 3, 0, false);
    give(&before, 4 * MTIME_SEC);
    n = engine_read(before.engine, 5 * MTIME_SEC, &cursor, flows, 8);
    assert_int_equal(n, 4);

    one_start(&after, wire_policy());
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(engine_restore(after.engine, 6 * MTIME_SEC, &flows[i]), 0);
        assert_null(engine_check(after.engine));
        assert_int_equal(engine_restore(after.engine, 6 * MTIME_SEC, &flows[i]), -EEXIST);
    }
    cursor = 0;
    m = engine_read(after.engine, 6 * MTIME_SEC, &cursor, again, 8);
    assert_int_equal(m, n);
    for (size_t i = 0; i < n; i++) {
        assert_memory_equal(again[i].addr, flows[i].addr, sizeof(flows[i].addr));
        assert_memory_equal(again[i].port, flows[i].port, sizeof(flows[i].port));
        assert_int_equal(again[i].state, flows[i].state);
        assert_int_equal(again[i].last, flows[i].last);
        assert_int_equal(again[i].opened, flows[i].opened);
        assert_int_equal(again[i].deadline, flows[i].deadline);
        assert_int_equal(again[i].packets[0], flows[i].packets[0]);
        assert_int_equal(again[i].assured, flows[i].assured);
        assert_int_equal(again[i].rule, flows[i].rule);
    }
    /* Both sides go on, wherever their windows are, until the time that was left is over. */
    wire_tcp(&after.wire, 0, 1, TCP_ACK | TCP_PSH, 70000, 150000, 10, 100);
    assert_int_equal(give(&after, 7 * MTIME_SEC), VERDICT_ACCEPT);
    assert_int_equal(after.judgement.reason, REASON_FLOW);
    wire_tcp(&after.wire, 1, 1, TCP_ACK, 501, 101, 60000, 0);
    assert_int_equal(give(&after, 302 * MTIME_SEC), VERDICT_DROP);
    one_finish(&before);
    one_finish(&after);
}

static void what_cannot_be_is_not_restored(void **state)
{
    struct one o;
    struct flow good, bad;
    uint64_t cursor = 0;

    (void)state;
    one_start(&o, wire_policy());
    o.policy->max_flows = 1000;
    open_tcp(&o, 0, 10 * MTIME_SEC);
    assert_int_equal(engine_read(o.engine, 20 * MTIME_SEC, &cursor, &good, 1), 1);
    good.port[0] = 1;
#define BAD(change)                                                                                \
    do {                                                                                           \
        bad = good;                                                                                \
        change;                                                                                    \
        assert_int_equal(engine_restore(o.engine, 20 * MTIME_SEC, &bad), -EINVAL);                 \
        assert_null(engine_check(o.engine));                                                       \
    } while (0)
    BAD(bad.family = 5);
    BAD(bad.state = FLOW_NONE);
    BAD(bad.state = FLOW_REPLIED);
    BAD(bad.state = (enum flow_state)FLOW_STATES);
    BAD(bad.proto = 17);
    BAD(bad.timeout_name = (enum policy_timeout)POLICY_TIMEOUTS);
    BAD(bad.last = 20 * MTIME_SEC + 1);
    BAD(bad.opened = bad.last + 1);
    BAD(bad.opened = -1);
#undef BAD
    good.last = good.opened = 0;
    assert_int_equal(engine_restore(o.engine, 1000 * MTIME_SEC, &good), 0); /* over already */
    cursor = 0;
    assert_int_equal(engine_read(o.engine, 1000 * MTIME_SEC, &cursor, &bad, 1), 0);
    engine_advance(o.engine, 1000 * MTIME_SEC, 100, &o.out);
    one_finish(&o);
}

static void a_restored_flow_has_its_whole_life_behind_it(void **state)
{
    struct policy *p = wire_policy();
    struct one o;
    struct flow flow;

    (void)state;
    p->profiles[0].timeout[TIMEOUT_ACTIVE] = 60 * MTIME_SEC;
    one_start(&o, p);
    open_tcp(&o, 0, 0);
    read_one(&o, 0, &flow);
    engine_destroy(o.engine);
    o.engine = engine_new(o.policy, 0);
    flow.last = 50 * MTIME_SEC;
    assert_int_equal(engine_restore(o.engine, 55 * MTIME_SEC, &flow), 0);
    read_one(&o, 55 * MTIME_SEC, &flow);
    assert_int_equal(flow.deadline, 60 * MTIME_SEC);
    one_finish(&o);
}

/* Flows are to be asked all at once, and inject-rate lets few be: each that must wait is refused
 * once, not once for every one before it, and all are asked before any is given up. */
static void probes_that_wait_take_turns(void **state)
{
    struct policy *p = wire_policy();
    struct engine_stats stats;
    struct one o;
    mtime_t now = 0, next;
    unsigned steps = 0;

    (void)state;
    p->inject_rate = 1; /* eight segments at once, then one a second */
    p->profiles[0].on_expiry = p->profiles[1].on_expiry = ON_EXPIRY_DCD;
    one_start(&o, p);
    for (unsigned n = 0; n < WIRE_FLOWS; n++)
        open_tcp(&o, n, 0);
    now = 300 * MTIME_SEC;
    while (now < 310 * MTIME_SEC && engine_next_deadline(o.engine, &next) && steps < 100000) {
        o.out.n_segments = o.out.n_events = 0;
        now = next > now ? next : now;
        engine_advance(o.engine, now, 1, &o.out);
        steps++;
    }
    engine_stats(o.engine, &stats);
    assert_int_equal(stats.flows, WIRE_FLOWS);
    assert_int_equal(stats.segments[SEGMENT_PROBE], 2 * WIRE_FLOWS);
    assert_int_equal(stats.rate_limited, WIRE_FLOWS - 4);
    one_finish(&o);
}

static void time_that_runs_backwards_is_the_latest_seen(void **state)
{
    struct one o;
    struct flow flow;

    (void)state;
    one_start(&o, wire_policy());
    open_tcp(&o, 0, 100 * MTIME_SEC);
    wire_tcp(&o.wire, 0, 1, TCP_ACK, 501, 101, 60000, 0);
    assert_int_equal(give(&o, 50 * MTIME_SEC), VERDICT_ACCEPT);
    read_one(&o, 0, &flow);
    assert_int_equal(flow.last, 100 * MTIME_SEC);
    assert_int_equal(give(&o, 400 * MTIME_SEC - 1), VERDICT_ACCEPT);
    assert_false(engine_advance(o.engine, 0, 10, &o.out));
    assert_int_equal(give(&o, 700 * MTIME_SEC - 1), VERDICT_DROP);
    assert_int_equal(give(&o, 0), VERDICT_DROP);
    one_finish(&o);
}

/* The kernel's fast path saw it later than we did. */
static mtime_t elsewhere;
static mtime_t activity(void *arg, const struct flow_key *key)
{
    (void)arg;
    (void)key;
    return elsewhere;
}

static void activity_elsewhere_puts_expiry_off(void **state)
{
    struct policy *policy = wire_policy();
    struct engine_config config = {
        .classify = wire_classify, .activity = activity, .wants = UINT32_MAX};
    struct one o;
    struct flow flow;

    (void)state;
    one_start(&o, policy);
    engine_destroy(o.engine);
    assert_int_equal(engine_create(&o.engine, &config, policy), 0);
    policy->profiles[0].timeout[TIMEOUT_ACTIVE] = 500 * MTIME_SEC;
    open_tcp(&o, 0, 0);
    elsewhere = 200 * MTIME_SEC;
    assert_false(engine_advance(o.engine, 300 * MTIME_SEC, 10, &o.out));
    read_one(&o, 300 * MTIME_SEC, &flow);
    assert_int_equal(flow.last, 200 * MTIME_SEC);
    assert_int_equal(flow.deadline, 500 * MTIME_SEC);
    /* A whole life is over all the same, and nothing came from the future. */
    elsewhere = 499 * MTIME_SEC;
    wire_tcp(&o.wire, 0, 0, TCP_ACK, 101, 501, 60000, 0);
    assert_int_equal(give(&o, 500 * MTIME_SEC), VERDICT_DROP);
    open_tcp(&o, 2, 600 * MTIME_SEC);
    elsewhere = INT64_MAX;
    assert_false(engine_advance(o.engine, 950 * MTIME_SEC, 10, &o.out));
    read_one(&o, 950 * MTIME_SEC, &flow);
    assert_int_equal(flow.last, 950 * MTIME_SEC);
    one_finish(&o);
}

/* A reader that takes slices while flows open and end. */
static void reading_sees_every_lasting_flow_once(void **state)
{
    struct random random = random_start(__func__);
    static uint8_t seen[60000], lasting[60000];
    struct one o;
    uint64_t cursor = 0;
    struct flow flows[50];
    size_t n;
    uint32_t port = 0;

    (void)state;
    memset(seen, 0, sizeof(seen));
    memset(lasting, 0, sizeof(lasting));
    one_start(&o, wire_policy());
    o.policy->max_flows = 60000;
    assert_int_equal(engine_set_policy(o.engine, o.policy), 0);
    for (; port < 20000; port++) {
        wire_udp(&o.wire, 0, 0, 1);
        wire_put16(o.wire.data + 20, port);
        o.out.n_segments = o.out.n_events = 0;
        struct packet p = wire_packet(&o.wire, 0);
        assert_int_equal(engine_packets(o.engine, &p, 1, &o.out), 1);
        lasting[port] = 1;
    }
    while ((n = engine_read(o.engine, 0, &cursor, flows, 1 + random_below(&random, 50))) > 0) {
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(seen[flows[i].port[0]], 0);
            seen[flows[i].port[0]] = 1;
        }
        for (unsigned k = 0; k < 60 && port < 59999; k++, port++) {
            wire_udp(&o.wire, 0, 0, 1);
            wire_put16(o.wire.data + 20, port);
            o.out.n_segments = o.out.n_events = 0;
            struct packet p = wire_packet(&o.wire, 0);
            assert_int_equal(engine_packets(o.engine, &p, 1, &o.out), 1);
        }
    }
    assert_null(engine_check(o.engine));
    for (uint32_t i = 0; i < 20000; i++)
        assert_true(seen[i] || !lasting[i]);
    /* Read to the end: it stays the end. */
    assert_int_equal(engine_read(o.engine, 0, &cursor, flows, 50), 0);
    one_finish(&o);
}

static void a_policy_it_cannot_carry_out_is_refused(void **state)
{
    struct engine_config config = {0};
    struct policy *policy = wire_policy(), *good = wire_policy();
    struct engine *e = NULL;
    struct engine_stats stats;

    (void)state;
    policy->profiles[0].on_expiry = ON_EXPIRY_DCD;
    policy->max_flows = 0;
    assert_int_equal(engine_create(&e, &config, policy), -EINVAL);
    assert_int_equal(engine_create(&e, &config, good), 0);
    assert_int_equal(engine_set_policy(e, policy), -EINVAL);
    engine_stats(e, &stats);
    assert_int_equal(stats.policies, 1);
    assert_int_equal(policy->references, 1);
    engine_destroy(e);
    assert_int_equal(good->references, 1);
    policy_unref(policy);
    policy_unref(good);
    assert_null(engine_destroy(NULL));
}

/* The reset ends the flow that the packet behind it was looked up for already. */
static void a_reset_counts_for_what_is_behind_it_in_a_batch(void **state)
{
    struct wire reset, data;
    struct packet batch[2];
    struct judgement judgements[2];
    struct policy *p = wire_policy();
    struct engine_stats stats;
    struct one o;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        p->profiles[i].rst = RST_ENDS;
        p->profiles[i].on_late = ON_LATE_DROP;
    }
    one_start(&o, p);
    open_tcp(&o, 4, 0);
    wire_tcp(&reset, 4, 0, TCP_RST, 101, 0, 0, 0);
    wire_tcp(&data, 4, 1, TCP_ACK, 501, 101, 60000, 10);
    batch[0] = wire_packet(&reset, MTIME_SEC);
    batch[1] = wire_packet(&data, MTIME_SEC);
    o.out.judgements = judgements;
    o.out.n_events = o.out.n_segments = 0;
    assert_int_equal(engine_packets(o.engine, batch, 2, &o.out), 2);
    assert_int_equal(judgements[0].reason, REASON_FLOW);
    assert_int_equal(judgements[1].reason, REASON_LATE);
    engine_stats(o.engine, &stats);
    assert_int_equal(stats.flows, 0);
    one_finish(&o);
}

/* Also when the first is an ordinary segment of a connection. */
static void fragments_go_with_their_first(void **state)
{
    struct one o;

    (void)state;
    one_start(&o, wire_policy());
    open_tcp(&o, 4, 0);
    wire_tcp(&o.wire, 4, 0, TCP_ACK, 101, 501, 60000, 12);
    wire_fragment(&o.wire, 7, 0, true);
    assert_int_equal(give(&o, MTIME_SEC), VERDICT_ACCEPT);
    assert_int_equal(o.judgement.reason, REASON_FLOW);
    wire_ip(&o.wire, 4, 0, IPPROTO_TCP, 8);
    wire_fragment(&o.wire, 7, 32, false);
    assert_int_equal(give(&o, MTIME_SEC), VERDICT_ACCEPT);
    assert_int_equal(o.judgement.reason, REASON_FRAGMENT);
    one_finish(&o);
}

static void policies_that_nobody_needs_are_let_go(void **state)
{
    struct one o;

    (void)state;
    one_start(&o, wire_policy());
    for (unsigned i = 0; i < 1000; i++) {
        struct policy *next = wire_policy();

        assert_int_equal(engine_set_policy(o.engine, next), 0);
        policy_unref(next);
    }
    assert_true(o.engine->n_policies < 10);
    one_finish(&o);
}

/* Events borrow the policy until the next call, though the call ended its last flow and made the
 * memory of late flows let go of it. */
static void an_event_outlives_its_policy(void **state)
{
    struct policy *old = wire_policy(), *next = wire_policy();
    struct engine_stats stats;
    struct packet batch[2];
    struct judgement judgements[2];
    struct wire late;
    struct one o;

    (void)state;
    old->late_memory_count = 0;
    next->late_memory_count = 1;
    one_start(&o, policy_ref(next));
    assert_int_equal(engine_set_policy(o.engine, old), 0);
    open_tcp(&o, 4, 1);
    assert_int_equal(engine_set_policy(o.engine, next), 0);
    wire_udp(&o.wire, 6, 0, 5);
    give(&o, 3500 * MTIME_SEC);
    policy_unref(old);

    o.out.n_events = o.out.n_segments = 0;
    engine_advance(o.engine, 3500 * MTIME_SEC, 10, &o.out);
    assert_int_equal(o.out.n_events, 1);
    assert_int_equal(o.events[0].flow.policy->n_rules, 2);
    engine_stats(o.engine, &stats);
    assert_int_equal(stats.policies, 1);

    /* Told of out of the memory, then pushed out of it. */
    wire_tcp(&late, 4, 0, TCP_ACK, 101, 501, 60000, 0);
    batch[0] = wire_packet(&late, 3501 * MTIME_SEC);
    wire_udp(&o.wire, 6, 0, 5);
    batch[1] = wire_packet(&o.wire, 7100 * MTIME_SEC);
    o.out.n_events = o.out.n_segments = 0;
    o.out.judgements = judgements;
    assert_int_equal(engine_packets(o.engine, batch, 2, &o.out), 2);
    assert_int_equal(o.events[0].kind, EVENT_LATE);
    assert_true(o.events[0].remembered);
    assert_ptr_equal(o.events[0].flow.policy, old);
    assert_int_equal(o.events[0].flow.policy->n_rules, 2);
    assert_int_equal(o.events[1].kind, EVENT_EXPIRED);
    one_finish(&o);
    assert_int_equal(next->references, 1);
    policy_unref(next);
}

static void nobody_is_told_what_he_does_not_want(void **state)
{
    struct one o;

    (void)state;
    one_start(&o, wire_policy());
    engine_want(o.engine, EVENT_BIT(EVENT_LATE));
    open_tcp(&o, 0, 0);
    assert_int_equal(o.out.n_events, 0);
    wire_tcp(&o.wire, 2, 0, TCP_ACK, 1, 1, 1, 0);
    assert_int_equal(give(&o, 1), VERDICT_DROP);
    assert_int_equal(o.out.n_events, 1);
    engine_want(o.engine, 0);
    assert_int_equal(give(&o, 1), VERDICT_DROP);
    assert_int_equal(o.out.n_events, 0);
    one_finish(&o);
}

static void reasons_have_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REASONS; i++)
        assert_non_null(reason_name((enum reason)i));
    assert_null(reason_name((enum reason)REASONS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_and_room_change_nothing),
        cmocka_unit_test(when_the_timer_ran_changes_no_verdict),
        cmocka_unit_test(what_is_over_makes_room),
        cmocka_unit_test(engines_share_nothing),
        cmocka_unit_test(an_error_is_judged_by_its_owner),
        cmocka_unit_test(a_saved_table_comes_back),
        cmocka_unit_test(what_cannot_be_is_not_restored),
        cmocka_unit_test(a_restored_flow_has_its_whole_life_behind_it),
        cmocka_unit_test(probes_that_wait_take_turns),
        cmocka_unit_test(time_that_runs_backwards_is_the_latest_seen),
        cmocka_unit_test(activity_elsewhere_puts_expiry_off),
        cmocka_unit_test(reading_sees_every_lasting_flow_once),
        cmocka_unit_test(a_policy_it_cannot_carry_out_is_refused),
        cmocka_unit_test(a_reset_counts_for_what_is_behind_it_in_a_batch),
        cmocka_unit_test(fragments_go_with_their_first),
        cmocka_unit_test(policies_that_nobody_needs_are_let_go),
        cmocka_unit_test(an_event_outlives_its_policy),
        cmocka_unit_test(nobody_is_told_what_he_does_not_want),
        cmocka_unit_test(reasons_have_names),
    };

    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
