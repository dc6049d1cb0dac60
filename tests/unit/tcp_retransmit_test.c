/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/tcp_pair.h"

static struct pair pair;

static struct pair *opened(const struct system *client, const struct system *server)
{
    pair_init(&pair, client, server);
    pair_open(&pair);
    return &pair;
}

/* A tail loss probe in the place of the first timeout, then doubling; measured on Linux 6.18 with
 * a round trip of next to nothing: 0.206, 0.414, 0.854, 1.686, 3.35, 6.65, 13.3 s. */
static void probe_then_backoff(void **state)
{
    struct pair *p = opened(&pair_linux, &pair_linux);

    (void)state;
    p->blocked[CLIENT] = true;
    pair_send(p, CLIENT, 300);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_ON);
    assert_int_equal(pair_view(p, CLIENT).expires, 1210 * MS);
    assert_int_equal(pair_view(p, CLIENT).send_queue, 300);
    pair_run(p, 15 * SEC);
    assert_string_equal(pair_trace(p), "1000 C P. 1:301(300) ack 1 x\n"
                                       "1210 C P. 1:301(300) ack 1 tail loss probe x\n"
                                       "1420 C P. 1:301(300) ack 1 retransmission x\n"
                                       "1840 C P. 1:301(300) ack 1 retransmission x\n"
                                       "2680 C P. 1:301(300) ack 1 retransmission x\n"
                                       "4360 C P. 1:301(300) ack 1 retransmission x\n"
                                       "7720 C P. 1:301(300) ack 1 retransmission x\n"
                                       "14440 C P. 1:301(300) ack 1 retransmission x\n");
    assert_int_equal(pair_view(p, CLIENT).retransmits, 6);
}

static mtime_t time_to_error(struct pair *p, mtime_t most)
{
    mtime_t start = p->now;

    pair_run(p, start + most - MS);
    assert_int_equal(p->tcp[CLIENT].state, SOCKET_ESTABLISHED);
    pair_run(p, start + most + MS);
    assert_int_equal(tcp_read(&p->tcp[CLIENT], p->now), -ETIMEDOUT);
    return p->now;
}

/* tcp_retries2: 924.6 s of model time after the first retransmission, seen at the timeout after
 * that. */
static void gives_up_by_time(void **state)
{
    struct pair *p = opened(&pair_linux, &pair_linux);
    struct system fast = pair_linux;

    (void)state;
    p->blocked[CLIENT] = true;
    pair_send(p, CLIENT, 10);
    /* 0.21 for the probe, 0.21 * (2^10 - 1) and 120 each from there on. */
    time_to_error(p, 210 * MS + 210 * MS * 1023 + 6 * 120 * SEC);
    assert_int_equal(tcp_retransmits_sent(&p->tcp[CLIENT]), 16);

    fast.rto_max = SEC;
    fast.retries = 8;
    p = opened(&fast, &pair_linux);
    p->blocked[CLIENT] = true;
    pair_send(p, CLIENT, 10);
    /* Model: 3 s for the first three, 5 more: 8 s or a little over. The timeouts: 0.21, 0.42,
     * 0.63, 1.47, 2.47, ... */
    time_to_error(p, 210 * MS + (210 + 420 + 840) * MS + 7 * SEC);
}

static void gives_up_by_count(void **state)
{
    struct system old = pair_linux;
    struct pair *p;

    (void)state;
    old.retries_by_time = old.tail_loss_probe = false;
    old.retries = 3;
    old.rst_on_timeout = true;
    p = opened(&old, &pair_linux);
    p->blocked[CLIENT] = true;
    pair_send(p, CLIENT, 10);
    pair_run(p, 20 * SEC);
    assert_string_equal(pair_trace(p), "1000 C P. 1:11(10) ack 1 x\n"
                                       "1210 C P. 1:11(10) ack 1 retransmission x\n"
                                       "1630 C P. 1:11(10) ack 1 retransmission x\n"
                                       "2470 C P. 1:11(10) ack 1 retransmission x\n"
                                       "4150 C R. 11:11(0) ack 1 x\n"
                                       "4150 C !error ETIMEDOUT\n");
    assert_int_equal(tcp_send(&p->tcp[CLIENT], p->now, 1, NOTE_NONE), -ETIMEDOUT);
    assert_int_equal(tcp_send(&p->tcp[CLIENT], p->now, 1, NOTE_NONE), -EPIPE);
}

