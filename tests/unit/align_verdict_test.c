/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/align/verdict.h"

#include <string.h>

#define SEC(n) ((mtime_t)((n)*1e9))

static struct hop hop;

/* A firewall of 40 s that is silent and drops; tests change what they are about. */
static int setup(void **state)
{
    (void)state;
    hop = (struct hop){.name = "test"};
    for (unsigned i = 0; i < POLICY_TIMEOUTS; i++)
        hop.profile.timeout[i] = SEC(600);
    for (unsigned i = 0; i < POLICY_SETTINGS; i++)
        hop.profile.origin[i] = ORIGIN_SET;
    hop.profile.timeout[TIMEOUT_TCP_ESTABLISHED] = SEC(40);
    hop.profile.timeout[TIMEOUT_ACTIVE] = MTIME_NEVER;
    hop.profile.on_late = ON_LATE_DROP;
    return 0;
}

static struct bounds exactly(double seconds)
{
    return (struct bounds){SEC(seconds), SEC(seconds)};
}

static struct end end_of(double idle, double interval, unsigned count)
{
    return (struct end){.keepalive = KEEPALIVE_ON,
                        .figures = FIGURES_READ,
                        .idle = exactly(idle),
                        .interval = exactly(interval),
                        .count = count};
}

static struct end end_off(void)
{
    return (struct end){.keepalive = KEEPALIVE_OFF};
}

/* Seen from the server. */
static struct verdict judge(struct end server, struct end client, mtime_t rtt)
{
    struct connection c = {.end = {[FLOW_CLIENT] = client, [FLOW_SERVER] = server},
                           .here = FLOW_SERVER,
                           .rtt = rtt,
                           .quiet = MTIME_NEVER,
                           .age = MTIME_NEVER};
    struct limit limit = limit_of(&hop, SOCKET_ESTABLISHED);

    return verdict_of(&c, &limit);
}

static void expect(struct verdict v, enum verdict_kind kind, enum verdict_why why)
{
    assert_string_equal(verdict_name(v.kind), verdict_name(kind));
    assert_string_equal(verdict_why_name(v.why), verdict_why_name(why));
}

static void expect_bounds(struct bounds got, double low, double high)
{
    assert_int_equal(got.low, SEC(low));
    assert_int_equal(got.high, high < 0 ? MTIME_NEVER : SEC(high));
}

/* (30 + 5) * 9/8 = 39.375 */
static void the_rule_at_its_edge(void **state)
{
    (void)state;
    expect(judge(end_of(30, 5, 5), end_off(), 0), VERDICT_SAFE, WHY_REFRESHED);
    expect(judge(end_of(30, 5, 5), end_off(), SEC(0.624)), VERDICT_SAFE, WHY_REFRESHED);
    expect(judge(end_of(30, 5, 5), end_off(), SEC(0.625)), VERDICT_AT_RISK, WHY_LOST_PROBE);
    expect(judge(end_of(30, 6, 5), end_off(), 0), VERDICT_AT_RISK, WHY_LOST_PROBE);
    expect(judge(end_of(35, 20, 5), end_off(), 0), VERDICT_AT_RISK, WHY_LOST_PROBE);
    expect(judge(end_of(36, 1, 5), end_off(), 0), VERDICT_AT_RISK, WHY_LATENESS);
    expect(judge(end_of(39.9, 1, 5), end_off(), 0), VERDICT_AT_RISK, WHY_LATENESS);
    expect(judge(end_of(40, 1, 5), end_off(), 0), VERDICT_WILL_BREAK, WHY_TOO_LATE);
}

static void the_longer_of_idle_and_interval_counts(void **state)
{
    (void)state;
    expect(judge(end_of(5, 45, 5), end_off(), 0), VERDICT_WILL_BREAK, WHY_TOO_LATE);
    expect(judge(end_of(5, 30, 5), end_off(), 0), VERDICT_AT_RISK, WHY_LOST_PROBE);
}

static void one_probe_is_not_enough(void **state)
{
    (void)state;
    expect(judge(end_of(10, 1, 1), end_off(), 0), VERDICT_AT_RISK, WHY_ONE_PROBE);
}

