/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/tcp_pair.h"

static struct pair pair;

static struct pair *opened(const struct system *client, const struct system *server)
{
    pair_init(&pair, client, server);
    pair_open(&pair);
    return &pair;
}

static struct pair *opened_linux(void)
{
    return opened(&pair_linux, &pair_linux);
}

static void state_is(struct pair *p, enum socket_state client, enum socket_state server)
{
    assert_int_equal(pair_view(p, CLIENT).state, client);
    assert_int_equal(pair_view(p, SERVER).state, server);
}

static void one_after_the_other(void **state)
{
    struct pair *p = opened_linux();

    (void)state;
    tcp_close(&p->tcp[CLIENT], p->now);
    state_is(p, SOCKET_FIN_WAIT_1, SOCKET_ESTABLISHED);
    pair_run(p, p->now + 60 * MS);
    state_is(p, SOCKET_FIN_WAIT_2, SOCKET_CLOSE_WAIT);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_TIMEWAIT); /* as ss shows an orphan */
    assert_int_equal(pair_view(p, SERVER).receive_queue, 1);
    assert_int_equal(tcp_read(&p->tcp[SERVER], p->now), 0);
    assert_int_equal(tcp_read(&p->tcp[SERVER], p->now), 0);
    tcp_close(&p->tcp[SERVER], p->now);
    state_is(p, SOCKET_FIN_WAIT_2, SOCKET_LAST_ACK);
    pair_run(p, p->now + 20 * MS);
    state_is(p, SOCKET_TIME_WAIT, SOCKET_GONE);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_TIMEWAIT);
    assert_int_equal(pair_view(p, CLIENT).expires, 1065 * MS + 60 * SEC);
    assert_true(p->gone[SERVER]);
    pair_run(p, p->now + 70 * SEC);
    assert_string_equal(pair_trace(p), "1000 C F. 1:1(0) ack 1\n"
                                       "1005 S !eof\n"
                                       "1005 S . 1:1(0) ack 2\n"
                                       "1060 S F. 1:1(0) ack 2\n"
                                       "1065 C . 2:2(0) ack 2\n"
                                       "1070 S !gone\n"
                                       "61065 C !gone\n");
}

/* With the last payload, if that has not gone yet. */
static void fin_goes_with_payload(void **state)
{
    struct pair *p = opened_linux();

    (void)state;
    p->tcp[CLIENT].snd_wnd = 1000;
    pair_send(p, CLIENT, 1600);
    p->tcp[CLIENT].snd_wnd = 60000;
    tcp_shutdown(&p->tcp[CLIENT], p->now);
    pair_run(p, p->now + 6 * MS);
    assert_string_equal(pair_trace(p), "1000 C . 1:1449(1448) ack 1\n"
                                       "1000 C FP. 1449:1601(152) ack 1\n"
                                       "1005 S . 1:1(0) ack 1449\n"
                                       "1005 S !eof\n");
    assert_int_equal(tcp_send(&p->tcp[CLIENT], p->now, 1, NOTE_NONE), -EPIPE);
}

static void both_at_once(void **state)
{
    struct pair *p = opened_linux();

    (void)state;
    tcp_close(&p->tcp[CLIENT], p->now);
    tcp_close(&p->tcp[SERVER], p->now);
    pair_run(p, p->now + 7 * MS);
    state_is(p, SOCKET_CLOSING, SOCKET_CLOSING);
    pair_run(p, p->now + 100 * MS);
    state_is(p, SOCKET_TIME_WAIT, SOCKET_TIME_WAIT);
    pair_run(p, p->now + 70 * SEC);
    assert_string_equal(pair_trace(p), "1000 C F. 1:1(0) ack 1\n"
                                       "1000 S F. 1:1(0) ack 1\n"
                                       "1005 S . 2:2(0) ack 2\n"
                                       "1005 C . 2:2(0) ack 2\n"
                                       "61010 C !gone\n"
                                       "61010 S !gone\n");
}

