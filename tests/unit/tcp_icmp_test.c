/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICMP errors: whom they concern, and what the application gets. */
#include "tests/unit/tcp_pair.h"

static struct pair p;

enum { UNREACHABLE = 3, QUENCH = 4, REDIRECT = 5, EXCEEDED = 11, PARAMETER = 12 };
enum { NET = 0, HOST = 1, PROTOCOL = 2, PORT = 3, FRAGMENTATION = 4, ADMIN = 13 };

static struct system soft;

static void init(const struct system *system)
{
    pair_init(&p, system, &pair_linux);
    p.blocked[CLIENT] = p.blocked[SERVER] = false;
}

static void established(const struct system *system)
{
    init(system);
    pair_open(&p);
}

static void icmp(uint8_t type, uint8_t code, uint32_t seq)
{
    tcp_icmp(&p.tcp[CLIENT], p.now, type, code, seq);
}

static int at_the_end(void)
{
    while (p.tcp[CLIENT].error == 0) {
        assert_true(p.now < 10000 * SEC);
        pair_run(&p, p.now + SEC);
    }
    return p.tcp[CLIENT].error;
}

/* Data are under way, and will never arrive. */
static void with_data(const struct system *system)
{
    established(system);
    p.blocked[CLIENT] = true;
    pair_send(&p, CLIENT, 100);
}

/* As measured: for data it becomes EHOSTUNREACH, where retransmission gives up; not sooner. */
static void prohibited_for_data(void **state)
{
    (void)state;
    with_data(&pair_linux);
    icmp(UNREACHABLE, ADMIN, p.tcp[CLIENT].snd_una);
    assert_int_equal(p.tcp[CLIENT].error, 0);
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_ESTABLISHED);
    assert_int_equal(at_the_end(), EHOSTUNREACH);
    assert_true(p.now > 900 * SEC);
    with_data(&pair_linux);
    assert_int_equal(at_the_end(), ETIMEDOUT);
}

/* As measured: a keepalive probe is at SND.UNA - 1, so the socket ends in ETIMEDOUT. */
static void prohibited_for_a_probe(void **state)
{
    (void)state;
    init(&pair_linux);
    p.tcp[CLIENT].options = (struct tcp_options){true, {60 * SEC, 6 * SEC, 3}, 0};
    pair_open(&p);
    p.blocked[CLIENT] = true;
    pair_run(&p, 61 * SEC);
    assert_int_equal(p.last[CLIENT].note, NOTE_PROBE);
    icmp(UNREACHABLE, ADMIN, p.last[CLIENT].seq);
    assert_int_equal(p.tcp[CLIENT].soft_error, 0);
    assert_int_equal(at_the_end(), ETIMEDOUT);
}

static void outside_what_is_under_way(void **state)
{
    (void)state;
    with_data(&pair_linux);
    icmp(UNREACHABLE, HOST, p.tcp[CLIENT].snd_una - 1);
    icmp(UNREACHABLE, HOST, p.tcp[CLIENT].snd_nxt + 1);
    assert_int_equal(p.tcp[CLIENT].soft_error, 0);
    icmp(UNREACHABLE, HOST, p.tcp[CLIENT].snd_nxt); /* between() has both ends */
    assert_int_equal(p.tcp[CLIENT].soft_error, EHOSTUNREACH);
}

static void an_acknowledgement_forgets_it(void **state)
{
    (void)state;
    with_data(&pair_linux);
    icmp(UNREACHABLE, ADMIN, p.tcp[CLIENT].snd_una);
    p.blocked[CLIENT] = false;
    pair_run(&p, 10 * SEC);
    assert_int_equal(p.tcp[CLIENT].snd_una, p.tcp[CLIENT].snd_nxt);
    assert_int_equal(p.tcp[CLIENT].soft_error, 0);
}

