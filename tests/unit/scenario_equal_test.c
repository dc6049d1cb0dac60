/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What makes two scenarios different; lists that `set` replaces; what is refused as endless. */
#include "tools/scenario/scenario_equal.h"
#include "tools/scenario/scenario_parse.h"
#include "tools/scenario/scenario_print.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATH "client linux\nserver linux\n"
#define GATE "client\nfirewall aws-nat-gateway\nserver\n"

struct heard {
    unsigned n;
    char first[600];
};

static void hear(void *arg, const char *message)
{
    struct heard *heard = arg;

    if (heard->n++ == 0)
        snprintf(heard->first, sizeof(heard->first), "%s", message);
}

static struct scenario *parse(const char *text)
{
    struct scenario *s = NULL;
    struct heard heard = {0};
    int r = scenario_parse(&s, "s", text, strlen(text), NULL, hear, &heard);

    if (r < 0)
        fail_msg("%s: %s", text, heard.first);
    return s;
}

static void refused(const char *text, const char *start)
{
    struct scenario *s = NULL;
    struct heard heard = {0};

    assert_int_equal(scenario_parse(&s, "s", text, strlen(text), NULL, hear, &heard), -EINVAL);
    assert_null(s);
    if (strncmp(heard.first, start, strlen(start)) != 0)
        fail_msg("%.200s: %s, not %s", text, heard.first, start);
}

static void every_difference_counts(void **state)
{
    static const char *const pairs[][2] = {
        {PATH "title \"a\"", PATH "title \"b\""},
        {PATH "story \"a\"", PATH},
        {PATH "remedy \"a\"", PATH "remedy \"\""},
        {PATH "seed 2", PATH},
        {PATH "virtual-only", PATH},
        {PATH "sample 7s", PATH},
        {PATH "plot time", PATH},
        {"client linux\nserver aix", PATH},
        {"client linux\nserver linux port 1", PATH},
        {"client linux\nserver linux keepalive on", PATH},
        {"client linux\nserver keepalive off idle 5", "client\nserver keepalive off idle 6"},
        {"client linux\nserver tcp-keepalive 1 2 3", "client\nserver tcp-keepalive 1 2 4"},
        {"client linux\nserver linux app redis", PATH},
        {"client linux\nserver linux jiffy 0", PATH},
        {"client linux\nserver linux hz 100", "client\nserver hz 300"},
        {"client linux\nserver linux answer 5 after 1s", "client\nserver answer 5"},
        {"client linux\nserver linux heartbeat 5s", "client\nserver heartbeat 6s"},
        {"client linux\nserver linux mss 100,200", "client\nserver mss 100,300"},
        {"client linux\nserver linux sack off", "client\nserver sack on"},
        {"client linux\nserver linux fin-timeout never", "client\nserver fin-timeout 5s"},
        {GATE, PATH},
        {GATE, "client\nfirewall aws-nat-gateway named x\nserver"},
        {GATE, "client\nfirewall cisco-asa\nserver"},
        {GATE, "client\nfirewall aws-nat-gateway tcp-established 9h\nserver"},
        {GATE, "client\nfirewall aws-nat-gateway max-flows 9\nserver"},
        {PATH, "client\nlink delay 5ms\nserver"},
        {PATH, "client\nlink loss 1%\nserver"},
        {PATH, "client\nlink lose client 1\nserver"},
        {PATH "at 5s client close", PATH "at 6s client close"},
        {PATH "at 5s client close", PATH "at 5s client abort"},
        {PATH "at 5s client close", PATH "at 5s server close"},
        {PATH "at 5s client send 1", PATH "at 5s client send 2"},
        {PATH "at 5s client link up", PATH "at 5s client link up with new address"},
        {PATH "at 5s block", PATH "at 5s block from client"},
        {PATH "at 5s block", PATH "at 5s block at client"},
        {PATH "at 5s client set user-timeout 1", PATH "at 5s client set user-timeout 2"},
        {PATH "at 5s client set keepalive 1 2 3", PATH "at 5s client set keepalive 1 2 4"},
        {PATH "expect client eof", PATH},
        {PATH "expect client eof", PATH "expect server eof"},
        {PATH "expect client eof", PATH "expect not client eof"},
        {PATH "expect client eof at 5s", PATH "expect client eof at 6s"},
        {PATH "repeat 5 clients over 1h", PATH},
        {PATH "repeat 5 clients over 1h", PATH "repeat 5 clients over 2h"},
        {PATH "repeat 5 clients over 1h", PATH "repeat 5 clients over 1h vanish 1%"},
        {PATH "repeat 5 clients over 1h", PATH "repeat 5 clients over 1h idle 5s"},
        {PATH "repeat 5 clients over 1h", PATH "repeat 5 clients over 1h requests 1..2"},
    };
    char text[2][300];

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct scenario *s[2], *same;

        for (unsigned k = 0; k < 2; k++) {
            snprintf(text[k], sizeof(text[k]), "%s\nuntil 3h", pairs[i][k]);
            s[k] = parse(text[k]);
        }
        same = parse(text[0]);
        if (scenario_equal(s[0], s[1]) || scenario_equal(s[1], s[0]))
            fail_msg("%s is like %s", text[0], text[1]);
        assert_true(scenario_equal(s[0], same));
        scenario_destroy(s[0]);
        scenario_destroy(s[1]);
        scenario_destroy(same);
    }
}

