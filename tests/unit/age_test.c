/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "middlebox/engine/age.h"
#include "middlebox/engine/flow_extra.h"
#include "tests/unit/random_seed.h"

#define FLOWS 500

/* The naive one: look at all. */
static mtime_t oldest_activity(const struct flow_store *store)
{
    mtime_t oldest = MTIME_NEVER;

    for (uint32_t slot = flow_store_next(store, 0); slot != STORE_NONE;
         slot = flow_store_next(store, slot + 1))
        if (flow_store_at(store, slot)->last < oldest)
            oldest = flow_store_at(store, slot)->last;
    return oldest;
}

static void one_step(struct age *age, struct flow_store *store, struct random *random, mtime_t now)
{
    uint32_t slot = flow_store_next(store, random_below(random, FLOWS));

    switch (random_below(random, 8)) {
    case 0:
    case 1:
        slot = flow_store_take(store);
        if (slot == STORE_NONE)
            return;
        flow_store_at(store, slot)->last = now;
        age_add(age, store, slot);
        return;
    case 2:
        if (slot == STORE_NONE)
            return;
        age_remove(age, slot);
        flow_store_give(store, slot);
        return;
    default: /* activity, which the order is not told of */
        if (slot != STORE_NONE)
            flow_store_at(store, slot)->last = now;
    }
}

static void it_agrees_with_a_look_at_all(void **state)
{
    struct random random = random_start("it_agrees_with_a_look_at_all");
    struct flow_store store;
    struct age age = {0};
    mtime_t now = 1;

    (void)state;
    assert_int_equal(flow_store_init(&store, FLOWS), 0);
    assert_int_equal(age_start(&age, &store), 0);
    for (unsigned i = 0; i < 200000; i++) {
        now += (mtime_t)random_any_size(&random, i % 7 ? 20 : 44);
        one_step(&age, &store, &random, now);
        if (random_below(&random, 20) == 0) {
            uint32_t slot = age_oldest(&age, &store);

            assert_int_equal(slot == STORE_NONE, store.used == 0);
            if (slot != STORE_NONE)
                assert_true(flow_store_at(&store, slot)->last == oldest_activity(&store));
            assert_int_equal(age.wheel.count, store.used);
        }
        if (i % 1000 == 0)
            assert_null(wheel_check(&age.wheel));
        if (i % 50000 == 49999) { /* a reload: filed anew */
            age_finish(&age);
            assert_false(age_in_use(&age));
            assert_int_equal(age_start(&age, &store), 0);
        }
    }
    age_finish(&age);
    flow_store_finish(&store);
}

static void entries_aside_are_handed_out_once(void **state)
{
    enum { MANY = 3000 };
    struct random random = random_start("entries_aside_are_handed_out_once");
    struct extra_pool pool = {0};
    uint32_t held[MANY] = {0};

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        uint32_t k = random_below(&random, MANY);

        if (held[k] == 0) {
            held[k] = extra_pool_take(&pool);
            assert_int_not_equal(held[k], 0);
            assert_int_equal(extra_pool_at(&pool, held[k])->keepalive[0].seen, 0);
            extra_pool_at(&pool, held[k])->keepalive[0].seen = k + 1;
        } else {
            assert_int_equal(extra_pool_at(&pool, held[k])->keepalive[0].seen, k + 1);
            extra_pool_give(&pool, held[k]);
            held[k] = 0;
        }
    }
    for (uint32_t k = 0; k < MANY; k++)
        if (held[k])
            extra_pool_give(&pool, held[k]);
    assert_int_equal(pool.used, 0);
    assert_int_equal(extra_pool_memory(&pool), 0); /* the last one gives all back */
    extra_pool_finish(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_agrees_with_a_look_at_all),
        cmocka_unit_test(entries_aside_are_handed_out_once),
    };

    return cmocka_run_group_tests_name("age", tests, NULL, NULL);
}