/* The other side never closes: Linux forgets an orphan after tcp_fin_timeout, without a word; and
 * with a process that holds it, never. */
static void fin_wait_2_of_an_orphan(void **state)
{
    struct pair *p = opened_linux();

    (void)state;
    tcp_close(&p->tcp[CLIENT], p->now);
    pair_run(p, 60 * SEC);
    state_is(p, SOCKET_FIN_WAIT_2, SOCKET_CLOSE_WAIT);
    pair_run(p, 62 * SEC);
    state_is(p, SOCKET_GONE, SOCKET_CLOSE_WAIT);
    assert_string_equal(pair_trace(p), "1000 C F. 1:1(0) ack 1\n"
                                       "1005 S !eof\n"
                                       "1005 S . 1:1(0) ack 2\n"
                                       "61010 C !gone\n");
    tcp_close(&p->tcp[SERVER], p->now); /* its FIN finds nobody */
    pair_run(p, 70 * SEC);
    assert_string_equal(pair_trace(p), "62000 S F. 1:1(0) ack 2\n"
                                       "62005 C R 2:2(0)\n"
                                       "62010 S !gone\n");
}

static void fin_wait_2_with_a_process(void **state)
{
    struct pair *p = opened_linux();

    (void)state;
    tcp_shutdown(&p->tcp[CLIENT], p->now);
    pair_run(p, 86400 * SEC);
    state_is(p, SOCKET_FIN_WAIT_2, SOCKET_CLOSE_WAIT);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_OFF);
    pair_send(p, SERVER, 10); /* half closed: the other half works */
    pair_run(p, p->now + SEC);
    assert_int_equal(p->received[CLIENT], 10);
    pair_trace(p);
    tcp_close(&p->tcp[CLIENT], p->now);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_TIMEWAIT);
    pair_run(p, p->now + 61 * SEC);
    state_is(p, SOCKET_GONE, SOCKET_CLOSE_WAIT);
}

/* The FIN comes while a process still holds the socket: TIME_WAIT, and it reads the end. */
static void fin_for_a_process(void **state)
{
    struct pair *p = opened_linux();

    (void)state;
    tcp_shutdown(&p->tcp[CLIENT], p->now);
    pair_run(p, p->now + SEC);
    tcp_close(&p->tcp[SERVER], p->now);
    pair_run(p, p->now + SEC);
    assert_string_equal(pair_trace(p), "1000 C F. 1:1(0) ack 1\n"
                                       "1005 S !eof\n"
                                       "1005 S . 1:1(0) ack 2\n"
                                       "2000 S F. 1:1(0) ack 2\n"
                                       "2005 C . 2:2(0) ack 2\n"
                                       "2005 C !eof\n"
                                       "2010 S !gone\n");
    state_is(p, SOCKET_TIME_WAIT, SOCKET_GONE);
    assert_int_equal(tcp_read(&p->tcp[CLIENT], p->now), 0);
    pair_run(p, 100 * SEC);
    assert_false(p->gone[CLIENT]);
    tcp_close(&p->tcp[CLIENT], p->now);
    assert_true(p->gone[CLIENT]);
}

/* Longer than TIME_WAIT: first as a whole socket with its keepalive timer, then for as long again
 * (tcp_keepalive_timer()). */
static void a_long_fin_timeout(void **state)
{
    struct system slow = pair_linux;
    struct pair *p;

    (void)state;
    slow.fin_timeout = 100 * SEC;
    p = opened(&slow, &pair_linux);
    tcp_close(&p->tcp[CLIENT], p->now);
    pair_run(p, 2 * SEC);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_KEEPALIVE);
    pair_run(p, 42 * SEC);
    assert_int_equal(pair_view(p, CLIENT).timer, TIMER_TIMEWAIT);
    pair_run(p, 80 * SEC);
    state_is(p, SOCKET_FIN_WAIT_2, SOCKET_CLOSE_WAIT);
    pair_run(p, 82 * SEC);
    state_is(p, SOCKET_GONE, SOCKET_CLOSE_WAIT);
}

