/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "middlebox/live/request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct request request;
static char why[256];

static int parse(const char *text)
{
    why[0] = '\0';
    return request_parse(&request, text, strlen(text), why, sizeof(why));
}

static void right(const char *text)
{
    if (parse(text) != 0)
        fail_msg("%s: %s", text, why);
}

static void list_with_all(void **state)
{
    (void)state;
    right("{\"command\":\"list\",\"filter\":\"tcp port "
          "22\",\"state\":\"FIN_WAIT\",\"idle_over_s\":1.5,"
          "\"due_within_s\":60,\"rule\":\"oracle\",\"id\":7,\"output\":\"conntrack\"}");
    assert_int_equal(request.command, REQUEST_LIST);
    assert_non_null(request.filter);
    assert_true(request.has_state && request.state == FLOW_FIN_WAIT);
    assert_true(request.has_idle_over && request.idle_over == 1500 * MTIME_MSEC);
    assert_true(request.has_due_within && request.due_within == 60 * MTIME_SEC);
    assert_string_equal(request.rule, "oracle");
    assert_true(request.has_id && request.id == 7);
    assert_int_equal(request.output, RECORD_CONNTRACK);
    request_finish(&request);
}

static void every_command(void **state)
{
    static const char *const names[] = {"list", "events", "wait",    "expire", "forget",
                                        "kill", "block",  "unblock", "status", "reload"};
    static const enum engine_verb verbs[] = {ENGINE_EXPIRE, ENGINE_FORGET, ENGINE_KILL,
                                             ENGINE_BLOCK, ENGINE_UNBLOCK};
    char text[128];

    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        snprintf(text, sizeof(text), "{\"command\":\"%s\"%s}", names[i],
                 i == REQUEST_WAIT ? ",\"for\":\"late\"" : "");
        right(text);
        assert_int_equal(request.command, i);
        if (i >= REQUEST_EXPIRE && i <= REQUEST_UNBLOCK)
            assert_int_equal(request_verb(&request), verbs[i - REQUEST_EXPIRE]);
        request_finish(&request);
    }
    right("{\"command\":\"block\",\"from\":\"server\"}");
    assert_true(request.has_from && request.from == FLOW_SERVER);
    request_finish(&request);
    right("{\"command\":\"wait\",\"for\":\"expired\",\"timeout_s\":2}");
    assert_true(request.wait_for == EVENT_EXPIRED && request.timeout == 2 * MTIME_SEC);
    request_finish(&request);
}

static void refused(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "null",
        "[]",
        "\"list\"",
        "{}",
        "{\"command\":1}",
        "{\"command\":\"LIST\"}",
        "{\"command\":\"list\"}{\"command\":\"list\"}",
        "{\"command\":\"list\",\"command\":\"kill\"}",
        "{\"command\":\"list\",\"bogus\":1}",
        "{\"command\":\"list\",\"from\":\"client\"}",
        "{\"command\":\"list\",\"filter\":7}",
        "{\"command\":\"list\",\"filter\":\"tcp[13] = 2\"}",
        "{\"command\":\"list\",\"filter\":\"host localhost\"}",
        "{\"command\":\"list\",\"filter\":\"tcp port\"}",
        "{\"command\":\"list\",\"state\":\"SLEEPING\"}",
        "{\"command\":\"list\",\"idle_over_s\":-1}",
        "{\"command\":\"list\",\"idle_over_s\":1e300}",
        "{\"command\":\"list\",\"idle_over_s\":\"1\"}",
        "{\"command\":\"list\",\"id\":0}",
        "{\"command\":\"list\",\"id\":1.5}",
        "{\"command\":\"list\",\"id\":99999999999999999999}",
        "{\"command\":\"list\",\"rule\":null}",
        "{\"command\":\"list\",\"output\":\"xml\"}",
        "{\"command\":\"events\",\"output\":\"csv\"}",
        "{\"command\":\"wait\"}",
        "{\"command\":\"wait\",\"for\":\"update\"}",
        "{\"command\":\"wait\",\"for\":\"never\"}",
        "{\"command\":\"kill\",\"from\":\"client\"}",
        "{\"command\":\"block\",\"from\":\"both\"}",
        "{\"command\":\"reload\",\"filter\":\"tcp\"}",
        "{\"command\":\"list\",\"rule\":\"\\u0000\"}",
    };
    static char deep[40000];

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (parse(texts[i]) != -EINVAL || why[0] == '\0')
            fail_msg("accepted or not explained: %s", texts[i]);
    }
    memset(deep, '[', sizeof(deep) - 1);
    assert_int_equal(parse(deep), -EINVAL);
}

static struct flow a_flow(void)
{
    struct flow flow = {.id = 7,
                        .family = 4,
                        .proto = 6,
                        .port = {40000, 22},
                        .state = FLOW_ESTABLISHED,
                        .last = 10 * MTIME_SEC,
                        .deadline = 30 * MTIME_SEC};

    inet_pton(AF_INET, "192.0.2.2", flow.addr[FLOW_CLIENT]);
    inet_pton(AF_INET, "198.51.100.2", flow.addr[FLOW_SERVER]);
    return flow;
}

static bool matches(const char *members, mtime_t now, const struct flow *flow)
{
    char text[256];
    bool yes;

    snprintf(text, sizeof(text), "{\"command\":\"list\"%s}", members);
    right(text);
    yes = request_matches(&request, now, flow);
    request_finish(&request);
    return yes;
}

static void matching(void **state)
{
    struct policy_rule rules[2] = {{.name = (char *)"ssh"}, {.name = (char *)"default"}};
    struct policy policy = {.rules = rules, .n_rules = 2};
    struct flow flow = a_flow();
    const mtime_t now = 20 * MTIME_SEC;

    (void)state;
    flow.policy = &policy;
    assert_true(matches("", now, &flow));
    assert_true(matches(",\"filter\":\"src host 192.0.2.2 and dst port 22\"", now, &flow));
    assert_false(matches(",\"filter\":\"src host 198.51.100.2\"", now, &flow));
    assert_true(matches(",\"state\":\"ESTABLISHED\"", now, &flow));
    assert_false(matches(",\"state\":\"CLOSE\"", now, &flow));
    assert_true(matches(",\"idle_over_s\":9.999", now, &flow));
    assert_false(matches(",\"idle_over_s\":10", now, &flow));
    assert_true(matches(",\"due_within_s\":10", now, &flow));
    assert_false(matches(",\"due_within_s\":9.999", now, &flow));
    assert_true(matches(",\"rule\":\"ssh\"", now, &flow));
    assert_false(matches(",\"rule\":\"default\"", now, &flow));
    assert_true(matches(",\"id\":7", now, &flow));
    assert_false(matches(",\"id\":8", now, &flow));
    flow.deadline = MTIME_NEVER;
    assert_false(matches(",\"due_within_s\":9000000000", now, &flow));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_with_all),
        cmocka_unit_test(every_command),
        cmocka_unit_test(refused),
        cmocka_unit_test(matching),
    };

    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
