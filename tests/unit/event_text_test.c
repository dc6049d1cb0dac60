/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One event as people read it: in the words of tcpdump, ss, netstat and strace. */
#include "timeline_story.h"

#include "tools/timeline/timeline_text.h"
#include "tools/timeline/timeline_write.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void sockets_as_ss_and_netstat(void **state)
{
    static const struct {
        struct socket_view view;
        const char *text;
    } rows[] = {
        {{.state = SOCKET_ESTABLISHED, .expires = MTIME_NEVER}, "ESTABLISHED  off (0.00/0/0)"},
        {{SOCKET_ESTABLISHED, TIMER_KEEPALIVE, 53930 * MS, 0, 0, 0, 0, false},
         "ESTABLISHED  timer:(keepalive,53sec,0)  keepalive (53.93/0/0)"},
        /* ss has no unit for seconds below ten with a fraction */
        {{SOCKET_ESTABLISHED, TIMER_KEEPALIVE, 5610 * MS, 0, 3, 0, 0, false},
         "ESTABLISHED  timer:(keepalive,5.610ms,3)  keepalive (5.61/0/3)"},
        {{SOCKET_ESTABLISHED, TIMER_KEEPALIVE, 6 * SEC, 0, 0, 0, 0, false},
         "ESTABLISHED  timer:(keepalive,6sec,0)  keepalive (6.00/0/0)"},
        {{SOCKET_ESTABLISHED, TIMER_KEEPALIVE, 119 * SEC, 0, 0, 0, 0, false},
         "ESTABLISHED  timer:(keepalive,1min59sec,0)  keepalive (119.00/0/0)"},
        {{SOCKET_ESTABLISHED, TIMER_KEEPALIVE, 7199 * SEC, 0, 0, 0, 0, false},
         "ESTABLISHED  timer:(keepalive,119min,0)  keepalive (7199.00/0/0)"},
        /* of a retransmission ss shows those, of the others the probes */
        {{SOCKET_ESTABLISHED, TIMER_ON, 200 * MS, 4, 1, 100, 0, false},
         "ESTABLISHED  timer:(on,200ms,4)  on (0.20/4/1)  Recv-Q 0 Send-Q 100"},
        {{SOCKET_ESTABLISHED, TIMER_PERSIST, 100 * SEC, 0, 7, 9, 2, false},
         "ESTABLISHED  timer:(persist,1min40sec,7)  probe (100.00/0/7)  Recv-Q 2 Send-Q 9"},
        {{SOCKET_FIN_WAIT_2, TIMER_TIMEWAIT, 60 * SEC, 0, 0, 0, 0, true},
         "FIN_WAIT_2  timer:(timewait,1min,0)  timewait (60.00/0/0)  orphaned"},
        /* over, and not fired yet */
        {{SOCKET_ESTABLISHED, TIMER_KEEPALIVE, -SEC, 0, 0, 0, 0, false},
         "ESTABLISHED  timer:(keepalive,,0)  keepalive (0.00/0/0)"},
    };
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(text_socket(text, sizeof(text), &rows[i].view, 0), rows[i].text);
}

