/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When armed timers fire, against the kernel's table of levels and against what was measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/random_seed.h"
#include "tools/simulate/tcp_private.h"

#include <string.h>

#define SEC MTIME_SEC
#define MS MTIME_MSEC

static struct system clock_system;
static struct tcp_host host;
static struct tcp tcp;

static void use(enum system_clock clock, unsigned hz, mtime_t tick, uint64_t jiffy)
{
    memset(&clock_system, 0, sizeof(clock_system));
    clock_system.clock = clock;
    clock_system.hz = hz;
    clock_system.tick = tick;
    memset(&host, 0, sizeof(host));
    host.system = &clock_system;
    host.jiffy = jiffy;
    memset(&tcp, 0, sizeof(tcp));
    tcp.host = &host;
}

static mtime_t armed(mtime_t now, mtime_t delay)
{
    tcp_arm(&tcp, SLOT_KEEPALIVE, now, delay);
    return tcp.fires[SLOT_KEEPALIVE];
}

/* kernel/time/timer.c's table: from so many jiffies on, steps of so many. */
static const struct {
    uint64_t from, step;
} level[] = {
    {0, 1},          {63, 8},           {504, 64},           {4032, 512},          {32256, 4096},
    {258048, 32768}, {2064384, 262144}, {16515072, 2097152}, {132120576, 16777216}};
#define LEVELS (sizeof(level) / sizeof(level[0]))

static uint64_t step_for(uint64_t delta, size_t levels)
{
    uint64_t step = 1;

    for (size_t i = 0; i < levels; i++)
        if (delta >= level[i].from)
            step = level[i].step;
    return step;
}

/* The next multiple of the step, never the very jiffy asked for: it may have begun already. */
static void check_wheel(unsigned hz, uint64_t jiffy, uint64_t delta)
{
    mtime_t jiffy_ns = SEC / hz, fires;
    uint64_t step = step_for(delta, LEVELS), at;

    use(CLOCK_WHEEL, hz, 0, jiffy);
    fires = armed(0, (mtime_t)delta * jiffy_ns);
    assert_int_equal(fires % jiffy_ns, 0);
    at = jiffy + (uint64_t)(fires / jiffy_ns);
    if (at % step != 0 || at <= jiffy + delta || at > jiffy + delta + step)
        fail_msg("jiffy %llu, delta %llu: fires at %llu, step %llu", (unsigned long long)jiffy,
                 (unsigned long long)delta, (unsigned long long)at, (unsigned long long)step);
    assert_int_equal(tcp.expires[SLOT_KEEPALIVE], (mtime_t)delta * jiffy_ns);
}

static void every_level_boundary(void **state)
{
    struct random random = random_start(__func__);

    (void)state;
    for (size_t i = 0; i < LEVELS; i++)
        for (int around = -2; around <= 2; around++) {
            uint64_t delta = level[i].from + (uint64_t)around;

            if (around < 0 && level[i].from == 0)
                continue;
            for (uint64_t phase = 0; phase < 600; phase++) {
                check_wheel(250, phase, delta);
                check_wheel(1000, phase * 4093, delta);
            }
            for (unsigned n = 0; n < 2000; n++)
                check_wheel(250, random_u64(&random) >> 20, delta);
        }
}

static void anywhere(void **state)
{
    struct random random = random_start(__func__);

    (void)state;
    for (unsigned n = 0; n < 200000; n++)
        check_wheel(1000, random_u64(&random) >> 8,
                    random_u64(&random) % (UINT64_C(1) << (1 + random_u64(&random) % 29)));
}

/* The jiffy counter starts five minutes before it wraps (INITIAL_JIFFIES) where it has 32 bits;
 * here it may wrap at 64. */
static void the_counter_may_wrap(void **state)
{
    (void)state;
    use(CLOCK_WHEEL, 250, 0, UINT64_MAX - 2);
    assert_int_equal(armed(0, 4 * MS), 8 * MS);
    assert_int_equal(armed(0, 60 * SEC), 15363 * 4 * MS); /* bucket 30 * 512, three further */
}

/* WHEEL_TIMEOUT_MAX: nothing lies further ahead; with HZ 100 there are eight levels only. */
static void beyond_the_last_level(void **state)
{
    (void)state;
    use(CLOCK_WHEEL, 1000, 0, 0);
    assert_int_equal(armed(0, 2000000 * SEC) / MS, (63u << 24) - (1u << 24) + (1u << 24));
    use(CLOCK_WHEEL, 100, 0, 0);
    assert_int_equal(armed(0, 1000000000 * MS) / (10 * MS), ((100000000 >> 21) + 1) << 21);
    assert_int_equal(armed(0, 2000000 * SEC) / (10 * MS), (63u << 21) - (1u << 21) + (1u << 21));
}

/* How late over all phases, with half a jiffy gone at the moment of arming. */
static void spread(mtime_t delay, mtime_t *least, mtime_t *most)
{
    *least = MTIME_NEVER;
    *most = 0;
    for (uint64_t phase = 0; phase < 32768; phase++) {
        mtime_t took;

        use(CLOCK_WHEEL, 250, 0, phase);
        took = armed(2 * MS, delay) - 2 * MS;
        if (took < *least)
            *least = took;
        if (took > *most)
            *most = took;
    }
}

static void check_measured(mtime_t delay, mtime_t from, mtime_t to)
{
    mtime_t least, most;

    spread(delay, &least, &most);
    if (least > from || most < to)
        fail_msg("%.0f s: %.3f..%.3f, measured %.3f..%.3f", mtime_seconds(delay),
                 mtime_seconds(least), mtime_seconds(most), mtime_seconds(from), mtime_seconds(to));
    assert_true(least > delay && most < delay + delay * 8 / 63);
    assert_true(most - delay > (to - delay) * 9 / 10); /* and not much wider than was measured */
}