static void either_end_will_do(void **state)
{
    struct verdict v = judge(end_off(), end_of(20, 5, 5), 0);

    (void)state;
    expect(v, VERDICT_SAFE, WHY_REFRESHED);
    assert_int_equal(v.side, FLOW_CLIENT);
    v = judge(end_of(7200, 75, 9), end_of(20, 5, 5), 0);
    expect(v, VERDICT_SAFE, WHY_REFRESHED);
    assert_int_equal(v.side, FLOW_CLIENT);
    expect(judge(end_of(20, 5, 5), (struct end){.keepalive = KEEPALIVE_UNKNOWN}, 0), VERDICT_SAFE,
           WHY_REFRESHED);
    expect(judge((struct end){.keepalive = KEEPALIVE_UNKNOWN}, end_off(), 0), VERDICT_AT_RISK,
           WHY_KEEPALIVE_UNKNOWN);
}

static void the_hosts_figures_are_a_guess(void **state)
{
    struct end end = end_of(7200, 75, 9);

    (void)state;
    end.figures = FIGURES_DEFAULT;
    end.at_least = SEC(39);
    expect(judge(end, end_off(), 0), VERDICT_AT_RISK, WHY_FIGURES_ASSUMED);
    expect(judge(end, end_of(20, 5, 5), 0), VERDICT_SAFE, WHY_REFRESHED);
    end.at_least = SEC(40);
    expect(judge(end, end_off(), 0), VERDICT_WILL_BREAK, WHY_TOO_LATE);
    end = end_of(20, 5, 5);
    end.figures = FIGURES_DEFAULT;
    end.at_least = SEC(5);
    expect(judge(end, end_off(), 0), VERDICT_AT_RISK, WHY_FIGURES_ASSUMED);
}

static void bounds_are_not_figures(void **state)
{
    struct end end = end_of(10, 1, 0);

    (void)state;
    end.figures = FIGURES_INFERRED;
    end.idle = (struct bounds){SEC(10), MTIME_NEVER};
    end.interval = BOUNDS_UNKNOWN;
    expect(judge(end, end_off(), 0), VERDICT_AT_RISK, WHY_FIGURES_UNKNOWN);
    end.idle.low = SEC(40);
    expect(judge(end, end_off(), 0), VERDICT_WILL_BREAK, WHY_TOO_LATE);
    end.idle = (struct bounds){SEC(10), SEC(17)}; /* twice 17 and an eighth: 38.25 */
    expect(judge(end, end_off(), 0), VERDICT_SAFE, WHY_REFRESHED);
    end.idle.high = SEC(18);
    expect(judge(end, end_off(), 0), VERDICT_AT_RISK, WHY_LOST_PROBE);
}

static void keepalive_off_hangs(void **state)
{
    struct verdict v = judge(end_off(), end_off(), 0);

    (void)state;
    expect(v, VERDICT_NEVER_NOTICED, WHY_OFF);
    assert_int_equal(v.outcome[FLOW_SERVER].sight, SEES_NOTHING);
    assert_int_equal(v.outcome[FLOW_SERVER].on_write, SEES_ETIMEDOUT);
    hop.profile.on_late = ON_LATE_RESET_SERVER;
    v = judge(end_off(), end_off(), 0);
    assert_int_equal(v.outcome[FLOW_SERVER].on_write, SEES_ECONNRESET);
    assert_int_equal(v.outcome[FLOW_CLIENT].on_write, SEES_ETIMEDOUT);
    hop.profile.on_late = ON_LATE_ICMP;
    v = judge(end_off(), end_off(), 0);
    assert_int_equal(v.outcome[FLOW_CLIENT].on_write, SEES_EHOSTUNREACH);
}

static void keepalive_off_but_told(void **state)
{
    struct verdict v;

    (void)state;
    hop.profile.on_expiry = ON_EXPIRY_RESET_CLIENT;
    v = judge(end_off(), end_off(), 0);
    expect(v, VERDICT_WILL_BREAK, WHY_OFF_AND_TOLD);
    assert_int_equal(v.outcome[FLOW_CLIENT].sight, SEES_ECONNRESET);
    expect_bounds(v.outcome[FLOW_CLIENT].after, 40, 40);
    assert_int_equal(v.outcome[FLOW_SERVER].sight, SEES_NOTHING);
    hop.profile.on_expiry = ON_EXPIRY_RESET_BOTH;
    v = judge(end_of(60, 5, 3), end_off(), 0);
    expect(v, VERDICT_WILL_BREAK, WHY_TOO_LATE);
    assert_int_equal(v.outcome[FLOW_SERVER].sight, SEES_ECONNRESET);
    expect_bounds(v.outcome[FLOW_SERVER].after, 40, 40);
}

