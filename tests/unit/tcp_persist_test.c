/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/tcp_pair.h"

static struct pair pair;

/* The server does not read; what it has room for is there, and more waits. */
static struct pair *closed(const struct system *client, const struct system *server)
{
    struct pair *p = &pair;
    struct system small = *server;

    small.receive_buffer = 14480;
    small.wscale = 0;
    pair_init(p, client, &small);
    pair_open(p);
    p->reads[SERVER] = false;
    pair_send(p, CLIENT, 30000);
    pair_run(p, p->now + 100 * MS);
    assert_int_equal(p->tcp[CLIENT].snd_wnd, 0);
    assert_int_equal(pair_view(p, CLIENT).send_queue, 30000 - 14480);
    pair_trace(p);
    return p;
}

/* Linux: nothing but a bare ACK below the window, after the timeout and then ever longer; measured
 * on Linux 6.18: 0.22, 0.66, 1.55, 3.3, 7 s. One within half a second of the last is not answered.
 */
static void probes(void **state)
{
    struct pair *p = closed(&pair_linux, &pair_linux);

    (void)state;
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_PERSIST);
    pair_run(p, p->now + 9 * SEC);
    assert_string_equal(pair_trace(p), "1256 C . 14480:14480(0) ack 1 window probe\n"
                                       "1261 S . 1:1(0) ack 14481 window answer\n"
                                       "1694 C . 14480:14480(0) ack 1 window probe\n"
                                       "2550 C . 14480:14480(0) ack 1 window probe\n"
                                       "2555 S . 1:1(0) ack 14481 window answer\n"
                                       "4272 C . 14480:14480(0) ack 1 window probe\n"
                                       "4277 S . 1:1(0) ack 14481 window answer\n"
                                       "7706 C . 14480:14480(0) ack 1 window probe\n"
                                       "7711 S . 1:1(0) ack 14481 window answer\n");
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_PERSIST);
    assert_int_equal(pair_view(p, CLIENT).probes, 0); /* answered */
}

static void alive_as_long_as_answered(void **state)
{
    struct pair *p = closed(&pair_linux, &pair_linux);

    (void)state;
    p->mute = true;
    pair_run(p, p->now + 86400 * SEC);
    assert_int_equal(p->tcp[CLIENT].state, SOCKET_ESTABLISHED);
    p->blocked[SERVER] = true;
    pair_run(p, p->now + 14 * 120 * SEC);
    assert_int_equal(p->tcp[CLIENT].state, SOCKET_ESTABLISHED);
    assert_true(pair_view(p, CLIENT).probes >= 13);
    pair_run(p, p->now + 3 * 120 * SEC);
    assert_int_equal(tcp_read(&p->tcp[CLIENT], p->now), -ETIMEDOUT);
}

static void an_orphan_is_given_up(void **state)
{
    struct pair *p = closed(&pair_linux, &pair_linux);

    (void)state;
    tcp_close(&p->tcp[CLIENT], p->now);
    p->blocked[SERVER] = true;
    pair_run(p, p->now + 54 * SEC);
    assert_false(p->gone[CLIENT]);
    pair_run(p, p->now + 56 * SEC); /* 8 probes */
    assert_true(p->gone[CLIENT]);
}

static void reading_opens_it(void **state)
{
    struct pair *p = closed(&pair_linux, &pair_linux);

    (void)state;
    pair_run(p, p->now + SEC);
    pair_trace(p);
    p->reads[SERVER] = p->to_read[SERVER] = true;
    pair_read(p, SERVER);
    assert_string_equal(pair_trace(p), "2100 S . 1:1(0) ack 14481 window update\n");
    pair_run(p, p->now + 6 * MS);
    assert_int_equal(p->tcp[CLIENT].backoff, 0);
    pair_run(p, p->now + 5 * SEC);
    assert_int_equal(p->received[SERVER], 30000);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_OFF);
    assert_int_equal(p->tcp[CLIENT].backoff, 0);
}

