/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "middlebox/live/clock.h"
#include "middlebox/live/options.h"

#include <netinet/in.h>
#include <string.h>

static struct options options;
static char why[256];

static enum options_result parse(const char *line)
{
    static char text[1024];
    char *argv[32] = {NULL};
    int argc = 0;

    snprintf(text, sizeof(text), "%s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    why[0] = '\0';
    return options_parse(&options, argc, argv, why, sizeof(why));
}

static void defaults(void **state)
{
    (void)state;
    assert_int_equal(parse("idlewalld --policy a.conf"), OPTIONS_RUN);
    assert_string_equal(options.policy, "a.conf");
    assert_null(options.profile);
    assert_string_equal(options.control, "/run/idlewall/control");
    assert_int_equal(options.plan.hook, RULES_FORWARD);
    assert_int_equal(options.plan.queue_first, 0);
    assert_int_equal(options.plan.queue_last, 0);
    assert_true(options.rules);
    assert_int_equal(options.speed, 1);
    assert_null(options.record);
    assert_null(options.metrics);
}

static void metrics_on_loopback(void **state)
{
    (void)state;
    assert_int_equal(parse("idlewalld --policy a --metrics 127.1.2.3:65535"), OPTIONS_RUN);
    assert_string_equal(options.metrics, "127.1.2.3:65535");
    assert_int_equal(options.metrics_address.v4.sin_family, AF_INET);
    assert_int_equal(ntohl(options.metrics_address.v4.sin_addr.s_addr), 0x7f010203);
    assert_int_equal(ntohs(options.metrics_address.v4.sin_port), 65535);
    assert_int_equal(parse("idlewalld --policy a --metrics [::1]:1"), OPTIONS_RUN);
    assert_int_equal(options.metrics_address.v6.sin6_family, AF_INET6);
    assert_true(IN6_IS_ADDR_LOOPBACK(&options.metrics_address.v6.sin6_addr));
    assert_int_equal(ntohs(options.metrics_address.v6.sin6_port), 1);
}

static void everything_given(void **state)
{
    (void)state;
    assert_int_equal(parse("idlewalld --profile aws --hook local --scope tcp/22,udp/5000-5010 "
                           "--queue 3 --control /tmp/c --rules none --speed 60 --record r"),
                     OPTIONS_RUN);
    assert_string_equal(options.profile, "aws");
    assert_int_equal(options.plan.hook, RULES_LOCAL);
    assert_int_equal(options.plan.n_scope, 2);
    assert_int_equal(options.plan.scope[0].proto, IPPROTO_TCP);
    assert_int_equal(options.plan.scope[0].low, 22);
    assert_int_equal(options.plan.scope[0].high, 22);
    assert_int_equal(options.plan.scope[1].proto, IPPROTO_UDP);
    assert_int_equal(options.plan.scope[1].low, 5000);
    assert_int_equal(options.plan.scope[1].high, 5010);
    assert_int_equal(options.plan.queue_first, 3);
    assert_int_equal(options.plan.queue_last, 3);
    assert_false(options.rules);
    assert_int_equal(options.speed, 60);
    assert_string_equal(options.record, "r");
    assert_int_equal(parse("idlewalld --profile aws --queue 4:7"), OPTIONS_RUN);
    assert_int_equal(options.plan.queue_first, 4);
    assert_int_equal(options.plan.queue_last, 7);
    assert_int_equal(parse("idlewalld --help"), OPTIONS_HELP);
    assert_int_equal(parse("idlewalld --version"), OPTIONS_VERSION);
}

static void wrong(void **state)
{
    static const char *const lines[] = {
        "",
        "--policy a --profile b",
        "--policy",
        "--policy a b",
        "--policy a --bogus",
        "--policy a --hook sideways",
        "--policy a --hook local",
        "--policy a --scope tcp",
        "--policy a --scope tcp/0",
        "--policy a --scope tcp/65536",
        "--policy a --scope tcp/9-8",
        "--policy a --scope tcp/9,",
        "--policy a --scope sctp/9",
        "--policy a --scope tcp/9;udp/9",
        "--policy a --scope tcp/99999999999999999999",
        "--policy a --queue -1",
        "--policy a --queue 65536",
        "--policy a --queue 3:2",
        "--policy a --queue 0:64",
        "--policy a --queue 1x",
        "--policy a --rules maybe",
        "--policy a --speed 0",
        "--policy a --speed 10001",
        "--policy a --speed 1.5",
        "--policy a --queue 0:1 --record r",
        "--policy a --metrics 9180",
        "--policy a --metrics :9180",
        "--policy a --metrics 127.0.0.1",
        "--policy a --metrics 127.0.0.1:",
        "--policy a --metrics 127.0.0.1:0",
        "--policy a --metrics 127.0.0.1:65536",
        "--policy a --metrics 127.0.0.1:9180x",
        "--policy a --metrics 127.0.0.1:-1",
        "--policy a --metrics 0.0.0.0:9180",
        "--policy a --metrics 128.0.0.1:9180",
        "--policy a --metrics 192.0.2.1:9180",
        "--policy a --metrics localhost:9180",
        "--policy a --metrics ::1:9180",
        "--policy a --metrics [::]:9180",
        "--policy a --metrics [::1:9180",
        "--policy a --metrics [2001:db8::1]:9180",
        "--policy a --metrics [::ffff:127.0.0.1]:9180",
        "--policy a --metrics [fe80:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]:9180",
    };
    char line[256], path[200];

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        snprintf(line, sizeof(line), "idlewalld %s", lines[i]);
        if (parse(line) != OPTIONS_WRONG || why[0] == '\0')
            fail_msg("accepted or not explained: %s", line);
    }
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    snprintf(line, sizeof(line), "idlewalld --policy a --control %s", path);
    assert_int_equal(parse(line), OPTIONS_WRONG);
}

static void clock_runs_at_its_speed(void **state)
{
    struct live_clock clock;
    struct timespec wait;
    mtime_t now;

    (void)state;
    live_clock_init(&clock, 100);
    clock.mono_start -= 10 * MTIME_SEC; /* ten seconds ago */
    now = live_clock_now(&clock);
    assert_true(now > 1000 * MTIME_SEC && now < 1100 * MTIME_SEC);
    wait = live_clock_until(&clock, now + 1000 * MTIME_SEC);
    assert_true(wait.tv_sec == 9 || (wait.tv_sec == 10 && wait.tv_nsec <= 1));
    wait = live_clock_until(&clock, now - 1);
    assert_true(wait.tv_sec == 0 && wait.tv_nsec == 0);
    wait = live_clock_until(&clock, MTIME_NEVER);
    assert_true(wait.tv_sec > 0 && wait.tv_nsec < MTIME_SEC);
    /* Never beyond what fits, never NEVER. */
    clock.mono_start = INT64_MIN / 50;
    assert_true(live_clock_now(&clock) == MTIME_NEVER - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(everything_given),
        cmocka_unit_test(metrics_on_loopback),
        cmocka_unit_test(wrong),
        cmocka_unit_test(clock_runs_at_its_speed),
    };

    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