/* STCP's finwait2: whoever holds it; never, in older releases. */
static void fin_wait_2_elsewhere(void **state)
{
    struct system stcp = pair_linux;
    struct pair *p;

    (void)state;
    stcp.fin_timeout_orphaned = false;
    stcp.fin_timeout = 1200 * SEC;
    p = opened(&stcp, &pair_linux);
    tcp_shutdown(&p->tcp[CLIENT], p->now);
    pair_run(p, 1200 * SEC);
    state_is(p, SOCKET_FIN_WAIT_2, SOCKET_CLOSE_WAIT);
    pair_run(p, 1202 * SEC);
    state_is(p, SOCKET_GONE, SOCKET_CLOSE_WAIT);
    assert_string_equal(pair_trace(p), "1000 C F. 1:1(0) ack 1\n"
                                       "1005 S !eof\n"
                                       "1005 S . 1:1(0) ack 2\n");
    stcp.fin_timeout = MTIME_NEVER;
    p = opened(&stcp, &pair_linux);
    tcp_close(&p->tcp[CLIENT], p->now);
    pair_run(p, 86400 * SEC);
    state_is(p, SOCKET_FIN_WAIT_2, SOCKET_CLOSE_WAIT);
}

/* Payload for a socket that nobody reads any more: measured on Linux 6.18, a bare RST. */
/* 4.4BSD's tcp_maxidle, once nobody can receive any more: without the kernel's second half. */
static void fin_wait_2_of_a_bsd_orphan(void **state)
{
    struct system bsd = pair_linux;
    struct pair *p;

    (void)state;
    bsd.retries_by_time = false;
    bsd.fin_timeout = 600 * SEC;
    p = opened(&bsd, &pair_linux);
    tcp_shutdown(&p->tcp[CLIENT], p->now);
    pair_run(p, 5000 * SEC);
    state_is(p, SOCKET_FIN_WAIT_2, SOCKET_CLOSE_WAIT); /* a process may still read */
    pair_trace(p);
    tcp_close(&p->tcp[CLIENT], p->now);
    pair_run(p, 5599 * SEC);
    state_is(p, SOCKET_FIN_WAIT_2, SOCKET_CLOSE_WAIT);
    pair_run(p, 5601 * SEC);
    state_is(p, SOCKET_GONE, SOCKET_CLOSE_WAIT);
    assert_string_equal(pair_trace(p), "5600000 C !gone\n");
    p = opened(&bsd, &pair_linux);
    tcp_close(&p->tcp[CLIENT], p->now);
    pair_run(p, 600 * SEC);
    state_is(p, SOCKET_FIN_WAIT_2, SOCKET_CLOSE_WAIT);
    pair_run(p, 602 * SEC);
    state_is(p, SOCKET_GONE, SOCKET_CLOSE_WAIT);
}

static void payload_for_an_orphan(void **state)
{
    struct pair *p = opened_linux();

    (void)state;
    tcp_close(&p->tcp[CLIENT], p->now);
    pair_run(p, p->now + SEC);
    pair_trace(p);
    pair_send(p, SERVER, 10);
    pair_run(p, p->now + SEC);
    assert_string_equal(pair_trace(p), "2000 S P. 1:11(10) ack 2\n"
                                       "2005 C R 2:2(0)\n"
                                       "2005 C !gone\n"
                                       "2010 S !error EPIPE\n");
    assert_int_equal(tcp_send(&p->tcp[SERVER], p->now, 1, NOTE_NONE), -EPIPE);

    p = opened_linux(); /* before its FIN is acknowledged */
    p->lose_next[SERVER] = 0;
    tcp_close(&p->tcp[CLIENT], p->now);
    pair_send(p, SERVER, 10);
    pair_run(p, p->now + SEC);
    assert_string_equal(pair_trace(p), "1000 C F. 1:1(0) ack 1\n"
                                       "1000 S P. 1:11(10) ack 1\n"
                                       "1005 S !eof\n"
                                       "1005 C R 1:1(0)\n"
                                       "1005 C !gone\n"
                                       "1005 S . 11:11(0) ack 2\n"
                                       "1010 S !error EPIPE\n"
                                       "1010 C R 2:2(0)\n");
    assert_int_equal(tcp_send(&p->tcp[SERVER], p->now, 1, NOTE_NONE), -EPIPE);
}

