/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/tcp_pair.h"

static struct pair pair;

static struct pair *opened(const struct system *server)
{
    pair_init(&pair, &pair_linux, server);
    pair_open(&pair);
    return &pair;
}

/* The first sixteen ACKs go out at once, then after 40 ms. */
static void quick_at_the_start(void **state)
{
    struct pair *p = opened(&pair_linux);

    (void)state;
    p->reads[SERVER] = false; /* reading a pushed segment would be worth an ACK by itself */
    for (int i = 0; i < 16; i++) {
        pair_send(p, CLIENT, 10);
        pair_run(p, p->now + 30 * MS);
    }
    pair_trace(p);
    pair_send(p, CLIENT, 10);
    pair_run(p, p->now + 5 * MS + 39 * MS);
    assert_string_equal(pair_trace(p), "1480 C P. 161:171(10) ack 1\n");
    assert_int_equal(pair_view(p, SERVER).receive_queue, 170);
    pair_run(p, p->now + 200 * MS);
    assert_string_equal(pair_trace(p), "1525 S . 1:1(0) ack 171\n");
    /* A gap longer than the timeout: at once again. */
    pair_run(p, p->now + SEC);
    pair_send(p, CLIENT, 10);
    pair_run(p, p->now + 200 * MS);
    assert_string_equal(pair_trace(p), "2724 C P. 171:181(10) ack 1\n"
                                       "2729 S . 1:1(0) ack 181\n");
}

/* A delay that was missed doubles, up to the round trip's time. */
static void missed_delays_grow(void **state)
{
    struct pair *p = &pair;

    (void)state;
    pair_init(p, &pair_linux, &pair_linux);
    p->delay = 100 * MS;
    pair_open(p);
    p->reads[SERVER] = false;
    p->tcp[SERVER].last_received = p->now;
    p->tcp[SERVER].ato = 40 * MS;
    for (int i = 0; i < 3; i++) {
        pair_send(p, CLIENT, 10);
        pair_run(p, p->now + 350 * MS);
        if (i == 0)
            pair_trace(p);
    }
    assert_string_equal(pair_trace(p), "1350 C P. 11:21(10) ack 1\n"
                                       "1530 S . 1:1(0) ack 21\n"
                                       "1700 C P. 21:31(10) ack 1\n"
                                       "1960 S . 1:1(0) ack 31\n");
}

/* A reply soon after what came makes a conversation: ACKs go with the replies (measured on Linux
 * 6.18). */
static void ping_pong(void **state)
{
    struct pair *p = opened(&pair_linux);

    (void)state;
    for (int i = 0; i < 3; i++) {
        pair_send(p, CLIENT, 10);
        pair_run(p, p->now + 8 * MS);
        pair_send(p, SERVER, 20);
        pair_run(p, p->now + 292 * MS);
    }
    assert_string_equal(pair_trace(p), "1000 C P. 1:11(10) ack 1\n"
                                       "1005 S . 1:1(0) ack 11\n"
                                       "1008 S P. 1:21(20) ack 11\n"
                                       "1013 C . 11:11(0) ack 21\n"
                                       "1300 C P. 11:21(10) ack 21\n"
                                       "1308 S P. 21:41(20) ack 21\n"
                                       "1313 C . 21:21(0) ack 41\n"
                                       "1600 C P. 21:31(10) ack 41\n"
                                       "1608 S P. 41:61(20) ack 31\n"
                                       "1613 C . 31:31(0) ack 61\n");
    pair_send(p, CLIENT, 10); /* nobody replies: 40 ms, and no conversation any more */
    pair_run(p, p->now + 100 * MS);
    pair_send(p, CLIENT, 10);
    pair_run(p, p->now + 100 * MS);
    assert_string_equal(pair_trace(p), "1900 C P. 31:41(10) ack 61\n"
                                       "1945 S . 61:61(0) ack 41\n"
                                       "2000 C P. 41:51(10) ack 61\n"
                                       "2005 S . 61:61(0) ack 51\n");
}

static void a_late_reply_is_no_conversation(void **state)
{
    struct pair *p = opened(&pair_linux);

    (void)state;
    pair_send(p, CLIENT, 10);
    pair_run(p, p->now + 5 * MS + 41 * MS);
    pair_send(p, SERVER, 20);
    pair_run(p, p->now + 254 * MS);
    pair_send(p, CLIENT, 10);
    pair_run(p, p->now + 100 * MS);
    assert_string_equal(pair_trace(p), "1000 C P. 1:11(10) ack 1\n"
                                       "1005 S . 1:1(0) ack 11\n"
                                       "1046 S P. 1:21(20) ack 11\n"
                                       "1051 C . 11:11(0) ack 21\n"
                                       "1300 C P. 11:21(10) ack 21\n"
                                       "1305 S . 21:21(0) ack 21\n");
}

