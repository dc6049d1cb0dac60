/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What came of stories made by hand: who forgot, who noticed, who believes, what would have helped.
 */
#include "timeline_story.h"

#include "tools/timeline/outcome.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char *paragraph(const struct story *s)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    assert_non_null(to);
    assert_int_equal(story_outcome_text(to, s->timeline, UINT32_MAX), 0);
    assert_int_equal(fclose(to), 0);
    return text;
}

static void says(const struct story *s, const char *what)
{
    char *text = paragraph(s);

    if (!strstr(text, what))
        print_error("missing: %s\nin: %s", what, text);
    assert_non_null(strstr(text, what));
    free(text);
}

static void says_not(const struct story *s, const char *what)
{
    char *text = paragraph(s);

    if (strstr(text, what))
        print_error("unexpected: %s\nin: %s", what, text);
    assert_null(strstr(text, what));
    free(text);
}

static void the_firewall_forgot(void **state)
{
    struct outcome_connection o;
    struct story s;

    (void)state;
    story_make(&s, "");
    assert_int_equal(story_outcome(s.timeline, 1, &o), 0);
    assert_int_equal(o.forgotten_by, 1);
    assert_true(o.forgotten_at == HOUR + SEC + 750 * US);
    assert_int_equal(o.forgotten_timeout, TIMEOUT_TCP_ESTABLISHED);
    assert_true(o.forgotten_after == HOUR);
    assert_true(o.late);
    assert_true(o.late_at == 2 * HOUR + 40 * SEC + 250 * US);
    assert_int_equal(o.late_action, ACTED_RESET_SENDER);
    assert_true(o.longest_idle == 2 * HOUR + 39 * SEC - MS);
    assert_true(o.broken);
    assert_true(o.side[FLOW_CLIENT].believes);
    assert_true(o.side[FLOW_CLIENT].noticed == MTIME_NEVER);
    assert_false(o.side[FLOW_SERVER].believes);
    assert_int_equal(o.side[FLOW_SERVER].error, ECONNRESET);
    assert_true(o.side[FLOW_SERVER].noticed == 2 * HOUR + 40 * SEC + 500 * US);
    assert_int_equal(o.side[FLOW_SERVER].probes, 1);
    assert_int_equal(o.side[FLOW_CLIENT].probes, 0);
    assert_int_equal(story_outcome(s.timeline, 2, &o), -ENOENT);
    says(&s, "The firewall forgot the connection at 1:00:01.000 after 1h without a packet");
    says(&s,
         "came too late, at 2:00:40.000, and was answered with a reset in the other end's name");
    says(&s, "The server was told at 2:00:40.000: ECONNRESET");
    says(&s, "The client still believes: after 4h its socket is ESTABLISHED");
    says(&s, "at most 53min20s on either end");
    says(&s, "the client's keepalive was off and the server's was 2h");
    says_not(&s, "Nobody lost anything");
    story_finish(&s);
}

/* 350 s less a ninth is 311 s: what is measured on Linux to be in time. */
static void the_advice_is_worked_out(void **state)
{
    struct story s;

    (void)state;
    story_make(&s, "");
    for (size_t i = 0; i < s.timeline->n_events; i++)
        if (s.timeline->events[i].kind == TIMELINE_FLOW)
            s.timeline->events[i].flow.flow.timeout = 350 * SEC;
    says(&s, "at most 311s on either end (350s less a ninth");
    story_finish(&s);
}

static struct story policy_story(const char *setting)
{
    char text[4096];
    struct story s;

    snprintf(text, sizeof(text),
             "client linux\nfirewall linux-nf-conntrack tcp-established 1h %s\n"
             "server linux keepalive 7200 75 9\nat 0s client connect\nat 1s client send 100\n"
             "at 3h client link down\nuntil 4h\n",
             setting);
    story_init(&s, text);
    story_play(&s);
    return s;
}

