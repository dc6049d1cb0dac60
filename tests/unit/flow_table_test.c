/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "middlebox/engine/flow_table.h"
#include "tests/unit/random_seed.h"

#define MANY 200000

static const uint8_t secret[16] = "not a secret";

/* The naive one: which keys are in, and where. */
struct model {
    struct flow_table table;
    struct random random;
    uint32_t slot[MANY]; /* by key number; STORE_NONE: not in */
    uint32_t in[MANY];   /* the numbers of those that are in */
    uint32_t where[MANY];
    uint32_t n;
};

static struct model *model_new(uint32_t limit, const char *test)
{
    struct model *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    m->random = random_start(test);
    memset(m->slot, 0xff, sizeof(m->slot));
    assert_int_equal(flow_table_init(&m->table, limit, secret), 0);
    return m;
}

static void model_free(struct model *m)
{
    flow_table_finish(&m->table);
    free(m);
}

static struct flow_key key_of(uint32_t n)
{
    uint8_t a[4] = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, b[4] = {192, 0, 2, 1};
    struct flow_key key;

    flow_key_init(&key, 4, n & 1 ? 6 : 17, a, (uint16_t)n, b, 443, 0);
    return key;
}

static uint32_t find(const struct model *m, uint32_t n)
{
    struct flow_key key = key_of(n);

    return flow_table_find(&m->table, &key, flow_table_hash(&m->table, &key));
}

static void insert(struct model *m, uint32_t n)
{
    struct flow_key key = key_of(n);
    uint32_t slot = flow_table_insert(&m->table, &key, flow_table_hash(&m->table, &key));

    assert_true(slot != STORE_NONE);
    assert_true(flow_key_equal(&flow_store_at(&m->table.store, slot)->key, &key));
    m->slot[n] = slot;
    m->where[n] = m->n;
    m->in[m->n++] = n;
}

static void take_out(struct model *m, uint32_t n)
{
    flow_table_remove(&m->table, m->slot[n]);
    m->slot[n] = STORE_NONE;
    m->in[m->where[n]] = m->in[--m->n];
    m->where[m->in[m->where[n]]] = m->where[n];
}

static void check(const struct model *m)
{
    const char *fault = flow_table_check(&m->table);

    if (fault)
        fail_msg("%s", fault);
    assert_int_equal(m->table.store.used, m->n);
}

/* Towards `to` flows, with some coming and going on the way. */
static void drift(struct model *m, uint32_t to)
{
    bool up = to > m->n;

    while (m->n != to) {
        uint32_t n = random_below(&m->random, MANY);

        if ((random_below(&m->random, 16) > 0) == up) {
            if (m->slot[n] == STORE_NONE)
                insert(m, n);
        } else if (m->n > 0) {
            take_out(m, m->in[random_below(&m->random, m->n)]);
        }
        n = random_below(&m->random, MANY);
        assert_int_equal(find(m, n), m->slot[n]);
    }
    check(m);
}

static void it_agrees_with_an_array(void **state)
{
    struct model *m = model_new(MANY, __func__);
    uint64_t start = flow_table_memory(&m->table), most;

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        drift(m, random_below(&m->random, 3000));
    drift(m, MANY / 2);
    while (m->n < MANY) /* the last ones would take long to hit by chance */
        for (uint32_t n = 0; n < MANY; n++)
            if (m->slot[n] == STORE_NONE)
                insert(m, n);
    check(m);
    most = flow_table_memory(&m->table);
    assert_true(most / MANY <= 192);
    drift(m, 0);
    /* The first chunk of records stays mapped. */
    assert_true(flow_table_memory(&m->table) <=
                start + PAGES_HUGE + most / 50);
    for (uint32_t n = 0; n < MANY; n += 7)
        assert_int_equal(find(m, n), STORE_NONE);
    drift(m, 1000);
    drift(m, 0);
    model_free(m);
}

static void a_full_table_says_so(void **state)
{
    struct model *m = model_new(1000, __func__);
    struct flow_key key = key_of(2000);
    uint64_t hash = flow_table_hash(&m->table, &key);

    (void)state;
    for (uint32_t n = 0; n < 1000; n++)
        insert(m, n);
    assert_int_equal(flow_table_insert(&m->table, &key, hash), STORE_NONE);
    assert_int_equal(flow_table_find(&m->table, &key, hash), STORE_NONE);
    check(m);
    take_out(m, 500);
    insert(m, 2000);
    assert_int_equal(flow_table_insert(&m->table, &key, hash), STORE_NONE);
    /* More room, then less than there is in it: nobody is thrown out. */
    assert_int_equal(flow_table_set_limit(&m->table, 40000), 0);
    for (uint32_t n = 3000; n < 30000; n++)
        insert(m, n);
    assert_int_equal(flow_table_set_limit(&m->table, 10), 0);
    key = key_of(50000);
    assert_int_equal(flow_table_insert(&m->table, &key, flow_table_hash(&m->table, &key)),
                     STORE_NONE);
    check(m);
    while (m->n > 9)
        take_out(m, m->in[0]);
    insert(m, 50000);
    assert_int_equal(flow_table_set_limit(&m->table, 0), -EINVAL);
    check(m);
    model_free(m);
}

