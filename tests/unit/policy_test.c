/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy_equal.h"
#include "policy/policy_parse.h"
#include "policy/policy_print.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct faults {
    unsigned count;
    char first[1024];
};

static void count_fault(void *arg, const char *message)
{
    struct faults *faults = arg;

    if (faults->count++ == 0)
        snprintf(faults->first, sizeof(faults->first), "%s", message);
}

static struct policy *parse(const char *text)
{
    struct faults faults = {0};
    struct policy *policy = NULL;

    if (policy_parse(&policy, "test", text, strlen(text), count_fault, &faults) != 0)
        fail_msg("%s", faults.first);
    return policy;
}

static const struct policy_profile *default_profile(const struct policy *policy)
{
    return &policy->profiles[policy->rules[policy->n_rules - 1].profile];
}

static char *print(const struct policy *policy)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);

    policy_print(policy, to);
    fclose(to);
    return text;
}

static void shipped_are_sorted_and_whole(void **state)
{
    (void)state;
    assert_true(policy_shipped_count >= 20);
    for (size_t i = 0; i < policy_shipped_count; i++) {
        const struct policy_shipped *shipped = &policy_shipped[i];
        struct policy *policy = NULL;
        const struct policy_profile *profile;

        print_message("# %s\n", shipped->name);
        assert_true(i == 0 || strcmp(policy_shipped[i - 1].name, shipped->name) < 0);
        assert_true(strlen(shipped->text) == shipped->len);
        assert_int_equal(policy_from_profile(&policy, shipped->name), 0);
        assert_int_equal(policy->n_rules, 1);
        assert_int_equal(policy->n_profiles, 1);
        profile = default_profile(policy);
        assert_string_equal(profile->name, shipped->name);
        assert_null(
            profile->base); /* so that a printed policy does not depend on what it shadows */
        assert_non_null(profile->product);
        assert_true(strlen(shipped->name) <= 63);
        policy_unref(policy);
    }
}

/* A figure is either sourced, marked, or inherited. */
static void shipped_figures_have_sources(void **state)
{
    (void)state;
    for (size_t i = 0; i < policy_shipped_count; i++) {
        struct policy *policy = NULL;
        const struct policy_profile *profile;

        assert_int_equal(policy_from_profile(&policy, policy_shipped[i].name), 0);
        profile = default_profile(policy);
        for (unsigned k = 0; k < POLICY_SETTINGS; k++)
            if (profile->origin[k] == ORIGIN_SET && !profile->source[k])
                fail_msg("%s: %s has no source", profile->name, policy_setting_name(k));
        policy_unref(policy);
    }
}

static void shipped_survive_printing(void **state)
{
    (void)state;
    for (size_t i = 0; i < policy_shipped_count; i++) {
        struct policy *policy = NULL, *again;
        char *text;

        assert_int_equal(policy_from_profile(&policy, policy_shipped[i].name), 0);
        text = print(policy);
        again = parse(text);
        assert_true(policy_equal(policy, again));
        free(text);
        policy_unref(policy);
        policy_unref(again);
    }
}

/* policy_print_profile(): every effective value, and the language takes it back. */
static void printed_profiles_keep_every_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < policy_shipped_count; i++) {
        struct policy *policy = NULL, *again;
        const struct policy_profile *a, *b;
        char *text = NULL;
        size_t len;
        FILE *to = open_memstream(&text, &len);

        assert_int_equal(policy_from_profile(&policy, policy_shipped[i].name), 0);
        a = default_profile(policy);
        policy_print_profile(a, to);
        fprintf(to, "default use %s\n", policy_shipped[i].name);
        fclose(to);
        again = parse(text);
        b = default_profile(again);
        assert_memory_equal(a->timeout, b->timeout, sizeof(a->timeout));
        assert_int_equal(a->on_expiry, b->on_expiry);
        assert_int_equal(a->on_late, b->on_late);
        assert_int_equal(a->on_invalid, b->on_invalid);
        assert_int_equal(a->refresh, b->refresh);
        assert_string_equal(a->product, b->product);
        for (unsigned k = 0; k < POLICY_SETTINGS; k++)
            assert_int_equal(b->origin[k],
                             a->origin[k] == ORIGIN_ASSUMED ? ORIGIN_SET : a->origin[k]);
        free(text);
        policy_unref(policy);
        policy_unref(again);
    }
}

static void unknown_profile_is_no_policy(void **state)
{
    struct policy *policy = NULL;

    (void)state;
    assert_int_equal(policy_from_profile(&policy, "no-such"), -ENOENT);
    assert_int_equal(policy_from_profile(&policy, ""), -ENOENT);
    assert_int_equal(policy_from_profile(&policy, "cisco-asa\nfail closed"), -ENOENT);
    assert_null(policy);
}