static void keepalive_is_not_advised_where_it_does_not_count(void **state)
{
    struct story s = policy_story("refresh-by payload");

    (void)state;
    says(&s, "Keepalive probes do not count for firewall");
    says_not(&s, "on either end");
    story_finish(&s);
    s = policy_story("refresh none");
    says(&s, "No keepalive would have helped");
    says_not(&s, "on either end");
    story_finish(&s);
}

/* Only the handshake and some data, in a scenario of its own. */
static struct story quiet(const char *text)
{
    struct story s;

    story_init(&s, text);
    story_handshake(&s);
    story_data(&s);
    return s;
}

#define QUIET(deed)                                                                                \
    "client linux\nfirewall\nserver linux\nat 0s client connect\nat 1s client send 100\n" deed     \
    "until 10h\n"

static void all_is_well(void **state)
{
    struct outcome_connection o;
    struct story s = quiet(QUIET(""));

    (void)state;
    story_sort(&s);
    assert_int_equal(story_outcome(s.timeline, 1, &o), 0);
    assert_false(o.broken);
    assert_false(o.stuck);
    says(&s, "The client is still connected, and rightly so.");
    says(&s, "Nobody lost anything.");
    story_finish(&s);
}

static void a_crash_is_not_noticed_without_keepalive(void **state)
{
    struct outcome_connection o;
    struct story s = quiet(QUIET("at 1min client crash\n"));

    (void)state;
    story_deed(&s, 2);
    story_sort(&s);
    assert_int_equal(story_outcome(s.timeline, 1, &o), 0);
    assert_true(o.side[FLOW_CLIENT].crashed);
    assert_int_equal(o.side[FLOW_CLIENT].state, SOCKET_GONE);
    assert_true(o.side[FLOW_SERVER].believes);
    assert_true(o.broken);
    assert_int_equal(o.forgotten_by, -1);
    says(&s, "The client crashed at 0:01:00.000.");
    says(&s, "The server still believes: after 10h its socket is ESTABLISHED, though the client's "
             "has been gone since 0:01:00.000");
    says(&s, "(7200 s idle, then 9 probes every 75 s) it would have known after 2h11min15s");
    story_finish(&s);
}

static void a_new_address_leaves_both_alone(void **state)
{
    struct outcome_connection o;
    struct story s = quiet(QUIET("at 1min client link down\n"
                                 "at 2min client link up with new address\n"
                                 "at 3min client link down\nat 4min client link up\n"));

    (void)state;
    for (size_t i = 2; i < 6; i++)
        story_deed(&s, i);
    story_sort(&s);
    assert_int_equal(story_outcome(s.timeline, 1, &o), 0);
    assert_true(o.side[FLOW_CLIENT].vanished);
    assert_false(o.side[FLOW_SERVER].vanished);
    assert_true(o.broken);
    says(&s, "came up at 0:02:00.000, with another address");
    says(&s, "The client still has its socket, but no way to the server any more");
    says(&s, "though the client is out of reach");
    says_not(&s, "0:03:00.000"); /* that is none of this connection's business */
    story_finish(&s);
}

static void a_link_that_comes_back_loses_nothing(void **state)
{
    struct outcome_connection o;
    struct story s = quiet(QUIET("at 1min client link down\nat 2min client link up\n"));

    (void)state;
    story_deed(&s, 2);
    story_deed(&s, 3);
    story_sort(&s);
    assert_int_equal(story_outcome(s.timeline, 1, &o), 0);
    assert_false(o.side[FLOW_CLIENT].vanished);
    assert_false(o.broken);
    story_finish(&s);
}