/* Narrower than a segment, with nothing on its way: the timer lets out what fits. */
static void a_narrow_window(void **state)
{
    struct system small = pair_linux;
    struct pair *p = &pair;

    (void)state;
    small.receive_buffer = 2000;
    small.wscale = 0;
    pair_init(p, &pair_linux, &small);
    pair_open(p);
    p->reads[SERVER] = false;
    pair_send(p, CLIENT, 4000);
    pair_run(p, p->now + 2 * SEC);
    assert_string_equal(pair_trace(p), "1000 C . 1:1449(1448) ack 1\n"
                                       "1005 S . 1:1(0) ack 1449\n"
                                       "1220 C P. 1449:2001(552) ack 1\n"
                                       "1225 S . 1:1(0) ack 2001\n"
                                       "1440 C . 2000:2000(0) ack 1 window probe\n"
                                       "1445 S . 1:1(0) ack 2001 window answer\n"
                                       "1870 C . 2000:2000(0) ack 1 window probe\n"
                                       "2710 C . 2000:2000(0) ack 1 window probe\n"
                                       "2715 S . 1:1(0) ack 2001 window answer\n");
}

/* STCP: one byte of the payload, every 100 s; tcp_zerowin_abort_interval$ ends it. */
static void every_so_often(void **state)
{
    struct system stcp = pair_linux;
    struct pair *p;

    (void)state;
    stcp.persist_min = stcp.persist_max = 100 * SEC;
    stcp.probe_bytes = 1;
    stcp.retries_by_time = false;
    p = closed(&stcp, &pair_linux);
    pair_run(p, 350 * SEC);
    assert_string_equal(pair_trace(p), "101042 C . 14481:14482(1) ack 1 window probe\n"
                                       "101047 S . 1:1(0) ack 14481 window answer\n"
                                       "201052 C . 14481:14482(1) ack 1 window probe\n"
                                       "201057 S . 1:1(0) ack 14481 window answer\n"
                                       "301062 C . 14481:14482(1) ack 1 window probe\n"
                                       "301067 S . 1:1(0) ack 14481 window answer\n");
    stcp.zero_window_abort = 150 * SEC;
    p = closed(&stcp, &pair_linux);
    pair_run(p, 150 * SEC); /* since a second or so the window is closed */
    assert_int_equal(p->tcp[CLIENT].state, SOCKET_ESTABLISHED);
    pair_run(p, 152 * SEC);
    assert_int_equal(tcp_send(&p->tcp[CLIENT], p->now, 1, NOTE_NONE), -ETIMEDOUT);
}

/* BSD: backed off between 5 and 60 s. The byte that finds room counts. */
static void persist_timer(void **state)
{
    struct system bsd = pair_linux;
    struct pair *p;

    (void)state;
    bsd.persist_min = 5 * SEC;
    bsd.persist_max = 60 * SEC;
    bsd.probe_bytes = 1;
    bsd.retries_by_time = false;
    p = closed(&bsd, &pair_linux);
    pair_run(p, 200 * SEC);
    assert_string_equal(pair_trace(p), "6042 C . 14481:14482(1) ack 1 window probe\n"
                                       "6047 S . 1:1(0) ack 14481 window answer\n"
                                       "16052 C . 14481:14482(1) ack 1 window probe\n"
                                       "16057 S . 1:1(0) ack 14481 window answer\n"
                                       "36062 C . 14481:14482(1) ack 1 window probe\n"
                                       "36067 S . 1:1(0) ack 14481 window answer\n"
                                       "76072 C . 14481:14482(1) ack 1 window probe\n"
                                       "76077 S . 1:1(0) ack 14481 window answer\n"
                                       "136082 C . 14481:14482(1) ack 1 window probe\n"
                                       "136087 S . 1:1(0) ack 14481 window answer\n"
                                       "196092 C . 14481:14482(1) ack 1 window probe\n"
                                       "196097 S . 1:1(0) ack 14481 window answer\n");
    p->lose_next[SERVER] = 1; /* the window update */
    p->reads[SERVER] = p->to_read[SERVER] = true;
    pair_read(p, SERVER);
    pair_run(p, 300 * SEC);
    assert_int_equal(p->received[SERVER], 30000);
    assert_int_equal(p->tcp[CLIENT].snd_una, p->tcp[CLIENT].write_seq);
}

