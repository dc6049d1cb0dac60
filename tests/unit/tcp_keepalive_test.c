/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keepalive: the server S probes, the client C answers or does not. */
#include "tests/unit/tcp_pair.h"

#define EST (15 * MS) /* when S becomes ESTABLISHED */

static struct pair p;

/* When the next packet arrives or timer ends. */
static mtime_t next_event(void)
{
    mtime_t next = p.n ? p.flight[p.first].at : MTIME_NEVER;

    for (int i = 0; i < 2; i++)
        if (tcp_due(&p.tcp[i]) < next)
            next = tcp_due(&p.tcp[i]);
    return next;
}

/* Plays until S probes once more; returns when. */
static mtime_t next_probe(void)
{
    uint32_t before = tcp_probes_sent(&p.tcp[SERVER]);

    while (tcp_probes_sent(&p.tcp[SERVER]) == before) {
        assert_true(next_event() < MTIME_NEVER);
        pair_run(&p, next_event());
    }
    return p.now;
}

/* Plays until S is told an error; returns when. */
static mtime_t until_error(int error)
{
    while (p.tcp[SERVER].error == 0) {
        assert_true(next_event() < MTIME_NEVER);
        pair_run(&p, next_event());
    }
    assert_int_equal(p.tcp[SERVER].error, error);
    return p.now;
}

static void start(const struct system *client, const struct system *server)
{
    pair_init(&p, client, server);
}

static void server_keepalive(mtime_t idle, mtime_t interval, unsigned count)
{
    p.tcp[SERVER].options.keepalive = true;
    p.tcp[SERVER].options.times = (struct keepalive_times){idle, interval, count};
}

/* The time is 1 s then. */
static void open_with(mtime_t idle, mtime_t interval, unsigned count)
{
    start(&pair_linux, &pair_linux);
    server_keepalive(idle, interval, count);
    pair_open(&p);
}

static struct system named(const char *name)
{
    return *system_find(name, strlen(name));
}

static mtime_t left(void)
{
    struct socket_view view = pair_view(&p, SERVER);

    assert_int_equal(view.timer, TIMER_KEEPALIVE);
    return view.expires - p.now;
}

/* Field case 3a: the timer shows 5.61 ... after a probe, then 53.93. */
static void an_answered_probe(void **state)
{
    (void)state;
    open_with(60 * SEC, 6 * SEC, 10);
    assert_int_equal(next_probe(), 60 * SEC + EST);
    assert_int_equal(p.last[SERVER].len, 0);
    assert_int_equal(p.last[SERVER].seq, p.tcp[SERVER].snd_nxt - 1);
    assert_int_equal(p.last[SERVER].flags, TCP_ACK);
    assert_int_equal(p.last[SERVER].note, NOTE_PROBE);
    assert_int_equal(left(), 6 * SEC);
    assert_int_equal(pair_view(&p, SERVER).probes, 1);
    pair_run(&p, p.now + 10 * MS); /* the answer is there; the timer still runs out */
    assert_int_equal(p.last[CLIENT].note, NOTE_PROBE_ANSWER);
    assert_int_equal(pair_view(&p, SERVER).probes, 0);
    assert_int_equal(left(), 5990 * MS);
    pair_run(&p, p.now + 5990 * MS);
    assert_int_equal(left(), 54010 * MS);
    assert_int_equal(next_probe(), 120 * SEC + EST + 10 * MS);
}

/* 3b: traffic 18 s before the end does not push the timer; it sends nothing and waits for the rest.
 */
static void traffic_does_not_push_the_timer(void **state)
{
    (void)state;
    open_with(60 * SEC, 6 * SEC, 10);
    pair_run(&p, 42 * SEC);
    pair_send(&p, CLIENT, 100);
    pair_run(&p, 60 * SEC);
    assert_int_equal(left(), EST);
    pair_run(&p, 61 * SEC);
    assert_int_equal(tcp_probes_sent(&p.tcp[SERVER]), 0);
    assert_int_equal(p.tcp[SERVER].expires[SLOT_KEEPALIVE], 102 * SEC + 5 * MS);
    assert_int_equal(next_probe(), 102 * SEC + 5 * MS);
}

