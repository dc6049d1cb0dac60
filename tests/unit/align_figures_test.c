/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is inferred of keepalive from looks at a socket, against sockets whose figures are known:
 * a second one of net/ipv4/tcp_timer.c, tcp_keepalive_timer(), in milliseconds. */
#include "tools/align/socket_parts.h"

#include "tests/unit/random_seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct model {
    int64_t idle, interval; /* ms */
    int64_t now, received, expires, due;
    unsigned probes;
    bool peer_dead;
    struct random *late; /* by how much timers are; NULL: not at all */
    int64_t looked;
};

/* The kernel's timers come an eighth late at most. */
static void arm(struct model *m, int64_t expires)
{
    m->expires = m->due = expires;
    if (m->late)
        m->due += random_below(m->late, (uint32_t)((expires - m->now) / 8 + 1));
}

static void open_model(struct model *m, unsigned idle, unsigned interval, struct random *late)
{
    *m = (struct model){.idle = idle * 1000, .interval = interval * 1000, .late = late};
    arm(m, m->idle);
}

static void receive(struct model *m)
{
    m->received = m->now;
    m->probes = 0;
}

static void fire(struct model *m)
{
    int64_t elapsed = m->now - m->received;

    if (elapsed < m->idle) {
        arm(m, m->received + m->idle);
        return;
    }
    m->probes++;
    arm(m, m->now + m->interval);
    if (!m->peer_dead)
        receive(m);
}

static void pass(struct model *m, int64_t until)
{
    while (m->due <= until) {
        m->now = m->due;
        fire(m);
    }
    m->now = until;
}

static struct socket_fact look(struct model *m, bool ages)
{
    struct socket_fact fact = socket_fact_unknown;

    fact.state = SOCKET_ESTABLISHED;
    fact.timer_known = true;
    fact.timer = TIMER_KEEPALIVE;
    fact.probes = (uint8_t)m->probes;
    fact.timer_left = (m->expires > m->now ? m->expires - m->now : 0) * MTIME_MSEC;
    if (ages)
        fact.last_received = fact.last_sent = (m->now - m->received) * MTIME_MSEC;
    figures_look(&fact);
    m->looked = m->now;
    return fact;
}

/* As socket_table_narrow() does. */
static void look_again(struct socket_fact *fact, struct model *m, bool ages)
{
    int64_t before = m->looked;
    struct socket_fact later = look(m, ages);

    figures_narrow(fact, &later, (m->now - before) * MTIME_MSEC);
    fact->timer_left = later.timer_left;
    fact->probes = later.probes;
    fact->last_received = later.last_received;
}

static struct socket_fact first_look(struct model *m, unsigned idle, unsigned interval, int64_t at)
{
    open_model(m, idle, interval, NULL);
    pass(m, at);
    return look(m, true);
}

static void look_at(struct socket_fact *fact, struct model *m, int64_t at)
{
    pass(m, at);
    look_again(fact, m, true);
}

static int64_t longer(const struct model *m)
{
    return m->idle > m->interval ? m->idle : m->interval;
}

static void is_within(const struct socket_fact *fact, const struct model *m)
{
    mtime_t idle = m->idle * MTIME_MSEC, interval = m->interval * MTIME_MSEC;

    if (fact->keepalive != KEEPALIVE_ON || fact->figures != FIGURES_INFERRED ||
        fact->idle.low > longer(m) * MTIME_MSEC || idle > fact->idle.high ||
        interval < fact->interval.low || interval > fact->interval.high)
        fail_msg("idle %g: %g..%g, interval %g: %g..%g", mtime_seconds(idle),
                 mtime_seconds(fact->idle.low), mtime_seconds(fact->idle.high),
                 mtime_seconds(interval), mtime_seconds(fact->interval.low),
                 mtime_seconds(fact->interval.high));
}

static void step(struct model *m, struct random *numbers, bool talkative)
{
    int64_t until = m->now + random_below(numbers, (uint32_t)(2 * longer(m)));

    while (talkative && m->now < until) {
        int64_t next = m->now + 1 + random_below(numbers, (uint32_t)longer(m));

        pass(m, next < until ? next : until);
        receive(m);
    }
    pass(m, until);
}

static void never_wrong(void **state)
{
    struct random numbers = random_start(__func__);

    (void)state;
    for (int round = 0; round < 20000; round++) {
        bool ages = random_below(&numbers, 2), talkative = random_below(&numbers, 2);
        struct socket_fact fact;
        struct model m;

        open_model(&m, 1 + random_below(&numbers, 300), 1 + random_below(&numbers, 100), &numbers);
        step(&m, &numbers, talkative);
        m.peer_dead = random_below(&numbers, 3) == 0;
        fact = look(&m, ages);
        is_within(&fact, &m);
        for (int more = 0; more < 6; more++) {
            step(&m, &numbers, talkative && !m.peer_dead);
            if (m.probes > 127) /* MAX_TCP_KEEPCNT: it is gone */
                break;
            look_again(&fact, &m, ages);
            is_within(&fact, &m);
        }
    }
}