static void set_replaces_a_list(void **state)
{
    struct scenario *s =
        parse("client linux mss 100\nlink delay 1ms,2ms loss 5%\nfirewall tcp-established 1h,2h\n"
              "link delay 7ms\nserver linux keepalive idle 60,300\nset client mss 200\n"
              "set server keepalive idle 90\nset firewall tcp-established 3h\nset link loss 1%\n"
              "until 1h");
    const struct policy_profile *profile = s->firewall[0].policy->profiles;
    struct scenario *point = NULL;
    size_t choice = 1;

    (void)state;
    assert_int_equal(s->host[FLOW_CLIENT].system.mss, 200);
    assert_true(s->host[FLOW_SERVER].times.idle == 90 * MTIME_SEC);
    assert_true(profile->timeout[TIMEOUT_TCP_ESTABLISHED] == 3 * 3600 * MTIME_SEC);
    /* The list that is left is that of the delay, which was not set. */
    assert_int_equal(s->n_axes, 1);
    assert_string_equal(s->axis[0].label, "link 1 delay");
    assert_true(s->link[0].delay == MTIME_MSEC && s->link[1].delay == 7 * MTIME_MSEC);
    assert_true(s->link[0].loss > 0.0099 && s->link[0].loss < 0.0101);
    assert_true(s->link[1].loss > 0.0099 && s->link[1].loss < 0.0101);
    assert_int_equal(scenario_point(&point, s, &choice, NULL, NULL), 0);
    assert_int_equal(point->n_axes, 0);
    assert_true(point->link[0].delay == 2 * MTIME_MSEC);
    assert_true(point->host[FLOW_SERVER].times.idle == 90 * MTIME_SEC);
    scenario_destroy(point);
    scenario_destroy(s);
}

static void keepalive_is_in_seconds(void **state)
{
    struct scenario *s = parse("client linux\nserver linux keepalive 2h 75s 9\nuntil 1h");

    (void)state;
    assert_true(s->host[1].keepalive == SOFTWARE_KEEPALIVE_ON);
    assert_true(s->host[1].times.idle == 7200 * MTIME_SEC);
    assert_true(s->host[1].times.interval == 75 * MTIME_SEC);
    assert_int_equal(s->host[1].times.count, 9);
    scenario_destroy(s);
    refused("client linux\nserver linux keepalive 1500ms 1 1\nuntil 1h", "s:2:24: ");
    refused("client linux\nserver linux keepalive 32768 1 1\nuntil 1h", "s:2:24: ");
    scenario_destroy(parse("client linux\nserver aix keepalive 32768 1 1\nuntil 1h"));
}

/* Where the value stands in the text, not in the one with the value in its place. */
static void faults_of_a_grid(void **state)
{
    (void)state;
    refused("client linux\nfirewall tcp-established 1h,2h on-late drop,bad,reset\nserver\nuntil 1h",
            "s:2:45: with firewall on-late bad: ");
    refused("client linux\nserver linux rto-min 1s,2s rto-max 2s,1s\nuntil 1h",
            "s:2:39: with server rto-min 2s, server rto-max 1s: ");
    refused("client linux\nserver linux mss 100,200,5,300\nuntil 1h", "s:2:26: ");
}

static void nothing_is_endless(void **state)
{
    size_t room = SCENARIO_TEXT_MAX + 100, used;
    char *text = malloc(room);

    (void)state;
    assert_non_null(text);
    refused(PATH "every 1ms client send 1\nuntil 366d", "s:3:23: this happens too often");
    refused("client linux heartbeat 1ms\nserver\nuntil 366d", "s:1:1: too many heartbeats");
    refused("client linux mss 100..1100 step 1\nserver linux\nuntil 1h", "s:1:33: too many values");
    refused("client mss 88..900 step 1\nserver mss 88..900 step 1\nuntil 1h", "s:2:12: the grid");
    refused(PATH "repeat 20000000 clients over 1h requests 100000\nuntil 1h", "s:3:42: too many");
    /* Joined anew with every line, a megabyte of them would take long. */
    used = (size_t)sprintf(text, "client\nserver\n");
    while (used < SCENARIO_TEXT_MAX - 100)
        used += (size_t)sprintf(text + used, "story \"ab\"\n");
    refused(text, "s:2670:7: too much text");
    memset(text, 'x', room);
    text[room - 1] = '\0';
    refused(text, "s:1:1: the text is too long");
    /* Many values, and a text that takes long: refused before it is tried. */
    used = (size_t)sprintf(text, "client mss 100..1000 step 1\nserver\nuntil 1h\n");
    while (used < 200000)
        used += (size_t)sprintf(text + used, "#%100s\n", "");
    refused(text, "s:1:12: too many values for so long a story");
    free(text);
}

static void a_full_disk_is_noticed(void **state)
{
    struct scenario *s = parse(PATH "until 1h");
    FILE *to = fopen("/dev/full", "w");

    (void)state;
    setvbuf(to, NULL, _IONBF, 0);
    assert_true(scenario_print(to, s) < 0);
    fclose(to);
    scenario_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_difference_counts), cmocka_unit_test(set_replaces_a_list),
        cmocka_unit_test(keepalive_is_in_seconds), cmocka_unit_test(faults_of_a_grid),
        cmocka_unit_test(nothing_is_endless),      cmocka_unit_test(a_full_disk_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
