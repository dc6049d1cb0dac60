/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "middlebox/live/command.h"
#include "middlebox/live/rules.h"

#include <stdio.h>
#include <string.h>

/* Stands in for command_run(): writes down what was to be run, and lets the two commands named
 * fail. */
static const char *failing[2];
static char ran[8192];
static unsigned said;

int __wrap_command_run(struct command_output *output, const char *const argv[], const char *input,
                       size_t input_len);
int __wrap_command_run(struct command_output *output, const char *const argv[], const char *input,
                       size_t input_len)
{
    static const char listing[] = "-N idlewall_5\n-A FORWARD -j idlewall_5\n";
    size_t at = strlen(ran);

    snprintf(ran + at, sizeof(ran) - at, "%s:%.*s\n", argv[0], (int)input_len, input ? input : "");
    *output = (struct command_output){.out = strdup(listing),
                                      .out_len = strlen(listing),
                                      .err = strdup("no"),
                                      .status = strcmp(argv[0], failing[0]) == 0 ||
                                                strcmp(argv[0], failing[1]) == 0};
    return 0;
}

static void say(const char *message)
{
    (void)message;
    said++;
}

static const struct rules_plan plan = {.queue_first = 5, .queue_last = 5};

static int install(enum rules_backend *backend, const char *fails, const char *fails_too)
{
    failing[0] = fails;
    failing[1] = fails_too;
    ran[0] = '\0';
    said = 0;
    return rules_install(&plan, backend, say);
}

static void what_was_begun_is_taken_out(void **state)
{
    enum rules_backend backend = RULES_NONE;

    (void)state;
    assert_true(install(&backend, "nft", "iptables-restore") < 0);
    assert_int_equal(backend, RULES_NONE);
    assert_non_null(strstr(ran, "-X idlewall_5"));
}

/* parent.c counts on it, when a new policy asks for `fail closed` and there is no way. */
static void the_old_rules_stay_if_the_new_ones_fail(void **state)
{
    enum rules_backend backend = RULES_IPTABLES;

    (void)state;
    assert_true(install(&backend, "nft", "iptables-restore") < 0);
    assert_int_equal(backend, RULES_IPTABLES);
    assert_null(strstr(ran, "-X idlewall_5"));
    assert_null(strstr(ran, "nft:"));
    assert_int_equal(said, 1);

    backend = RULES_NFT;
    assert_true(install(&backend, "nft", "") < 0);
    assert_int_equal(backend, RULES_NFT);
    assert_null(strstr(ran, "iptables"));
    assert_int_equal(said, 1);
}

static void the_other_ways_rules_go(void **state)
{
    enum rules_backend backend = RULES_NONE;

    (void)state;
    assert_int_equal(install(&backend, "", ""), 0);
    assert_int_equal(backend, RULES_NFT);
    assert_non_null(strstr(ran, "iptables-restore:*mangle\n-D FORWARD"));
    assert_int_equal(install(&backend, "", ""), 0);
    assert_null(strstr(ran, "iptables"));
    backend = RULES_IPTABLES;
    assert_int_equal(install(&backend, "nft", ""), 0);
    assert_int_equal(backend, RULES_IPTABLES);
    assert_null(strstr(ran, "nft:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_begun_is_taken_out),
        cmocka_unit_test(the_old_rules_stay_if_the_new_ones_fail),
        cmocka_unit_test(the_other_ways_rules_go),
    };

    return cmocka_run_group_tests_name("live_rules_install", tests, NULL, NULL);
}