static void one_look_gives_a_lower_bound(void **state)
{
    struct model m;
    struct socket_fact fact = first_look(&m, 300, 75, 1200);

    (void)state;
    assert_int_equal(fact.idle.low, 299 * MTIME_SEC);
    assert_int_equal(fact.idle.high, MTIME_NEVER);
    /* Traffic does not start it again: the bound gets worse, not better. */
    pass(&m, 200000);
    receive(&m);
    fact = look(&m, true);
    assert_int_equal(fact.idle.low, 100 * MTIME_SEC);
}

static void watched_until_it_is_armed_again(void **state)
{
    struct socket_fact fact;
    struct model m;

    (void)state;
    open_model(&m, 300, 75, NULL);
    pass(&m, 250000);
    receive(&m);
    pass(&m, 260000);
    fact = look(&m, true);
    look_at(&fact, &m, 290000); /* the same countdown */
    assert_int_equal(fact.idle.low, 40 * MTIME_SEC);
    assert_int_equal(fact.idle.high, MTIME_NEVER);
    look_at(&fact, &m, 310000); /* fired at 300 s, 50 s after the last word: for 250 s more */
    assert_int_equal(fact.idle.low, 300 * MTIME_SEC);
    assert_int_equal(fact.idle.high, 300 * MTIME_SEC);
}

static void watched_while_it_dies(void **state)
{
    struct socket_fact fact;
    struct model m;

    (void)state;
    open_model(&m, 300, 20, NULL);
    m.peer_dead = true;
    pass(&m, 301000);
    fact = look(&m, true);
    assert_int_equal(fact.interval.low, 19 * MTIME_SEC);
    assert_int_equal(fact.idle.high, 301 * MTIME_SEC);
    look_at(&fact, &m, 362000);
    assert_int_equal(fact.interval.low, 19 * MTIME_SEC);
    assert_int_equal(fact.interval.high, 20 * MTIME_SEC);
}

/* Redis' 300 s with Linux' 75 s is usual, 10 s with 75 s happens: then 75 s pass between probes. */
static void an_interval_longer_than_idle(void **state)
{
    struct model m;
    struct socket_fact fact = first_look(&m, 10, 75, 11000);

    (void)state;
    assert_int_equal(fact.idle.low, 74 * MTIME_SEC);
    look_at(&fact, &m, 100000);
    is_within(&fact, &m);
}

/* Known from an answered probe; later nobody answers, and the time since the last word says that
 * idle is shorter than that. */
static void what_idle_cannot_be_the_interval_is(void **state)
{
    struct model m;
    struct socket_fact fact = first_look(&m, 10, 75, 11000);

    (void)state;
    assert_int_equal(fact.idle.low, 74 * MTIME_SEC);
    pass(&m, 80000);
    receive(&m);
    m.peer_dead = true;
    look_at(&fact, &m, 150000);
    assert_int_equal(fact.idle.low, MTIME_SEC);
    assert_int_equal(fact.idle.high, 70 * MTIME_SEC);
    assert_int_equal(fact.interval.low, 74 * MTIME_SEC);
    is_within(&fact, &m);
}

static void defaults_until_contradicted(void **state)
{
    struct model m;
    struct socket_fact fact = first_look(&m, 300, 75, 1200);

    (void)state;
    fact.figures = FIGURES_DEFAULT;
    fact.idle = (struct bounds){7200 * MTIME_SEC, 7200 * MTIME_SEC};
    fact.interval = (struct bounds){75 * MTIME_SEC, 75 * MTIME_SEC};
    fact.count = 9;
    look_at(&fact, &m, 10000);
    assert_int_equal(fact.figures, FIGURES_DEFAULT);
    look_at(&fact, &m, 310000); /* a probe went out long before 7200 s */
    assert_int_equal(fact.figures, FIGURES_INFERRED);
    assert_int_equal(fact.count, 0);
    is_within(&fact, &m);
}

/* `net.ipv4.tcp_keepalive_time = 10` beside Linux' 75 s: 74 s left contradict nothing. */
static void defaults_with_a_long_interval(void **state)
{
    struct model m;
    struct socket_fact fact = first_look(&m, 10, 75, 11000);

    (void)state;
    fact.figures = FIGURES_DEFAULT;
    fact.idle = (struct bounds){10 * MTIME_SEC, 10 * MTIME_SEC};
    fact.interval = (struct bounds){75 * MTIME_SEC, 75 * MTIME_SEC};
    look_at(&fact, &m, 12000);
    assert_int_equal(fact.figures, FIGURES_DEFAULT);
}