static void defaults(void **state)
{
    static const int linux_s[TIMEOUT_ACTIVE] = {120, 60, 432000, 120, 60, 30, 120, 10,
                                                0,   0,  30,     120, 30, 30, 600};
    struct policy *policy = parse("profile a { }\ndefault use a");
    const struct policy_profile *profile = default_profile(policy);

    (void)state;
    assert_int_equal(policy->max_flows, 1048576);
    assert_int_equal(policy->on_full, ON_FULL_DROP_NEW);
    assert_false(policy->fail_closed);
    assert_true(policy->adopt_at_start == 300 * MTIME_SEC);
    assert_true(policy->late_memory == 3600 * MTIME_SEC);
    assert_int_equal(policy->late_memory_count, 100000);
    assert_int_equal(policy->inject_rate, 10000);
    assert_int_equal(policy->references, 1);
    for (unsigned i = 0; i < TIMEOUT_ACTIVE; i++)
        assert_true(profile->timeout[i] == (linux_s[i] ? linux_s[i] * MTIME_SEC : MTIME_NEVER));
    assert_true(profile->timeout[TIMEOUT_ACTIVE] == MTIME_NEVER);
    assert_int_equal(profile->max_retrans, 3);
    assert_int_equal(profile->half_close, HALF_CLOSE_ONE_FIN);
    assert_int_equal(profile->rst, RST_TIMER);
    assert_int_equal(profile->refresh_in, REFRESH_IN_ALL);
    assert_true(policy_is_server_port(policy, 5432));
    assert_false(policy_is_server_port(policy, 40000));
    assert_int_equal(profile->on_expiry, ON_EXPIRY_SILENT);
    assert_int_equal(profile->on_late, ON_LATE_ADOPT);
    for (unsigned i = 0; i < POLICY_SETTINGS; i++) {
        assert_int_equal(profile->origin[i], ORIGIN_ASSUMED);
        assert_null(profile->source[i]);
    }
    policy_unref(policy);
}

static void blanks_come_from_the_base_and_are_assumed(void **state)
{
    struct policy *policy = parse("profile base { udp 7s source \"book\"\n}\n"
                                  "profile mine from base { icmp 3s unverified\n}\n"
                                  "default use mine");
    const struct policy_profile *mine = default_profile(policy);

    (void)state;
    assert_true(mine->timeout[TIMEOUT_UDP] == 7 * MTIME_SEC);
    assert_int_equal(mine->origin[TIMEOUT_UDP], ORIGIN_ASSUMED);
    assert_null(mine->source[TIMEOUT_UDP]);
    assert_true(mine->timeout[TIMEOUT_ICMP] == 3 * MTIME_SEC);
    assert_int_equal(mine->origin[TIMEOUT_ICMP], ORIGIN_UNVERIFIED);
    assert_string_equal(mine->base, "base");
    policy_unref(policy);
}

static void server_ports(void **state)
{
    struct policy *policy = parse("server-ports 8443 1521 65535 3306\ndefault use cisco-asa");

    (void)state;
    assert_true(policy_is_server_port(policy, 0));
    assert_true(policy_is_server_port(policy, 1023));
    assert_false(policy_is_server_port(policy, 1024));
    assert_true(policy_is_server_port(policy, 1521));
    assert_true(policy_is_server_port(policy, 3306));
    assert_false(policy_is_server_port(policy, 3307));
    assert_true(policy_is_server_port(policy, 8443));
    assert_true(policy_is_server_port(policy, 65535));
    assert_false(policy_is_server_port(policy, 65534));
    policy_unref(policy);
}