/* Field case 5: reset, and dropped. An eighth late at most. */
static void what_each_end_sees(void **state)
{
    struct verdict v = judge(end_of(64, 8, 4), end_of(80, 8, 2), 0);

    (void)state;
    expect(v, VERDICT_WILL_BREAK, WHY_TOO_LATE);
    assert_int_equal(v.outcome[FLOW_SERVER].sight, SEES_ETIMEDOUT);
    expect_bounds(v.outcome[FLOW_SERVER].after, 64 + 4 * 8, (64 + 4 * 8) * 9 / 8.);
    expect_bounds(v.outcome[FLOW_CLIENT].after, 96, 108);
    hop.profile.on_late = ON_LATE_RESET;
    v = judge(end_of(64, 8, 4), end_of(80, 8, 2), 0);
    assert_int_equal(v.outcome[FLOW_SERVER].sight, SEES_ECONNRESET);
    expect_bounds(v.outcome[FLOW_SERVER].after, 64, 72);
    expect_bounds(v.outcome[FLOW_CLIENT].after, 80, 90);
    hop.profile.on_late = ON_LATE_RESET_CLIENT;
    v = judge(end_of(64, 8, 4), end_of(80, 8, 2), 0);
    assert_int_equal(v.outcome[FLOW_SERVER].sight, SEES_ETIMEDOUT);
    assert_int_equal(v.outcome[FLOW_CLIENT].sight, SEES_ECONNRESET);
}

/* TCP_USER_TIMEOUT takes the count's place: the first timer that finds more silence than that. */
static void user_timeout_ends_it(void **state)
{
    struct end end = end_of(64, 8, 9);
    struct verdict v;

    (void)state;
    end.user_timeout = SEC(75);
    v = judge(end, end_off(), 0);
    expect_bounds(v.outcome[FLOW_SERVER].after, 64 + 2 * 8, 90);
    end.user_timeout = SEC(10);
    v = judge(end, end_off(), 0);
    expect_bounds(v.outcome[FLOW_SERVER].after, 72, 81);
}

static void payload_only(void **state)
{
    struct end end = end_of(5, 1, 5);

    (void)state;
    hop.profile.refresh_by = REFRESH_BY_PAYLOAD;
    expect(judge(end, end_off(), 0), VERDICT_WILL_BREAK, WHY_PAYLOAD);
    expect(judge(end_off(), end_off(), 0), VERDICT_NEVER_NOTICED, WHY_OFF);
    end.heartbeat = SEC(35);
    expect(judge(end, end_off(), 0), VERDICT_SAFE, WHY_HEARTBEAT);
    end.heartbeat = SEC(36); /* 40.5 */
    expect(judge(end, end_off(), 0), VERDICT_WILL_BREAK, WHY_PAYLOAD);
    end.idle_close = SEC(30);
    expect(judge(end, end_off(), 0), VERDICT_SAFE, WHY_CLOSES_FIRST);
}

static void a_proxy_closes_both(void **state)
{
    struct verdict v;

    (void)state;
    hop.profile.kind = KIND_PROXY;
    hop.profile.refresh_by = REFRESH_BY_PAYLOAD;
    hop.profile.on_expiry = ON_EXPIRY_RESET_BOTH;
    v = judge(end_of(5, 1, 5), end_off(), 0);
    expect(v, VERDICT_WILL_BREAK, WHY_PAYLOAD);
    assert_int_equal(v.outcome[FLOW_SERVER].sight, SEES_CLOSE);
    expect_bounds(v.outcome[FLOW_SERVER].after, 40, 40);
}

static void adopted_or_asked(void **state)
{
    (void)state;
    hop.profile.on_late = ON_LATE_ADOPT;
    expect(judge(end_of(7200, 75, 9), end_off(), 0), VERDICT_SAFE, WHY_ADOPTED);
    expect(judge(end_off(), end_off(), 0), VERDICT_SAFE, WHY_ADOPTED);
    hop.profile.origin[SETTING_ON_LATE] = ORIGIN_ASSUMED;
    expect(judge(end_off(), end_off(), 0), VERDICT_AT_RISK, WHY_ADOPTION_ASSUMED);
    hop.fact = true;
    expect(judge(end_off(), end_off(), 0), VERDICT_SAFE, WHY_ADOPTED);
    hop.profile.on_expiry = ON_EXPIRY_RESET_BOTH; /* told, so it is over all the same */
    expect(judge(end_off(), end_off(), 0), VERDICT_WILL_BREAK, WHY_OFF_AND_TOLD);
    hop.profile.on_expiry = ON_EXPIRY_DCD;
    hop.profile.on_late = ON_LATE_DROP;
    expect(judge(end_off(), end_off(), 0), VERDICT_SAFE, WHY_ASKED);
}

