/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/wire.h"

static struct engine *engine;
static struct policy *policy;

static int setup(void **state)
{
    const struct engine_config config = {.start = 1, .classify = wire_classify};

    (void)state;
    policy = wire_policy();
    policy->rules[0].profile = 1;
    policy->adopt_at_start = 0;
    policy->late_memory = 30 * 86400 * MTIME_SEC;
    policy->late_memory_count = 100;
    policy->profiles[0].on_late = policy->profiles[1].on_late = ON_LATE_DROP;
    return engine_create(&engine, &config, policy);
}

static int teardown(void **state)
{
    (void)state;
    engine_destroy(engine);
    policy_unref(policy);
    return 0;
}

static void put(unsigned flow, unsigned side, uint8_t flags, mtime_t now)
{
    struct segment segments[OUTCOME_SEGMENTS];
    struct event events[OUTCOME_EVENTS];
    struct judgement judgement;
    struct outcome out = {.judgements = &judgement,
                          .segments = segments,
                          .max_segments = OUTCOME_SEGMENTS,
                          .events = events,
                          .max_events = OUTCOME_EVENTS};
    struct wire wire;
    struct packet packet;

    wire_tcp(&wire, flow, side, flags, 100 + (flags != TCP_SYN), 101, 60000, 0);
    packet = wire_packet(&wire, now);
    assert_int_equal(engine_packets(engine, &packet, 1, &out), 1);
    assert_null(engine_check(engine));
}

/* All rows, and what they add up to. */
static size_t count(size_t slice, uint32_t *by_state)
{
    struct engine_census rows[8];
    uint64_t cursor = 0;
    size_t all = 0, n;

    for (unsigned s = 0; s < FLOW_STATES; s++)
        by_state[s] = 0;
    do {
        n = engine_census(engine, &cursor, rows, slice);
        for (size_t i = 0; i < n; i++) {
            assert_true(rows[i].profile < rows[i].policy->n_profiles);
            for (unsigned s = 0; s < FLOW_STATES; s++)
                by_state[s] += rows[i].by_state[s];
        }
        all += n;
    } while (n == slice);
    return all;
}

static void flows_of_two_policies_are_told_apart(void **state)
{
    uint32_t by_state[FLOW_STATES];
    struct policy *second = wire_policy();

    (void)state;
    assert_int_equal(count(8, by_state), 0);
    put(0, 0, TCP_SYN, MTIME_SEC);
    put(1, 0, TCP_SYN, MTIME_SEC);
    put(1, 1, TCP_SYN | TCP_ACK, MTIME_SEC);
    assert_int_equal(count(8, by_state), 1);
    assert_int_equal(by_state[FLOW_SYN_SENT], 1);
    assert_int_equal(by_state[FLOW_SYN_RECV], 1);

    assert_int_equal(engine_set_policy(engine, second), 0);
    put(2, 0, TCP_SYN, MTIME_SEC);
    for (size_t slice = 1; slice <= 8; slice++) {
        assert_int_equal(count(slice, by_state), 2);
        assert_int_equal(by_state[FLOW_SYN_SENT], 2);
        assert_int_equal(by_state[FLOW_SYN_RECV], 1);
    }
    policy_unref(second);
}

static void expired_flows_are_gone(void **state)
{
    struct segment segments[OUTCOME_SEGMENTS];
    struct event events[OUTCOME_EVENTS];
    struct outcome out = {.segments = segments,
                          .max_segments = OUTCOME_SEGMENTS,
                          .events = events,
                          .max_events = OUTCOME_EVENTS};
    uint32_t by_state[FLOW_STATES];

    (void)state;
    put(0, 0, TCP_SYN, MTIME_SEC);
    while (engine_advance(engine, 40 * 86400 * MTIME_SEC, 10, &out))
        out.n_segments = 0;
    assert_null(engine_check(engine));
    assert_int_equal(count(8, by_state), 0);
}

/* A flow that was last active at `last` finds a late packet `idle` later. */
static void late_after(unsigned flow, mtime_t last, mtime_t idle)
{
    put(flow, 0, TCP_SYN, last);
    put(flow, 0, TCP_ACK, last + idle);
}

static void late_packets_fall_into_their_bucket(void **state)
{
    const mtime_t syn_sent = policy->profiles[1].timeout[TIMEOUT_TCP_SYN_SENT];
    struct engine_stats stats;
    unsigned bucket = 0;

    (void)state;
    while (engine_late_idle[bucket] < syn_sent)
        bucket++;
    bucket++; /* past the limit, or nothing is late */
    late_after(0, MTIME_SEC, engine_late_idle[bucket]);
    late_after(1, 86400 * MTIME_SEC, engine_late_idle[bucket] + 1);
    late_after(2, 3 * 86400 * MTIME_SEC, engine_late_idle[ENGINE_LATE_IDLE - 1] + 1);
    engine_stats(engine, &stats);
    assert_int_equal(stats.late, 3);
    assert_int_equal(stats.late_remembered, 3);
    assert_int_equal(stats.late_action[ACTED_DROPPED], 3);
    for (unsigned i = 0; i <= ENGINE_LATE_IDLE; i++)
        assert_int_equal(stats.late_idle[i],
                         i == bucket || i == bucket + 1 || i == ENGINE_LATE_IDLE);
    assert_int_equal(stats.late_idle_ms,
                     (2 * engine_late_idle[bucket] + engine_late_idle[ENGINE_LATE_IDLE - 1]) /
                         MTIME_MSEC);
}

static void a_late_packet_of_nobody_has_no_idle_time(void **state)
{
    struct engine_stats stats;

    (void)state;
    put(0, 0, TCP_ACK, MTIME_SEC);
    engine_stats(engine, &stats);
    assert_int_equal(stats.late_action[ACTED_DROPPED], 1);
    for (unsigned i = 0; i <= ENGINE_LATE_IDLE; i++)
        assert_int_equal(stats.late_idle[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(flows_of_two_policies_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(expired_flows_are_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(late_packets_fall_into_their_bucket, setup, teardown),
        cmocka_unit_test_setup_teardown(a_late_packet_of_nobody_has_no_idle_time, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
