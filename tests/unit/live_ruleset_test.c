/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "middlebox/live/ruleset.h"
#include "middlebox/live/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void fault(void *arg, const char *message)
{
    (void)arg;
    fail_msg("%s", message);
}

static struct ruleset *make(const char *text)
{
    struct policy *policy;
    struct ruleset *ruleset;

    assert_int_equal(policy_parse(&policy, "test", text, strlen(text), fault, NULL), 0);
    assert_int_equal(ruleset_create(&ruleset, policy, fault, NULL), 0);
    return ruleset;
}

static struct ruleset *numbered(unsigned seconds)
{
    char text[128];

    snprintf(text, sizeof(text), "profile p {\n udp %us\n}\ndefault use p\n", seconds);
    return make(text);
}

static void first_match_wins(void **state)
{
    struct ruleset *ruleset = make("profile p {\n}\n"
                                   "rule a match \"tcp port 22\" use p\n"
                                   "rule b match \"port 22\" drop\n"
                                   "rule c match \"src net 192.0.2.0/24\" reject\n"
                                   "default use p\n");
    struct flow flow = {.family = 4, .proto = 6, .port = {1000, 22}};

    (void)state;
    inet_pton(AF_INET, "198.51.100.2", flow.addr[FLOW_CLIENT]);
    inet_pton(AF_INET, "203.0.113.2", flow.addr[FLOW_SERVER]);
    assert_int_equal(ruleset_classify(ruleset, &flow), 0);
    flow.proto = 17;
    assert_int_equal(ruleset_classify(ruleset, &flow), 1);
    flow.port[FLOW_SERVER] = 53;
    assert_int_equal(ruleset_classify(ruleset, &flow), 3);
    inet_pton(AF_INET, "192.0.2.2", flow.addr[FLOW_CLIENT]);
    assert_int_equal(ruleset_classify(ruleset, &flow), 2);
    assert_null(ruleset_unref(ruleset));
}

static void equal_text_gives_the_same_ruleset(void **state)
{
    struct ruleset_shelf shelf = {0};
    struct ruleset *first = ruleset_shelf_pass(&shelf, numbered(1));
    struct ruleset *other = ruleset_shelf_pass(&shelf, numbered(2));
    struct ruleset *again = ruleset_shelf_pass(&shelf, numbered(1));

    (void)state;
    assert_ptr_equal(first, again);
    assert_ptr_not_equal(first, other);
    assert_int_equal(first->references, 3);
    ruleset_unref(other);
    ruleset_unref(again);
    /* It stays while it is among the last few, and not longer. */
    for (unsigned i = 10; i < 10 + RULESET_SHELF - 1; i++)
        ruleset_unref(ruleset_shelf_pass(&shelf, numbered(i)));
    assert_int_equal(first->references, 2);
    ruleset_unref(ruleset_shelf_pass(&shelf, numbered(100)));
    assert_int_equal(first->references, 1);
    for (unsigned i = 0; i < 1000; i++) /* two that alternate cost no more than two */
        ruleset_unref(ruleset_shelf_pass(&shelf, numbered(1 + i % 2)));
    ruleset_unref(first);
    ruleset_shelf_finish(&shelf);
    ruleset_shelf_finish(&shelf);
}

static void tap_keeps_order_and_counts_what_it_loses(void **state)
{
    struct ruleset *ruleset = numbered(1);
    struct event in = {.kind = EVENT_NEW, .flow = {.policy = ruleset->policy}}, out[100];
    uint64_t lost, taken = 0;
    int wake = eventfd(0, EFD_NONBLOCK);
    eventfd_t raised;
    struct tap tap;
    size_t n;

    (void)state;
    assert_int_equal(tap_init(&tap, wake), 0);
    for (unsigned i = 0; i < TAP_LENGTH + 10; i++) {
        in.flow.id = i + 1;
        tap_put(&tap, &in, 1);
    }
    assert_int_equal(ruleset->policy->references, 1 + TAP_LENGTH);
    assert_int_equal(eventfd_read(wake, &raised), 0);
    assert_int_equal(raised, 1); /* once, when something came into an empty tap */
    while ((n = tap_take(&tap, out, 100, &lost)) > 0) {
        assert_int_equal(lost, taken == 0 ? 10 : 0);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(out[i].flow.id, ++taken);
            policy_unref((struct policy *)(size_t)out[i].flow.policy);
        }
    }
    assert_int_equal(taken, TAP_LENGTH);
    tap_put(&tap, &in, 1);
    tap_finish(&tap); /* gives up what nobody took */
    assert_int_equal(ruleset->policy->references, 1);
    ruleset_unref(ruleset);
    close(wake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_match_wins),
        cmocka_unit_test(equal_text_gives_the_same_ruleset),
        cmocka_unit_test(tap_keeps_order_and_counts_what_it_loses),
    };

    return cmocka_run_group_tests_name("ruleset", tests, NULL, NULL);
}