static void packets_as_tcpdump(void **state)
{
    static const struct {
        struct timeline_packet packet;
        const char *text;
    } rows[] = {
        {{.tcp = true, .flags = TCP_SYN, .window = 64240}, "Flags [S], seq 0, win 64240, length 0"},
        {{.tcp = true, .flags = TCP_SYN | TCP_ACK, .rel_ack = 1, .window = 9},
         "Flags [S.], seq 0, ack 1, win 9, length 0"},
        {{.tcp = true, .flags = TCP_ACK, .rel_seq = 1, .rel_ack = 1, .window = 9},
         "Flags [.], ack 1, win 9, length 0"},
        {{.tcp = true, .flags = TCP_ACK, .rel_seq = 200, .rel_ack = 101, .note = NOTE_PROBE},
         "Flags [.], seq 200, ack 101, win 0, length 0"},
        {{.tcp = true, .flags = TCP_PSH | TCP_ACK, .rel_seq = 1, .rel_ack = 7, .len = 100},
         "Flags [P.], seq 1:101, ack 7, win 0, length 100"},
        {{.tcp = true, .flags = TCP_FIN | TCP_ACK, .rel_seq = 5, .rel_ack = 7},
         "Flags [F.], seq 5, ack 7, win 0, length 0"},
        {{.tcp = true, .flags = TCP_RST, .rel_seq = 5}, "Flags [R], seq 5, win 0, length 0"},
        {{.tcp = true}, "Flags [none], seq 0, win 0, length 0"},
        {{.tcp = false, .icmp_type = 3, .icmp_code = 13, .rel_seq = 7},
         "ICMP admin prohibited filter, quoting seq 7"},
        {{.tcp = false, .icmp_type = 3, .icmp_code = 1}, "ICMP host unreachable, quoting seq 0"},
        {{.tcp = false, .icmp_type = 200, .icmp_code = 200}, "ICMP error, quoting seq 0"},
    };
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(text_packet(text, sizeof(text), &rows[i].packet), rows[i].text);
}

static void fates(void **state)
{
    static const struct {
        enum passage sent;
        enum packet_note note;
        uint8_t nth;
        struct text_fate fate;
        const char *text;
    } rows[] = {
        {PASSAGE_SENT, NOTE_NONE, 0, {PASSAGE_RECEIVED, 2, 0, false, 0}, ""},
        {PASSAGE_SENT, NOTE_PROBE, 3, {PASSAGE_RECEIVED, 2, 0, false, 0}, "  keepalive probe 3"},
        {PASSAGE_SENT,
         NOTE_PROBE,
         1,
         {PASSAGE_DROPPED, 1, REASON_LATE, false, 0},
         "  keepalive probe 1; dropped by firewall: late"},
        {PASSAGE_SENT,
         NOTE_RETRANSMIT,
         2,
         {PASSAGE_LOST, 1, 0, true, 0},
         "  retransmission 2; nobody there to get it"},
        {PASSAGE_SENT, NOTE_NONE, 0, {PASSAGE_LOST, 2, 0, false, 0}, "  blocked at the server"},
        {PASSAGE_SENT,
         NOTE_NONE,
         0,
         {PASSAGE_LOST, 0, 0, false, 0},
         "  lost on the way, after client"},
        {PASSAGE_SENT,
         NOTE_NONE,
         0,
         {PASSAGE_FORWARDED, 1, 0, false, 0},
         "  still on its way at the end"},
        {PASSAGE_INJECTED,
         NOTE_NONE,
         0,
         {PASSAGE_RECEIVED, 2, 0, false, 0},
         "  in the client's name"},
    };
    char text[256];
    struct story s;

    (void)state;
    story_init(&s, STORY_HEAD STORY_TAIL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct timeline_event e = {.kind = TIMELINE_PACKET,
                                         .packet = {.passage = rows[i].sent,
                                                    .tcp = true,
                                                    .from = FLOW_CLIENT,
                                                    .note = rows[i].note,
                                                    .nth = rows[i].nth}};

        assert_string_equal(text_fate(text, sizeof(text), s.timeline, &e, &rows[i].fate),
                            rows[i].text);
    }
    story_finish(&s);
}

static void deeds(void **state)
{
    static const char *const lines[][2] = {
        {"client connect", "client: connect"},
        {"client send 100", "client: send 100"},
        {"client link down", "client: link down"},
        {"client link up with new address", "client: link up, with a new address"},
        {"block from client at server", "block what the client sends, at server"},
        {"block", "block, at firewall"},
        {"lose 2 from server at firewall", "lose the next 2 packets of the server after firewall"},
        {"server set keepalive 60 6 10", "server: set keepalive 60 6 10"},
        {"server set keepalive off", "server: set keepalive off"},
        {"server set user-timeout 90s", "server: set user-timeout 90s"},
        {"firewall forget", "firewall: forget"},
    };
    char text[4096] = "client linux\nfirewall\nserver linux\nuntil 1h\n";
    struct story s;

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "at %zus %s\n", i, lines[i][0]);
    story_init(&s, text);
    assert_int_equal(s.scenario->n_deeds, sizeof(lines) / sizeof(lines[0]));
    for (size_t i = 0; i < s.scenario->n_deeds; i++)
        assert_string_equal(text_deed(text, sizeof(text), s.scenario, &s.scenario->deeds[i]),
                            lines[i][1]);
    story_finish(&s);
}

