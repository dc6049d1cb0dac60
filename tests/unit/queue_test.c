/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The queue against a list that is searched from end to end, and the lookup against an array. */

#include "tools/simulate/lookup.h"
#include "tools/simulate/queue.h"

#include "tests/unit/random_seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct random numbers;

static void start(const char *test)
{
    numbers = random_start(test);
}

#define ROUNDS 40000
#define LIST_MAX 3000

struct list {
    struct queue_entry entries[LIST_MAX];
    size_t n;
};

/* The first of those with the least time: it went in first. */
static struct queue_entry list_pop(struct list *list)
{
    size_t least = 0;
    struct queue_entry out;

    for (size_t i = 1; i < list->n; i++)
        if (list->entries[i].at < list->entries[least].at)
            least = i;
    out = list->entries[least];
    list->n--;
    for (size_t i = least; i < list->n; i++)
        list->entries[i] = list->entries[i + 1];
    return out;
}

static void as_a_sorted_list(void **state)
{
    static struct list list;
    mtime_t last[QUEUE_LANES] = {0};
    struct queue queue;
    size_t n = 0;

    (void)state;
    start(__func__);
    list.n = 0;
    queue_init(&queue);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        bool grows = i / 5000 % 2 == 0;

        if (list.n < LIST_MAX && (list.n == 0 || random_below(&numbers, 5) < (grows ? 3 : 2))) {
            mtime_t at = random_below(&numbers, 64) + i / 1000; /* often the same */

            list.entries[list.n++] = (struct queue_entry){.at = at, .kind = i % 7, .index = i};
            unsigned lane = random_below(&numbers, 2 * QUEUE_LANES);

            if (lane < QUEUE_LANES && at >= last[lane]) {
                last[lane] = at;
                assert_int_equal(queue_append(&queue, lane, at, i % 7, i), 0);
            } else {
                assert_int_equal(queue_push(&queue, at, i % 7, i), 0);
            }
            n++;
        } else {
            struct queue_entry wanted = list_pop(&list), got;

            assert_int_equal(queue_top(&queue)->index, wanted.index);
            assert_false(queue_pop(&queue, wanted.at - 1, &got));
            assert_true(
                queue_pop(&queue, random_below(&numbers, 2) ? wanted.at : MTIME_NEVER, &got));
            assert_true(got.at == wanted.at);
            assert_int_equal(got.kind, wanted.kind);
            assert_int_equal(got.index, wanted.index);
            n--;
        }
        assert_int_equal(n, list.n);
        if (n == 0)
            memset(last, 0, sizeof(last));
    }
    queue_finish(&queue);
}

static void empty(void **state)
{
    struct queue queue;
    struct queue_entry entry;

    (void)state;
    queue_init(&queue);
    assert_null(queue_top(&queue));
    assert_false(queue_pop(&queue, MTIME_NEVER, &entry));
    queue_finish(&queue);
}

/* A moment that moves at random is never missed, and its entries do not pile up: at each, what is
 * due is asked for anew. */
static void wake_is_never_late(void **state)
{
    struct queue queue;
    struct wake wake;
    mtime_t now = 0, due = 1000000;
    unsigned looks = 0;

    (void)state;
    start(__func__);
    queue_init(&queue);
    wake_init(&wake);
    assert_int_equal(wake_need(&wake, &queue, due, 0, 0), 0);
    for (unsigned i = 0; i < 20000; i++) {
        mtime_t step = random_below(&numbers, 100);

        /* nothing that is due lies before the step's end without an entry for it */
        while (queue_top(&queue) && queue_top(&queue)->at <= now + step) {
            struct queue_entry entry;

            queue_pop(&queue, MTIME_NEVER, &entry);
            now = entry.at > now ? entry.at : now;
            assert_true(due >= now);
            if (!wake_take(&wake, entry.at))
                continue;
            looks++;
            if (due == now)
                due = now + 1 + random_below(&numbers, 100000);
            assert_int_equal(wake_need(&wake, &queue, due, 0, 0), 0);
            step = 0;
        }
        now += step;
        assert_true(due > now);
        /* like a retransmission timer before a keepalive */
        due = now + 1 + (random_below(&numbers, 3) ? 50000 : random_below(&numbers, 50));
        assert_int_equal(wake_need(&wake, &queue, due, 0, 0), 0);
        assert_true(queue.n <= 64);
    }
    assert_true(looks > 1000);
    queue_finish(&queue);
}

static void lookup_as_an_array(void **state)
{
    static uint32_t array[4096];
    struct lookup lookup;

    (void)state;
    start(__func__);
    lookup_init(&lookup);
    for (unsigned i = 0; i < 4096; i++)
        array[i] = LOOKUP_NONE;
    assert_int_equal(lookup_find(&lookup, 1), LOOKUP_NONE);
    lookup_remove(&lookup, 1);
    for (uint32_t i = 0; i < ROUNDS * 4; i++) {
        uint32_t which = random_below(&numbers, 4096);
        wire_tuple tuple = wire_tuple_of((uint8_t)(which >> 8), 2, (uint16_t)(which * 17));

        switch (random_below(&numbers, 3)) {
        case 0:
            array[which] = i;
            assert_int_equal(lookup_put(&lookup, tuple, i), 0);
            break;
        case 1:
            array[which] = LOOKUP_NONE;
            lookup_remove(&lookup, tuple);
            break;
        default:
            assert_int_equal(lookup_find(&lookup, tuple), array[which]);
        }
    }
    for (uint32_t which = 0; which < 4096; which++)
        assert_int_equal(
            lookup_find(&lookup, wire_tuple_of((uint8_t)(which >> 8), 2, (uint16_t)(which * 17))),
            array[which]);
    lookup_finish(&lookup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_a_sorted_list),
        cmocka_unit_test(empty),
        cmocka_unit_test(wake_is_never_late),
        cmocka_unit_test(lookup_as_an_array),
    };

    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
