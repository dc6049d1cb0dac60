/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What two places saw, matched byte by byte beside a count of each byte; and how their clocks
 * stand. */
#include "tests/unit/random_seed.h"

#include "tools/replay/places_clock.h"
#include "tools/replay/places_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define BYTES 200
#define START (INT64_C(1700000000) * MTIME_SEC)

static struct random dice;

static unsigned below(unsigned n)
{
    return random_below(&dice, n);
}

/* ---- bytes ---- */

static struct seen segment(int64_t start, int64_t end, uint64_t number)
{
    return (struct seen){.start = start, .end = end, .flags = TCP_ACK, .number = number};
}

static void count_passed(void *arg, const struct seen *here, const struct seen *there)
{
    (void)here;
    (void)there;
    ++*(unsigned *)arg;
}

static void add_bytes(int *counts, const struct seen *s, int by)
{
    for (int64_t i = s->start; i < s->end; i++)
        counts[i] += by;
}

/* Sent in any pieces, some again; seen elsewhere in others, some not at all. What is left on either
 * side is what one saw more often than the other, byte by byte. */
static void bytes_random(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        struct seen_list sent = {0};
        int counts[BYTES] = {0}, left[BYTES] = {0};
        unsigned n = 0;

        for (unsigned i = 0; i < 20; i++) {
            int64_t start = below(BYTES - 40);
            struct seen s = segment(start, start + 5 + below(30), i);

            assert_int_equal(seen_list_add(&sent, &s), 0);
            add_bytes(counts, &s, 1);
        }
        for (unsigned i = 0; i < 15; i++) {
            int64_t start = below(BYTES - 40);
            struct seen s = segment(start, start + 1 + below(39), 100 + i);
            struct seen rest[PLACES_PIECES];
            size_t n_rest;

            assert_int_equal(seen_list_match(&sent, &s, count_passed, &n, rest, &n_rest), 0);
            add_bytes(counts, &s, -1);
            for (size_t k = 0; k < n_rest; k++) {
                assert_true(rest[k].start >= s.start && rest[k].end <= s.end);
                assert_true(rest[k].start < rest[k].end);
                add_bytes(left, &rest[k], -1);
            }
        }
        for (size_t i = sent.from; i < sent.n; i++)
            add_bytes(left, &sent.items[i], 1);
        /* a byte that came when nothing was left of it stays over, also if others of it do not */
        assert_memory_equal(left, counts, sizeof(left));
        seen_list_finish(&sent);
    }
}

static void alike_packets(void **state)
{
    struct seen_list sent = {0};
    struct seen rest[PLACES_PIECES];
    unsigned n = 0;
    size_t n_rest;

    (void)state;
    for (unsigned i = 1; i <= 4; i++) {
        struct seen s = segment(10, 20, i);

        s.identity = i;
        assert_int_equal(seen_list_add(&sent, &s), 0);
    }
    for (unsigned i = 3; i >= 2; i--) { /* each the one with its IP id */
        struct seen s = segment(10, 20, 50);

        s.identity = i;
        assert_int_equal(seen_list_match(&sent, &s, count_passed, &n, rest, &n_rest), 0);
        assert_int_equal(n_rest, 0);
    }
    assert_int_equal(n, 2);
    assert_int_equal(seen_list_count(&sent), 2);
    assert_int_equal(sent.items[sent.from].number, 1);
    assert_int_equal(sent.items[sent.from + 1].number, 4);
    for (unsigned i = 0; i < 2; i++) { /* of none it is known which it is: the oldest */
        struct seen s = segment(10, 20, 60);

        assert_int_equal(seen_list_match(&sent, &s, count_passed, &n, rest, &n_rest), 0);
        assert_int_equal(seen_list_count(&sent), 1 - i);
        assert_true(i == 1 || sent.items[sent.from].number == 4);
    }
    for (unsigned i = 1; i <= 2; i++) {
        struct seen s = {.start = 5, .end = 5, .flags = TCP_ACK, .number = i};

        assert_int_equal(seen_list_add(&sent, &s), 0);
    }
    assert_int_equal(seen_list_match(&sent, &(struct seen){.start = 5, .end = 5, .flags = TCP_ACK},
                                     count_passed, &n, rest, &n_rest),
                     0);
    assert_int_equal(sent.items[sent.from].number, 2);
    seen_list_finish(&sent);
}