/* Nobody holds the socket: tcp_orphan_retries(), 8 as long as the timeout is short. */
static void an_orphan_gives_up_sooner(void **state)
{
    struct pair *p = opened(&pair_linux, &pair_linux);

    (void)state;
    p->blocked[CLIENT] = true;
    pair_send(p, CLIENT, 10);
    tcp_close(&p->tcp[CLIENT], p->now);
    pair_run(p, 1000 * SEC);
    assert_string_equal(pair_trace(p), "1000 C P. 1:11(10) ack 1 x\n"
                                       "1000 C F. 11:11(0) ack 1 x\n"
                                       "1022 C F. 11:11(0) ack 1 tail loss probe x\n"
                                       "1232 C FP. 1:11(10) ack 1 retransmission x\n"
                                       "1652 C FP. 1:11(10) ack 1 retransmission x\n"
                                       "2492 C FP. 1:11(10) ack 1 retransmission x\n"
                                       "4172 C FP. 1:11(10) ack 1 retransmission x\n"
                                       "7532 C FP. 1:11(10) ack 1 retransmission x\n"
                                       "14252 C FP. 1:11(10) ack 1 retransmission x\n"
                                       "27692 C FP. 1:11(10) ack 1 retransmission x\n"
                                       "54572 C FP. 1:11(10) ack 1 retransmission x\n"
                                       "108332 C !gone\n");
}

static void an_answer_ends_it(void **state)
{
    struct pair *p = opened(&pair_linux, &pair_linux);

    (void)state;
    p->lose_next[CLIENT] = 4;
    pair_send(p, CLIENT, 300);
    pair_run(p, 4 * SEC);
    assert_string_equal(pair_trace(p), "1000 C P. 1:301(300) ack 1 x\n"
                                       "1210 C P. 1:301(300) ack 1 tail loss probe x\n"
                                       "1420 C P. 1:301(300) ack 1 retransmission x\n"
                                       "1840 C P. 1:301(300) ack 1 retransmission x\n"
                                       "2680 C P. 1:301(300) ack 1 retransmission\n"
                                       "2685 S . 1:1(0) ack 301\n");
    assert_int_equal(pair_view(p, CLIENT).retransmits, 0);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_OFF);
    /* Measured by timestamps, although it was sent again: the timeout is short as before. */
    assert_true(p->tcp[CLIENT].rto < 230 * MS);
    assert_int_equal(p->tcp[CLIENT].retrans_stamp, MTIME_NEVER);
}

/* Without timestamps nobody knows what the ACK is for: the doubled timeout stays (Karn). */
static void karn(void **state)
{
    struct system plain = pair_linux;
    struct pair *p;

    (void)state;
    plain.timestamps = plain.tail_loss_probe = false;
    p = opened(&plain, &pair_linux);
    p->lose_next[CLIENT] = 2;
    pair_send(p, CLIENT, 300);
    pair_run(p, 4 * SEC);
    assert_int_equal(p->tcp[CLIENT].rto, 840 * MS);
    pair_send(p, CLIENT, 300);
    pair_run(p, 5 * SEC);
    assert_true(p->tcp[CLIENT].rto < 230 * MS);
}

/* Several segments: all are lost, they go out as the window of one grows. */
static void a_burst_lost(void **state)
{
    struct pair *p = opened(&pair_linux, &pair_linux);

    (void)state;
    p->lose_next[CLIENT] = 7;
    pair_send(p, CLIENT, 8000);
    pair_run(p, 3 * SEC);
    assert_string_equal(pair_trace(p), "1000 C . 1:1449(1448) ack 1 x\n"
                                       "1000 C . 1449:2897(1448) ack 1 x\n"
                                       "1000 C . 2897:4345(1448) ack 1 x\n"
                                       "1000 C . 4345:5793(1448) ack 1 x\n"
                                       "1000 C . 5793:7241(1448) ack 1 x\n"
                                       "1000 C P. 7241:8001(760) ack 1 x\n"
                                       "1022 C P. 7241:8001(760) ack 1 tail loss probe x\n"
                                       "1232 C . 1:1449(1448) ack 1 retransmission\n"
                                       "1237 S . 1:1(0) ack 1449\n"
                                       "1242 C . 1449:2897(1448) ack 1 retransmission\n"
                                       "1242 C . 2897:4345(1448) ack 1 retransmission\n"
                                       "1247 S . 1:1(0) ack 2897\n"
                                       "1247 S . 1:1(0) ack 4345\n"
                                       "1252 C . 4345:5793(1448) ack 1 retransmission\n"
                                       "1252 C . 5793:7241(1448) ack 1 retransmission\n"
                                       "1252 C P. 7241:8001(760) ack 1 retransmission\n"
                                       "1257 S . 1:1(0) ack 5793\n"
                                       "1257 S . 1:1(0) ack 7241\n"
                                       "1257 S . 1:1(0) ack 8001\n");
    assert_int_equal(p->received[SERVER], 8000);
}

/* The third duplicate ACK. */
static void fast_retransmit(void **state)
{
    struct pair *p = opened(&pair_linux, &pair_linux);

    (void)state;
    p->lose_seq[CLIENT] = 1;
    pair_send(p, CLIENT, 7000);
    pair_run(p, 2 * SEC);
    assert_string_equal(pair_trace(p), "1000 C . 1:1449(1448) ack 1 x\n"
                                       "1000 C . 1449:2897(1448) ack 1\n"
                                       "1000 C . 2897:4345(1448) ack 1\n"
                                       "1000 C . 4345:5793(1448) ack 1\n"
                                       "1000 C P. 5793:7001(1208) ack 1\n"
                                       "1005 S . 1:1(0) ack 1\n"
                                       "1005 S . 1:1(0) ack 1\n"
                                       "1005 S . 1:1(0) ack 1\n"
                                       "1005 S . 1:1(0) ack 1\n"
                                       "1010 C . 1:1449(1448) ack 1 retransmission\n"
                                       "1015 S . 1:1(0) ack 7001\n");
    assert_int_equal(p->received[SERVER], 7000);
    assert_int_equal(p->tcp[CLIENT].cwnd, p->tcp[CLIENT].ssthresh);
}