static void an_assumed_limit_is_no_promise(void **state)
{
    (void)state;
    hop.profile.origin[TIMEOUT_TCP_ESTABLISHED] = ORIGIN_ASSUMED;
    expect(judge(end_of(10, 1, 5), end_off(), 0), VERDICT_AT_RISK, WHY_LIMIT_ASSUMED);
    hop.fact = true;
    expect(judge(end_of(10, 1, 5), end_off(), 0), VERDICT_SAFE, WHY_REFRESHED);
}

static void absolute_limits(void **state)
{
    struct verdict v;

    (void)state;
    hop.profile.refresh = REFRESH_NONE;
    v = judge(end_of(10, 1, 5), end_off(), 0);
    expect(v, VERDICT_WILL_BREAK, WHY_ABSOLUTE);
    assert_int_equal(v.outcome[FLOW_SERVER].sight, SEES_ETIMEDOUT);
    expect_bounds(v.outcome[FLOW_SERVER].after, 40, 40 + 15 * 9 / 8.);
}

static void behaviour_unknown(void **state)
{
    struct verdict v;

    (void)state;
    hop.behaviour_unknown = true;
    v = judge(end_of(60, 1, 5), end_off(), 0);
    expect(v, VERDICT_WILL_BREAK, WHY_TOO_LATE);
    assert_int_equal(v.outcome[FLOW_SERVER].sight, SEES_UNKNOWN);
    expect(judge(end_of(10, 1, 5), end_off(), 0), VERDICT_SAFE, WHY_REFRESHED);
}

static void due_counts_from_the_last_packet(void **state)
{
    struct connection c = {.end = {end_off(), end_off()}, .quiet = SEC(15), .age = SEC(100)};
    struct limit limit = limit_of(&hop, SOCKET_ESTABLISHED);

    (void)state;
    assert_int_equal(verdict_of(&c, &limit).due, SEC(25));
    c.quiet = SEC(41);
    assert_int_equal(verdict_of(&c, &limit).due, 0);
    c.quiet = MTIME_NEVER;
    assert_int_equal(verdict_of(&c, &limit).due, SEC(40));
    limit.left = SEC(3);
    assert_int_equal(verdict_of(&c, &limit).due, SEC(3));
}

static void the_worst_of_several(void **state)
{
    struct connection c = {.end = {end_off(), end_of(300, 10, 5)},
                           .here = FLOW_SERVER,
                           .quiet = MTIME_NEVER,
                           .age = MTIME_NEVER};
    struct hop other = hop;
    struct limit limits[3];
    struct verdict v;

    (void)state;
    other.profile.timeout[TIMEOUT_TCP_ESTABLISHED] = SEC(100);
    limits[0] = limit_of(&other, SOCKET_ESTABLISHED);
    limits[1] = limit_of(&hop, SOCKET_ESTABLISHED);
    other.profile.timeout[TIMEOUT_ACTIVE] = MTIME_NEVER;
    limits[2] = limit_of_life(&other);
    v = verdict_of_all(&c, limits, 3);
    expect(v, VERDICT_WILL_BREAK, WHY_TOO_LATE);
    assert_int_equal(v.limit.timeout, SEC(40));
    v = verdict_of_all(&c, &limits[2], 1);
    expect(v, VERDICT_SAFE, WHY_NO_LIMIT);
    assert_int_equal(verdict_of_all(&c, limits, 0).kind, VERDICT_SAFE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_rule_at_its_edge, setup),
        cmocka_unit_test_setup(the_longer_of_idle_and_interval_counts, setup),
        cmocka_unit_test_setup(one_probe_is_not_enough, setup),
        cmocka_unit_test_setup(either_end_will_do, setup),
        cmocka_unit_test_setup(the_hosts_figures_are_a_guess, setup),
        cmocka_unit_test_setup(bounds_are_not_figures, setup),
        cmocka_unit_test_setup(keepalive_off_hangs, setup),
        cmocka_unit_test_setup(keepalive_off_but_told, setup),
        cmocka_unit_test_setup(what_each_end_sees, setup),
        cmocka_unit_test_setup(user_timeout_ends_it, setup),
        cmocka_unit_test_setup(payload_only, setup),
        cmocka_unit_test_setup(a_proxy_closes_both, setup),
        cmocka_unit_test_setup(adopted_or_asked, setup),
        cmocka_unit_test_setup(an_assumed_limit_is_no_promise, setup),
        cmocka_unit_test_setup(absolute_limits, setup),
        cmocka_unit_test_setup(behaviour_unknown, setup),
        cmocka_unit_test_setup(due_counts_from_the_last_packet, setup),
        cmocka_unit_test_setup(the_worst_of_several, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