/* Reads in slices while others come and go: whoever stays is seen once, nobody twice. */
static void a_walk_sees_every_lasting_flow_once(void **state)
{
    struct model *m = model_new(MANY, __func__);
    uint8_t *lasting = calloc(MANY, 1), *seen = calloc(MANY, 1);
    uint32_t slot = 0;

    (void)state;
    assert_non_null(lasting);
    assert_non_null(seen);
    drift(m, 40000);
    for (uint32_t n = 0; n < MANY; n++)
        lasting[n] = m->slot[n] != STORE_NONE;
    for (unsigned steps = 0;; steps++) {
        uint32_t n = random_below(&m->random, MANY);

        if (steps < 150000 && m->slot[n] == STORE_NONE) {
            insert(m, n);
        } else if (m->slot[n] != STORE_NONE && random_below(&m->random, 4) == 0) {
            take_out(m, n);
            lasting[n] = 0;
        }
        slot = flow_store_next(&m->table.store, slot);
        if (slot == STORE_NONE)
            break;
        for (n = 0; n < 1; n++) {
            const struct record *r = flow_store_at(&m->table.store, slot);
            uint32_t port = r->key.port[r->key.port[0] == 443];
            const uint8_t *a = r->key.addr[r->key.addr[0][0] != 10];
            uint32_t number = (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 | a[3];

            assert_int_equal(number & 0xffff, port);
            assert_int_equal(m->slot[number], slot);
            /* One that was taken out and put in again may come twice. */
            assert_true(!seen[number] || !lasting[number]);
            seen[number] = 1;
        }
        slot++;
    }
    for (uint32_t n = 0; n < MANY; n++)
        assert_true(seen[n] || !lasting[n]);
    free(lasting);
    free(seen);
    model_free(m);
}

/* Whoever knew the secret could aim all flows at one bucket: slow, but right. */
static void collisions_only_cost_time(void **state)
{
    struct flow_table table;
    uint32_t slots[500];

    (void)state;
    assert_int_equal(flow_table_init(&table, 10000, secret), 0);
    for (uint32_t n = 0, k = 0; k < 500; n++) {
        struct flow_key key = key_of(n);
        uint64_t hash = flow_table_hash(&table, &key);

        if (hash % 64 != 0)
            continue;
        slots[k] = flow_table_insert(&table, &key, hash);
        assert_true(slots[k] != STORE_NONE);
        k++;
        assert_int_equal(flow_table_find(&table, &key, hash), slots[k - 1]);
    }
    assert_null(flow_table_check(&table));
    for (uint32_t k = 0; k < 500; k++) {
        uint32_t i = (k * 37) % 500; /* from the middle of the chain as well */
        struct flow_key key = flow_store_at(&table.store, slots[i])->key;

        flow_table_remove(&table, slots[i]);
        assert_int_equal(flow_table_find(&table, &key, flow_table_hash(&table, &key)), STORE_NONE);
        assert_null(flow_table_check(&table));
    }
    flow_table_finish(&table);
}

static uint32_t longest_chain(const struct flow_table *table)
{
    uint32_t longest = 0;

    for (uint32_t n = 0; n < table->n_buckets; n++) {
        const struct flow_bucket *b = &table->segments[n / 32768][n % 32768];
        uint32_t length = 1;

        for (; b->overflow; length++)
            b = &table->overflow[(b->overflow - 1) / 32768][(b->overflow - 1) % 32768];
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* Somebody who knows a secret can aim at one bucket; for any other secret, and every process has
 * its own, the same tuples are like all others. */
static void aimed_collisions_miss(void **state)
{
    enum { AIMED = 3000 };
    struct random random = random_start("aimed_collisions_miss");
    struct flow_table known, other;
    uint8_t unknown[16];
    uint32_t n = 0;

    (void)state;
    for (unsigned i = 0; i < sizeof(unknown); i++)
        unknown[i] = (uint8_t)random_below(&random, 256);
    assert_int_equal(flow_table_init(&known, AIMED, secret), 0);
    assert_int_equal(flow_table_init(&other, AIMED, unknown), 0);
    for (uint32_t i = 0; n < AIMED; i++) {
        struct flow_key key = key_of(i);
        uint64_t hash = flow_table_hash(&known, &key);

        if (hash % 1024 != 77)
            continue;
        assert_true(flow_table_insert(&known, &key, hash) != STORE_NONE);
        assert_true(flow_table_insert(&other, &key, flow_table_hash(&other, &key)) != STORE_NONE);
        n++;
    }
    assert_true(longest_chain(&known) > AIMED / BUCKET_ENTRIES / 2); /* the aim was good */
    assert_true(longest_chain(&other) <= 4);
    flow_table_finish(&known);
    flow_table_finish(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_agrees_with_an_array),
        cmocka_unit_test(a_full_table_says_so),
        cmocka_unit_test(a_walk_sees_every_lasting_flow_once),
        cmocka_unit_test(collisions_only_cost_time),
        cmocka_unit_test(aimed_collisions_miss),
    };

    return cmocka_run_group_tests_name("flow_table", tests, NULL, NULL);
}