static void applications_as_strace(void **state)
{
    char text[256];

    (void)state;
    assert_string_equal(
        text_app(text, sizeof(text),
                 &(struct timeline_app){.act = APP_ERROR, .call = CALL_READ, .error = ETIMEDOUT}),
        "read() = -1 ETIMEDOUT (Connection timed out)");
    assert_string_equal(text_app(text, sizeof(text), &(struct timeline_app){.act = APP_EOF}),
                        "read() = 0: end of file");
    for (int act = APP_CONNECT; act <= APP_ENDED; act++)
        if (act != APP_ERROR) {
            *text = '\0';
            text_app(text, sizeof(text), &(struct timeline_app){.act = (enum app_act)act});
            assert_true(strlen(text) > 3);
        }
}

/* Small room cuts, and never writes beyond. */
static void texts_are_cut(void **state)
{
    const struct socket_view view = {SOCKET_ESTABLISHED, TIMER_ON, SEC, 4, 1, 100, 5, true};
    const struct timeline_packet packet = {.tcp = true, .flags = TCP_ACK, .len = 100};
    char text[16];

    (void)state;
    for (size_t size = 1; size <= sizeof(text); size++) {
        memset(text, '#', sizeof(text));
        assert_true(strlen(text_socket(text, size, &view, 0)) < size);
        assert_true(strlen(text_packet(text, size, &packet)) < size);
        for (size_t i = size; i < sizeof(text); i++)
            assert_int_equal(text[i], '#');
    }
}

/* Runs out, finds a recent exchange, and is set for what is left: that line explains case 3b. A
 * deadline that traffic pushes is not worth one, nor what lasts a moment. */
static void which_views_are_told(void **state)
{
    struct socket_view view = {SOCKET_ESTABLISHED, TIMER_KEEPALIVE, 62 * SEC, 0, 0, 0, 0, false};
    char *text = NULL;
    size_t len = 0;
    struct story s;
    FILE *to;

    (void)state;
    story_init(&s, STORY_HEAD STORY_TAIL);
    story_socket(&s, 2 * SEC, FLOW_SERVER, view);
    view.timer = TIMER_ON;
    view.expires = 10 * SEC;
    story_socket(&s, 9 * SEC, FLOW_SERVER, view); /* for a millisecond */
    view.timer = TIMER_KEEPALIVE;
    view.expires = 62 * SEC;
    story_socket(&s, 9 * SEC + MS, FLOW_SERVER, view);
    view.expires = 70 * SEC;
    story_socket(&s, 10 * SEC, FLOW_SERVER, view); /* pushed */
    view.expires = 111 * SEC;
    story_socket(&s, 71 * SEC, FLOW_SERVER, view); /* the rest */
    to = open_memstream(&text, &len);
    assert_int_equal(timeline_write_text(to, s.timeline), 0);
    fclose(to);
    assert_non_null(
        strstr(text, "0:00:02.000  server             ESTABLISHED  timer:(keepalive,1min"));
    assert_null(strstr(text, "0:00:09"));
    assert_null(strstr(text, "0:00:10"));
    assert_non_null(strstr(text, "0:01:11.000  server             ESTABLISHED  "
                                 "timer:(keepalive,40sec,0)  keepalive (40.00/0/0)"));
    free(text);
    story_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_as_ss_and_netstat),
        cmocka_unit_test(packets_as_tcpdump),
        cmocka_unit_test(fates),
        cmocka_unit_test(deeds),
        cmocka_unit_test(applications_as_strace),
        cmocka_unit_test(texts_are_cut),
        cmocka_unit_test(which_views_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