static void half_closed_is_stuck(void **state)
{
    struct outcome_connection o;
    struct story s = quiet(QUIET("at 10s client close\n"));

    (void)state;
    story_app(&s, 10 * SEC, FLOW_CLIENT, (struct timeline_app){.act = APP_CLOSE});
    story_app(&s, 10 * SEC, FLOW_SERVER, (struct timeline_app){.act = APP_EOF});
    story_socket(&s, 10 * SEC, FLOW_CLIENT,
                 (struct socket_view){.state = SOCKET_FIN_WAIT_2, .expires = MTIME_NEVER});
    story_socket(&s, 10 * SEC, FLOW_SERVER,
                 (struct socket_view){.state = SOCKET_CLOSE_WAIT, .expires = MTIME_NEVER});
    story_sort(&s);
    assert_int_equal(story_outcome(s.timeline, 1, &o), 0);
    assert_true(o.stuck);
    assert_false(o.broken);
    says(&s, "The client closed at 0:00:10.000; its socket is still in FIN_WAIT_2.");
    says(&s, "The server read the end of the connection at 0:00:10.000; its socket is still in "
             "CLOSE_WAIT.");
    says(&s, "Only the application on the server can end this");
    says_not(&s, "Nobody lost anything");
    /* The other end is forgotten: then it waits for nobody. */
    story_socket(&s, 70 * SEC, FLOW_CLIENT, (struct socket_view){.expires = MTIME_NEVER});
    assert_int_equal(story_outcome(s.timeline, 1, &o), 0);
    assert_true(o.side[FLOW_SERVER].believes);
    assert_true(o.broken);
    story_finish(&s);
}

static void a_full_window_waits_for_a_reader(void **state)
{
    struct story s = quiet(QUIET("at 2s client stop reading\n"));

    (void)state;
    story_deed(&s, 2);
    story_socket(&s, 11 * SEC, FLOW_SERVER,
                 (struct socket_view){.state = SOCKET_ESTABLISHED,
                                      .timer = TIMER_PERSIST,
                                      .expires = 12 * SEC,
                                      .send_queue = 5000});
    story_sort(&s);
    says(&s, "The application on the client stopped reading at 0:00:02.000.");
    says(&s, "The server waits with 5000 bytes that the client does not take");
    says(&s, "only the application on the client can end this");
    story_finish(&s);
}

static void keepalive_gets_the_credit(void **state)
{
    struct story s = quiet(QUIET("at 1min client crash\n"));
    struct timeline_packet probe = story_packet(&s, FLOW_SERVER, TCP_ACK, 0, 101, 0);
    struct timeline_packet reset = story_packet(&s, FLOW_SERVER, TCP_RST | TCP_ACK, 1, 101, 0);

    (void)state;
    story_deed(&s, 2);
    probe.note = NOTE_PROBE;
    story_pass(&s, 2 * HOUR, story_place(&s, FLOW_SERVER), PASSAGE_SENT, probe);
    story_pass(&s, 3 * HOUR, story_place(&s, FLOW_SERVER), PASSAGE_SENT, reset);
    story_socket(&s, 3 * HOUR, FLOW_SERVER, (struct socket_view){.expires = MTIME_NEVER});
    story_app(&s, 3 * HOUR, FLOW_SERVER,
              (struct timeline_app){.act = APP_ERROR, .call = CALL_READ, .error = ETIMEDOUT});
    story_sort(&s);
    says(&s, "The server was told at 3:00:00.000: ETIMEDOUT");
    says(&s, "It is keepalive that told the server");
    story_finish(&s);
}

static void a_command_is_no_fault_of_the_limit(void **state)
{
    struct story s = quiet(QUIET("at 5min firewall forget\n"));

    (void)state;
    story_deed(&s, 2);
    story_flow(&s,
               (struct event){.kind = EVENT_ENDED, .time = 300 * SEC, .reason = FLOW_END_FORCED});
    story_sort(&s);
    says(&s, "At 0:05:00.000, firewall was told to forget its flows.");
    says_not(&s, "forgot the connection");
    says_not(&s, "on either end");
    story_finish(&s);
}

/* Both ends said goodbye, and the firewall saw it: nobody forgot anything. */
static void an_end_that_was_seen_is_not_forgetting(void **state)
{
    struct outcome_connection o;
    struct story s = quiet(QUIET(""));

    (void)state;
    story_flow(&s,
               (struct event){.kind = EVENT_ENDED, .time = 300 * SEC, .reason = FLOW_END_DETECTED});
    assert_int_equal(story_outcome(s.timeline, 1, &o), 0);
    assert_int_equal(o.forgotten_by, -1);
    story_flow(
        &s, (struct event){.kind = EVENT_ENDED, .time = 301 * SEC, .reason = FLOW_END_RESOURCES});
    assert_int_equal(story_outcome(s.timeline, 1, &o), 0);
    assert_int_equal(o.forgotten_by, 1);
    assert_true(o.forgotten_after == 0);
    story_finish(&s);
}