static struct socket_fact seen(enum socket_state socket, enum socket_timer timer, uint64_t inode)
{
    struct socket_fact fact = socket_fact_unknown;

    fact.state = socket;
    fact.timer_known = true;
    fact.timer = timer;
    fact.timer_left = MTIME_SEC;
    fact.inode = inode;
    figures_look(&fact);
    return fact;
}

static void off_on_or_not_known(void **state)
{
    struct socket_fact fact = socket_fact_unknown;

    (void)state;
    assert_int_equal(seen(SOCKET_ESTABLISHED, TIMER_KEEPALIVE, 0).keepalive, KEEPALIVE_ON);
    assert_int_equal(seen(SOCKET_ESTABLISHED, TIMER_OFF, 0).keepalive, KEEPALIVE_OFF);
    assert_int_equal(seen(SOCKET_CLOSE_WAIT, TIMER_OFF, 0).keepalive, KEEPALIVE_OFF);
    /* Hidden by another timer. */
    assert_int_equal(seen(SOCKET_ESTABLISHED, TIMER_ON, 1).keepalive, KEEPALIVE_UNKNOWN);
    assert_int_equal(seen(SOCKET_ESTABLISHED, TIMER_PERSIST, 1).keepalive, KEEPALIVE_UNKNOWN);
    /* The timer of a socket that nobody holds is another one. */
    assert_int_equal(seen(SOCKET_FIN_WAIT_2, TIMER_KEEPALIVE, 1).keepalive, KEEPALIVE_ON);
    assert_int_equal(seen(SOCKET_FIN_WAIT_2, TIMER_KEEPALIVE, 0).keepalive, KEEPALIVE_UNKNOWN);
    assert_int_equal(seen(SOCKET_SYN_SENT, TIMER_OFF, 1).keepalive, KEEPALIVE_UNKNOWN);
    assert_int_equal(seen(SOCKET_TIME_WAIT, TIMER_TIMEWAIT, 0).keepalive, KEEPALIVE_UNKNOWN);
    fact.state = SOCKET_ESTABLISHED;
    figures_look(&fact);
    assert_int_equal(fact.keepalive, KEEPALIVE_UNKNOWN);
}

static void what_was_hidden_is_seen_later(void **state)
{
    struct socket_fact fact = seen(SOCKET_ESTABLISHED, TIMER_ON, 1);
    struct socket_fact later = seen(SOCKET_ESTABLISHED, TIMER_KEEPALIVE, 1);
    struct socket_fact hidden = seen(SOCKET_ESTABLISHED, TIMER_ON, 1);

    (void)state;
    figures_narrow(&fact, &later, MTIME_SEC);
    assert_int_equal(fact.keepalive, KEEPALIVE_ON);
    assert_int_equal(fact.figures, FIGURES_INFERRED);
    figures_narrow(&fact, &hidden, MTIME_SEC);
    assert_int_equal(fact.keepalive, KEEPALIVE_ON);
    assert_int_equal(fact.figures, FIGURES_INFERRED);
}

/* Closed by its process, it waits for a FIN with keepalive's timer. */
static void the_timer_of_a_closed_socket_is_not_keepalive(void **state)
{
    struct socket_fact fact = seen(SOCKET_ESTABLISHED, TIMER_OFF, 1), later = fact;

    (void)state;
    later.state = SOCKET_FIN_WAIT_2;
    later.timer = TIMER_KEEPALIVE;
    later.timer_left = 50 * MTIME_SEC;
    figures_narrow(&fact, &later, MTIME_SEC);
    assert_int_equal(fact.keepalive, KEEPALIVE_OFF);
    assert_int_equal(fact.figures, FIGURES_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_wrong),
        cmocka_unit_test(one_look_gives_a_lower_bound),
        cmocka_unit_test(watched_until_it_is_armed_again),
        cmocka_unit_test(watched_while_it_dies),
        cmocka_unit_test(an_interval_longer_than_idle),
        cmocka_unit_test(defaults_until_contradicted),
        cmocka_unit_test(what_idle_cannot_be_the_interval_is),
        cmocka_unit_test(defaults_with_a_long_interval),
        cmocka_unit_test(the_timer_of_a_closed_socket_is_not_keepalive),
        cmocka_unit_test(off_on_or_not_known),
        cmocka_unit_test(what_was_hidden_is_seen_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