/* icmp_err_convert[] */
static void the_numbers(void **state)
{
    static const int by_code[] = {ENETUNREACH,
                                  EHOSTUNREACH,
                                  ENOPROTOOPT,
                                  ECONNREFUSED,
                                  0,
                                  EOPNOTSUPP,
                                  ENETUNREACH,
                                  EHOSTDOWN,
                                  ENONET,
                                  ENETUNREACH,
                                  EHOSTUNREACH,
                                  ENETUNREACH,
                                  EHOSTUNREACH,
                                  EHOSTUNREACH,
                                  EHOSTUNREACH,
                                  EHOSTUNREACH,
                                  0};

    (void)state;
    for (uint8_t code = 0; code < 17; code++) {
        with_data(&pair_linux);
        icmp(UNREACHABLE, code, p.tcp[CLIENT].snd_una);
        assert_int_equal(p.tcp[CLIENT].soft_error, by_code[code]);
    }
    with_data(&pair_linux);
    icmp(EXCEEDED, 0, p.tcp[CLIENT].snd_una);
    assert_int_equal(p.tcp[CLIENT].soft_error, EHOSTUNREACH);
    icmp(PARAMETER, 0, p.tcp[CLIENT].snd_una);
    assert_int_equal(p.tcp[CLIENT].soft_error, EPROTO);
    icmp(QUENCH, 0, p.tcp[CLIENT].snd_una);
    icmp(REDIRECT, 1, p.tcp[CLIENT].snd_una);
    icmp(UNREACHABLE, 255, p.tcp[CLIENT].snd_una);
    assert_int_equal(p.tcp[CLIENT].soft_error, EPROTO);
}

static void connecting(const struct system *system)
{
    init(system);
    p.blocked[CLIENT] = true;
    tcp_connect(&p.tcp[CLIENT], 0);
    pair_run(&p, 100 * MS);
}

/* Linux: any error ends an attempt to connect. */
static void a_connect_ends(void **state)
{
    (void)state;
    connecting(&pair_linux);
    icmp(UNREACHABLE, HOST, p.tcp[CLIENT].iss + 2);
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_SYN_SENT);
    icmp(UNREACHABLE, HOST, p.tcp[CLIENT].iss);
    assert_int_equal(p.tcp[CLIENT].error, EHOSTUNREACH);
    connecting(&pair_linux);
    icmp(UNREACHABLE, PORT, p.tcp[CLIENT].iss);
    assert_int_equal(p.tcp[CLIENT].error, ECONNREFUSED);
    connecting(&pair_linux);
    icmp(UNREACHABLE, FRAGMENTATION, p.tcp[CLIENT].iss);
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_SYN_SENT);
}

/* RFC 1122 4.2.3.9: unreachable MUST NOT end it; told when it ends by itself. */
static void a_connect_goes_on_elsewhere(void **state)
{
    (void)state;
    connecting(&soft);
    icmp(UNREACHABLE, HOST, p.tcp[CLIENT].iss);
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_SYN_SENT);
    assert_int_equal(at_the_end(), EHOSTUNREACH);
    connecting(&soft);
    icmp(UNREACHABLE, PORT, p.tcp[CLIENT].iss);
    assert_int_equal(p.tcp[CLIENT].error, ECONNREFUSED);
    connecting(&soft);
    icmp(UNREACHABLE, ADMIN, p.tcp[CLIENT].iss);
    assert_int_equal(p.tcp[CLIENT].error, ECONNREFUSED);
}

/* BSD's tcp_notify(): "if we're hooked up". */
static void elsewhere_connected_means_deaf(void **state)
{
    (void)state;
    with_data(&soft);
    icmp(UNREACHABLE, HOST, p.tcp[CLIENT].snd_una);
    icmp(UNREACHABLE, ADMIN, p.tcp[CLIENT].snd_una);
    assert_int_equal(p.tcp[CLIENT].soft_error, 0);
    icmp(UNREACHABLE, PORT, p.tcp[CLIENT].snd_una);
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_ESTABLISHED);
    assert_int_equal(at_the_end(), ECONNREFUSED);
}

/* A listener's request goes, if there is no way; nobody is told. */
static void a_request(void **state)
{
    struct tcp *server = &p.tcp[SERVER];

    (void)state;
    init(&pair_linux);
    p.blocked[SERVER] = true;
    tcp_connect(&p.tcp[CLIENT], 0);
    pair_run(&p, 100 * MS);
    assert_int_equal(server->state, SOCKET_SYN_RECV);
    tcp_icmp(server, p.now, UNREACHABLE, ADMIN, server->iss);
    tcp_icmp(server, p.now, UNREACHABLE, HOST, server->iss + 1);
    assert_int_equal(server->state, SOCKET_SYN_RECV);
    tcp_icmp(server, p.now, UNREACHABLE, HOST, server->iss);
    assert_int_equal(server->state, SOCKET_GONE);
    assert_true(p.gone[SERVER]);
}