static void icmp_errors(void **state)
{
    const struct seen error = {.kind = SEEN_ICMP, .icmp_type = 3, .icmp_code = 13, .id = 7};
    struct seen others[3] = {error, error, error}, rest[PLACES_PIECES];
    struct seen_list sent = {0};
    unsigned n = 0;
    size_t n_rest;

    (void)state;
    others[0].icmp_type = 11;
    others[1].icmp_code = 1;
    others[2].id = 8;
    assert_int_equal(seen_list_add(&sent, &error), 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(seen_list_match(&sent, &others[i], count_passed, &n, rest, &n_rest), 0);
        assert_int_equal(n_rest, 1);
    }
    assert_int_equal(seen_list_match(&sent, &error, count_passed, &n, rest, &n_rest), 0);
    assert_int_equal(n_rest + seen_list_count(&sent), 0);
    seen_list_finish(&sent);
}

/* Nothing but numbers and flags tells packets without bytes apart. */
static void empty_packets(void **state)
{
    const struct seen probe = {.start = 9, .end = 9, .ack = 5, .flags = TCP_ACK};
    struct seen others[5] = {probe, probe, probe, probe, probe}, rest[PLACES_PIECES], same = probe;
    struct seen_list sent = {0};
    unsigned n = 0;
    size_t n_rest;

    (void)state;
    assert_int_equal(seen_list_add(&sent, &probe), 0);
    others[0].start = others[0].end = 10;
    others[1].ack = 6;
    others[2].flags = TCP_ACK | TCP_SYN;
    others[3].kind = SEEN_RESET;
    others[4].kind = SEEN_ICMP;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(seen_list_match(&sent, &others[i], count_passed, &n, rest, &n_rest), 0);
        assert_int_equal(n_rest, 1);
    }
    assert_int_equal(n, 0);
    same.flags |= TCP_PSH; /* offloading moves it */
    assert_int_equal(seen_list_match(&sent, &same, count_passed, &n, rest, &n_rest), 0);
    assert_int_equal(n_rest, 0);
    assert_int_equal(n, 1);
    assert_int_equal(seen_list_count(&sent), 0);
    others[3].ack = 77; /* of a reset that means nothing */
    same = others[3];
    same.ack = 0;
    assert_int_equal(seen_list_add(&sent, &same), 0);
    assert_int_equal(seen_list_match(&sent, &others[3], count_passed, &n, rest, &n_rest), 0);
    assert_int_equal(n_rest, 0);
    seen_list_finish(&sent);
}

static void ranges_random(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 1000; round++) {
        struct ranges ranges = {0};
        int counts[BYTES] = {0};

        for (unsigned i = 0; i < 25; i++) {
            int64_t start = below(BYTES - 20), end = start + below(12);
            struct seen s = segment(start, end, 0);
            int64_t from = below(BYTES - 10), to = from + 1 + below(9);
            bool all = true;

            assert_int_equal(ranges_add(&ranges, start, end), 0);
            add_bytes(counts, &s, 1);
            for (int64_t k = from; k < to; k++)
                all = all && counts[k] > 0;
            assert_int_equal(ranges_hold(&ranges, from, to), all);
        }
        ranges_finish(&ranges);
    }
}

static void ranges_bounded(void **state)
{
    struct ranges ranges = {0};

    (void)state;
    for (int64_t i = 0; i < 1000; i++)
        assert_int_equal(ranges_add(&ranges, 10 * i, 10 * i + 5), 0);
    assert_true(ranges.n < RANGES_MAX);
    assert_true(ranges_hold(&ranges, 15, 20)); /* a low hole is closed */
    assert_true(ranges_hold(&ranges, 9990, 9995));
    assert_false(ranges_hold(&ranges, 9985, 9990));
    ranges_finish(&ranges);
}

/* ---- clocks ---- */

struct bed {
    struct places_sketch *at[2];
    mtime_t ahead;
    double drift;
    bool still; /* packets differ in nothing but their windows */
};

static void bed_init(struct bed *bed, mtime_t ahead, double drift)
{
    *bed = (struct bed){.ahead = ahead, .drift = drift};
    for (unsigned i = 0; i < 2; i++)
        assert_non_null(bed->at[i] = places_sketch_create());
}

static void bed_finish(struct bed *bed)
{
    for (unsigned i = 0; i < 2; i++)
        places_sketch_destroy(bed->at[i]);
}

/* A packet that is at the first place at `time`, and at the second `way` later, or earlier if it
 * goes the other way. */
static void bed_pass(struct bed *bed, mtime_t time, mtime_t way, unsigned hops)
{
    struct packet p = {.kind = PACKET_TCP, .flags = TCP_ACK, .payload_len = 1};
    bool forth = way > 0;

    p.seq = bed->still ? 1 : (uint32_t)random_u64(&dice);
    p.ack = bed->still ? 2 : (uint32_t)random_u64(&dice);
    p.window = (uint32_t)random_u64(&dice) & 0xffff;
    p.key.port[0] = 80;
    p.key.port[1] = 40000;
    p.side = forth;
    p.time = time;
    places_sketch_add(bed->at[0], &p, (uint8_t)(forth ? 64 : 64 - hops));
    p.time = time + way;
    p.time += bed->ahead + (mtime_t)(bed->drift * (double)(p.time - START));
    p.flags |= TCP_PSH; /* offloading moves it */
    places_sketch_add(bed->at[1], &p, (uint8_t)(forth ? 64 - hops : 64));
}