/* Every difference counts. */
static void equal_sees_every_difference(void **state)
{
    static const char *const texts[] = {
        "profile a { }\ndefault use a",
        "max-flows 5\nprofile a { }\ndefault use a",
        "on-full evict-oldest\nprofile a { }\ndefault use a",
        "fail closed\nprofile a { }\ndefault use a",
        "adopt-at-start none\nprofile a { }\ndefault use a",
        "late-memory 5 5\nprofile a { }\ndefault use a",
        "late-memory 1h 5\nprofile a { }\ndefault use a",
        "inject-rate 5\nprofile a { }\ndefault use a",
        "server-ports 5000\nprofile a { }\ndefault use a",
        "server-ports 5001\nprofile a { }\ndefault use a",
        "profile b { }\ndefault use b",
        "profile a from cisco-asa { }\ndefault use a",
        "profile a { udp 5s }\ndefault use a",
        "profile a { udp 5s unverified }\ndefault use a",
        "profile a { udp 5s source \"x\" }\ndefault use a",
        "profile a { product \"x\" }\ndefault use a",
        "profile a { refresh each }\ndefault use a",
        "profile a { refresh-by payload }\ndefault use a",
        "profile a { on-late icmp }\ndefault use a",
        "profile a { on-expiry reset-both }\ndefault use a",
        "profile a { on-invalid drop }\ndefault use a",
        "profile a { reset-form echo }\ndefault use a",
        "profile a { refresh-in established }\ndefault use a",
        "profile a { half-close both-fins }\ndefault use a",
        "profile a { rst ends }\ndefault use a",
        "profile a { max-retrans 5 }\ndefault use a",
        "profile a { on-expiry dcd }\ndefault use a",
        "profile a { dcd-to client }\ndefault use a",
        "profile a { dcd-interval 5s }\ndefault use a",
        "profile a { dcd-count 4 }\ndefault use a",
        "profile a { dcd-before 20s }\ndefault use a",
        "profile a { dcd-answers swallow }\ndefault use a",
        "profile a { dcd-then reset-both }\ndefault use a",
        "adaptive-start 60000\nadaptive-end 120000\nprofile a { }\ndefault use a",
        "profile a { }\nrule x match \"tcp\" drop\ndefault use a",
        "profile a { }\nrule x match \"tcp\" reject\ndefault use a",
        "profile a { }\nrule x match \"udp\" drop\ndefault use a",
        "profile a { }\nrule y match \"udp\" drop\ndefault use a",
        "profile a { }\nprofile b { }\ndefault use a",
        "profile a { }\nprofile b { }\ndefault use b",
    };
    enum { N = sizeof(texts) / sizeof(texts[0]) };
    struct policy *policies[N];

    (void)state;
    for (size_t i = 0; i < N; i++)
        policies[i] = parse(texts[i]);
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < N; k++)
            if (policy_equal(policies[i], policies[k]) != (i == k))
                fail_msg("%s\nand\n%s", texts[i], texts[k]);
    for (size_t i = 0; i < N; i++)
        assert_null(policy_unref(policies[i]));
}

static void give(const char *name, const char *text, size_t len, unsigned least_faults,
                 const char *first)
{
    struct faults faults = {0};
    struct policy *policy = NULL;
    int r = policy_parse(&policy, "test", text, len, count_fault, &faults);

    print_message("# %s: %d, %u faults\n", name, r, faults.count);
    assert_int_equal(r, least_faults > 0 ? -EINVAL : 0);
    assert_true(faults.count >= least_faults);
    if (first && !strstr(faults.first, first))
        fail_msg("%s", faults.first);
    policy_unref(policy);
}

static char *repeated(const char *what, size_t count, const char *end, size_t *len)
{
    char *text = NULL;
    FILE *to = open_memstream(&text, len);

    for (size_t i = 0; i < count; i++)
        fprintf(to, what, i); /* %zu, if anything */
    fputs(end, to);
    fclose(to);
    return text;
}

static void large_texts(void **state)
{
    static const struct {
        const char *what;
        size_t count;
        const char *end;
        unsigned least_faults;
        const char *first;
    } cases[] = {
        {"profile p%zu { }\n", 4096, "default use p4095\n", 0, NULL},
        {"profile p%zu { }\n", 4097, "default use p4096\n", 1, "test:4097:1: too many profiles"},
        {"profile p%zu { }\n", 20000, "default use p1\n", 101, "test:4097:1: too many profiles"},
        {"profile p { }\n", 20000, "default use p\n", 101, "test:2:9: profile p is defined again"},
        {"rule r%zu match \"\" drop\n", 32766, "default use cisco-asa\n", 0, NULL},
        {"rule r%zu match \"\" drop\n", 32767, "default use cisco-asa\n", 1,
         "test:32767:6: too many rules"},
        {"rule r%zu match \"\" drop\n", 80000, "default use cisco-asa\n", 101, "too many rules"},
        {"rule r%zu match \"tcp\" drop\n", 3000, "default use cisco-asa\n", 0, NULL},
        {"x", 4 << 20, "", 2, "unknown statement"},
        {"\"", 4 << 20, "", 1, NULL},
        {"{", 1 << 20, "", 1, NULL},
        {"}\n", 1 << 18, "", 101, NULL},
        {"profile a {\n", 30000, "", 101, NULL},
        {"profile ", 100000, "", 1, NULL},
        {"\\", 1 << 20, "", 1, NULL},
        {"server-ports ", 1, "", 1, NULL},
        {"a ", 1 << 18, "\n", 1, NULL},
        {"#", 4 << 20, "\ndefault use cisco-asa", 1, "too long"},
        {"\n", (4 << 20) - 30, "default use cisco-asa", 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len;
        char *text = repeated(cases[i].what, cases[i].count, cases[i].end, &len);

        give(cases[i].what[0] == '\n' ? "newlines"
             : cases[i].first         ? cases[i].first
                                      : "large",
             text, len, cases[i].least_faults, cases[i].first);
        free(text);
    }
}

/* libpcap's time grows with the square of a filter's terms, so their sum is bounded. */
static void filters_are_bounded_altogether(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);

    (void)state;
    for (int i = 0; i < 80; i++) {
        fprintf(to, "rule r%d match \"", i);
        for (int k = 0; k < 127; k++)
            fputs("ip or ", to);
        fputs("ip\" drop\n", to);
    }
    fputs("default use cisco-asa\n", to);
    fclose(to);
    give("filters", text, len, 1, "test:66:16: the filters up to here are too many and too long");
    free(text);
}