static void converse(struct pair *p)
{
    pair_send(p, CLIENT, 10);
    pair_run(p, p->now + 6 * MS);
    pair_send(p, SERVER, 20);
    pair_run(p, p->now + 100 * MS);
    pair_trace(p);
}

/* More than one full segment is worth an ACK at once. */
static void two_segments(void **state)
{
    struct pair *p = opened(&pair_linux);

    (void)state;
    converse(p);
    p->reads[SERVER] = false;
    p->tcp[SERVER].rcv_mss = 1448;
    pair_send(p, CLIENT, 1448);
    pair_run(p, p->now + 9 * MS);
    assert_string_equal(pair_trace(p), "1106 C P. 11:1459(1448) ack 21\n");
    pair_send(p, CLIENT, 1448);
    pair_run(p, p->now + 9 * MS);
    assert_string_equal(pair_trace(p), "1115 C P. 1459:2907(1448) ack 21\n"
                                       "1120 S . 21:21(0) ack 2907\n");
}

/* Reading a segment that was pushed: an ACK, unless a reply is expected to carry it. */
static void reading_acknowledges(void **state)
{
    struct pair *p = opened(&pair_linux);

    (void)state;
    p->tcp[SERVER].last_received = p->now;
    p->tcp[SERVER].quick = 0;
    p->tcp[SERVER].ato = 40 * MS;
    pair_send(p, CLIENT, 10);
    pair_run(p, p->now + 10 * MS);
    assert_string_equal(pair_trace(p), "1000 C P. 1:11(10) ack 1\n"
                                       "1005 S . 1:1(0) ack 11\n");
    converse(p);
    pair_send(p, CLIENT, 10);
    pair_run(p, p->now + 10 * MS);
    assert_string_equal(pair_trace(p), "1116 C P. 21:31(10) ack 21\n");
}

/* 4.4BSD: every second full segment, else 200 ms; a FIN at once. */
static void fixed_delay(void **state)
{
    struct system old = pair_linux;
    struct pair *p;

    (void)state;
    old.delayed_ack_adaptive = false;
    old.receive_buffer = 30000;
    p = opened(&old);
    pair_send(p, CLIENT, 10);
    pair_run(p, p->now + 300 * MS);
    pair_send(p, CLIENT, 2896);
    pair_run(p, p->now + 5 * MS);
    assert_string_equal(pair_trace(p), "1000 C P. 1:11(10) ack 1\n"
                                       "1205 S . 1:1(0) ack 11\n"
                                       "1300 C . 11:1459(1448) ack 1\n"
                                       "1300 C P. 1459:2907(1448) ack 1\n"
                                       "1305 S . 1:1(0) ack 2907\n");
    tcp_shutdown(&p->tcp[CLIENT], p->now);
    pair_run(p, p->now + 10 * MS);
    assert_string_equal(pair_trace(p), "1305 C F. 2907:2907(0) ack 1\n"
                                       "1310 S . 1:1(0) ack 2908\n"
                                       "1310 S !eof\n");
}

/* Sent again although it had come: answered at once, with what came twice. */
static void a_duplicate_is_answered(void **state)
{
    struct pair *p = opened(&pair_linux);

    (void)state;
    converse(p);
    p->lose_next[SERVER] = 1;
    pair_send(p, CLIENT, 10);
    pair_run(p, p->now + 215 * MS);
    assert_int_equal(p->last[SERVER].sack[1] - p->last[SERVER].sack[0], 10);
    assert_true(seq_before(p->last[SERVER].sack[0], p->last[SERVER].ack));
    pair_run(p, p->now + SEC);
    assert_string_equal(pair_trace(p), "1106 C P. 11:21(10) ack 21\n"
                                       "1151 S . 21:21(0) ack 21 x\n"
                                       "1316 C P. 11:21(10) ack 21 tail loss probe\n"
                                       "1321 S . 21:21(0) ack 21\n");
    assert_false(p->tcp[CLIENT].probe_pending); /* it told the tail loss probe from a loss */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_at_the_start), cmocka_unit_test(missed_delays_grow),
        cmocka_unit_test(ping_pong),          cmocka_unit_test(a_late_reply_is_no_conversation),
        cmocka_unit_test(two_segments),       cmocka_unit_test(reading_acknowledges),
        cmocka_unit_test(fixed_delay),        cmocka_unit_test(a_duplicate_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