/* RFC 2525 2.17: the peer is told that its payload was thrown away. */
static void close_with_unread_payload(void **state)
{
    struct pair *p = opened_linux();

    (void)state;
    p->reads[SERVER] = false;
    pair_send(p, CLIENT, 10);
    pair_run(p, p->now + 100 * MS);
    pair_trace(p);
    tcp_close(&p->tcp[SERVER], p->now);
    pair_run(p, p->now + 100 * MS);
    assert_string_equal(pair_trace(p), "1100 S R. 1:1(0) ack 11\n"
                                       "1100 S !gone\n"
                                       "1105 C !error ECONNRESET\n");
    assert_int_equal(tcp_send(&p->tcp[CLIENT], p->now, 1, NOTE_NONE), -ECONNRESET);
    assert_int_equal(tcp_send(&p->tcp[CLIENT], p->now, 1, NOTE_NONE), -EPIPE);
    assert_int_equal(tcp_read(&p->tcp[CLIENT], p->now), 0);
}

static void abort_is_a_reset(void **state)
{
    struct pair *p = opened_linux();

    (void)state;
    tcp_abort(&p->tcp[CLIENT], p->now);
    pair_run(p, p->now + 100 * MS);
    assert_string_equal(pair_trace(p), "1000 C R. 1:1(0) ack 1\n"
                                       "1000 C !gone\n"
                                       "1005 S !error ECONNRESET\n");
    assert_int_equal(tcp_read(&p->tcp[SERVER], p->now), -ECONNRESET);
}

/* The FIN's ACK gets lost: TIME_WAIT answers the FIN that comes again, and starts anew. */
static void time_wait_answers(void **state)
{
    struct pair *p = opened_linux();

    (void)state;
    tcp_close(&p->tcp[CLIENT], p->now);
    pair_run(p, p->now + 100 * MS);
    p->lose_next[CLIENT] = 1;
    tcp_close(&p->tcp[SERVER], p->now);
    pair_run(p, p->now + SEC);
    state_is(p, SOCKET_TIME_WAIT, SOCKET_GONE);
    assert_string_equal(pair_trace(p), "1000 C F. 1:1(0) ack 1\n"
                                       "1005 S !eof\n"
                                       "1005 S . 1:1(0) ack 2\n"
                                       "1100 S F. 1:1(0) ack 2\n"
                                       "1105 C . 2:2(0) ack 2 x\n"
                                       "1310 S F. 1:1(0) ack 2 tail loss probe\n"
                                       "1315 C . 2:2(0) ack 2\n"
                                       "1320 S !gone\n");
    assert_int_equal(pair_view(p, CLIENT).expires, 1315 * MS + 60 * SEC);
}

