/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a text means; its faults are in tests/golden/scenario. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/scenario/host_setting.h"
#include "tools/scenario/scenario_parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(seconds) ((mtime_t)(seconds)*MTIME_SEC)
#define MS(milliseconds) ((mtime_t)(milliseconds)*MTIME_MSEC)
#define STORY(middle) "client linux\n" middle "server linux\nuntil 10min\n"

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

static struct scenario *parse(const char *text)
{
    struct faults faults = {0};
    struct scenario *scenario = NULL;

    if (scenario_parse(&scenario, "test", text, strlen(text), NULL, count_fault, &faults) != 0)
        fail_msg("%s", faults.first);
    return scenario;
}

/* It is refused, and the first fault begins with this. */
static void refused(const char *text, size_t len, const char *where)
{
    struct faults faults = {0};
    struct scenario *scenario = NULL;

    assert_int_equal(scenario_parse(&scenario, "test", text, len, NULL, count_fault, &faults),
                     -EINVAL);
    assert_null(scenario);
    if (strncmp(faults.first, where, strlen(where)) != 0)
        fail_msg("%s", faults.first);
}

static struct scenario *point(const struct scenario *grid, size_t first, size_t second)
{
    const size_t choice[SCENARIO_AXES] = {first, second};
    struct faults faults = {0};
    struct scenario *scenario = NULL;

    if (scenario_point(&scenario, grid, choice, count_fault, &faults) != 0)
        fail_msg("%s", faults.first);
    assert_int_equal(scenario->n_axes, 0);
    return scenario;
}

static void the_shortest_story_has_defaults(void **state)
{
    struct scenario *s = parse("client\nserver\nuntil 10min");

    (void)state;
    assert_int_equal(s->until, S(600));
    assert_int_equal(s->sample, MS(1500));
    assert_int_equal(s->seed, 1);
    assert_string_equal(s->host[FLOW_CLIENT].system.name, "linux");
    assert_int_equal(s->host[FLOW_SERVER].port, 5000);
    assert_int_equal(s->host[FLOW_SERVER].keepalive, SOFTWARE_KEEPALIVE_UNSET);
    assert_int_equal(s->host[FLOW_SERVER].times.idle, S(7200));
    assert_int_equal(s->n_firewalls, 0);
    assert_int_equal(s->link[0].delay, 250 * 1000);
    assert_int_equal(s->n_deeds + s->n_expectations + s->n_axes + s->workload.clients, 0);
    assert_int_equal(scenario_points(s), 1);
    scenario_destroy(s);
}

static void places_follow_the_path(void **state)
{
    struct scenario *s =
        parse("client linux\nlink delay 1ms\nfirewall aws-nlb-tcp named outer\n"
              "firewall linux-nf-conntrack\nlink loss 2.5% lose server 7 lose "
              "server 3\nserver aix\nat 1s outer forget\nat 2s lose 2 from server\n"
              "at 3s block\nat 4s prohibit from server at server\nuntil 5s\n");

    (void)state;
    assert_string_equal(scenario_place_name(s, 0), "client");
    assert_string_equal(scenario_place_name(s, 1), "outer");
    assert_string_equal(scenario_place_name(s, 2), "firewall2");
    assert_string_equal(scenario_place_name(s, 3), "server");
    assert_int_equal(scenario_server(s), 3);
    assert_int_equal(s->link[0].delay, MS(1));
    assert_int_equal(s->link[1].delay, 250 * 1000);
    assert_true(s->link[2].loss > 0.02499 && s->link[2].loss < 0.02501);
    assert_int_equal(s->link[2].n_lose[FLOW_CLIENT], 0);
    assert_int_equal(s->link[2].n_lose[FLOW_SERVER], 2);
    assert_int_equal(s->link[2].lose[FLOW_SERVER][0], 3);
    assert_int_equal(s->link[2].lose[FLOW_SERVER][1], 7);
    assert_int_equal(s->deeds[0].place, 1);
    assert_int_equal(s->deeds[1].place, 3);
    assert_int_equal(s->deeds[2].place, 1);
    assert_false(s->deeds[2].side_given);
    assert_int_equal(s->deeds[3].place, 3);
    assert_true(s->deeds[3].side_given && s->deeds[3].side == FLOW_SERVER);
    scenario_destroy(s);
}

