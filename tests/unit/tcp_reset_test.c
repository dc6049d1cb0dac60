/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which RST is taken, what is answered to segments that are not acceptable, and how often. */
#include "tests/unit/tcp_pair.h"

static struct pair p;
static unsigned answers; /* that C sent since hit() began */

/* A segment out of nowhere reaches C; true if C answered it. p.last[CLIENT] is what it said. */
static bool hit(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    struct tcp_segment segment = {.seq = seq,
                                  .ack = ack,
                                  .len = len,
                                  .window = 1000,
                                  .flags = flags,
                                  .wscale = TCP_NO_WSCALE};
    size_t flying = p.n;

    tcp_input(&p.tcp[CLIENT], p.now, &segment);
    answers = (unsigned)(p.n - flying);
    return answers > 0;
}

static uint32_t rcv_nxt(void)
{
    return p.tcp[CLIENT].rcv_nxt;
}

static uint32_t snd_nxt(void)
{
    return p.tcp[CLIENT].snd_nxt;
}

static void later(mtime_t by)
{
    pair_run(&p, p.now + by);
}

static void open_client(const struct system *system)
{
    pair_init(&p, system, &pair_linux);
    pair_open(&p);
}

static void only_the_next_number_resets(void **state)
{
    static const int64_t off[] = {-1, 1, 2, 1000, 60000};

    (void)state;
    for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
        open_client(&pair_linux);
        hit(TCP_RST, rcv_nxt() + (uint32_t)off[i], 0, 0);
        assert_int_equal(p.tcp[CLIENT].state, SOCKET_ESTABLISHED);
        assert_int_equal(answers, off[i] > 0); /* below the window: not a word */
        if (answers) {
            assert_int_equal(p.last[CLIENT].note, NOTE_CHALLENGE);
            assert_int_equal(p.last[CLIENT].flags, TCP_ACK);
            assert_int_equal(p.last[CLIENT].ack, rcv_nxt());
            assert_int_equal(p.last[CLIENT].seq, snd_nxt());
        }
        assert_false(hit(TCP_RST, rcv_nxt(), 0, 0));
        assert_int_equal(p.tcp[CLIENT].state, SOCKET_GONE);
        assert_int_equal(p.tcp[CLIENT].error, ECONNRESET);
    }
}

static void far_outside_is_ignored(void **state)
{
    (void)state;
    open_client(&pair_linux);
    assert_false(hit(TCP_RST, rcv_nxt() + 70000, 0, 0));
    assert_false(hit(TCP_RST | TCP_ACK, rcv_nxt() - 100000, snd_nxt(), 0));
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_ESTABLISHED);
}

/* What stands in RFC 793; the ACK field does not matter. */
static void old_systems_take_any_in_the_window(void **state)
{
    struct system old = pair_linux;

    (void)state;
    old.reset = RESET_IN_WINDOW;
    open_client(&old);
    assert_false(hit(TCP_RST, rcv_nxt() - 1, 0, 0));
    assert_false(hit(TCP_RST, rcv_nxt() + tcp_receive_window(&p.tcp[CLIENT]), 0, 0));
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_ESTABLISHED);
    assert_false(hit(TCP_RST, rcv_nxt() + tcp_receive_window(&p.tcp[CLIENT]) - 1, 0, 0));
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_GONE);
    open_client(&old);
    p.tcp[CLIENT].rcv_wnd = 0;
    assert_false(hit(TCP_RST, rcv_nxt(), 0, 1)); /* field case 5: R 86:87(1) ack 1031 */
    assert_int_equal(p.tcp[CLIENT].error, ECONNRESET);
}

static void the_edge_of_what_came_ahead(void **state)
{
    (void)state;
    open_client(&pair_linux);
    hit(TCP_ACK, rcv_nxt() + 100, snd_nxt(), 50);
    assert_true(hit(TCP_RST, rcv_nxt() + 100, 0, 0));
    assert_false(hit(TCP_RST, rcv_nxt() + 150, 0, 0));
    assert_int_equal(p.tcp[CLIENT].error, ECONNRESET);
    open_client(&pair_linux); /* what nobody told about is no excuse */
    p.tcp[CLIENT].sack = false;
    hit(TCP_ACK, rcv_nxt() + 100, snd_nxt(), 50);
    hit(TCP_RST, rcv_nxt() + 150, 0, 0);
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_ESTABLISHED);
}

/* tcp_reset_check() */
static void one_below_after_a_fin(void **state)
{
    (void)state;
    open_client(&pair_linux);
    tcp_shutdown(&p.tcp[SERVER], p.now);
    later(SEC);
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_CLOSE_WAIT);
    hit(TCP_RST, rcv_nxt() - 2, 0, 0);
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_CLOSE_WAIT);
    hit(TCP_RST, rcv_nxt() - 1, 0, 0);
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_GONE);
}