/* What C acknowledges counts too, not what S sends. */
static void an_acknowledgement_counts(void **state)
{
    (void)state;
    open_with(60 * SEC, 6 * SEC, 10);
    pair_run(&p, 30 * SEC);
    pair_send(&p, SERVER, 100);
    pair_run(&p, 31 * SEC);
    assert_int_equal(next_probe() / SEC, 90);
}

/* The kernel's fast path takes payload without looking at its acknowledgement. */
static void payload_counts(void **state)
{
    (void)state;
    open_with(60 * SEC, 6 * SEC, 10);
    pair_run(&p, 30 * SEC);
    p.tcp[SERVER].last_received = p.now;
    assert_int_equal(next_probe(), 90 * SEC);
}

/* 3c: ten probes, and where an eleventh would go RST|ACK: 120 s. */
static void lost_answers(void **state)
{
    (void)state;
    open_with(60 * SEC, 6 * SEC, 10);
    p.blocked[CLIENT] = true;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(next_probe(), (60 + 6 * i) * SEC + EST);
        assert_int_equal(pair_view(&p, SERVER).probes, i + 1);
        assert_int_equal(p.last[SERVER].nth, i + 1);
    }
    p.blocked[SERVER] = true;
    assert_int_equal(until_error(ETIMEDOUT), 120 * SEC + EST);
    assert_int_equal(tcp_probes_sent(&p.tcp[SERVER]), 10);
    assert_int_equal(p.last[SERVER].flags, TCP_RST | TCP_ACK);
    assert_int_equal(p.last[SERVER].seq, p.last[CLIENT].ack);
    assert_int_equal(p.tcp[SERVER].state, SOCKET_GONE);
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_ESTABLISHED);
}

/* 3d */
static void the_block_is_lifted_in_time(void **state)
{
    (void)state;
    open_with(60 * SEC, 6 * SEC, 10);
    p.blocked[CLIENT] = true;
    for (int i = 0; i < 9; i++)
        next_probe();
    p.blocked[CLIENT] = false;
    next_probe();
    pair_run(&p, p.now + SEC);
    assert_int_equal(pair_view(&p, SERVER).probes, 0);
    pair_run(&p, 1000 * SEC);
    assert_int_equal(p.tcp[SERVER].state, SOCKET_ESTABLISHED);
}

/* 3e: nothing is probed while anything is unacknowledged, and the unanswered count starts anew. */
static void data_suspend_it(void **state)
{
    (void)state;
    open_with(60 * SEC, 6 * SEC, 10);
    p.blocked[CLIENT] = p.blocked[SERVER] = true;
    next_probe();
    next_probe();
    pair_send(&p, SERVER, 100);
    pair_run(&p, 500 * SEC);
    assert_int_equal(tcp_probes_sent(&p.tcp[SERVER]), 2);
    assert_int_equal(pair_view(&p, SERVER).timer, TIMER_ON); /* hides the keepalive timer */
    assert_in_range(p.tcp[SERVER].fires[SLOT_KEEPALIVE], 500 * SEC, 560 * SEC);
    assert_true(until_error(ETIMEDOUT) > 900 * SEC);
    assert_int_not_equal(p.last[SERVER].flags & TCP_RST, TCP_RST);
}

/* So does what waits for the window to open: window probes take over. */
static void a_closed_window_suspends_it(void **state)
{
    (void)state;
    open_with(60 * SEC, 6 * SEC, 10);
    p.reads[CLIENT] = false;
    pair_send(&p, SERVER, 200000);
    pair_run(&p, 1000 * SEC);
    assert_int_equal(pair_view(&p, SERVER).timer, TIMER_PERSIST);
    assert_int_equal(tcp_probes_sent(&p.tcp[SERVER]), 0);
    assert_int_equal(p.tcp[SERVER].state, SOCKET_ESTABLISHED);
}