static void deeds_happen_in_order(void **state)
{
    struct scenario *s = parse(STORY("at 1min client send 5\n"
                                     "after 10s server close\n"
                                     "at 0 client connect\n"
                                     "every 4min from 30s client send 7\n"
                                     "after 15s server read\n"
                                     "at 30s server send 9\n"));
    static const struct {
        mtime_t at;
        enum deed_verb verb;
        uint32_t number;
    } expected[] = {
        {S(0), DEED_CONNECT, 0}, {S(30), DEED_SEND, 7},  {S(30), DEED_SEND, 9},
        {S(45), DEED_READ, 0},   {S(60), DEED_SEND, 5},  {S(70), DEED_CLOSE, 0},
        {S(270), DEED_SEND, 7},  {S(510), DEED_SEND, 7},
    };

    (void)state;
    assert_int_equal(s->n_deeds, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < s->n_deeds; i++) {
        assert_int_equal(s->deeds[i].at, expected[i].at);
        assert_int_equal(s->deeds[i].verb, expected[i].verb);
        assert_int_equal(s->deeds[i].number, expected[i].number);
    }
    assert_int_equal(s->deeds[0].line, 4);
    scenario_destroy(s);
}

static void every_ends_where_it_is_told(void **state)
{
    struct scenario *s = parse(STORY("every 3min client send 1\n"
                                     "every 1min from 0 to 2min server send 2\n"));
    size_t client = 0, server = 0;

    (void)state;
    for (size_t i = 0; i < s->n_deeds; i++)
        s->deeds[i].place == SCENARIO_CLIENT ? client++ : server++;
    assert_int_equal(client, 3); /* 3, 6, 9 min */
    assert_int_equal(server, 3); /* 0, 1, 2 min */
    scenario_destroy(s);
}

static void what_is_written_wins_over_the_program(void **state)
{
    struct scenario *s = parse("client app sqlserver\n"
                               "server keepalive idle 100 app sqlserver port 7\nuntil 1h");
    const struct software *app = software_find("sqlserver", 9);

    (void)state;
    assert_true(app->side[FLOW_SERVER].times.idle > 0 && app->side[FLOW_SERVER].times.interval > 0);
    assert_ptr_equal(s->host[FLOW_CLIENT].software, app);
    assert_int_equal(s->host[FLOW_CLIENT].times.idle, app->side[FLOW_CLIENT].times.idle);
    assert_int_equal(s->host[FLOW_SERVER].port, 7);
    assert_int_equal(s->host[FLOW_SERVER].times.idle, S(100));
    assert_int_equal(s->host[FLOW_SERVER].times.interval, app->side[FLOW_SERVER].times.interval);
    assert_int_equal(s->host[FLOW_SERVER].times.count, 9); /* nobody says: the system's */
    assert_int_equal(s->host[FLOW_CLIENT].keepalive, app->side[FLOW_CLIENT].keepalive);
    scenario_destroy(s);
    s = parse("client\nserver app sqlserver keepalive off\nuntil 1h");
    assert_int_equal(s->host[FLOW_SERVER].port, app->port);
    assert_int_equal(s->host[FLOW_SERVER].keepalive, SOFTWARE_KEEPALIVE_OFF);
    scenario_destroy(s);
}

static void keepalive_comes_in_three_shapes(void **state)
{
    struct scenario *s = parse("client keepalive off\nserver keepalive 1h 6 10\nuntil 1h\n"
                               "at 1s client set keepalive count 3\n"
                               "at 2s server set keepalive off\nat 3s server set user-timeout 0\n");

    (void)state;
    assert_int_equal(s->host[FLOW_CLIENT].keepalive, SOFTWARE_KEEPALIVE_OFF);
    assert_int_equal(s->host[FLOW_SERVER].times.idle, S(3600));
    assert_int_equal(s->host[FLOW_SERVER].times.interval, S(6));
    assert_int_equal(s->host[FLOW_SERVER].times.count, 10);
    assert_int_equal(s->deeds[0].keepalive, SOFTWARE_KEEPALIVE_ON);
    assert_int_equal(s->deeds[0].times.count, 3);
    assert_int_equal(s->deeds[0].times.idle, S(7200)); /* as it was */
    assert_int_equal(s->deeds[1].keepalive, SOFTWARE_KEEPALIVE_OFF);
    assert_int_equal(s->deeds[2].verb, DEED_USER_TIMEOUT);
    assert_int_equal(s->deeds[2].duration, 0);
    scenario_destroy(s);
}

static const struct policy_profile *profile_of(const struct scenario *s, size_t which)
{
    const struct policy *policy = s->firewall[which].policy;

    return &policy->profiles[policy->rules[policy->n_rules - 1].profile];
}