static void the_error_by_state(void **state)
{
    (void)state;
    open_client(&pair_linux);
    tcp_shutdown(&p.tcp[SERVER], p.now);
    later(SEC);
    hit(TCP_RST, rcv_nxt(), 0, 0);
    assert_int_equal(p.tcp[CLIENT].error, EPIPE);

    open_client(&pair_linux);
    tcp_shutdown(&p.tcp[CLIENT], p.now);
    later(SEC);
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_FIN_WAIT_2);
    hit(TCP_RST, rcv_nxt(), 0, 0);
    assert_int_equal(p.tcp[CLIENT].error, ECONNRESET);

    pair_init(&p, &pair_linux, &pair_linux);
    p.listening = false;
    tcp_connect(&p.tcp[CLIENT], 0);
    pair_run(&p, SEC);
    assert_int_equal(p.tcp[CLIENT].error, ECONNREFUSED);
}

/* tcp_invalid_ratelimit: whatever it is for, one in 500 ms and socket. */
static void one_challenge_in_half_a_second(void **state)
{
    (void)state;
    open_client(&pair_linux);
    assert_true(hit(TCP_RST, rcv_nxt() + 1, 0, 0));
    assert_false(hit(TCP_RST, rcv_nxt() + 1, 0, 0));
    assert_false(hit(TCP_SYN, rcv_nxt() + 1, 0, 0));
    later(499 * MS);
    assert_false(hit(TCP_SYN, rcv_nxt() + 1, 0, 0));
    later(MS);
    assert_true(hit(TCP_SYN, rcv_nxt() + 1, 0, 0));
    later(499 * MS); /* from the last that was sent */
    assert_false(hit(TCP_RST, rcv_nxt() + 1, 0, 0));
    later(MS);
    assert_true(hit(TCP_RST, rcv_nxt() + 1, 0, 0));
}

/* RFC 5961 4.2: in the window or not. A peer that was rebooted learns so that it must reset. */
static void a_syn_is_challenged(void **state)
{
    static const uint32_t off[] = {0, 1, 0x40000000, 0xffffffff};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        open_client(&pair_linux);
        assert_true(hit(TCP_SYN, rcv_nxt() + off[i], 0, 0));
        assert_int_equal(p.last[CLIENT].note, NOTE_CHALLENGE);
        assert_int_equal(p.tcp[CLIENT].state, SOCKET_ESTABLISHED);
    }
}

/* RFC 5961 5.2 */
static void an_impossible_acknowledgement_is_challenged(void **state)
{
    (void)state;
    open_client(&pair_linux);
    assert_true(hit(TCP_ACK, rcv_nxt(), snd_nxt() - 200000, 0));
    assert_int_equal(p.last[CLIENT].note, NOTE_CHALLENGE);
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_ESTABLISHED);
}

/* tcp_challenge_ack_limit: for all sockets of the host, and half again as many at most. */
static void the_host_has_a_limit_too(void **state)
{
    struct system system = pair_linux;
    unsigned sent = 0;

    (void)state;
    system.challenge_limit = 100;
    system.challenge_interval = 0;
    open_client(&system);
    for (int i = 0; i < 1000; i++)
        sent += hit(TCP_RST, rcv_nxt() + 1, 0, 0);
    assert_in_range(sent, 50, 149);
    later(SEC);
    assert_true(hit(TCP_RST, rcv_nxt() + 1, 0, 0));
    system.challenge_limit = 0;
    open_client(&system);
    for (int i = 0; i < 1000; i++)
        assert_true(hit(TCP_RST, rcv_nxt() + 1, 0, 0));
}

/* A keepalive probe without payload: answered at most once in 500 ms. */
static void zero_length_probes_are_limited(void **state)
{
    struct system system = pair_linux;

    (void)state;
    open_client(&system);
    assert_true(hit(TCP_ACK, rcv_nxt() - 1, snd_nxt(), 0));
    assert_int_equal(p.last[CLIENT].note, NOTE_PROBE_ANSWER);
    assert_int_equal(p.last[CLIENT].ack, rcv_nxt());
    assert_false(hit(TCP_ACK, rcv_nxt() - 1, snd_nxt(), 0));
    later(500 * MS);
    assert_true(hit(TCP_ACK, rcv_nxt() - 1, snd_nxt(), 0));
    assert_false(hit(TCP_RST, rcv_nxt() + 1, 0, 0)); /* the same limit */
    system.probe_answer_limited = false;
    open_client(&system);
    for (int i = 0; i < 10; i++)
        assert_true(hit(TCP_ACK, rcv_nxt() - 1, snd_nxt(), 0));
}