/* TCP_USER_TIMEOUT takes the place of the count, once a probe is unanswered. */
static void user_timeout_instead_of_the_count(void **state)
{
    (void)state;
    start(&pair_linux, &pair_linux);
    server_keepalive(10 * SEC, 5 * SEC, 3);
    p.tcp[SERVER].options.user_timeout = 12 * SEC; /* before the count */
    pair_open(&p);
    p.blocked[CLIENT] = true;
    assert_int_equal(until_error(ETIMEDOUT), 15 * SEC + EST);
    assert_int_equal(tcp_probes_sent(&p.tcp[SERVER]), 1);

    start(&pair_linux, &pair_linux);
    server_keepalive(10 * SEC, 5 * SEC, 3);
    p.tcp[SERVER].options.user_timeout = 40 * SEC; /* long after it */
    pair_open(&p);
    p.blocked[CLIENT] = true;
    assert_int_equal(until_error(ETIMEDOUT), 40 * SEC + EST);
    assert_int_equal(tcp_probes_sent(&p.tcp[SERVER]), 6);

    start(&pair_linux, &pair_linux);
    server_keepalive(10 * SEC, 5 * SEC, 3);
    p.tcp[SERVER].options.user_timeout =
        8 * SEC; /* shorter than the idle time: a probe goes first */
    pair_open(&p);
    p.blocked[CLIENT] = true;
    assert_int_equal(until_error(ETIMEDOUT), 15 * SEC + EST);
    assert_int_equal(tcp_probes_sent(&p.tcp[SERVER]), 1);
}

static void set(bool on, mtime_t idle, mtime_t interval, unsigned count, mtime_t user_timeout)
{
    struct tcp_options options = {on, {idle, interval, count}, user_timeout};

    tcp_set_options(&p.tcp[SERVER], p.now, &options);
}

static void turned_on_later(void **state)
{
    (void)state;
    start(&pair_linux, &pair_linux);
    pair_open(&p);
    assert_int_equal(pair_view(&p, SERVER).timer, TIMER_OFF);
    pair_run(&p, 1000 * SEC);
    set(true, 60 * SEC, 6 * SEC, 10, 0); /* tcp_set_keepalive(): the whole time */
    assert_int_equal(left(), 60 * SEC);
    assert_int_equal(next_probe(), 1060 * SEC);
    set(false, 60 * SEC, 6 * SEC, 10, 0);
    assert_int_equal(pair_view(&p, SERVER).timer, TIMER_OFF);
    pair_run(&p, 1100 * SEC);
    assert_int_equal(pair_view(&p, SERVER).timer, TIMER_OFF);
    assert_int_equal(tcp_probes_sent(&p.tcp[SERVER]), 1);
}

static void other_times(void **state)
{
    (void)state;
    open_with(60 * SEC, 6 * SEC, 10);
    pair_run(&p, 20 * SEC);
    set(true, 60 * SEC, 7 * SEC, 11, 5 * SEC); /* the timer stays */
    assert_int_equal(left(), 40 * SEC + EST);
    set(true, 100 * SEC, 7 * SEC, 11, 0); /* TCP_KEEPIDLE: what is left of it */
    assert_int_equal(left(), 80 * SEC + EST);
    set(true, 15 * SEC, 7 * SEC, 11, 0);
    assert_true(left() <= MS);
    next_probe();
    p.blocked[CLIENT] = true;
    assert_int_equal(left(), 7 * SEC);
    pair_run(&p, p.now + SEC); /* answered; another interval is for the next time */
    set(true, 15 * SEC, 3 * SEC, 11, 0);
    assert_int_equal(left(), 6 * SEC);
    next_probe();
    next_probe();
    pair_run(&p, p.now + SEC);
    set(true, 15 * SEC, 9 * SEC, 11, 0);
    assert_int_equal(left(), 2 * SEC);
}

static void unset_times_are_the_system_s(void **state)
{
    (void)state;
    open_with(0, 0, 0);
    p.blocked[CLIENT] = true;
    assert_int_equal(next_probe(), 7200 * SEC + EST);
    assert_int_equal(until_error(ETIMEDOUT), 7875 * SEC + EST);
    assert_int_equal(tcp_probes_sent(&p.tcp[SERVER]), 9);
}

static void off_is_off(void **state)
{
    (void)state;
    start(&pair_linux, &pair_linux);
    pair_open(&p);
    p.deaf[CLIENT] = true;
    pair_run(&p, 400000 * SEC);
    assert_int_equal(tcp_probes_sent(&p.tcp[SERVER]), 0);
    assert_int_equal(p.tcp[SERVER].state, SOCKET_ESTABLISHED);
}

