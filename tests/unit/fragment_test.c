/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "middlebox/engine/fragment.h"
#include "tests/unit/packet_cases.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

static const uint8_t secret[16] = "sixteen bytes :)";

struct piece {
    uint8_t family;
    uint8_t proto; /* as its own header says */
    uint8_t host;  /* last byte of the source */
    uint32_t id;
    uint32_t offset, size;
};

/* A fragment, with headers enough to be decoded. */
static struct packet make(uint8_t bytes[PACKET_CASE_MAX], struct piece f)
{
    uint32_t header = f.family == 4 ? 20 : 48;
    struct packet p = {.data = bytes};

    memset(bytes, 0, PACKET_CASE_MAX);
    if (f.family == 4) {
        packet_case_bytes("45000000 00000000 40000000 c0000200 c6336402", bytes);
        bytes[3] = (uint8_t)(header + f.size);
        bytes[4] = (uint8_t)(f.id >> 8);
        bytes[5] = (uint8_t)f.id;
        bytes[6] = (uint8_t)((f.offset ? 0 : 0x20) | f.offset >> 11);
        bytes[7] = (uint8_t)(f.offset >> 3);
        bytes[9] = f.proto;
        bytes[15] = f.host;
    } else {
        packet_case_bytes("60000000 00002c40 20010db8 00010000 00000000 00000000 "
                          "20010db8 00020000 00000000 00000002",
                          bytes);
        bytes[5] = (uint8_t)(8 + f.size);
        bytes[23] = f.host;
        bytes[40] = f.proto;
        bytes[42] = (uint8_t)(f.offset >> 8);
        bytes[43] = (uint8_t)(f.offset | !f.offset);
        for (unsigned i = 0; i < 4; i++)
            bytes[44 + i] = (uint8_t)(f.id >> (24 - 8 * i));
    }
    if (f.offset == 0)
        packet_case_bytes(f.proto == IPPROTO_TCP ? "9c401538 00000001 00000002 501001f5 00000000"
                                                 : "9c400035 01000000",
                          bytes + header);
    p.caplen = p.len = header + f.size;
    packet_decode(&p);
    assert_int_equal(p.more_fragments, f.offset == 0);
    assert_int_equal(p.kind == PACKET_FRAGMENT, f.offset > 0);
    assert_int_equal(p.fragment_id, f.id);
    return p;
}

static void put(struct fragment_cache *cache, struct piece f, mtime_t now, bool accepted)
{
    uint8_t bytes[PACKET_CASE_MAX];
    struct packet p = make(bytes, f);

    fragment_put(cache, &p, now, accepted);
}

static enum fragment_fate get(struct fragment_cache *cache, struct piece f, mtime_t now)
{
    uint8_t bytes[PACKET_CASE_MAX];
    struct packet p = make(bytes, f);

    return fragment_get(cache, &p, now);
}

static const struct piece first = {4, IPPROTO_UDP, 1, 0x1234, 0, 32};
static const struct piece later = {4, IPPROTO_UDP, 1, 0x1234, 32, 8};

static struct fragment_cache *create(uint32_t slots)
{
    struct fragment_cache *cache = NULL;

    assert_int_equal(fragment_create(&cache, slots, secret), 0);
    return cache;
}

static void later_fragments_share_the_fate_of_the_first(void **state)
{
    struct fragment_cache *cache = create(64);

    (void)state;
    assert_int_equal(get(cache, later, 5), FRAGMENT_UNKNOWN);
    put(cache, first, 5, true);
    assert_int_equal(get(cache, later, 5), FRAGMENT_ACCEPT);
    put(cache, first, 6, false);
    assert_int_equal(get(cache, later, 6), FRAGMENT_DROP);
    put(cache, first, 7, true); /* a second first fragment pulls nothing through */
    assert_int_equal(get(cache, later, 7), FRAGMENT_DROP);
    assert_null(fragment_destroy(cache));
    assert_null(fragment_destroy(NULL));
}

