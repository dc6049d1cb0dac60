/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The simulator's time grows with its connections, not with their square: CPU time a connection of
 * one run against that of one ten times as large, on the same machine in the same moment. Absolute
 * figures are tools/bench's. */

#include "tools/scenario/scenario_parse.h"
#include "tools/simulate/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define SMALL 2000u
#define LARGE 20000u
#define TIMES 3
/* Caches make a large run somewhat dearer; a list that is walked for each packet, ten times. */
#define RATIO_MOST 2.5

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* All are there at a time: each is open for hours, and they arrive within one. */
static double play(unsigned clients)
{
    struct scenario *scenario;
    struct tally tally = {0};
    char text[512];
    double start;

    snprintf(text, sizeof(text),
             "client linux\nfirewall linux-nf-conntrack\nserver linux keepalive 600 75 9\n"
             "repeat %u clients over 1h idle 1h requests 2 request 100 answer 100\nuntil 5h\n",
             clients);
    assert_int_equal(scenario_parse(&scenario, "linear", text, strlen(text), NULL, NULL, NULL), 0);
    start = cpu_seconds();
    assert_int_equal(world_play(scenario, NULL, &tally, NULL), 0);
    start = cpu_seconds() - start;
    assert_int_equal(tally.connections, clients);
    assert_true(tally.firewall[0].flows_peak > clients / 2);
    tally_finish(&tally);
    scenario_destroy(scenario);
    return start / clients;
}

static void time_grows_with_connections(void **state)
{
    double small = 1e9, large = 1e9;

    (void)state;
    for (unsigned i = 0; i < TIMES; i++) {
        double a = play(SMALL), b = play(LARGE);

        small = a < small ? a : small;
        large = b < large ? b : large;
    }
    print_message("# %.1f us a connection of %u, %.1f of %u\n", small * 1e6, SMALL, large * 1e6,
                  LARGE);
    assert_true(large < RATIO_MOST * small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(time_grows_with_connections)};

    return cmocka_run_group_tests_name("simulate_linear", tests, NULL, NULL);
}
