/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "middlebox/live/rules_text.h"

#include <string.h>

static char *text;
static size_t len;

static FILE *open_text(void)
{
    free(text);
    text = NULL;
    return open_memstream(&text, &len);
}

static const char *install(const struct rules_plan *plan, const char *listing)
{
    FILE *to = open_text();

    rules_iptables_install(to, plan, listing);
    fclose(to);
    return text;
}

static const char *take_out(uint16_t queue, const char *listing)
{
    FILE *to = open_text();
    bool any = rules_iptables_remove(to, queue, listing);

    fclose(to);
    return any ? text : NULL;
}

static void plain(void **state)
{
    const struct rules_plan open = {.fail_open = true},
                            closed = {.queue_first = 5, .queue_last = 5};

    (void)state;
    assert_string_equal(install(&open, "-P FORWARD ACCEPT\n"),
                        "*mangle\n"
                        ":idlewall_0 - [0:0]\n"
                        "-A idlewall_0 -m mark --mark 0x40000000/0x40000000 -j RETURN\n"
                        "-A idlewall_0 -j NFQUEUE --queue-num 0 --queue-bypass\n"
                        "-A FORWARD -m comment --comment idlewall:0 -j idlewall_0\n"
                        "COMMIT\n");
    assert_string_equal(install(&closed, ""),
                        "*mangle\n"
                        ":idlewall_5 - [0:0]\n"
                        "-A idlewall_5 -m mark --mark 0x40000000/0x40000000 -j RETURN\n"
                        "-A idlewall_5 -j NFQUEUE --queue-num 5\n"
                        "-A FORWARD -m comment --comment idlewall:5 -j idlewall_5\n"
                        "COMMIT\n");
}

static void local_with_scope_and_queues(void **state)
{
    struct rules_plan plan = {.hook = RULES_LOCAL, .queue_first = 2, .queue_last = 3};
    const char *why = NULL;

    (void)state;
    assert_int_equal(rules_scope_parse(&plan, "tcp/22,udp/53-54", &why), 0);
    assert_string_equal(install(&plan, ""),
                        "*mangle\n"
                        ":idlewall_2 - [0:0]\n"
                        "-A idlewall_2 -m mark --mark 0x40000000/0x40000000 -j RETURN\n"
                        "-A idlewall_2 -p tcp --dport 22:22 -j NFQUEUE --queue-balance 2:3\n"
                        "-A idlewall_2 -p tcp --sport 22:22 -j NFQUEUE --queue-balance 2:3\n"
                        "-A idlewall_2 -p udp --dport 53:54 -j NFQUEUE --queue-balance 2:3\n"
                        "-A idlewall_2 -p udp --sport 53:54 -j NFQUEUE --queue-balance 2:3\n"
                        "-A INPUT ! -i lo -m comment --comment idlewall:2 -j idlewall_2\n"
                        "-A OUTPUT -m comment --comment idlewall:2 -j idlewall_2\n"
                        "COMMIT\n");
}

/* Ours twice, somebody's who only looks like it, another daemon's, and the operator's. */
static const char listing[] =
    "-P FORWARD ACCEPT\n"
    "-N idlewall_0\n"
    "-N idlewall_01\n"
    "-N idlewall_7\n"
    "-N idlewall_mine\n"
    "-N idlewall_99999\n"
    "-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu\n"
    "-A FORWARD -m comment --comment \"idlewall:0\" -j idlewall_0\n"
    "-A FORWARD -m comment --comment \"idlewall:7\" -j idlewall_7\n"
    "-A FORWARD -m comment --comment \"-j idlewall_0\" -j ACCEPT\n"
    "-A OUTPUT -m comment --comment \"idlewall:0\" -j idlewall_0\n"
    "-A OUTPUT -j xidlewall_0\n"
    "-A idlewall_0 -j NFQUEUE --queue-num 0\n"
    "-A idlewall_7 -j NFQUEUE --queue-num 7 --queue-bypass\n";

static void removed_exactly(void **state)
{
    (void)state;
    assert_string_equal(take_out(0, listing),
                        "*mangle\n"
                        "-D FORWARD -m comment --comment \"idlewall:0\" -j idlewall_0\n"
                        "-D OUTPUT -m comment --comment \"idlewall:0\" -j idlewall_0\n"
                        "-F idlewall_0\n-X idlewall_0\nCOMMIT\n");
    assert_null(take_out(1, listing));
    assert_null(take_out(9, listing));
}

static void replaced_in_one_transaction(void **state)
{
    const struct rules_plan plan = {.fail_open = true};

    (void)state;
    assert_string_equal(install(&plan, listing),
                        "*mangle\n"
                        ":idlewall_0 - [0:0]\n"
                        "-D FORWARD -m comment --comment \"idlewall:0\" -j idlewall_0\n"
                        "-D OUTPUT -m comment --comment \"idlewall:0\" -j idlewall_0\n"
                        "-A idlewall_0 -m mark --mark 0x40000000/0x40000000 -j RETURN\n"
                        "-A idlewall_0 -j NFQUEUE --queue-num 0 --queue-bypass\n"
                        "-A FORWARD -m comment --comment idlewall:0 -j idlewall_0\n"
                        "COMMIT\n");
}

static void found(void **state)
{
    size_t at = 0;
    uint16_t queue;
    bool fail_open;

    (void)state;
    assert_true(rules_iptables_find(listing, &at, &queue, &fail_open));
    assert_int_equal(queue, 0);
    assert_false(fail_open);
    assert_true(rules_iptables_find(listing, &at, &queue, &fail_open));
    assert_int_equal(queue, 7);
    assert_true(fail_open);
    assert_false(rules_iptables_find(listing, &at, &queue, &fail_open));
    assert_int_equal(at, strlen(listing));
}

static void nft(void **state)
{
    struct rules_plan plan = {.queue_first = 1, .queue_last = 2, .fail_open = true};
    FILE *to = open_text();
    const char *why;

    (void)state;
    rules_nft_install(to, &plan);
    fclose(to);
    assert_string_equal(text, "add table inet idlewall_1\n"
                              "delete table inet idlewall_1\n"
                              "table inet idlewall_1 {\n"
                              " chain forward {\n"
                              "  type filter hook forward priority -150; policy accept;\n"
                              "  meta mark & 0x40000000 == 0x40000000 return\n"
                              "  queue num 1-2 bypass\n"
                              " }\n}\n");
    plan = (struct rules_plan){.hook = RULES_LOCAL};
    assert_int_equal(rules_scope_parse(&plan, "tcp/22", &why), 0);
    to = open_text();
    rules_nft_install(to, &plan);
    fclose(to);
    assert_non_null(strstr(text, "  iifname \"lo\" return\n  tcp dport 22-22 queue num 0\n"
                                 "  tcp sport 22-22 queue num 0\n"));
    assert_non_null(strstr(text, "hook output"));
}

static int free_text(void **state)
{
    (void)state;
    free(text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),           cmocka_unit_test(local_with_scope_and_queues),
        cmocka_unit_test(removed_exactly), cmocka_unit_test(replaced_in_one_transaction),
        cmocka_unit_test(found),           cmocka_unit_test(nft),
    };

    return cmocka_run_group_tests_name("rules", tests, NULL, free_text);
}
