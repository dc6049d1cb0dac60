/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP_USER_TIMEOUT over retransmission, zero window and the handshake; keepalive's part is in
 * tcp_keepalive_test.c. */
#include "tests/unit/tcp_pair.h"

static struct pair p;

static mtime_t until_error(int side, int error)
{
    while (p.tcp[side].error == 0) {
        mtime_t next = p.n ? p.flight[p.first].at : MTIME_NEVER;

        for (int i = 0; i < 2; i++)
            if (tcp_due(&p.tcp[i]) < next)
                next = tcp_due(&p.tcp[i]);
        assert_true(next < 100000 * SEC);
        pair_run(&p, next);
    }
    assert_int_equal(p.tcp[side].error, error);
    return p.now;
}

static void open_with(mtime_t user_timeout)
{
    pair_init(&p, &pair_linux, &pair_linux);
    p.tcp[CLIENT].options.user_timeout = user_timeout;
    pair_open(&p);
}

static struct tcp bare(mtime_t user_timeout)
{
    open_with(user_timeout);
    return p.tcp[CLIENT];
}

static void over(void **state)
{
    struct tcp tcp = bare(10 * SEC);

    (void)state;
    assert_false(tcp_user_timeout_over(&tcp, 11 * SEC - 1, SEC));
    assert_true(tcp_user_timeout_over(&tcp, 11 * SEC, SEC));
    assert_false(tcp_user_timeout_over(&tcp, 1000 * SEC, MTIME_NEVER));
    /* milliseconds of the clock: the fraction in which it began is not counted */
    assert_true(tcp_user_timeout_over(&tcp, 11 * SEC, SEC + MS - 1));
    tcp.options.user_timeout = 0;
    assert_false(tcp_user_timeout_over(&tcp, 1000 * SEC, SEC));
}

static void clamp(void **state)
{
    struct tcp tcp = bare(10 * SEC);

    (void)state;
    assert_int_equal(tcp_user_timeout_clamp(&tcp, 5 * SEC, SEC, 3 * SEC), 3 * SEC);
    assert_int_equal(tcp_user_timeout_clamp(&tcp, 5 * SEC, SEC, 8 * SEC), 6 * SEC);
    assert_int_equal(tcp_user_timeout_clamp(&tcp, 11 * SEC, SEC, 8 * SEC), MS);
    assert_int_equal(tcp_user_timeout_clamp(&tcp, 5 * SEC, MTIME_NEVER, 80 * SEC), 80 * SEC);
    p.system[CLIENT].clock = CLOCK_WHEEL;
    assert_int_equal(tcp_user_timeout_clamp(&tcp, 50 * SEC, SEC, 8 * SEC), 4 * MS);
    tcp.options.user_timeout = 0;
    assert_int_equal(tcp_user_timeout_clamp(&tcp, 50 * SEC, SEC, 8 * SEC), 8 * SEC);
}

/* From the first retransmission on, and at that very time: the last wait is cut short. */
static void retransmission(void **state)
{
    mtime_t first;

    (void)state;
    open_with(20 * SEC);
    p.blocked[SERVER] = true;
    pair_send(&p, CLIENT, 100);
    while (p.tcp[CLIENT].retrans_stamp == MTIME_NEVER)
        pair_run(&p, p.now + MS);
    first = p.tcp[CLIENT].retrans_stamp;
    assert_in_range(first, SEC + 200 * MS, SEC + 500 * MS);
    assert_in_range(until_error(CLIENT, ETIMEDOUT) - first, 20 * SEC - MS, 20 * SEC + MS);
}

/* Longer than tcp_retries2 would wait: it goes on. */
static void longer_than_usual(void **state)
{
    mtime_t start;

    (void)state;
    open_with(2000 * SEC);
    p.blocked[SERVER] = true;
    start = p.now;
    pair_send(&p, CLIENT, 100);
    assert_in_range(until_error(CLIENT, ETIMEDOUT) - start, 2000 * SEC, 2001 * SEC);
}

static void nothing_waits_nothing_ends(void **state)
{
    (void)state;
    open_with(20 * SEC);
    p.blocked[SERVER] = p.blocked[CLIENT] = true;
    pair_run(&p, 10000 * SEC);
    assert_int_equal(p.tcp[CLIENT].error, 0);
}

/* A peer that answers window probes is alive, and yet the data waited too long. */
static void zero_window(void **state)
{
    mtime_t first;

    (void)state;
    open_with(20 * SEC);
    p.reads[SERVER] = false;
    pair_send(&p, CLIENT, 200000);
    while (p.tcp[CLIENT].window_closed == MTIME_NEVER)
        pair_run(&p, p.now + 10 * MS);
    first = p.tcp[CLIENT].window_closed;
    assert_in_range(until_error(CLIENT, ETIMEDOUT) - first, 20 * SEC - MS, 20 * SEC + MS);
    open_with(0);
    p.reads[SERVER] = false;
    pair_send(&p, CLIENT, 200000);
    pair_run(&p, 10000 * SEC);
    assert_int_equal(p.tcp[CLIENT].error, 0);
}

static void handshake(void **state)
{
    (void)state;
    pair_init(&p, &pair_linux, &pair_linux);
    p.tcp[CLIENT].options.user_timeout = 5 * SEC;
    p.blocked[CLIENT] = true;
    tcp_connect(&p.tcp[CLIENT], 0);
    assert_in_range(until_error(CLIENT, ETIMEDOUT), 5 * SEC, 7 * SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over),
        cmocka_unit_test(clamp),
        cmocka_unit_test(retransmission),
        cmocka_unit_test(longer_than_usual),
        cmocka_unit_test(nothing_waits_nothing_ends),
        cmocka_unit_test(zero_window),
        cmocka_unit_test(handshake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