/* Half closed, and the process still there: Linux probes on. */
static void in_fin_wait_2(void **state)
{
    (void)state;
    open_with(60 * SEC, 6 * SEC, 10);
    tcp_shutdown(&p.tcp[SERVER], p.now);
    pair_run(&p, 2 * SEC);
    assert_int_equal(p.tcp[SERVER].state, SOCKET_FIN_WAIT_2);
    assert_int_equal(next_probe() / SEC, 61);
    p.blocked[CLIENT] = true;
    until_error(ETIMEDOUT);
}

/* The answer to a probe: a soft error heard of before is told instead (tcp_write_err()). */
static void a_soft_error_is_told(void **state)
{
    (void)state;
    open_with(60 * SEC, 6 * SEC, 10);
    p.blocked[CLIENT] = true;
    p.tcp[SERVER].soft_error = EHOSTUNREACH;
    until_error(EHOSTUNREACH);
}

/* The wheel and the timer that looks again add up: 60 s is never sooner, nor an eighth later. */
static void on_the_wheel(void **state)
{
    struct system wheel = pair_linux;

    (void)state;
    wheel.clock = CLOCK_WHEEL;
    for (uint64_t phase = 0; phase < 512; phase += 17) {
        mtime_t at;

        start(&pair_linux, &wheel);
        p.host[SERVER].jiffy = phase;
        server_keepalive(60 * SEC, 6 * SEC, 10);
        pair_open(&p);
        at = next_probe();
        assert_true(at > 60 * SEC + EST && at < 62080 * MS);
        assert_int_equal(left(), 6 * SEC);
        pair_run(&p, p.now + 7 * SEC);
        assert_in_range(left() / MS, 52 * 1000, 54 * 1000);
    }
}

/* Others: every figure of the preset, from the last segment received. */
static mtime_t dead_after(const char *name, bool asks)
{
    struct system system = named(name);

    start(&pair_linux, &system);
    p.tcp[SERVER].options.keepalive = asks;
    pair_open(&p);
    p.blocked[CLIENT] = p.deaf[CLIENT] = true;
    return until_error(ETIMEDOUT) - EST;
}

static void presets_give_up(void **state)
{
    static const struct {
        const char *name;
        unsigned after, probes;
    } all[] = {{"windows", 7210, 10}, {"windows-xp", 7205, 5}, {"macos", 7800, 8},
               {"freebsd", 7800, 8},  {"openbsd", 7800, 8},    {"netbsd", 7800, 8},
               {"aix", 7800, 8},      {"hpux", 7800, 60},      {"openvms", 7800, 8},
               {"tru64", 7800, 8},    {"nonstop", 675, 8},     {"stcp", 7800, 8}};

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        mtime_t after = dead_after(all[i].name, true);

        if (after > all[i].after * SEC || after < all[i].after * SEC - 500 * MS)
            fail_msg("%s: %.3f", all[i].name, mtime_seconds(after));
        assert_int_equal(tcp_probes_sent(&p.tcp[SERVER]), all[i].probes);
        if (p.system[SERVER].keepalive_rst)
            assert_int_equal(p.last[SERVER].flags, TCP_RST | TCP_ACK);
        else
            assert_int_equal(p.last[SERVER].note, NOTE_PROBE);
    }
}

static void only_freebsd_does_not_wait_to_be_asked(void **state)
{
    (void)state;
    for (size_t i = 0; i < system_count; i++) {
        start(&pair_linux, &systems[i]);
        pair_open(&p);
        pair_run(&p, 8000 * SEC);
        assert_int_equal(tcp_probes_sent(&p.tcp[SERVER]) > 0,
                         strcmp(systems[i].name, "freebsd") == 0);
    }
}