/* FIN and payload get lost: the probe is the FIN alone, the retransmission both in one (measured on
 * Linux 6.18). */
static void fin_joins_payload(void **state)
{
    struct pair *p = opened(&pair_linux, &pair_linux);

    (void)state;
    p->lose_next[CLIENT] = 3;
    pair_send(p, CLIENT, 300);
    pair_run(p, 1020 * MS);
    tcp_shutdown(&p->tcp[CLIENT], p->now);
    pair_run(p, 3 * SEC);
    assert_string_equal(pair_trace(p), "1000 C P. 1:301(300) ack 1 x\n"
                                       "1020 C F. 301:301(0) ack 1 x\n"
                                       "1042 C F. 301:301(0) ack 1 tail loss probe x\n"
                                       "1252 C FP. 1:301(300) ack 1 retransmission\n"
                                       "1257 S !eof\n"
                                       "1297 S . 1:1(0) ack 302\n");
}

/* ss shows one timer a socket: what is to be sent again comes before keepalive. */
static void hides_keepalive(void **state)
{
    struct tcp_options options = {.keepalive = true};
    struct pair *p = opened(&pair_linux, &pair_linux);

    (void)state;
    tcp_set_options(&p->tcp[CLIENT], p->now, &options);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_KEEPALIVE);
    assert_int_equal(pair_view(p, CLIENT).expires, p->now + 7200 * SEC);
    pair_send(p, CLIENT, 10);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_ON);
    pair_run(p, p->now + SEC);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_KEEPALIVE);
}

/* Fewer than three duplicate ACKs, with SACK: a quarter of the round trip later (RACK). */
static void reordering_timer(void **state)
{
    struct pair *p = opened(&pair_linux, &pair_linux);

    (void)state;
    p->lose_seq[CLIENT] = 1;
    pair_send(p, CLIENT, 2000);
    pair_run(p, p->now + 11 * MS);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_ON);
    pair_run(p, 2 * SEC);
    assert_string_equal(pair_trace(p), "1000 C . 1:1449(1448) ack 1 x\n"
                                       "1000 C P. 1449:2001(552) ack 1\n"
                                       "1005 S . 1:1(0) ack 1\n"
                                       "1014.500 C . 1:1449(1448) ack 1 retransmission\n"
                                       "1019.500 S . 1:1(0) ack 2001\n");
    assert_int_equal(p->received[SERVER], 2000);
}

/* RFC 6298 with the kernel's floor under the deviation. */
static void estimator(void **state)
{
    struct pair *p = opened(&pair_linux, &pair_linux);
    struct tcp *tcp = &p->tcp[CLIENT];

    (void)state;
    assert_int_equal(tcp->srtt_us, 8 * 10000);
    tcp_rto_sample(tcp, 410 * MS);
    assert_int_equal(tcp->srtt_us >> 3, 60000);
    assert_int_equal(tcp->mdev_us, 20000 + 400000 - 5000);
    assert_int_equal(tcp->rto, 60 * MS + 415 * MS);
    tcp_rto_sample(tcp, 10 * MS); /* faster than thought: an eighth, or the timeout would rise */
    assert_int_equal(tcp->mdev_us, 415000 - (103750 - 50000));
    tcp->srtt_us = 8 * 100000;
    tcp->mdev_us = 4000;
    tcp_rto_sample(tcp, 10 * MS);
    assert_int_equal(tcp->mdev_us, 4000 + (90000 - 1000) / 8);
    tcp_rto_sample(tcp, 10 * SEC);
    tcp_rto_sample(tcp, 10000 * SEC);
    assert_true(tcp->rto <= 120 * SEC);
    p->system[CLIENT].clock = CLOCK_WHEEL;
    tcp->srtt_us = 0;
    tcp_rto_sample(tcp, MS);
    assert_int_equal(tcp->rto, 204 * MS); /* whole jiffies of 4 ms */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probe_then_backoff), cmocka_unit_test(gives_up_by_time),
        cmocka_unit_test(gives_up_by_count),  cmocka_unit_test(an_orphan_gives_up_sooner),
        cmocka_unit_test(an_answer_ends_it),  cmocka_unit_test(karn),
        cmocka_unit_test(a_burst_lost),       cmocka_unit_test(fast_retransmit),
        cmocka_unit_test(fin_joins_payload),  cmocka_unit_test(hides_keepalive),
        cmocka_unit_test(reordering_timer),   cmocka_unit_test(estimator),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
