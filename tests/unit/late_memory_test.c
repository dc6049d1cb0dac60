/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "middlebox/engine/late_memory.h"
#include "tests/unit/random_seed.h"

#define KEYS 40
#define PUTS 3000

/* The naive one: everything that was ever put, in order. */
struct model {
    struct late_memory memory;
    struct policy *policy;
    struct late_entry all[PUTS];
    size_t n;      /* put so far */
    size_t forgot; /* the first so many are forgotten */
    uint32_t count;
    mtime_t duration;
};

static struct policy *policy_new(void)
{
    struct policy *policy = calloc(1, sizeof(*policy));

    assert_non_null(policy);
    policy->references = 1;
    return policy;
}

static struct flow_key key_of(uint32_t n)
{
    static const uint8_t a[4] = {192, 0, 2, 1}, b[4] = {198, 51, 100, 1};
    struct flow_key key;

    flow_key_init(&key, 4, 6, a, (uint16_t)(1024 + n), b, 80, 0);
    return key;
}

/* Few hashes, so that chains hold several keys. */
static uint64_t hash_of(uint32_t n)
{
    return n % 7;
}

static const struct late_entry *expected(const struct model *m, const struct flow_key *key,
                                         mtime_t now)
{
    for (size_t i = m->n; i-- > m->forgot && m->n - i <= m->count;)
        if (flow_key_equal(&m->all[i].key, key))
            return now < mtime_add(m->all[i].ended, m->duration) ? &m->all[i] : NULL;
    return NULL;
}

static void check(const struct model *m, mtime_t now)
{
    for (uint32_t k = 0; k < KEYS; k++) {
        struct flow_key key = key_of(k);
        const struct late_entry *want = expected(m, &key, now);
        const struct late_entry *got = late_memory_find(&m->memory, hash_of(k), &key, now);

        assert_int_equal(!want, !got);
        if (want)
            assert_int_equal(want->id, got->id);
    }
    /* A reference for everything it holds, and the test's own. */
    assert_int_equal(m->policy->references, m->memory.used + 1);
}

static void put(struct model *m, uint32_t k, mtime_t ended)
{
    struct late_entry entry = {
        .key = key_of(k), .policy = m->policy, .id = m->n + 1, .ended = ended};

    late_memory_put(&m->memory, hash_of(k), &entry);
    m->all[m->n++] = entry;
}

static void it_agrees_with_a_list(void **state)
{
    struct random random = random_start(__func__);
    static struct model m;

    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        mtime_t now = 0;

        memset(&m, 0, sizeof(m));
        m.policy = policy_new();
        m.count = random_below(&random, 30);
        m.duration = 1 + (mtime_t)random_below(&random, 200);
        late_memory_init(&m.memory, m.count, m.duration);
        while (m.n < PUTS / 10) {
            now += (mtime_t)random_below(&random, 4);
            switch (random_below(&random, 20)) {
            case 0:
                m.duration = 1 + (mtime_t)random_below(&random, 200);
                late_memory_configure(&m.memory, m.count, m.duration);
                break;
            case 1:
                m.count = random_below(&random, 30);
                late_memory_configure(&m.memory, m.count, m.duration);
                if (m.memory.used == 0)
                    m.forgot = m.n;
                break;
            case 2:
            case 3:
                /* Only what nobody can find any more, unless the duration is raised later. */
                late_memory_purge(&m.memory, now);
                check(&m, now);
                m.forgot = m.n - m.memory.used;
                break;
            case 4:
                now += (mtime_t)random_below(&random, 300);
                break;
            default:
                put(&m, random_below(&random, KEYS), now);
            }
            assert_true(m.memory.used <= m.count);
            check(&m, now);
        }
        late_memory_finish(&m.memory);
        assert_int_equal(m.policy->references, 1);
        policy_unref(m.policy);
    }
}

static void an_entry_is_known_until_its_time_is_over(void **state)
{
    static struct model m;
    struct flow_key key = key_of(1);

    (void)state;
    memset(&m, 0, sizeof(m));
    m.policy = policy_new();
    late_memory_init(&m.memory, 10, 100);
    put(&m, 1, 50);
    assert_non_null(late_memory_find(&m.memory, hash_of(1), &key, 149));
    assert_null(late_memory_find(&m.memory, hash_of(1), &key, 150));
    late_memory_purge(&m.memory, 149);
    assert_int_equal(m.memory.used, 1);
    late_memory_purge(&m.memory, 150);
    assert_int_equal(late_memory_bytes(&m.memory), 0);
    assert_int_equal(m.policy->references, 1);
    late_memory_finish(&m.memory);
    policy_unref(m.policy);
}

static void a_count_of_zero_remembers_nothing(void **state)
{
    static struct model m;
    struct flow_key key = key_of(1);

    (void)state;
    memset(&m, 0, sizeof(m));
    m.policy = policy_new();
    late_memory_init(&m.memory, 0, MTIME_NEVER);
    put(&m, 1, 50);
    assert_null(late_memory_find(&m.memory, hash_of(1), &key, 51));
    assert_int_equal(late_memory_bytes(&m.memory), 0);
    late_memory_finish(&m.memory);
    policy_unref(m.policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_agrees_with_a_list),
        cmocka_unit_test(an_entry_is_known_until_its_time_is_over),
        cmocka_unit_test(a_count_of_zero_remembers_nothing),
    };

    return cmocka_run_group_tests_name("late_memory", tests, NULL, NULL);
}