/* illumos: the RTO, doubled up to a minute, until eight minutes have passed. */
static void solaris_backs_off(void **state)
{
    struct system solaris = named("solaris");
    mtime_t rto, last, expected;

    (void)state;
    start(&pair_linux, &solaris);
    p.tcp[SERVER].options.keepalive = true;
    pair_open(&p);
    p.blocked[CLIENT] = true;
    last = next_probe();
    assert_int_equal(last, 7200 * SEC + EST);
    assert_int_equal(p.last[SERVER].len, 1);
    rto = p.tcp[SERVER].rto;
    for (expected = rto; last < 7600 * SEC;
         expected = expected * 2 < 60 * SEC ? expected * 2 : 60 * SEC) {
        mtime_t at = next_probe();

        assert_int_equal(at - last, expected);
        last = at;
    }
    assert_in_range(until_error(ETIMEDOUT), 7680 * SEC, 7741 * SEC);
    assert_int_equal(p.last[SERVER].note, NOTE_PROBE); /* tcp_clean_death(): no RST */
}

/* TCP_KEEPINTVL and TCP_KEEPCNT make it even. */
static void solaris_even(void **state)
{
    struct system solaris = named("solaris");

    (void)state;
    start(&pair_linux, &solaris);
    server_keepalive(60 * SEC, 6 * SEC, 10);
    pair_open(&p);
    p.blocked[CLIENT] = true;
    assert_int_equal(next_probe(), 60 * SEC + EST);
    assert_int_equal(next_probe(), 66 * SEC + EST);
    assert_int_equal(until_error(ETIMEDOUT), 120 * SEC + EST);
}

/* AIX: a byte of garbage below SND.NXT, answered each time, also within half a second. */
static void a_byte_of_garbage(void **state)
{
    struct system aix = named("aix");

    (void)state;
    start(&pair_linux, &aix);
    server_keepalive(60 * SEC, SEC, 8);
    pair_open(&p);
    p.tcp[CLIENT].last_outside = p.now;
    for (int i = 0; i < 3; i++) {
        mtime_t at = next_probe();

        assert_in_range(at, (60 * i + 59) * SEC, (60 * i + 61) * SEC);
        assert_int_equal(p.last[SERVER].len, 1);
        assert_true(p.last[SERVER].garbage);
        assert_int_equal(p.last[SERVER].seq, p.tcp[SERVER].snd_nxt - 1);
        p.tcp[CLIENT].last_outside = p.now;
        pair_run(&p, p.now + 10 * MS);
        assert_int_equal(p.last[CLIENT].note, NOTE_PROBE_ANSWER);
        assert_int_equal(p.received[CLIENT], 0);
    }
}

/* 4.4BSD: every segment received restarts the timer at once, sending does not. */
static void pushed(void **state)
{
    struct system tru64 = named("tru64");

    (void)state;
    start(&pair_linux, &tru64);
    server_keepalive(60 * SEC, 6 * SEC, 8);
    pair_open(&p);
    pair_run(&p, 42 * SEC);
    pair_send(&p, CLIENT, 100);
    pair_run(&p, 42 * SEC + 5 * MS);
    assert_in_range(left(), 59500 * MS, 60 * SEC);
    pair_run(&p, 80 * SEC);
    p.blocked[CLIENT] = true;
    pair_send(&p, SERVER, 100);
    assert_in_range(next_probe(), 101500 * MS, 102100 * MS); /* unacknowledged or not */
}

/* 4.4BSD asks not whether it is acceptable: somebody is there. */
static void any_segment_is_a_sign_of_life(void **state)
{
    struct system tru64 = named("tru64");
    struct tcp_segment old = {.flags = TCP_ACK, .wscale = TCP_NO_WSCALE};

    (void)state;
    start(&pair_linux, &tru64);
    server_keepalive(60 * SEC, 6 * SEC, 8);
    pair_open(&p);
    p.blocked[CLIENT] = true;
    next_probe();
    next_probe();
    old.seq = p.tcp[SERVER].rcv_nxt - 1000;
    old.ack = p.tcp[SERVER].snd_nxt;
    tcp_input(&p.tcp[SERVER], p.now, &old);
    assert_int_equal(pair_view(&p, SERVER).probes, 0);
    assert_in_range(left(), 59500 * MS, 60 * SEC);
}