static void payload_is_always_answered(void **state)
{
    (void)state;
    open_client(&pair_linux);
    for (int i = 0; i < 10; i++) {
        assert_true(hit(TCP_ACK, rcv_nxt() - 1, snd_nxt(), 1));
        assert_int_equal(p.last[CLIENT].note, NOTE_PROBE_ANSWER);
        assert_true(hit(TCP_ACK, rcv_nxt() - 1000, snd_nxt(), 500));
        assert_true(hit(TCP_ACK, rcv_nxt() + 100000, snd_nxt(), 500));
        assert_int_equal(p.last[CLIENT].note, NOTE_NONE);
    }
    assert_int_equal(p.received[CLIENT], 0);
}

static void a_window_probe(void **state)
{
    (void)state;
    open_client(&pair_linux);
    p.tcp[CLIENT].unread = 65536;
    p.tcp[CLIENT].rcv_wnd = 0;
    assert_true(hit(TCP_ACK, rcv_nxt() - 1, snd_nxt(), 0));
    assert_int_equal(p.last[CLIENT].note, NOTE_WINDOW_ANSWER);
    assert_int_equal(p.last[CLIENT].window, 0);
}

/* RFC 9293 3.10.7.1 */
static void a_closed_port(void **state)
{
    struct tcp_segment answer, syn = {.seq = 1000, .flags = TCP_SYN, .len = 0};
    struct tcp_segment data = {.seq = 1000, .ack = 7, .len = 10, .flags = TCP_ACK | TCP_PSH};
    struct tcp_segment fin = {.seq = 0xffffffff, .len = 10, .flags = TCP_FIN};
    struct tcp_segment reset = {.seq = 1000, .flags = TCP_RST};

    (void)state;
    assert_true(tcp_answer_closed(&syn, &answer));
    assert_int_equal(answer.flags, TCP_RST | TCP_ACK);
    assert_int_equal(answer.seq, 0);
    assert_int_equal(answer.ack, 1001);
    assert_int_equal(answer.window, 0);
    assert_false(answer.has_timestamp);
    assert_true(tcp_answer_closed(&data, &answer));
    assert_int_equal(answer.flags, TCP_RST);
    assert_int_equal(answer.seq, 7);
    assert_int_equal(answer.ack, 0);
    assert_true(tcp_answer_closed(&fin, &answer));
    assert_int_equal(answer.ack, 10); /* the FIN counts, and numbers wrap */
    assert_false(tcp_answer_closed(&reset, &answer));
    reset.flags |= TCP_ACK;
    assert_false(tcp_answer_closed(&reset, &answer));
}

/* The peer was rebooted: its RST to a probe is at the probe's ack number, and so is taken. */
static void a_rebooted_peer(void **state)
{
    (void)state;
    pair_init(&p, &pair_linux, &pair_linux);
    p.tcp[CLIENT].options = (struct tcp_options){true, {60 * SEC, 6 * SEC, 10}, 0};
    pair_open(&p);
    p.gone[SERVER] = true;
    for (int i = 0; i < TCP_SLOTS; i++)
        tcp_disarm(&p.tcp[SERVER], i);
    pair_run(&p, 61 * SEC);
    assert_int_equal(p.tcp[CLIENT].error, ECONNRESET);
    assert_int_equal(tcp_probes_sent(&p.tcp[CLIENT]), 1);
}

/* Below the window, and with a byte as an echo of a probe: no loop. */
static void nobody_answers_a_reset(void **state)
{
    (void)state;
    open_client(&pair_linux);
    for (uint32_t off = 0; off < 3; off++)
        assert_false(hit(TCP_RST | TCP_ACK, rcv_nxt() - 5 + off, snd_nxt(), 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_next_number_resets),
        cmocka_unit_test(far_outside_is_ignored),
        cmocka_unit_test(old_systems_take_any_in_the_window),
        cmocka_unit_test(the_edge_of_what_came_ahead),
        cmocka_unit_test(one_below_after_a_fin),
        cmocka_unit_test(the_error_by_state),
        cmocka_unit_test(one_challenge_in_half_a_second),
        cmocka_unit_test(a_syn_is_challenged),
        cmocka_unit_test(an_impossible_acknowledgement_is_challenged),
        cmocka_unit_test(the_host_has_a_limit_too),
        cmocka_unit_test(zero_length_probes_are_limited),
        cmocka_unit_test(payload_is_always_answered),
        cmocka_unit_test(a_window_probe),
        cmocka_unit_test(a_closed_port),
        cmocka_unit_test(a_rebooted_peer),
        cmocka_unit_test(nobody_answers_a_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