static void a_firewall_is_a_policy(void **state)
{
    struct scenario *s =
        parse(STORY("firewall aws-nlb-tcp tcp-established 99s max-flows 12\nfirewall {\n"
                    "adopt-at-start 7s\n}\n"));
    struct policy *again = NULL;
    struct faults faults = {0};

    (void)state;
    assert_int_equal(profile_of(s, 0)->timeout[TIMEOUT_TCP_ESTABLISHED], S(99));
    assert_int_equal(s->firewall[0].policy->max_flows, 12);
    assert_int_equal(s->firewall[0].policy->adopt_at_start, 0);
    assert_string_equal(s->firewall[0].profile, "aws-nlb-tcp");
    assert_int_equal(s->firewall[1].policy->adopt_at_start, S(7));
    assert_string_equal(s->firewall[1].profile, "linux-nf-conntrack");
    /* The daemon of the lab gets this text. */
    assert_int_equal(policy_parse(&again, "text", s->firewall[0].policy_text,
                                  strlen(s->firewall[0].policy_text), count_fault, &faults),
                     0);
    policy_unref(again);
    scenario_destroy(s);
}

static void a_grid_is_chosen_in_the_text(void **state)
{
    static const int idle[] = {60, 120, 240, 480, 960, 1900, 3840}; /* rounded to two digits */
    static const char text[] = "client linux\nfirewall tcp-established 5min,1h\n"
                               "server linux keepalive idle 60..3840 in 7\nuntil 2h\n";
    struct scenario *s = parse(text), *p;

    (void)state;
    assert_int_equal(s->n_axes, 2);
    assert_int_equal(scenario_points(s), 14);
    for (size_t i = 0; i < 2; i++)
        assert_memory_equal(s->text + s->axis[i].offset, i == 0 ? "5min,1h\n" : "60..3840 in 7\n",
                            s->axis[i].len + 1);
    assert_string_equal(s->axis[0].label, "firewall tcp-established");
    assert_string_equal(s->axis[1].label, "server keepalive idle");
    assert_int_equal(s->axis[1].line, 3);
    assert_int_equal(s->axis[1].column, 29);
    /* All above is the first point. */
    assert_int_equal(profile_of(s, 0)->timeout[TIMEOUT_TCP_ESTABLISHED], S(300));
    assert_int_equal(s->host[FLOW_SERVER].times.idle, S(60));
    for (size_t i = 0; i < 7; i++) {
        p = point(s, 1, i);
        assert_int_equal(profile_of(p, 0)->timeout[TIMEOUT_TCP_ESTABLISHED], S(3600));
        assert_int_equal(p->host[FLOW_SERVER].times.idle, S(idle[i]));
        scenario_destroy(p);
    }
    scenario_destroy(s);
}