static void time_wait_and_others(void **state)
{
    struct pair *p = opened_linux();
    struct tcp *tcp = &p->tcp[CLIENT];
    struct tcp_segment segment = {.flags = TCP_RST | TCP_ACK, .wscale = TCP_NO_WSCALE};

    (void)state;
    tcp_close(tcp, p->now);
    pair_run(p, p->now + 100 * MS);
    tcp_close(&p->tcp[SERVER], p->now);
    pair_run(p, p->now + 100 * MS);
    pair_trace(p);
    segment.seq = tcp->rcv_nxt + 1;
    segment.ack = tcp->snd_nxt;
    tcp_input(tcp, p->now, &segment); /* a RST elsewhere is nothing */
    assert_string_equal(pair_trace(p), "");
    segment.flags = TCP_ACK;
    segment.seq = tcp->rcv_nxt - 100;
    tcp_input(tcp, p->now, &segment);
    assert_string_equal(pair_trace(p), "1200 C . 2:2(0) ack 2\n");
    state_is(p, SOCKET_TIME_WAIT, SOCKET_GONE);
    segment.seq = tcp->rcv_nxt;
    segment.flags = TCP_RST; /* RFC 1337 */
    tcp_input(tcp, p->now, &segment);
    state_is(p, SOCKET_GONE, SOCKET_GONE);
}

/* FIN_WAIT_2 without a process, as tcp_timewait_state_process() has it. */
static void bucket_in_fin_wait_2(void **state)
{
    struct pair *p = opened_linux();
    struct tcp *tcp = &p->tcp[CLIENT];
    struct tcp_segment segment = {.flags = TCP_ACK, .wscale = TCP_NO_WSCALE};

    (void)state;
    tcp_close(tcp, p->now);
    pair_run(p, p->now + SEC);
    pair_trace(p);
    segment.seq = tcp->rcv_nxt;
    segment.ack = tcp->snd_nxt;
    tcp_input(tcp, p->now, &segment); /* a bare ACK says nothing new */
    segment.seq = tcp->rcv_nxt - 1;
    tcp_input(tcp, p->now, &segment); /* a keepalive probe is answered */
    assert_string_equal(pair_trace(p), "2000 C . 2:2(0) ack 1 keepalive answer\n");
    segment.flags = TCP_RST;
    tcp_input(tcp, p->now, &segment); /* not in its window */
    state_is(p, SOCKET_FIN_WAIT_2, SOCKET_CLOSE_WAIT);
    segment.seq++;
    tcp_input(tcp, p->now, &segment);
    state_is(p, SOCKET_GONE, SOCKET_CLOSE_WAIT);
}

/* A process that never closes holds a dead socket: no state, and the error still to be told. */
static void dead_but_held(void **state)
{
    struct pair *p = opened_linux();

    (void)state;
    p->reads[CLIENT] = false;
    pair_send(p, SERVER, 10);
    pair_run(p, p->now + 10 * MS);
    tcp_abort(&p->tcp[SERVER], p->now);
    pair_run(p, p->now + SEC);
    state_is(p, SOCKET_GONE, SOCKET_GONE);
    assert_false(p->gone[CLIENT]);
    assert_int_equal(tcp_read(&p->tcp[CLIENT], p->now), 10); /* what came before comes first */
    assert_int_equal(tcp_read(&p->tcp[CLIENT], p->now), -ECONNRESET);
    assert_int_equal(tcp_read(&p->tcp[CLIENT], p->now), 0);
    pair_trace(p);
    tcp_close(&p->tcp[CLIENT], p->now);
    assert_string_equal(pair_trace(p), "2010 C !gone\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(fin_goes_with_payload),
        cmocka_unit_test(both_at_once),
        cmocka_unit_test(fin_wait_2_of_an_orphan),
        cmocka_unit_test(fin_wait_2_with_a_process),
        cmocka_unit_test(fin_for_a_process),
        cmocka_unit_test(a_long_fin_timeout),
        cmocka_unit_test(fin_wait_2_elsewhere),
        cmocka_unit_test(fin_wait_2_of_a_bsd_orphan),
        cmocka_unit_test(payload_for_an_orphan),
        cmocka_unit_test(close_with_unread_payload),
        cmocka_unit_test(abort_is_a_reset),
        cmocka_unit_test(time_wait_answers),
        cmocka_unit_test(time_wait_and_others),
        cmocka_unit_test(bucket_in_fin_wait_2),
        cmocka_unit_test(dead_but_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
