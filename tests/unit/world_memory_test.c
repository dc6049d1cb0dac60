/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A story whose memory runs out: at every single allocation, it ends with -ENOMEM and leaks
 * nothing. */

#include "tools/scenario/scenario_parse.h"
#include "tools/simulate/world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static long left = -1; /* allocations until one fails; -1: none does */

static int fails(void)
{
    if (left < 0)
        return 0;
    return left-- == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return fails() ? NULL : __real_realloc(p, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
    return fails() ? NULL : __real_reallocarray(p, n, size);
}

static void complain(void *arg, const char *message)
{
    (void)arg;
    fprintf(stderr, "%s\n", message);
}

/* How many allocations it took. */
static long play(const char *text, bool with_timeline, long fail_at, int *result)
{
    const long many = 1000000000;
    struct scenario *scenario;
    struct timeline *timeline = NULL;
    struct tally tally = {0};
    long took;

    left = -1;
    assert_int_equal(scenario_parse(&scenario, "story", text, strlen(text), NULL, complain, NULL),
                     0);
    if (with_timeline)
        assert_int_equal(timeline_create(&timeline, scenario), 0);
    left = fail_at < 0 ? many : fail_at;
    *result = world_play(scenario, timeline, &tally, NULL);
    took = many - left;
    left = -1;
    if (*result == 0)
        tally_finish(&tally);
    timeline_destroy(timeline);
    scenario_destroy(scenario);
    return took;
}

static void at_every_allocation(const char *text, bool with_timeline)
{
    int r;
    long all = play(text, with_timeline, -1, &r), failed = 0;

    assert_int_equal(r, 0);
    assert_true(all > 10);
    for (long i = 0; i < all; i++) {
        play(text, with_timeline, i, &r);
        /* The engine and libpcap can do without some. */
        if (r != 0)
            assert_int_equal(r, -ENOMEM);
        failed += r != 0;
    }
    assert_true(failed > all / 2);
}

static void a_story(void **state)
{
    static const char text[] = "client linux reconnect 5s\n"
                               "firewall linux-nf-conntrack tcp-established 1min on-late reset\n"
                               "server linux\n"
                               "at 0s client connect\nat 1s client send 100\n"
                               "at 2min server send 100\nat 3min firewall restart\n"
                               "at 4min firewall kill\nuntil 5min\n";

    (void)state;
    at_every_allocation(text, false);
    at_every_allocation(text, true);
}

static void a_workload(void **state)
{
    static const char text[] =
        "client linux\nfirewall linux-nf-conntrack\nserver linux\n"
        "repeat 400 clients over 1min arrivals random idle exponential 10s requests 1..2 "
        "request 100 answer 200 vanish 50%\nuntil 5min\n";

    (void)state;
    at_every_allocation(text, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_story), cmocka_unit_test(a_workload)};

    return cmocka_run_group_tests_name("world_memory", tests, NULL, NULL);
}
