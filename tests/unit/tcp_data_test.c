/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/tcp_pair.h"

static struct pair pair;

static struct pair *opened(void)
{
    pair_init(&pair, &pair_linux, &pair_linux);
    pair_open(&pair);
    return &pair;
}

/* Full segments, PSH where the write ends, ten at first, two more for each ACK. */
static void a_large_write(void **state)
{
    struct pair *p = opened();

    (void)state;
    p->reads[SERVER] = false;
    pair_send(p, CLIENT, 14 * 1448 + 100);
    assert_int_equal(tcp_packets_out(&p->tcp[CLIENT]), 10);
    pair_run(p, p->now + 100 * MS);
    assert_string_equal(pair_trace(p), "1000 C . 1:1449(1448) ack 1\n"
                                       "1000 C . 1449:2897(1448) ack 1\n"
                                       "1000 C . 2897:4345(1448) ack 1\n"
                                       "1000 C . 4345:5793(1448) ack 1\n"
                                       "1000 C . 5793:7241(1448) ack 1\n"
                                       "1000 C . 7241:8689(1448) ack 1\n"
                                       "1000 C . 8689:10137(1448) ack 1\n"
                                       "1000 C . 10137:11585(1448) ack 1\n"
                                       "1000 C . 11585:13033(1448) ack 1\n"
                                       "1000 C . 13033:14481(1448) ack 1\n"
                                       "1005 S . 1:1(0) ack 1449\n"
                                       "1005 S . 1:1(0) ack 2897\n"
                                       "1005 S . 1:1(0) ack 4345\n"
                                       "1005 S . 1:1(0) ack 5793\n"
                                       "1005 S . 1:1(0) ack 7241\n"
                                       "1005 S . 1:1(0) ack 8689\n"
                                       "1005 S . 1:1(0) ack 10137\n"
                                       "1005 S . 1:1(0) ack 11585\n"
                                       "1005 S . 1:1(0) ack 13033\n"
                                       "1005 S . 1:1(0) ack 14481\n"
                                       "1010 C . 14481:15929(1448) ack 1\n"
                                       "1010 C . 15929:17377(1448) ack 1\n"
                                       "1010 C . 17377:18825(1448) ack 1\n"
                                       "1010 C . 18825:20273(1448) ack 1\n"
                                       "1010 C P. 20273:20373(100) ack 1\n"
                                       "1015 S . 1:1(0) ack 15929\n"
                                       "1015 S . 1:1(0) ack 17377\n"
                                       "1015 S . 1:1(0) ack 18825\n"
                                       "1015 S . 1:1(0) ack 20273\n"
                                       "1015 S . 1:1(0) ack 20373\n");
    assert_int_equal(pair_view(p, SERVER).receive_queue, 14 * 1448 + 100);
    assert_int_equal(tcp_read(&p->tcp[SERVER], p->now), 14 * 1448 + 100);
    assert_int_equal(tcp_read(&p->tcp[SERVER], p->now), -EAGAIN);
    assert_true(p->tcp[CLIENT].cwnd > 15);
}

/* Nagle, Minshall's way: one short segment at a time, but behind full ones at once. */
static void short_writes(void **state)
{
    struct pair *p = opened();

    (void)state;
    pair_send(p, CLIENT, 1500);
    pair_send(p, CLIENT, 20);
    pair_send(p, CLIENT, 30);
    pair_run(p, p->now + 300 * MS);
    assert_string_equal(pair_trace(p), "1000 C . 1:1449(1448) ack 1\n"
                                       "1000 C P. 1449:1501(52) ack 1\n"
                                       "1005 S . 1:1(0) ack 1449\n"
                                       "1005 S . 1:1(0) ack 1501\n"
                                       "1010 C P. 1501:1551(50) ack 1\n"
                                       "1015 S . 1:1(0) ack 1551\n");
}

/* A gap: kept, told at once with its SACK block, and filled. */
static void out_of_order(void **state)
{
    struct pair *p = opened();

    (void)state;
    p->lose_seq[CLIENT] = 1;
    pair_send(p, CLIENT, 3000);
    pair_run(p, p->now + 6 * MS);
    assert_int_equal(p->last[SERVER].sack[0], p->tcp[CLIENT].iss + 1449);
    assert_int_equal(p->last[SERVER].sack[1], p->tcp[CLIENT].iss + 3001);
    assert_int_equal(p->received[SERVER], 0);
    pair_run(p, p->now + SEC);
    assert_string_equal(pair_trace(p), "1000 C . 1:1449(1448) ack 1 x\n"
                                       "1000 C . 1449:2897(1448) ack 1\n"
                                       "1000 C P. 2897:3001(104) ack 1\n"
                                       "1005 S . 1:1(0) ack 1\n"
                                       "1005 S . 1:1(0) ack 1\n"
                                       "1014.500 C . 1:1449(1448) ack 1 retransmission\n"
                                       "1019.500 S . 1:1(0) ack 3001\n");
    assert_int_equal(p->received[SERVER], 3000);
}