static void check_values(const char *values, const char *const *expected, size_t n)
{
    char text[256];
    struct scenario *s;

    snprintf(text, sizeof(text), "client linux\nserver linux read-timeout %s\nuntil 1d\n", values);
    s = parse(text);
    assert_int_equal(s->n_axes, 1);
    assert_int_equal(s->axis[0].n_values, n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(s->axis[0].values[i], expected[i]);
    scenario_destroy(s);
}

static void ranges_become_values(void **state)
{
    static const char *const eight[] = {"5min",  "9min",  "15min",  "26min",
                                        "46min", "79min", "137min", "4h"};
    static const char *const steps[] = {"10s", "14s", "18s"};
    static const char *const ends[] = {"1s", "3s", "4s"};
    static const char *const list[] = {"1s", "1min", "3"};
    struct scenario *s = parse("client linux\nserver linux read-timeout 5min..4h\nuntil 1d");

    (void)state;
    /* 240 / 5 is 48: each value is 48^(1/7) = 1.74 times the one before. */
    assert_int_equal(s->axis[0].n_values, 8);
    assert_string_equal(s->axis[0].values[0], eight[0]);
    assert_string_equal(s->axis[0].values[7], eight[7]);
    for (size_t i = 1; i < 8; i++) {
        struct scenario *low = point(s, i - 1, 0), *high = point(s, i, 0);
        double ratio = (double)high->host[FLOW_SERVER].behaviour.read_timeout /
                       (double)low->host[FLOW_SERVER].behaviour.read_timeout;

        assert_true(ratio > 1.65 && ratio < 1.83);
        scenario_destroy(low);
        scenario_destroy(high);
    }
    scenario_destroy(s);
    check_values("10s..20s step 4s", steps, 3);
    check_values("1s..4s step 2", ends, 2);
    check_values("1s,1min,3", list, 3);
    s = parse("seed 7..18446744073709551615 step 18446744073709551600\nclient\nserver\nuntil 1d");
    assert_int_equal(s->axis[0].n_values, 2); /* the sum is taken nowhere */
    scenario_destroy(s);
}

static void a_grid_has_limits(void **state)
{
    static const char nine[] = "client linux keepalive 1,2 1,2 1,2 retries 1,2 read-timeout 1,2\n"
                               "server linux keepalive 1,2 1,2 1,2 retries 1,2\nuntil 1h\n";
    static const char large[] = "client linux keepalive 1..300 step 1 1..300 step 1 1,2\n"
                                "server linux\nuntil 1h\n";
    struct scenario *s = parse("client linux keepalive 1..250 step 1 1..200 step 1 1,2\n"
                               "server linux\nuntil 1h\n");

    (void)state;
    assert_int_equal(scenario_points(s), SCENARIO_POINTS_MAX);
    scenario_destroy(s);
    refused(nine, strlen(nine), "test:2:");
    refused(large, strlen(large), "test:1:");
}

static void a_value_that_is_not_possible_is_found_before_the_grid_is_played(void **state)
{
    static const char word[] = "client linux\nfirewall on-late drop,reset,shout\nserver\nuntil 1h";
    static const char order[] = "client linux keepalive 60,90,0 1 1\nserver\nuntil 1h";
    static const char pair[] = "client linux rto-min 1s,2min rto-max 2min,1s\nserver\nuntil 1h";

    (void)state;
    refused(word, strlen(word), "test:2:29:");
    refused(order, strlen(order), "test:1:30:");
    refused(pair, strlen(pair), "test:1:");
}

static void expectations_say_when(void **state)
{
    struct scenario *s = parse(STORY("firewall\nexpect client error ETIMEDOUT\n"
                                     "expect not server state ESTABLISHED\n"
                                     "expect server timer keepalive 5s..6s 0 2 at 1min\n"
                                     "expect firewall sends R. from client times 2..3 at 1s..2s\n"
                                     "expect client receives window-probe times 0\n"
                                     "expect client receives nothing at 9min..10min\n"
                                     "expect firewall flow gone\n"));
    const struct expectation *e = s->expectations;

    (void)state;
    assert_int_equal(s->n_expectations, 7);
    assert_int_equal(e[0].kind, EXPECT_ERROR);
    assert_int_equal(e[0].error, ETIMEDOUT);
    assert_int_equal(e[0].from, 0);
    assert_int_equal(e[0].to, s->until);
    assert_true(e[1].negated && e[1].state == SOCKET_ESTABLISHED && e[1].place == 2);
    assert_int_equal(e[1].from, s->until);
    assert_int_equal(e[2].timer, TIMER_KEEPALIVE);
    assert_true(e[2].left_from == S(5) && e[2].left_to == S(6));
    assert_true(e[2].retransmits == 0 && e[2].probes == 2);
    assert_true(e[2].at_given && e[2].from == S(60) && e[2].to == S(60));
    assert_string_equal(e[2].text, "server timer keepalive 5s..6s 0 2 at 1min");
    assert_true(e[3].passage == EXPECT_SENDS && e[3].flags == 0x14 && e[3].note == -1);
    assert_true(e[3].side_given && e[3].side == FLOW_CLIENT);
    assert_true(e[3].number_from == 2 && e[3].number_to == 3);
    assert_true(e[3].from == S(1) && e[3].to == S(2) && e[3].place == 1);
    assert_true(e[4].note == NOTE_WINDOW_PROBE && e[4].flags == EXPECT_ANY);
    assert_true(e[4].number_from == 0 && e[4].number_to == 0);
    assert_int_equal(e[5].kind, EXPECT_HEARD);
    assert_true(e[6].kind == EXPECT_FLOW && e[6].state == -1);
    assert_true(e[6].line == 9 && e[6].column == 1);
    scenario_destroy(s);
}

static void a_workload_is_figures(void **state)
{
    struct scenario *s =
        parse(STORY("") "repeat 1000 clients over 5min arrivals regular idle lognormal 10min 1.5 "
                        "requests 3..5 request 7 answer 8 after 2s vanish 0.5%\n");
    const struct workload *w = &s->workload;

    (void)state;
    assert_true(w->clients == 1000 && w->over == S(300) && w->regular);
    assert_true(w->idle.spread == SPREAD_LOGNORMAL && w->idle.a == S(600));
    assert_true(w->idle.shape > 1.499 && w->idle.shape < 1.501);
    assert_true(w->requests_from == 3 && w->requests_to == 5);
    assert_true(w->request_bytes == 7 && w->answer_bytes == 8 && w->answer_after == S(2));
    assert_true(w->vanish > 0.00499 && w->vanish < 0.00501);
    scenario_destroy(s);
}

static void set_replaces(void **state)
{
    struct scenario *s = parse(STORY(
        "link delay 5ms\nfirewall tcp-established 1h,2h\n") "set server keepalive idle 77 port 9\n"
                                                            "set firewall tcp-established 3h\nset "
                                                            "link delay 9ms\n"
                                                            "set server port 10\n");

    (void)state;
    assert_int_equal(s->n_axes, 0);
    assert_int_equal(s->host[FLOW_SERVER].port, 10);
    assert_int_equal(s->host[FLOW_SERVER].times.idle, S(77));
    assert_int_equal(profile_of(s, 0)->timeout[TIMEOUT_TCP_ESTABLISHED], S(10800));
    assert_int_equal(s->link[0].delay, MS(9));
    assert_int_equal(s->link[1].delay, MS(9));
    scenario_destroy(s);
}

static void texts_from_anywhere_are_bounded(void **state)
{
    static const char nul[] = "client linux\0server linux\nuntil 1h\n";
    static const char latin[] = "client\nserver\nuntil 1h\ntitle \"caf\xe9\"\n";
    char *large = malloc(SCENARIO_TEXT_MAX + 2);
    struct scenario *s;

    (void)state;
    assert_non_null(large);
    memset(large, '#', SCENARIO_TEXT_MAX + 1);
    refused(large, SCENARIO_TEXT_MAX + 1, "test:1:1:");
    memcpy(large, "client\nserver\nuntil 9\n", 22);
    large[SCENARIO_TEXT_MAX] = '\0';
    s = parse(large);
    scenario_destroy(s);
    free(large);
    refused(nul, sizeof(nul) - 1, "test:1:");
    refused(latin, sizeof(latin) - 1, "test:4:7:");
}

static void words_go_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < SOCKET_STATES; i++) {
        const char *name = socket_state_name((enum socket_state)i);

        assert_int_equal(socket_state_parse(name, strlen(name)), i);
    }
    for (int i = 0; i < SOCKET_TIMERS; i++) {
        const char *name = socket_timer_name((enum socket_timer)i);

        assert_int_equal(socket_timer_parse(name, strlen(name)), i);
    }
    for (int i = NOTE_NONE + 1; i < PACKET_NOTES; i++) {
        const char *word = packet_note_word((enum packet_note)i);

        assert_int_equal(packet_note_parse(word, strlen(word)), i);
        assert_true(strlen(packet_note_name((enum packet_note)i)) > 0);
    }
    assert_int_equal(packet_note_parse("", 0), -1);
    assert_int_equal(socket_state_parse("ESTAB", 5), -1);
    assert_int_equal(errno_parse("ETIMEDOUT", 9), ETIMEDOUT);
    assert_int_equal(errno_parse("ETIMEDOU", 8), 0);
    assert_string_equal(errno_name(ECONNRESET), "ECONNRESET");
    assert_null(errno_name(ENOTTY));
    for (int verb = DEED_CONNECT; verb <= DEED_RESTART; verb++)
        assert_true(strlen(deed_name((enum deed_verb)verb)) > 0);
}