/* Of many, a part is kept: half, each time that there are too many. */
static void check_clock(struct bed *bed, unsigned n, mtime_t span, mtime_t within)
{
    struct places_clock clock;

    assert_int_equal(places_clock_fit(&clock, START, bed->at[0], bed->at[1]), 0);
    assert_true(clock.packets >= (n < 15000 ? n / 2 : 15000) && clock.packets <= 32768);
    assert_false(clock.one_way);
    for (mtime_t t = START; t < START + span; t += span / 10) {
        mtime_t there = t + bed->ahead + (mtime_t)(bed->drift * (double)(t - START));
        mtime_t off = places_clock_correct(&clock, there) - t;

        if (llabs(off) > within)
            fail_msg("after %lld s off by %lld us", (long long)((t - START) / MTIME_SEC),
                     (long long)(off / 1000));
    }
    assert_true(llabs(clock.way - 10 * MTIME_MSEC) < 2 * within);
}

/* 5 ms each way at least, and now and then a queue in one direction; for hours, too. */
static void clocks(void **state)
{
    static const struct {
        mtime_t ahead;
        double drift;
        unsigned n, hops;
        bool hours;
    } cases[] = {
        {0, 0, 500, 3, false},
        {INT64_C(-36000) * MTIME_SEC, 80e-6, 2000, 1, true},
        {INT64_C(7200) * MTIME_SEC, -40e-6, 200000, 12, true},
        {MTIME_SEC, 20e-6, 3000, 0, false},
    };
    const mtime_t span = 24 * 3600 * MTIME_SEC;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bed bed;

        bed_init(&bed, cases[i].ahead, cases[i].drift);
        bed.still = cases[i].n == 500;
        for (unsigned k = 0; k < cases[i].n; k++) {
            mtime_t way = 5 * MTIME_MSEC + below(200) * 1000;

            if (k % 7 == 0 || (cases[i].hours && k > cases[i].n / 10 * 9))
                way += below(300) * MTIME_MSEC;
            bed_pass(&bed, START + span / cases[i].n * k,
                     k % 2 ? way : -(5 * MTIME_MSEC + below(200) * 1000), cases[i].hops);
        }
        check_clock(&bed, cases[i].n, span, MTIME_MSEC);
        bed_finish(&bed);
    }
}

/* Over a second, jitter looks like a drift that would be minutes a day. */
static void short_clock(void **state)
{
    mtime_t off = 0;

    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        struct places_clock clock;
        struct bed bed;

        bed_init(&bed, 0, 0);
        for (unsigned k = 0; k < 10; k++) {
            mtime_t way = 5 * MTIME_MSEC + below(1000) * 1000;

            bed_pass(&bed, START + k * MTIME_SEC / 10, k % 2 ? way : -way, 1);
        }
        assert_int_equal(places_clock_fit(&clock, START, bed.at[0], bed.at[1]), 0);
        off += llabs(places_clock_correct(&clock, START + 3600 * MTIME_SEC) - START -
                     3600 * MTIME_SEC);
        bed_finish(&bed);
    }
    assert_true(off / 50 < MTIME_SEC / 2);
}

/* What was sent twice is at both places twice, or once at one: neither says when it passed. */
static void strangers(void **state)
{
    struct places_clock clock;
    struct bed one, other;
    struct packet p = {.kind = PACKET_TCP, .flags = TCP_ACK, .seq = 7, .ack = 9};

    (void)state;
    bed_init(&one, 0, 0);
    bed_init(&other, 0, 0);
    for (unsigned i = 0; i < 1000; i++) {
        bed_pass(&one, START + i * MTIME_SEC, MTIME_MSEC, 1);
        bed_pass(&other, START + i * MTIME_SEC, MTIME_MSEC, 1);
    }
    places_sketch_add(one.at[0], &p, 64);
    places_sketch_add(one.at[0], &p, 64);
    places_sketch_add(other.at[1], &p, 63);
    assert_int_equal(places_clock_fit(&clock, START, one.at[0], other.at[1]), 0);
    assert_int_equal(clock.packets, 0);
    bed_finish(&one);
    bed_finish(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_random),  cmocka_unit_test(alike_packets),
        cmocka_unit_test(icmp_errors),   cmocka_unit_test(empty_packets),
        cmocka_unit_test(ranges_random), cmocka_unit_test(ranges_bounded),
        cmocka_unit_test(clocks),        cmocka_unit_test(short_clock),
        cmocka_unit_test(strangers),
    };

    dice = random_start("places_test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