static void a_fin_ahead_waits(void **state)
{
    struct pair *p = opened();

    (void)state;
    p->lose_next[CLIENT] = 1;
    pair_send(p, CLIENT, 100);
    tcp_shutdown(&p->tcp[CLIENT], p->now);
    pair_run(p, p->now + 10 * MS);
    assert_int_equal(p->tcp[SERVER].state, SOCKET_ESTABLISHED);
    pair_run(p, p->now + SEC);
    assert_int_equal(p->tcp[SERVER].state, SOCKET_CLOSE_WAIT);
    assert_int_equal(p->received[SERVER], 100);
    assert_int_equal(tcp_read(&p->tcp[SERVER], p->now), 0);
}

/* ACKs for what was never sent, and from long ago (RFC 5961 5.2). */
static void acks_out_of_range(void **state)
{
    struct pair *p = opened();
    struct tcp *tcp = &p->tcp[CLIENT];
    struct tcp_segment ack = {.flags = TCP_ACK, .wscale = TCP_NO_WSCALE, .window = 77};

    (void)state;
    pair_send(p, CLIENT, 100);
    pair_run(p, p->now + SEC);
    pair_trace(p);
    ack.seq = tcp->rcv_nxt;
    ack.ack = tcp->snd_nxt + 1;
    tcp_input(tcp, p->now, &ack);
    assert_int_equal(tcp->snd_una, tcp->iss + 101);
    assert_string_equal(pair_trace(p), "2000 C . 101:101(0) ack 1 challenge ACK\n");
    pair_run(p, p->now + SEC);
    ack.ack = tcp->snd_una - 1; /* old: nothing new in it */
    tcp_input(tcp, p->now, &ack);
    assert_int_not_equal(tcp->snd_wnd, 77 << 7);
    assert_string_equal(pair_trace(p), "");
    pair_run(p, p->now + SEC);
    ack.ack = tcp->snd_una - 70000;
    tcp_input(tcp, p->now, &ack);
    assert_string_equal(pair_trace(p), "4000 C . 101:101(0) ack 1 challenge ACK\n");
    ack.ack = tcp->snd_una;
    ack.window = 1000;
    tcp_input(tcp, p->now, &ack);
    assert_int_equal(tcp->snd_wnd, 1000 << 7);
    assert_int_equal(tcp->last_ack, p->now);
}

static void a_segment_without_ack_is_nothing(void **state)
{
    struct pair *p = opened();
    struct tcp *tcp = &p->tcp[CLIENT];
    struct tcp_segment bare = {
        .seq = tcp->rcv_nxt, .ack = tcp->snd_nxt, .len = 10, .wscale = TCP_NO_WSCALE};

    (void)state;
    tcp_input(tcp, p->now, &bare);
    assert_int_equal(tcp->unread, 0);
    bare.flags = TCP_SYN | TCP_ACK;
    bare.ack = tcp->snd_nxt;
    tcp_input(tcp, p->now, &bare);
    assert_int_equal(tcp->unread, 0);
    assert_string_equal(pair_trace(p), "1000 C . 1:1(0) ack 1 challenge ACK\n");
}

/* The window is never taken back, and a small one is not offered. */
static void windows(void **state)
{
    struct system small = pair_linux;
    struct pair *p = &pair;

    (void)state;
    small.receive_buffer = 10000;
    small.wscale = 0;
    pair_init(p, &pair_linux, &small);
    pair_open(p);
    p->reads[SERVER] = false;
    pair_send(p, CLIENT, 1000);
    pair_run(p, p->now + 50 * MS);
    assert_int_equal(p->last[SERVER].window, 9000);
    pair_send(p, CLIENT, 8500);
    pair_run(p, p->now + 50 * MS);
    assert_int_equal(p->last[SERVER].window, 500); /* of what was offered before */
    assert_int_equal(tcp_select_window(&p->tcp[SERVER]), 0);
    p->reads[SERVER] = p->to_read[SERVER] = true;
    pair_read(p, SERVER);
    assert_int_equal(p->last[SERVER].window, 10000);
    assert_int_equal(p->last[SERVER].note, NOTE_WINDOW_UPDATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_write),     cmocka_unit_test(short_writes),
        cmocka_unit_test(out_of_order),      cmocka_unit_test(a_fin_ahead_waits),
        cmocka_unit_test(acks_out_of_range), cmocka_unit_test(a_segment_without_ack_is_nothing),
        cmocka_unit_test(windows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