static void a_fate_is_remembered_for_30_seconds(void **state)
{
    struct fragment_cache *cache = create(64);
    mtime_t end = FRAGMENT_LIFETIME + 5;

    (void)state;
    assert_int_equal(FRAGMENT_LIFETIME, 30 * MTIME_SEC);
    put(cache, first, 5, false);
    put(cache, first, 6, true); /* and does not live longer for the attempt */
    assert_int_equal(get(cache, later, end - 1), FRAGMENT_DROP);
    assert_int_equal(get(cache, later, end), FRAGMENT_UNKNOWN);
    assert_int_equal(get(cache, later, end + 1), FRAGMENT_UNKNOWN);
    put(cache, first, end, true);
    assert_int_equal(get(cache, later, end + 1), FRAGMENT_ACCEPT);
    cache = fragment_destroy(cache);
}

/* RFC 791 3.2: source, destination, protocol and identification. RFC 8200 4.5: not the protocol. */
static void fragments_of_other_packets_are_unknown(void **state)
{
    static const struct {
        struct piece first, later;
        enum fragment_fate fate;
    } cases[] = {
        {{4, 17, 1, 7, 0, 32}, {4, 17, 1, 7, 64, 8}, FRAGMENT_ACCEPT},
        {{4, 17, 1, 7, 0, 32}, {4, 17, 1, 8, 64, 8}, FRAGMENT_UNKNOWN},
        {{4, 17, 1, 7, 0, 32}, {4, 17, 2, 7, 64, 8}, FRAGMENT_UNKNOWN},
        {{4, 17, 1, 7, 0, 32}, {4, 6, 1, 7, 64, 8}, FRAGMENT_UNKNOWN},
        {{6, 6, 1, 7u << 24, 0, 32}, {6, 6, 1, 7u << 24, 64, 8}, FRAGMENT_ACCEPT},
        {{6, 6, 1, 7u << 24, 0, 32}, {6, 60, 1, 7u << 24, 64, 8}, FRAGMENT_ACCEPT},
        {{6, 6, 1, 7u << 24, 0, 32}, {6, 6, 1, 6u << 24, 64, 8}, FRAGMENT_UNKNOWN},
        {{6, 6, 1, 7, 0, 32}, {6, 6, 1, 7 + (1 << 16), 64, 8}, FRAGMENT_UNKNOWN},
        {{6, 6, 1, 7, 0, 32}, {6, 6, 2, 7, 64, 8}, FRAGMENT_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fragment_cache *cache = create(64);

        put(cache, cases[i].first, 1, true);
        if (get(cache, cases[i].later, 2) != cases[i].fate)
            fail_msg("case %zu: the wrong fate", i);
        fragment_destroy(cache);
    }
}

static void the_other_direction_is_another_packet(void **state)
{
    struct fragment_cache *cache = create(64);
    uint8_t bytes[PACKET_CASE_MAX], swap[4];
    struct packet p;

    (void)state;
    put(cache, first, 1, true);
    p = make(bytes, later);
    memcpy(swap, bytes + 12, 4);
    memcpy(bytes + 12, bytes + 16, 4);
    memcpy(bytes + 16, swap, 4);
    packet_decode(&p);
    assert_int_equal(fragment_get(cache, &p, 1), FRAGMENT_UNKNOWN);
    fragment_destroy(cache);
}

/* The key of an ICMP error is the quoted packet's: the fragments of the error itself must be found.
 */
static void a_fragmented_icmp_error_is_found(void **state)
{
    struct fragment_cache *cache = create(64);
    uint8_t bytes[PACKET_CASE_MAX] = {0};
    struct packet p = {.data = bytes};

    (void)state;
    p.caplen = p.len = packet_case_bytes(
        "4500003c 00092000 40010000 cb007101 c0000202 030d0000 00000000 45000024 00004000 40110000 "
        "c0000202 c6336402 9c400035 00100000 00000000",
        bytes);
    packet_decode(&p);
    assert_int_equal(p.kind, PACKET_ICMP_ERROR);
    fragment_put(cache, &p, 1, false);
    p.caplen = p.len =
        packet_case_bytes("4500001c 00090005 40010000 cb007101 c0000202 00000000 00000000", bytes);
    packet_decode(&p);
    assert_int_equal(p.kind, PACKET_FRAGMENT);
    assert_int_equal(fragment_get(cache, &p, 1), FRAGMENT_DROP);
    fragment_destroy(cache);
}

/* RFC 5722, RFC 3128: where the first fragment holds an extension header, the second could put
 * other ports behind it. */
static void a_fragment_over_the_first_is_dropped(void **state)
{
    const struct piece six = {6, IPPROTO_TCP, 1, 9, 0, 32};
    const struct piece over = {6, IPPROTO_DSTOPTS, 1, 9, 24, 40};
    const struct piece after = {6, IPPROTO_TCP, 1, 9, 32, 8};
    struct fragment_cache *cache = create(64);

    (void)state;
    put(cache, six, 1, true);
    assert_int_equal(get(cache, after, 2), FRAGMENT_ACCEPT);
    assert_int_equal(get(cache, over, 3), FRAGMENT_DROP);
    assert_int_equal(get(cache, after, 4), FRAGMENT_DROP);
    put(cache, six, 5, true);
    assert_int_equal(get(cache, after, 6), FRAGMENT_DROP);
    fragment_destroy(cache);
}

static void a_cache_needs_a_slot(void **state)
{
    struct fragment_cache *cache = NULL;

    (void)state;
    assert_int_equal(fragment_create(&cache, 0, secret), -EINVAL);
    assert_null(cache);
    cache = create(1);
    put(cache, first, 1, true);
    assert_int_equal(get(cache, later, 2), FRAGMENT_ACCEPT);
    fragment_destroy(cache);
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* Against an array that forgets nothing: the cache may forget, but never says another fate. */
static void a_flood_makes_it_forget_but_never_lie(void **state)
{
    enum { IDS = 4096, STEPS = 40000, SLOTS = 256 };
    static struct {
        mtime_t expires;
        enum fragment_fate fate;
    } model[IDS];
    uint64_t seed = 20240601;
    struct fragment_cache *cache = create(SLOTS);
    unsigned known = 0, forgotten = 0;
    mtime_t now = 1;

    (void)state;
    for (unsigned i = 0; i < STEPS; i++) {
        uint32_t id = next_random(&seed) % (i % 2 ? IDS : SLOTS / 4);
        struct piece f = {4, IPPROTO_UDP, 1, id, 0, 32}, l = {4, IPPROTO_UDP, 1, id, 32, 8};
        bool alive, accepted = next_random(&seed) % 4 != 0;
        enum fragment_fate fate;

        now += next_random(&seed) % (30 * MTIME_MSEC);
        alive = now < model[id].expires;
        fate = get(cache, l, now);
        if (fate == FRAGMENT_UNKNOWN)
            forgotten += alive;
        else if (!alive || fate != model[id].fate)
            fail_msg("step %u: id %u has fate %u", i, id, fate);
        else
            known++;
        /* what it forgot, it judges anew */
        if (fate == FRAGMENT_UNKNOWN || model[id].fate != FRAGMENT_DROP || !accepted) {
            model[id].fate = accepted ? FRAGMENT_ACCEPT : FRAGMENT_DROP;
            model[id].expires = now + FRAGMENT_LIFETIME;
        }
        put(cache, f, now, accepted);
        if (get(cache, l, now) != model[id].fate)
            fail_msg("step %u: id %u not found right after", i, id);
    }
    assert_true(known > STEPS / 10);
    assert_true(forgotten > STEPS / 10);
    fragment_destroy(cache);
}

/* The oldest of a set gives way: what was put last is all still there, as long as no set overflows.
 */
static void the_oldest_gives_way(void **state)
{
    struct fragment_cache *cache = create(4); /* one set */

    (void)state;
    for (uint32_t id = 1; id <= 20; id++) {
        put(cache, (struct piece){4, IPPROTO_UDP, 1, id, 0, 32}, id, true);
        for (uint32_t back = 1; back <= id; back++) {
            enum fragment_fate fate =
                get(cache, (struct piece){4, IPPROTO_UDP, 1, back, 32, 8}, id);

            assert_int_equal(fate, back + 4 > id ? FRAGMENT_ACCEPT : FRAGMENT_UNKNOWN);
        }
    }
    fragment_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_fragments_share_the_fate_of_the_first),
        cmocka_unit_test(a_fate_is_remembered_for_30_seconds),
        cmocka_unit_test(fragments_of_other_packets_are_unknown),
        cmocka_unit_test(the_other_direction_is_another_packet),
        cmocka_unit_test(a_fragmented_icmp_error_is_found),
        cmocka_unit_test(a_fragment_over_the_first_is_dropped),
        cmocka_unit_test(a_cache_needs_a_slot),
        cmocka_unit_test(a_flood_makes_it_forget_but_never_lie),
        cmocka_unit_test(the_oldest_gives_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