/* Linux 6.18, HZ 250: idle 60 fired after 60.1 to 61.9 s, 150 after 156.0 to 162.3, 180 after
 * 192.5. */
static void as_measured(void **state)
{
    mtime_t least, most;

    (void)state;
    check_measured(60 * SEC, 60100 * MS, 61900 * MS);
    check_measured(150 * SEC, 156000 * MS, 162300 * MS);
    check_measured(180 * SEC, 192500 * MS, 192500 * MS);
    spread(320 * SEC, &least, &most);
    assert_true(least < 350 * SEC && most < 350 * SEC);
    spread(300 * SEC, &least, &most);
    assert_true(most < 317 * SEC);
}

/* "keepalive 3600 against a firewall of 3650": up to four minutes late, HZ 250 and 1000. */
static void an_hour(void **state)
{
    mtime_t least, most;

    (void)state;
    spread(3600 * SEC, &least, &most);
    assert_true(most > 3650 * SEC && most < 3600 * SEC + 132 * SEC);
    use(CLOCK_WHEEL, 1000, 0, 1);
    assert_true(armed(0, 3600 * SEC) <= 3600 * SEC + 263 * SEC);
}

static void the_shown_time_is_what_was_asked(void **state)
{
    (void)state;
    use(CLOCK_WHEEL, 250, 0, 77);
    armed(1003 * MS, 60 * SEC); /* in jiffy 250, which began at 1.000 */
    assert_int_equal(tcp.expires[SLOT_KEEPALIVE], 61 * SEC);
    armed(SEC, 5 * MS); /* rounded up to two jiffies */
    assert_int_equal(tcp.expires[SLOT_KEEPALIVE], 1008 * MS);
    assert_int_equal(tcp.fires[SLOT_KEEPALIVE], 1012 * MS);
}

static void at_300_hz_no_jiffy_is_lost(void **state)
{
    (void)state;
    use(CLOCK_WHEEL, 300, 0, 0);
    for (mtime_t n = 1; n < 1000; n++) { /* begun in jiffy n, looked at 4001 later: 1999 are left */
        mtime_t since = (n * SEC + 299) / 300, now = ((n + 4001) * SEC + 299) / 300;

        armed(now, 20 * SEC - tcp_elapsed(&tcp, now, since));
        assert_int_equal(tcp.expires[SLOT_KEEPALIVE], ((n + 6000) * SEC + 299) / 300);
    }
    for (uint64_t n = 0; n < 63; n++)
        assert_int_equal(armed(0, (mtime_t)n * (SEC / 300)), (mtime_t)((n + 1) * SEC + 299) / 300);
}

static void elapsed_counts_whole_jiffies(void **state)
{
    (void)state;
    use(CLOCK_WHEEL, 250, 0, 5);
    assert_int_equal(tcp_elapsed(&tcp, 11 * MS, 7 * MS), 4 * MS);
    assert_int_equal(tcp_elapsed(&tcp, 11 * MS, 8 * MS), 0);
    assert_int_equal(tcp_elapsed(&tcp, 12 * MS, 11 * MS), 4 * MS);
    use(CLOCK_EXACT, 0, 0, 0);
    assert_int_equal(tcp_elapsed(&tcp, 11 * MS, 7 * MS), 4 * MS);
}

/* n ticks: the first comes at once or after a whole one. */
static void slow_ticks(void **state)
{
    (void)state;
    for (uint64_t phase = 0; phase < 500; phase += 7) {
        mtime_t fires;

        use(CLOCK_TICKS, 0, 500 * MS, phase * MS);
        fires = armed(3 * SEC, 7200 * SEC) - 3 * SEC;
        assert_true(fires > 7199500 * MS && fires <= 7200 * SEC);
        assert_int_equal((fires + 3 * SEC + (mtime_t)phase * MS) % (500 * MS), 0);
        fires = armed(3 * SEC, 600 * MS) - 3 * SEC; /* two ticks */
        assert_true(fires > 500 * MS && fires <= SEC);
    }
    use(CLOCK_TICKS, 0, 500 * MS, 0);
    assert_int_equal(armed(SEC, 0), 1500 * MS); /* never at once */
    assert_int_equal(armed(1200 * MS, 500 * MS), 1500 * MS);
    tcp_arm(&tcp, SLOT_DELACK, 1050 * MS, 200 * MS); /* tcp_fasttimo() */
    assert_int_equal(tcp.fires[SLOT_DELACK], 1200 * MS);
}

static void exact_and_never(void **state)
{
    (void)state;
    use(CLOCK_EXACT, 0, 0, 9);
    assert_int_equal(armed(SEC, 1234567), SEC + 1234567);
    assert_int_equal(armed(SEC, -1), SEC);
    assert_int_equal(armed(SEC, MTIME_NEVER), MTIME_NEVER);
    assert_int_equal(tcp.expires[SLOT_KEEPALIVE], MTIME_NEVER);
    armed(SEC, 5);
    tcp_disarm(&tcp, SLOT_KEEPALIVE);
    assert_int_equal(tcp.fires[SLOT_KEEPALIVE], MTIME_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_boundary),
        cmocka_unit_test(anywhere),
        cmocka_unit_test(the_counter_may_wrap),
        cmocka_unit_test(beyond_the_last_level),
        cmocka_unit_test(as_measured),
        cmocka_unit_test(an_hour),
        cmocka_unit_test(the_shown_time_is_what_was_asked),
        cmocka_unit_test(at_300_hz_no_jiffy_is_lost),
        cmocka_unit_test(elapsed_counts_whole_jiffies),
        cmocka_unit_test(slow_ticks),
        cmocka_unit_test(exact_and_never),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