/* FreeBSD and illumos look when the timer ends. */
static void from_receipt_but_not_pushed(void **state)
{
    struct system freebsd = named("freebsd");

    (void)state;
    start(&pair_linux, &freebsd);
    server_keepalive(60 * SEC, 6 * SEC, 8);
    pair_open(&p);
    pair_run(&p, 42 * SEC);
    pair_send(&p, CLIENT, 100);
    pair_run(&p, 42 * SEC + 5 * MS);
    assert_int_equal(left(), 18 * SEC + 10 * MS);
    assert_int_equal(next_probe(), 102 * SEC + 5 * MS);
    assert_int_equal(pair_view(&p, SERVER).probes, 1);
    pair_run(&p, p.now + 10 * MS);
    assert_int_equal(pair_view(&p, SERVER).probes, 0);
}

/* A timer that runs whether it is asked for or not: turned on late, it ends where it would have. */
static void bsd_turned_on_later(void **state)
{
    struct system openbsd = named("openbsd");

    (void)state;
    start(&pair_linux, &openbsd);
    pair_open(&p);
    pair_run(&p, 7000 * SEC);
    set(true, 0, 0, 0, 0);
    assert_int_equal(next_probe(), 7200 * SEC + EST);
}

/* Not in FIN_WAIT_2 (t_state <= TCPS_CLOSE_WAIT). */
static void bsd_half_closed(void **state)
{
    struct system stcp = named("stcp-old");

    (void)state;
    start(&pair_linux, &stcp);
    server_keepalive(60 * SEC, 6 * SEC, 8);
    pair_open(&p);
    tcp_shutdown(&p.tcp[SERVER], p.now);
    p.reads[CLIENT] = false;
    pair_run(&p, 10000 * SEC);
    assert_int_equal(p.tcp[SERVER].state, SOCKET_FIN_WAIT_2);
    assert_int_equal(tcp_probes_sent(&p.tcp[SERVER]), 0);
}

/* Hostile settings must not stop the clock. */
static void no_time_at_all(void **state)
{
    struct system odd = pair_linux;

    (void)state;
    odd.keepalive = (struct keepalive_times){0, 0, 200};
    start(&pair_linux, &odd);
    pair_open(&p);
    p.blocked[CLIENT] = true;
    set(true, 0, 0, 0, 1400 * MS);
    pair_run(&p, 2 * SEC);
    assert_int_equal(p.tcp[SERVER].error, ETIMEDOUT);
    assert_true(tcp_probes_sent(&p.tcp[SERVER]) > 255);
    odd.keepalive_from_receipt = odd.keepalive_pushed = true;
    start(&pair_linux, &odd);
    pair_open(&p);
    p.blocked[CLIENT] = true;
    set(true, 0, 0, 0, 0);
    pair_run(&p, 2 * SEC);
    assert_int_equal(p.tcp[SERVER].error, ETIMEDOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answered_probe),
        cmocka_unit_test(traffic_does_not_push_the_timer),
        cmocka_unit_test(an_acknowledgement_counts),
        cmocka_unit_test(payload_counts),
        cmocka_unit_test(lost_answers),
        cmocka_unit_test(the_block_is_lifted_in_time),
        cmocka_unit_test(data_suspend_it),
        cmocka_unit_test(a_closed_window_suspends_it),
        cmocka_unit_test(user_timeout_instead_of_the_count),
        cmocka_unit_test(turned_on_later),
        cmocka_unit_test(other_times),
        cmocka_unit_test(unset_times_are_the_system_s),
        cmocka_unit_test(off_is_off),
        cmocka_unit_test(in_fin_wait_2),
        cmocka_unit_test(a_soft_error_is_told),
        cmocka_unit_test(on_the_wheel),
        cmocka_unit_test(presets_give_up),
        cmocka_unit_test(only_freebsd_does_not_wait_to_be_asked),
        cmocka_unit_test(solaris_backs_off),
        cmocka_unit_test(solaris_even),
        cmocka_unit_test(a_byte_of_garbage),
        cmocka_unit_test(pushed),
        cmocka_unit_test(any_segment_is_a_sign_of_life),
        cmocka_unit_test(from_receipt_but_not_pushed),
        cmocka_unit_test(bsd_turned_on_later),
        cmocka_unit_test(bsd_half_closed),
        cmocka_unit_test(no_time_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
