/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/tcp_pair.h"

static struct pair pair;

static void open_and_options(void **state)
{
    struct pair *p = &pair;

    (void)state;
    pair_init(p, &pair_linux, &pair_linux);
    tcp_connect(&p->tcp[CLIENT], 0);
    assert_int_equal(p->last[CLIENT].mss, 1460);
    assert_int_equal(p->last[CLIENT].wscale, 7);
    assert_int_equal(p->last[CLIENT].window, 65535);
    assert_true(p->last[CLIENT].has_timestamp && p->last[CLIENT].sack_permitted);
    assert_int_equal(pair_view(p, CLIENT).state, SOCKET_SYN_SENT);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_ON);
    assert_int_equal(tcp_send(&p->tcp[CLIENT], 0, 1, NOTE_NONE), -EAGAIN);
    pair_run(p, 7 * MS);
    assert_int_equal(pair_view(p, SERVER).state, SOCKET_SYN_RECV);
    pair_run(p, SEC);
    assert_string_equal(pair_trace(p), "0 C S 0:0(0)\n"
                                       "5 S S. 0:0(0) ack 1\n"
                                       "10 C . 1:1(0) ack 1\n"
                                       "10 C !connected\n"
                                       "15 S !accepted\n");
    assert_int_equal(p->tcp[CLIENT].mss, 1448);
    assert_int_equal(p->tcp[CLIENT].snd_wnd, 65535);
    assert_int_equal(p->tcp[SERVER].snd_wnd, 65535 / 128 * 128 + 128);
    assert_int_equal(p->tcp[CLIENT].rto, 210 * MS);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_OFF);
    assert_int_equal(pair_view(p, SERVER).timer, TIMER_OFF);
}

static void an_option_needs_both(void **state)
{
    struct system plain = pair_linux;
    struct pair *p = &pair;

    (void)state;
    plain.timestamps = plain.window_scale = plain.sack = false;
    plain.mss = 1400;
    pair_init(p, &pair_linux, &plain);
    pair_open(p);
    assert_int_equal(p->tcp[CLIENT].mss, 1400);
    assert_int_equal(p->tcp[SERVER].mss, 1400);
    assert_false(p->tcp[CLIENT].timestamps || p->tcp[CLIENT].sack || p->tcp[SERVER].sack);
    assert_int_equal(p->tcp[CLIENT].rcv_wscale, 0);
    assert_int_equal(p->tcp[CLIENT].snd_wscale, 0);
    pair_init(p, &plain, &pair_linux);
    pair_open(p);
    assert_int_equal(p->last[SERVER].wscale, TCP_NO_WSCALE);
    assert_false(p->last[SERVER].has_timestamp || p->last[SERVER].sack_permitted);
}

/* Measured on Linux 6.18: 1, 2, 3, 4, 5, 7, 11, 19 s...; 131 s to the error. */
static void nobody_answers(void **state)
{
    struct pair *p = &pair;

    (void)state;
    pair_init(p, &pair_linux, &pair_linux);
    p->blocked[CLIENT] = true;
    tcp_connect(&p->tcp[CLIENT], 0);
    pair_run(p, 200 * SEC);
    assert_string_equal(pair_trace(p), "0 C S 0:0(0) x\n"
                                       "1000 C S 0:0(0) retransmission x\n"
                                       "2000 C S 0:0(0) retransmission x\n"
                                       "3000 C S 0:0(0) retransmission x\n"
                                       "4000 C S 0:0(0) retransmission x\n"
                                       "5000 C S 0:0(0) retransmission x\n"
                                       "7000 C S 0:0(0) retransmission x\n"
                                       "11000 C S 0:0(0) retransmission x\n"
                                       "19000 C S 0:0(0) retransmission x\n"
                                       "35000 C S 0:0(0) retransmission x\n"
                                       "67000 C S 0:0(0) retransmission x\n"
                                       "131000 C !error ETIMEDOUT\n");
    assert_int_equal(tcp_read(&p->tcp[CLIENT], p->now), -ETIMEDOUT);
    assert_int_equal(tcp_read(&p->tcp[CLIENT], p->now), 0);
    assert_int_equal(tcp_send(&p->tcp[CLIENT], p->now, 1, NOTE_NONE), -EPIPE);
    assert_int_equal(tcp_retransmits_sent(&p->tcp[CLIENT]), 10);
    assert_int_equal(pair_view(p, CLIENT).state, SOCKET_GONE);
    tcp_close(&p->tcp[CLIENT], p->now);
    assert_true(p->gone[CLIENT]);
}

static void answers_get_lost(void **state)
{
    struct pair *p = &pair;

    (void)state;
    pair_init(p, &pair_linux, &pair_linux);
    p->blocked[SERVER] = true;
    p->system[CLIENT].syn_linear = 0;
    p->system[CLIENT].syn_retries = 0;
    tcp_connect(&p->tcp[CLIENT], 0);
    pair_run(p, 500 * MS);
    assert_int_equal(pair_view(p, SERVER).timer, TIMER_ON);
    assert_int_equal(pair_view(p, SERVER).expires, 1005 * MS);
    pair_run(p, 2 * SEC);
    assert_int_equal(pair_view(p, SERVER).retransmits, 1);
    pair_run(p, 200 * SEC);
    assert_string_equal(pair_trace(p), "0 C S 0:0(0)\n"
                                       "5 S S. 0:0(0) ack 1 x\n"
                                       "1000 C !error ETIMEDOUT\n"
                                       "1005 S S. 0:0(0) ack 1 retransmission x\n"
                                       "3005 S S. 0:0(0) ack 1 retransmission x\n"
                                       "7005 S S. 0:0(0) ack 1 retransmission x\n"
                                       "15005 S S. 0:0(0) ack 1 retransmission x\n"
                                       "31005 S S. 0:0(0) ack 1 retransmission x\n"
                                       "63005 S !gone\n");
}