static void run_to_retransmits(unsigned n)
{
    while (p.tcp[CLIENT].retransmits < n)
        pair_run(&p, p.now + MS);
}

/* RFC 6069: the network says that it was no congestion. */
static void a_doubling_is_undone(void **state)
{
    mtime_t rto;

    (void)state;
    with_data(&pair_linux);
    run_to_retransmits(4);
    rto = p.tcp[CLIENT].rto;
    icmp(UNREACHABLE, ADMIN, p.tcp[CLIENT].snd_una); /* not this one */
    icmp(UNREACHABLE, HOST, p.tcp[CLIENT].snd_una + 1);
    assert_int_equal(p.tcp[CLIENT].rto, rto);
    icmp(UNREACHABLE, HOST, p.tcp[CLIENT].snd_una);
    assert_int_equal(p.tcp[CLIENT].rto, rto / 2);
    assert_int_equal(p.tcp[CLIENT].fires[SLOT_RETRANSMIT], p.tcp[CLIENT].head_sent + rto / 2);
    /* late enough, it goes at once */
    with_data(&pair_linux);
    run_to_retransmits(4);
    rto = p.tcp[CLIENT].rto;
    pair_run(&p, p.now + rto * 3 / 4);
    assert_int_equal(p.tcp[CLIENT].retransmits, 4);
    icmp(UNREACHABLE, HOST, p.tcp[CLIENT].snd_una);
    assert_int_equal(p.tcp[CLIENT].retransmits, 5);
    assert_int_equal(p.tcp[CLIENT].rto, rto);
    with_data(&soft);
    run_to_retransmits(4);
    rto = p.tcp[CLIENT].rto;
    icmp(UNREACHABLE, HOST, p.tcp[CLIENT].snd_una);
    assert_int_equal(p.tcp[CLIENT].rto, rto);
}

/* Undone again and again, the RTO never falls below what was estimated. */
static void a_flood_of_errors(void **state)
{
    mtime_t estimate;

    (void)state;
    with_data(&pair_linux);
    estimate = p.tcp[CLIENT].rto;
    run_to_retransmits(6);
    for (int i = 0; i < 1000; i++)
        icmp(UNREACHABLE, NET, p.tcp[CLIENT].snd_una);
    assert_int_equal(p.tcp[CLIENT].rto, estimate);
    assert_in_range(p.tcp[CLIENT].retransmits, 6, 7);
    assert_int_equal(at_the_end(), ENETUNREACH);
}

static void nobody_there(void **state)
{
    (void)state;
    established(&pair_linux);
    tcp_close(&p.tcp[CLIENT], p.now);
    pair_run(&p, 2 * SEC);
    tcp_close(&p.tcp[SERVER], p.now);
    pair_run(&p, 3 * SEC);
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_TIME_WAIT);
    icmp(UNREACHABLE, PORT, p.tcp[CLIENT].snd_una);
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_TIME_WAIT);
    pair_run(&p, 1000 * SEC);
    icmp(UNREACHABLE, PORT, p.tcp[CLIENT].snd_una);
    assert_int_equal(p.tcp[CLIENT].state, SOCKET_GONE);
    assert_int_equal(p.tcp[CLIENT].error, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prohibited_for_data),
        cmocka_unit_test(prohibited_for_a_probe),
        cmocka_unit_test(outside_what_is_under_way),
        cmocka_unit_test(an_acknowledgement_forgets_it),
        cmocka_unit_test(the_numbers),
        cmocka_unit_test(a_connect_ends),
        cmocka_unit_test(a_connect_goes_on_elsewhere),
        cmocka_unit_test(elsewhere_connected_means_deaf),
        cmocka_unit_test(a_request),
        cmocka_unit_test(a_doubling_is_undone),
        cmocka_unit_test(a_flood_of_errors),
        cmocka_unit_test(nobody_there),
    };

    soft = pair_linux;
    soft.icmp = ICMP_SOFT;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
