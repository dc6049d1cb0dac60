/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "middlebox/engine/flow_key.h"
#include "tests/unit/random_seed.h"

#include <arpa/inet.h>

struct ends {
    const char *name;
    int family;
    const char *low, *high;
    uint16_t low_port, high_port;
};

static const struct ends ends[] = {
    {"IPv4, by address", AF_INET, "192.0.2.2", "198.51.100.2", 5432, 40000},
    {"the port counts only between equal addresses", AF_INET, "192.0.2.2", "198.51.100.2", 40000,
     53},
    {"addresses compare in network order", AF_INET, "192.0.2.255", "192.0.3.0", 1, 1},
    {"one address, by port", AF_INET, "127.0.0.1", "127.0.0.1", 22, 40000},
    {"IPv6, the last byte", AF_INET6, "2001:db8::1", "2001:db8::2", 9, 8},
    {"IPv6, the first byte", AF_INET6, "2001:db8::ffff", "fe80::1", 9, 8},
};

static void both_directions_have_one_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        const struct ends *e = &ends[i];
        uint8_t family = e->family == AF_INET ? 4 : 6, low[16] = {0}, high[16] = {0};
        struct flow_key there, back;

        assert_int_equal(inet_pton(e->family, e->low, low), 1);
        assert_int_equal(inet_pton(e->family, e->high, high), 1);
        memset(&there, 0xff, sizeof(there));
        memset(&back, 0xaa, sizeof(back));
        assert_int_equal(flow_key_init(&there, family, 6, low, e->low_port, high, e->high_port, 0),
                         0);
        assert_int_equal(flow_key_init(&back, family, 6, high, e->high_port, low, e->low_port, 0),
                         1);
        if (!flow_key_equal(&there, &back))
            fail_msg("%s: the directions differ", e->name);
        assert_memory_equal(there.addr[0], low, 16);
        assert_memory_equal(there.addr[1], high, 16);
        assert_int_equal(there.port[0], e->low_port);
        assert_int_equal(there.port[1], e->high_port);
        assert_int_equal(there.family, family);
        assert_int_equal(there.proto, 6);
    }
}

static void equal_ends_are_end_zero(void **state)
{
    const uint8_t addr[4] = {127, 0, 0, 1};
    struct flow_key key;

    (void)state;
    assert_int_equal(flow_key_init(&key, 4, 1, addr, 7, addr, 7, 8), 0);
    assert_int_equal(key.type, 8);
}

static void every_field_makes_another_key(void **state)
{
    const uint8_t a[16] = {1}, b[16] = {2}, secret[16] = {3};
    struct flow_key key, other;

    (void)state;
    flow_key_init(&key, 6, 17, a, 1, b, 2, 0);
    for (size_t i = 0; i < sizeof(key); i++) {
        other = key;
        ((uint8_t *)&other)[i] ^= 1;
        assert_false(flow_key_equal(&key, &other));
        assert_true(flow_key_hash(&key, secret) != flow_key_hash(&other, secret));
        assert_true(flow_key_hash_quick(&key, secret) != flow_key_hash_quick(&other, secret));
    }
}

/* CPython's hash() of bytes is SipHash-1-3: the figures are those of hash(bytes(range(40))) and
 * hash(bytes(40)) under PYTHONHASHSEED 0 (a secret of zeros) and 7. */
static void the_hash_is_siphash_1_3(void **state)
{
    static const uint8_t zero[16];
    static const uint8_t seven[16] = {0x3d, 0x0e, 0x6f, 0x80, 0xa1, 0x74, 0xc8, 0x12,
                                      0x4f, 0x78, 0xd2, 0xf9, 0xd2, 0x89, 0x0a, 0x47};
    struct flow_key key;

    (void)state;
    memset(&key, 0, sizeof(key));
    assert_true(flow_key_hash(&key, zero) == UINT64_C(0x8a0d55ebcf29c4b2));
    for (size_t i = 0; i < sizeof(key); i++)
        ((uint8_t *)&key)[i] = (uint8_t)i;
    assert_true(flow_key_hash(&key, zero) == UINT64_C(0x95bc321ab41d8206));
    assert_true(flow_key_hash(&key, seven) == UINT64_C(0x4b1c7f0d8fc0bca9));
}

#define KEYS 100000
#define PLACES 1024 /* about 98 each, and a deviation of 10 */

/* Counted up as hosts and ports are: under any secret the low bits, which choose the bucket, and
 * the high ones, which are the tag, are spread like those of chance. */
static void spread(uint8_t family, const uint8_t secret[16])
{
    uint32_t low[PLACES] = {0}, high[PLACES] = {0};
    uint8_t a[16] = {10}, b[16] = {198, 51, 100};
    struct flow_key key;

    for (uint32_t i = 0; i < KEYS; i++) {
        uint64_t h;

        a[2] = (uint8_t)(i / 50 >> 8);
        a[3] = (uint8_t)(i / 50);
        b[3] = (uint8_t)(i % 200);
        flow_key_init(&key, family, 6, a, (uint16_t)(32768 + i % 28000), b, 443, 0);
        h = flow_key_hash_quick(&key, secret);
        low[h % PLACES]++;
        high[h >> 54]++;
    }
    for (unsigned i = 0; i < PLACES; i++) {
        assert_in_range(low[i], 98 - 60, 98 + 60);
        assert_in_range(high[i], 98 - 60, 98 + 60);
    }
}

static void the_quick_hash_spreads(void **state)
{
    struct random random = random_start(__func__);

    (void)state;
    for (unsigned n = 0; n < 20; n++) {
        uint64_t secret[2] = {random_u64(&random), random_u64(&random)};

        spread(4, (const uint8_t *)secret);
        spread(6, (const uint8_t *)secret);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_have_one_key),  cmocka_unit_test(equal_ends_are_end_zero),
        cmocka_unit_test(every_field_makes_another_key), cmocka_unit_test(the_hash_is_siphash_1_3),
        cmocka_unit_test(the_quick_hash_spreads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