/* A SYN that comes again is answered at once, and the timer starts anew. */
static void a_syn_again(void **state)
{
    struct pair *p = &pair;

    (void)state;
    pair_init(p, &pair_linux, &pair_linux);
    p->lose_next[SERVER] = 3;
    tcp_connect(&p->tcp[CLIENT], 0);
    pair_run(p, 20 * SEC);
    assert_string_equal(pair_trace(p), "0 C S 0:0(0)\n"
                                       "5 S S. 0:0(0) ack 1 x\n"
                                       "1000 C S 0:0(0) retransmission\n"
                                       "1005 S S. 0:0(0) ack 1 retransmission x\n"
                                       "2000 C S 0:0(0) retransmission\n"
                                       "2005 S S. 0:0(0) ack 1 retransmission x\n"
                                       "3000 C S 0:0(0) retransmission\n"
                                       "3005 S S. 0:0(0) ack 1 retransmission\n"
                                       "3010 C . 1:1(0) ack 1\n"
                                       "3010 C !connected\n"
                                       "3015 S !accepted\n");
    assert_int_equal(p->tcp[CLIENT].cwnd, 1); /* more than one SYN got lost */
}

static void refused(void **state)
{
    struct pair *p = &pair;

    (void)state;
    pair_init(p, &pair_linux, &pair_linux);
    p->listening = false;
    tcp_connect(&p->tcp[CLIENT], 0);
    pair_run(p, SEC);
    assert_string_equal(pair_trace(p), "0 C S 0:0(0)\n"
                                       "5 S R. 1755826722:1755826722(0) ack 1\n"
                                       "10 C !error ECONNREFUSED\n");
    assert_int_equal(tcp_send(&p->tcp[CLIENT], p->now, 1, NOTE_NONE), -ECONNREFUSED);
    assert_int_equal(tcp_send(&p->tcp[CLIENT], p->now, 1, NOTE_NONE), -EPIPE);
}

static void syn_sent_takes_only_what_answers_its_syn(void **state)
{
    struct tcp_segment reset = {.flags = TCP_RST | TCP_ACK, .wscale = TCP_NO_WSCALE};
    struct pair *p = &pair;

    (void)state;
    pair_init(p, &pair_linux, &pair_linux);
    p->blocked[CLIENT] = true;
    tcp_connect(&p->tcp[CLIENT], 0);
    reset.ack = p->tcp[CLIENT].iss;
    tcp_input(&p->tcp[CLIENT], 1, &reset);
    reset.ack = p->tcp[CLIENT].iss + 2;
    tcp_input(&p->tcp[CLIENT], 1, &reset);
    reset.flags = TCP_RST;
    tcp_input(&p->tcp[CLIENT], 1, &reset);
    assert_int_equal(p->tcp[CLIENT].state, SOCKET_SYN_SENT);
    reset.flags = TCP_ACK; /* from an old connection's other end: a RST, it is to forget */
    reset.ack = p->tcp[CLIENT].iss + 2;
    pair_trace(p);
    tcp_input(&p->tcp[CLIENT], 1, &reset);
    assert_string_equal(pair_trace(p), "0 C R 2:2(0) x\n");
    reset.flags = TCP_RST | TCP_ACK;
    reset.ack = p->tcp[CLIENT].iss + 1;
    tcp_input(&p->tcp[CLIENT], 2, &reset);
    assert_int_equal(p->tcp[CLIENT].error, ECONNREFUSED);
}

static void both_open(void **state)
{
    struct pair *p = &pair;

    (void)state;
    pair_init(p, &pair_linux, &pair_linux);
    p->listening = false;
    tcp_connect(&p->tcp[CLIENT], 0);
    tcp_connect(&p->tcp[SERVER], 0);
    pair_run(p, SEC);
    assert_string_equal(pair_trace(p), "0 C S 0:0(0)\n"
                                       "0 S S 0:0(0)\n"
                                       "5 S S. 0:0(0) ack 1\n"
                                       "5 C S. 0:0(0) ack 1\n"
                                       "10 C !connected\n"
                                       "10 S !connected\n");
    assert_int_equal(p->tcp[CLIENT].state, SOCKET_ESTABLISHED);
    assert_int_equal(p->tcp[SERVER].state, SOCKET_ESTABLISHED);
}

/* The ACK of the handshake may be lost if payload follows. */
static void payload_completes_the_handshake(void **state)
{
    struct pair *p = &pair;

    (void)state;
    pair_init(p, &pair_linux, &pair_linux);
    tcp_connect(&p->tcp[CLIENT], 0);
    pair_run(p, 8 * MS);
    p->lose_next[CLIENT] = 1;
    pair_run(p, 11 * MS);
    pair_send(p, CLIENT, 70);
    pair_run(p, 100 * MS);
    assert_string_equal(pair_trace(p), "0 C S 0:0(0)\n"
                                       "5 S S. 0:0(0) ack 1\n"
                                       "10 C . 1:1(0) ack 1 x\n"
                                       "10 C !connected\n"
                                       "11 C P. 1:71(70) ack 1\n"
                                       "16 S !accepted\n"
                                       "16 S . 1:1(0) ack 71\n");
    assert_int_equal(p->received[SERVER], 70);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_and_options),
        cmocka_unit_test(an_option_needs_both),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(answers_get_lost),
        cmocka_unit_test(a_syn_again),
        cmocka_unit_test(refused),
        cmocka_unit_test(syn_sent_takes_only_what_answers_its_syn),
        cmocka_unit_test(both_open),
        cmocka_unit_test(payload_completes_the_handshake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