/* A window taken back over what is on its way: it is sent again, and the peer's answers keep the
 * connection alive beyond tcp_retries2. */
static void closed_over_what_is_on_its_way(void **state)
{
    struct pair *p = &pair;

    (void)state;
    pair_init(p, &pair_linux, &pair_linux);
    pair_open(p);
    p->blocked[CLIENT] = true;
    pair_send(p, CLIENT, 10);
    p->tcp[CLIENT].snd_wnd = 0;
    pair_run(p, 100 * SEC);
    assert_int_equal(pair_view(p, CLIENT).retransmits, 0);
    for (int i = 0; i < 20; i++) {
        pair_run(p, p->now + 100 * SEC);
        p->tcp[CLIENT].last_ack = p->now;
    }
    assert_int_equal(p->tcp[CLIENT].state, SOCKET_ESTABLISHED);
    pair_run(p, p->now + 230 * SEC);
    assert_int_equal(p->tcp[CLIENT].state, SOCKET_ESTABLISHED);
    pair_run(p, p->now + 250 * SEC);
    assert_int_equal(p->tcp[CLIENT].error, ETIMEDOUT);
}

/* The address is another: nothing is outstanding, and the window's timer tries again; an orphan has
 * as many tries as tcp_orphan_retries says. Seen on Linux 6.18: gone after 1.5 s, `probe` in ss -o.
 */
static void no_route(void **state)
{
    struct pair *p = &pair;
    struct system two = pair_linux;

    (void)state;
    two.orphan_retries = 2;
    pair_init(p, &two, &pair_linux);
    pair_open(p);
    pair_run(p, 10 * SEC);
    pair_trace(p);
    p->unrouted[CLIENT] = true;
    tcp_close(&p->tcp[CLIENT], p->now);
    assert_int_equal(pair_view(p, CLIENT).state, SOCKET_FIN_WAIT_1);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_PERSIST);
    pair_run(p, p->now + 1 * SEC);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_PERSIST);
    assert_int_equal(pair_view(p, CLIENT).probes, 2);
    assert_int_equal(pair_view(p, CLIENT).retransmits, 0);
    assert_false(p->gone[CLIENT]);
    pair_run(p, p->now + 1 * SEC);
    assert_true(p->gone[CLIENT]);
    assert_null(strchr(pair_trace(p), '('));
}

/* Back in time, it sends what has waited. */
static void a_route_again(void **state)
{
    struct pair *p = &pair;

    (void)state;
    pair_init(p, &pair_linux, &pair_linux);
    pair_open(p);
    pair_run(p, 10 * SEC);
    p->unrouted[CLIENT] = true;
    pair_send(p, CLIENT, 10);
    pair_run(p, p->now + 500 * MS);
    assert_int_equal(pair_view(p, CLIENT).send_queue, 10);
    p->unrouted[CLIENT] = false;
    pair_run(p, p->now + 500 * MS);
    assert_int_equal(p->received[SERVER], 10);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_OFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probes),
        cmocka_unit_test(alive_as_long_as_answered),
        cmocka_unit_test(an_orphan_is_given_up),
        cmocka_unit_test(reading_opens_it),
        cmocka_unit_test(a_narrow_window),
        cmocka_unit_test(every_so_often),
        cmocka_unit_test(persist_timer),
        cmocka_unit_test(closed_over_what_is_on_its_way),
        cmocka_unit_test(no_route),
        cmocka_unit_test(a_route_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