static void many_are_counted(void **state)
{
    struct outcome_connection *all;
    struct story s;
    uint32_t n;

    (void)state;
    story_make(&s, "");
    for (uint32_t c = 2; c <= 5000; c++)
        story_add(&s, (struct timeline_event){
                          .t = 3 * HOUR + c,
                          .kind = TIMELINE_SOCKET,
                          .connection = c == 3 ? 2 : c, /* one number is missing */
                          .socket = {.state = SOCKET_ESTABLISHED, .expires = MTIME_NEVER}});
    assert_int_equal(story_outcomes(s.timeline, &all, &n), 0);
    assert_int_equal(n, 4999);
    for (uint32_t i = 0; i < n; i++) { /* as one by one */
        struct outcome_connection one;

        if (i % 500 != 0)
            continue;
        assert_int_equal(story_outcome(s.timeline, all[i].connection, &one), 0);
        assert_memory_equal(&one.side[0].state, &all[i].side[0].state, sizeof(one.side[0].state));
        assert_int_equal(one.broken, all[i].broken);
        assert_true(one.longest_idle == all[i].longest_idle);
    }
    free(all);
    says(&s, "4999 connections, 4999 of them broken");
    says(&s, "The first that broke: The firewall forgot");
    story_finish(&s);
}

static void lines_keep_to_the_width(void **state)
{
    struct story s;
    char *text = NULL, *save = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    (void)state;
    story_make(&s, "");
    assert_int_equal(story_outcome_text(to, s.timeline, 60), 0);
    fclose(to);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        assert_true(strlen(line) <= 60);
        assert_true(line[strlen(line) - 1] != ' ');
    }
    free(text);
    story_finish(&s);
}

static void json_says_the_same(void **state)
{
    struct story s;
    json_t *object;
    const json_t *one;
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    (void)state;
    story_make(&s, "");
    assert_int_equal(story_outcome_json(to, s.timeline), 0);
    fclose(to);
    object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "type")), "outcome");
    assert_int_equal(json_integer_value(json_object_get(object, "client_believes")), 1);
    assert_int_equal(json_integer_value(json_object_get(object, "server_believes")), 0);
    one = json_array_get(json_object_get(object, "outcomes"), 0);
    assert_string_equal(json_string_value(json_object_get(one, "forgotten_by")), "firewall");
    assert_string_equal(json_string_value(json_object_get(one, "timeout_name")), "tcp-established");
    assert_string_equal(json_string_value(json_object_get(json_object_get(one, "server"), "error")),
                        "ECONNRESET");
    assert_true(json_is_null(json_object_get(json_object_get(one, "client"), "noticed_s")));
    json_decref(object);
    free(text);
    story_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_firewall_forgot),
        cmocka_unit_test(the_advice_is_worked_out),
        cmocka_unit_test(keepalive_is_not_advised_where_it_does_not_count),
        cmocka_unit_test(all_is_well),
        cmocka_unit_test(a_crash_is_not_noticed_without_keepalive),
        cmocka_unit_test(a_new_address_leaves_both_alone),
        cmocka_unit_test(a_link_that_comes_back_loses_nothing),
        cmocka_unit_test(half_closed_is_stuck),
        cmocka_unit_test(a_full_window_waits_for_a_reader),
        cmocka_unit_test(keepalive_gets_the_credit),
        cmocka_unit_test(a_command_is_no_fault_of_the_limit),
        cmocka_unit_test(an_end_that_was_seen_is_not_forgetting),
        cmocka_unit_test(many_are_counted),
        cmocka_unit_test(lines_keep_to_the_width),
        cmocka_unit_test(json_says_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
