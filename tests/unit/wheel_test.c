/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "middlebox/engine/wheel.h"
#include "tests/unit/random_seed.h"

#define IDS 400

/* The naive one: what each id is due at, and where the wheel put it. */
struct model {
    struct wheel wheel;
    struct random random;
    mtime_t now;
    mtime_t due[IDS];   /* when its owner wants it */
    mtime_t asked[IDS]; /* what the wheel was told: not later than due */
    struct wheel_place place[IDS];
};

static void check(const struct model *m)
{
    mtime_t next = MTIME_NEVER, soonest = MTIME_NEVER;
    uint32_t in = 0;
    const char *fault = wheel_check(&m->wheel);

    if (fault)
        fail_msg("%s", fault);
    for (uint32_t id = 0; id < IDS; id++) {
        mtime_t start;

        if (m->place[id].bucket == WHEEL_NOWHERE)
            continue;
        in++;
        assert_int_equal(wheel_id_at(&m->wheel, m->place[id]), id);
        start = wheel_start(&m->wheel, m->place[id].bucket);
        assert_true(start <= (m->asked[id] > m->now ? m->asked[id] : m->now));
        if (m->asked[id] < soonest)
            soonest = m->asked[id];
    }
    assert_int_equal(in, m->wheel.count);
    assert_int_equal(wheel_next(&m->wheel, &next), in > 0);
    if (in)
        assert_true(next <= (soonest > m->wheel.now ? soonest : m->wheel.now));
}

static void add(struct model *m, uint32_t id, mtime_t when)
{
    m->asked[id] = when;
    assert_int_equal(wheel_add(&m->wheel, when, id, &m->place[id]), 0);
}

static void take_out(struct model *m, uint32_t id)
{
    uint32_t moved = wheel_remove(&m->wheel, m->place[id]);

    if (moved != WHEEL_NO_ID)
        m->place[moved] = m->place[id];
    m->place[id].bucket = WHEEL_NOWHERE;
}

/* Pops at most budget entries, as the engine does: what was put off goes back. True: all done. */
static bool advance(struct model *m, mtime_t to, unsigned budget)
{
    m->now = to;
    while (budget-- > 0) {
        uint32_t id = wheel_pop(&m->wheel, to);

        if (id == WHEEL_NO_ID)
            return true;
        assert_true(id < IDS);
        assert_true(m->place[id].bucket != WHEEL_NOWHERE);
        m->place[id].bucket = WHEEL_NOWHERE;
        if (m->due[id] > to)
            add(m, id, m->due[id]);
    }
    return false;
}

static mtime_t later(struct model *m, unsigned bits)
{
    return mtime_add(m->now, (mtime_t)random_any_size(&m->random, bits));
}

static void one_step(struct model *m)
{
    uint32_t id = random_below(&m->random, IDS);
    bool in = m->place[id].bucket != WHEEL_NOWHERE;

    switch (random_below(&m->random, 8)) {
    case 0:
    case 1:
    case 2:
        if (in)
            return;
        m->due[id] = later(m, 46);
        if (random_below(&m->random, 8) == 0 && m->now > 5)
            m->due[id] = m->now - random_below(&m->random, 5); /* due already */
        if (m->due[id] != MTIME_NEVER)
            add(m, id, m->due[id]);
        return;
    case 3:
        if (in)
            take_out(m, id);
        return;
    case 4: /* refreshed: the wheel is not told */
        if (in && m->due[id] > m->now)
            m->due[id] = mtime_add(m->due[id], (mtime_t)random_any_size(&m->random, 44));
        if (m->due[id] == MTIME_NEVER)
            m->due[id]--;
        return;
    case 5:
        advance(m, later(m, 20), random_below(&m->random, 10));
        return;
    case 6:
        advance(m, later(m, 40), random_below(&m->random, 10));
        return;
    default:
        break;
    }
    if (!advance(m, later(m, random_below(&m->random, 50) ? 36 : 47), UINT32_MAX))
        fail();
    /* All that is due has been brought, by then and not later. */
    for (id = 0; id < IDS; id++)
        if (m->place[id].bucket != WHEEL_NOWHERE)
            assert_true(m->due[id] > m->now && m->asked[id] > m->now);
}

static void run(struct random *random, mtime_t start, unsigned steps)
{
    static struct model m;

    m.random = *random;
    m.now = start;
    wheel_init(&m.wheel, start);
    for (uint32_t id = 0; id < IDS; id++) {
        m.place[id].bucket = WHEEL_NOWHERE;
        m.due[id] = start;
    }
    for (unsigned i = 0; i < steps; i++) {
        one_step(&m);
        check(&m);
    }
    wheel_finish(&m.wheel);
    random->state = m.random.state ^ steps;
}

static void it_agrees_with_a_list(void **state)
{
    struct random random = random_start(__func__);

    (void)state;
    for (unsigned i = 0; i < 20; i++)
        run(&random, (mtime_t)random_any_size(&random, 60), 2000);
}