static void settings_are_named_once(void **state)
{
    char names[1024] = "";

    (void)state;
    for (size_t i = 0; i < host_setting_count; i++) {
        const struct host_setting *setting = &host_settings[i];

        assert_ptr_equal(host_setting_find(setting->name, strlen(setting->name)), setting);
        snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", i > 0 ? ", " : "",
                 setting->name);
    }
    assert_string_equal(host_setting_names(), names);
    assert_null(host_setting_find("por", 3));
    assert_true(host_setting_count <= 56); /* HOST_SET_KEEPALIVE and above */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shortest_story_has_defaults),
        cmocka_unit_test(places_follow_the_path),
        cmocka_unit_test(deeds_happen_in_order),
        cmocka_unit_test(every_ends_where_it_is_told),
        cmocka_unit_test(what_is_written_wins_over_the_program),
        cmocka_unit_test(keepalive_comes_in_three_shapes),
        cmocka_unit_test(a_firewall_is_a_policy),
        cmocka_unit_test(a_grid_is_chosen_in_the_text),
        cmocka_unit_test(ranges_become_values),
        cmocka_unit_test(a_grid_has_limits),
        cmocka_unit_test(a_value_that_is_not_possible_is_found_before_the_grid_is_played),
        cmocka_unit_test(expectations_say_when),
        cmocka_unit_test(a_workload_is_figures),
        cmocka_unit_test(set_replaces),
        cmocka_unit_test(texts_from_anywhere_are_bounded),
        cmocka_unit_test(words_go_both_ways),
        cmocka_unit_test(settings_are_named_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