static void every_prefix_and_every_changed_byte(void **state)
{
    static const char text[] =
        "max-flows 5\nfail closed # x\nprofile a from cisco-asa {\n udp 5s source "
        "\"a\\\"b\"\n on-late reset\n}\nrule r match \"tcp\" use a\ndefault use a\n";
    char changed[sizeof(text)];

    (void)state;
    for (size_t len = 0; len < sizeof(text); len++) {
        struct policy *policy = NULL;
        char *exact = malloc(len ? len : 1);

        memcpy(exact, text, len); /* so that a read beyond its end is seen */
        if (policy_parse(&policy, "prefix", exact, len, NULL, NULL) == 0)
            policy_unref(policy);
        free(exact);
    }
    for (size_t at = 0; at < sizeof(text) - 1; at++) {
        for (int byte = 0; byte < 256; byte += at % 8 == 0 ? 1 : 17) {
            struct policy *policy = NULL;

            memcpy(changed, text, sizeof(text));
            changed[at] = (char)byte;
            if (policy_parse(&policy, "changed", changed, sizeof(text) - 1, NULL, NULL) == 0)
                policy_unref(policy);
        }
    }
}

static void *ref_and_unref(void *arg)
{
    struct policy *policy = arg;

    for (int i = 0; i < 100000; i++)
        policy_unref(policy_ref(policy));
    return NULL;
}

static void references_are_atomic(void **state)
{
    struct policy *policy = parse("default use cisco-asa");
    pthread_t thread[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, ref_and_unref, policy), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_int_equal(policy->references, 1);
    assert_null(policy_unref(policy));
    assert_null(policy_ref(NULL));
    assert_null(policy_unref(NULL));
}

static void names_end(void **state)
{
    unsigned settings = 0;

    (void)state;
    while (policy_setting_name(settings))
        settings++;
    assert_int_equal(settings, POLICY_SETTINGS);
    assert_string_equal(policy_timeout_name(TIMEOUT_TCP_ESTABLISHED), "tcp-established");
    assert_string_equal(policy_timeout_name(TIMEOUT_ACTIVE), "active-timeout");
    assert_null(policy_timeout_name((enum policy_timeout)POLICY_TIMEOUTS));
    assert_string_equal(policy_on_expiry_name(ON_EXPIRY_DCD), "dcd");
    assert_null(policy_on_expiry_name((enum policy_on_expiry)(ON_EXPIRY_DCD + 1)));
    assert_string_equal(policy_on_late_name(ON_LATE_ADOPT), "adopt");
    assert_null(policy_on_late_name((enum policy_on_late)(ON_LATE_ADOPT + 1)));
    assert_string_equal(policy_refresh_name(REFRESH_NONE), "none");
    assert_null(policy_on_full_name((enum policy_on_full) - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_are_sorted_and_whole),
        cmocka_unit_test(shipped_figures_have_sources),
        cmocka_unit_test(shipped_survive_printing),
        cmocka_unit_test(printed_profiles_keep_every_value),
        cmocka_unit_test(unknown_profile_is_no_policy),
        cmocka_unit_test(defaults),
        cmocka_unit_test(blanks_come_from_the_base_and_are_assumed),
        cmocka_unit_test(server_ports),
        cmocka_unit_test(equal_sees_every_difference),
        cmocka_unit_test(large_texts),
        cmocka_unit_test(filters_are_bounded_altogether),
        cmocka_unit_test(every_prefix_and_every_changed_byte),
        cmocka_unit_test(references_are_atomic),
        cmocka_unit_test(names_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