static void it_works_from_zero_and_to_the_end_of_time(void **state)
{
    struct random random = random_start(__func__);

    (void)state;
    run(&random, 0, 3000);
    run(&random, MTIME_NEVER - (INT64_C(1) << 46), 5000);
    run(&random, MTIME_NEVER - 100, 2000);
}

/* Two in one bucket; the one looked at first was put off to a later moment of the same bucket. The
 * other one is due. */
static void one_put_off_does_not_hide_its_neighbour(void **state)
{
    struct model m = {.now = 0};
    mtime_t bucket = INT64_C(1) << 36;

    (void)state;
    wheel_init(&m.wheel, 0);
    for (uint32_t id = 0; id < IDS; id++)
        m.place[id].bucket = WHEEL_NOWHERE;
    m.due[0] = bucket + 10 * MTIME_SEC;
    m.due[1] = bucket + 60 * MTIME_SEC;
    add(&m, 0, m.due[0]);
    add(&m, 1, m.due[1]);
    assert_int_equal(m.place[0].bucket, m.place[1].bucket);
    assert_true(advance(&m, bucket + MTIME_SEC, UINT32_MAX));
    check(&m);
    assert_true(advance(&m, m.due[0], UINT32_MAX));
    assert_int_equal(m.place[0].bucket, WHEEL_NOWHERE);
    assert_int_not_equal(m.place[1].bucket, WHEEL_NOWHERE);
    check(&m);
    wheel_finish(&m.wheel);
}

static void times_come_in_their_order(void **state)
{
    struct random random = random_start(__func__);
    static struct model m;
    mtime_t before = 0;

    (void)state;
    wheel_init(&m.wheel, 0);
    for (uint32_t id = 0; id < IDS; id++) {
        m.due[id] = (mtime_t)random_any_size(&random, 62);
        add(&m, id, m.due[id]);
    }
    for (uint32_t done = 0; done < IDS;) {
        mtime_t when;
        uint32_t id;

        assert_true(wheel_next(&m.wheel, &when));
        assert_true(when >= before);
        before = when;
        while ((id = wheel_pop(&m.wheel, when)) != WHEEL_NO_ID) {
            assert_true(when <= m.due[id]);
            if (when == m.due[id])
                done++;
            else
                add(&m, id, m.due[id]);
        }
    }
    assert_false(wheel_next(&m.wheel, &before));
    wheel_finish(&m.wheel);
}

static void what_peek_shows_comes_next(void **state)
{
    struct model m = {.now = 0};
    uint32_t ids[8];

    (void)state;
    wheel_init(&m.wheel, 0);
    assert_int_equal(wheel_peek(&m.wheel, ids, 8), 0);
    for (uint32_t id = 0; id < 20; id++)
        add(&m, id, 5);
    assert_int_equal(wheel_peek(&m.wheel, ids, 8), 8);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(wheel_pop(&m.wheel, 5), ids[i]);
    wheel_finish(&m.wheel);
}

/* A flood of one moment: all of it comes, and its memory goes. */
static void a_flood_gives_its_memory_back(void **state)
{
    enum { FLOOD = 300000 };
    struct wheel_place *place = calloc(FLOOD, sizeof(*place));
    struct wheel wheel;
    uint8_t *seen = calloc(FLOOD, 1);
    uint64_t at_most;

    (void)state;
    assert_non_null(place);
    assert_non_null(seen);
    wheel_init(&wheel, 0);
    for (uint32_t id = 0; id < FLOOD; id++)
        assert_int_equal(wheel_add(&wheel, 350 * MTIME_SEC, id, &place[id]), 0);
    at_most = wheel_memory(&wheel);
    assert_true(at_most < FLOOD * 5u);
    assert_int_equal(wheel_pop(&wheel, 340 * MTIME_SEC), WHEEL_NO_ID);
    for (uint32_t n = 0; n < FLOOD; n++) {
        uint32_t id = wheel_pop(&wheel, 350 * MTIME_SEC);

        assert_true(id < FLOOD);
        assert_int_equal(seen[id % FLOOD]++, 0);
    }
    assert_int_equal(wheel_pop(&wheel, 350 * MTIME_SEC), WHEEL_NO_ID);
    assert_null(wheel_check(&wheel));
    assert_true(wheel_memory(&wheel) <= 1024 * sizeof(struct wheel_block));
    wheel_finish(&wheel);
    free(place);
    free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_agrees_with_a_list),
        cmocka_unit_test(it_works_from_zero_and_to_the_end_of_time),
        cmocka_unit_test(one_put_off_does_not_hide_its_neighbour),
        cmocka_unit_test(times_come_in_their_order),
        cmocka_unit_test(what_peek_shows_comes_next),
        cmocka_unit_test(a_flood_gives_its_memory_back),
    };

    return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
