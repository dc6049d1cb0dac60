/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shipped scenarios: every expectation of each is met at every point of its grid; and of each a
 * copy with one thing changed, whose expectations must not be met: no case says what would be so
 * anyway.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef expect_check /* cmocka's, for arguments of mocks */

#include "tools/scenario/scenario_parse.h"
#include "tools/simulate/experiment.h"
#include "tools/simulate/world.h"
#include "tools/timeline/expect.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct mutant {
    const char *name, *from, *to;
} mutants[] = {
#include "cases_mutants.inc"
};
#define MUTANTS (sizeof(mutants) / sizeof(mutants[0]))

static void print_fault(void *arg, const char *text)
{
    (void)arg;
    print_message("# %s\n", text);
}

static struct scenario *parse(const char *name, const char *text)
{
    struct scenario *scenario = NULL;

    assert_int_equal(scenario_parse(&scenario, name, text, strlen(text), NULL, print_fault, NULL),
                     0);
    return scenario;
}

/* Plays one point; how many expectations are not met. Those are printed if asked for. */
static size_t unmet_at(const struct scenario *scenario, bool print)
{
    struct timeline *timeline = NULL;
    struct expect_result *results = calloc(scenario->n_expectations + 1, sizeof(*results));
    size_t unmet = 0;

    assert_non_null(results);
    assert_int_equal(timeline_create(&timeline, scenario), 0);
    assert_int_equal(world_play(scenario, timeline, NULL, NULL), 0);
    assert_true(timeline->dropped_events == 0);
    expect_check(timeline, results);
    for (size_t i = 0; i < scenario->n_expectations; i++)
        if (!results[i].met) {
            unmet++;
            if (print)
                print_message("# %s:%u: expect %s: %s\n", scenario->name,
                              scenario->expectations[i].line, scenario->expectations[i].text,
                              results[i].seen);
        }
    timeline_destroy(timeline);
    free(results);
    return unmet;
}

static size_t unmet(const struct scenario *scenario, bool print)
{
    size_t choice[SCENARIO_AXES] = {0}, sum = 0;

    for (size_t point = 0; point < scenario_points(scenario); point++) {
        struct scenario *one = NULL;
        size_t rest = point;

        for (size_t axis = scenario->n_axes; axis-- > 0; rest /= scenario->axis[axis].n_values)
            choice[axis] = rest % scenario->axis[axis].n_values;
        assert_int_equal(scenario_point(&one, scenario, choice, print_fault, NULL), 0);
        sum += unmet_at(one, print);
        scenario_destroy(one);
    }
    return sum;
}

static void case_holds(void **state)
{
    const struct scenario_shipped *shipped = *state;
    struct scenario *scenario = parse(shipped->name, shipped->text);

    assert_non_null(scenario->title);
    assert_non_null(scenario->story);
    assert_int_equal(strlen(shipped->text), shipped->len);
    if (scenario->workload.clients == 0) {
        assert_true(scenario->n_expectations >= 2);
        assert_int_equal(unmet(scenario, true), 0);
    }
    scenario_destroy(scenario);
}

static void mutant_is_noticed(void **state)
{
    const struct mutant *mutant = *state;
    const struct scenario_shipped *shipped = scenario_shipped_find(mutant->name);

    assert_non_null(shipped);
    const char *at = strstr(shipped->text, mutant->from);
    assert_non_null(at);
    size_t room = shipped->len + strlen(mutant->to) + 1;
    char *text = malloc(room);

    assert_non_null(text);
    snprintf(text, room, "%.*s%s%s", (int)(at - shipped->text), shipped->text, mutant->to,
             at + strlen(mutant->from));
    struct scenario *scenario = parse(mutant->name, text);
    size_t found = unmet(scenario, false);

    scenario_destroy(scenario);
    free(text);
    assert_true(found > 0);
}

/* A case without a mutant could be vacuous. */
static void every_case_has_a_mutant(void **state)
{
    (void)state;
    for (size_t i = 0; i < scenario_shipped_count; i++) {
        bool has = strncmp(scenario_shipped[i].name, "firewall-price-", 15) == 0;

        for (size_t j = 0; j < MUTANTS; j++)
            has |= strcmp(mutants[j].name, scenario_shipped[i].name) == 0;
        print_message("# %s\n", scenario_shipped[i].name);
        assert_true(has);
    }
    assert_true(scenario_shipped_count >= 16);
}

static void run(const char *name, struct scenario **scenario, struct experiment *experiment)
{
    const struct scenario_shipped *shipped = scenario_shipped_find(name);

    assert_non_null(shipped);
    *scenario = parse(shipped->name, shipped->text);
    assert_int_equal(experiment_run(experiment, *scenario, 0, NULL, NULL), 0);
    for (size_t i = 0; i < experiment->n_points; i++) {
        const struct tally *tally = &experiment->tallies[i];

        print_message("# %zu: flows %.1f, packets %llu, probes %llu, broken %llu of %llu\n", i,
                      tally->firewall[0].flows_mean,
                      (unsigned long long)(tally->packets[0] + tally->packets[1]),
                      (unsigned long long)tally->probes[1], (unsigned long long)tally->broken,
                      (unsigned long long)tally->connections);
    }
}

/* Little's law: of those that vanish (a fifth) each is kept for the idle limit longer, so between
 * two limits the mean number of entries grows by arrivals a second times the difference. */
static void price_of_limit(void **state)
{
    struct scenario *scenario;
    struct experiment experiment;
    const double limit[] = {300, 900, 1800, 3600, 7200, 14400};

    (void)state;
    run("firewall-price-of-limit", &scenario, &experiment);
    assert_int_equal(experiment.n_points, 6);
    for (size_t i = 1; i < 6; i++) {
        double grown = (experiment.tallies[i].firewall[0].flows_mean -
                        experiment.tallies[i - 1].firewall[0].flows_mean) *
                       mtime_seconds(scenario->until);
        /* below 15 min limits cut live connections too */
        double each = grown / (limit[i] - limit[i - 1]);

        print_message("# %g s to %g s: %.0f connections kept longer\n", limit[i - 1], limit[i],
                      each);
        if (i >= 2)
            assert_true(fabs(each - 0.2 * scenario->workload.clients) <
                        0.05 * 0.2 * scenario->workload.clients);
    }
    experiment_finish(&experiment);
    scenario_destroy(scenario);
}

/* Shorter idle times send more; none breaks while nine eighths of the idle time are below the
 * limit, and many do beyond it. */
static void price_of_keepalive(void **state)
{
    struct scenario *scenario;
    struct experiment experiment;

    (void)state;
    run("firewall-price-of-keepalive", &scenario, &experiment);
    assert_int_equal(experiment.n_points, 6);
    for (size_t i = 1; i < 5; i++)
        assert_true(experiment.tallies[i].probes[1] < experiment.tallies[i - 1].probes[1]);
    for (size_t i = 0; i < 5; i++)
        assert_true(experiment.tallies[i].firewall[0].late == 0);
    assert_true(experiment.tallies[5].firewall[0].late > 100);
    experiment_finish(&experiment);
    scenario_destroy(scenario);
}

static void price_of_both(void **state)
{
    struct scenario *scenario;
    struct experiment experiment;

    (void)state;
    run("firewall-price-of-both", &scenario, &experiment);
    assert_int_equal(experiment.n_points, 25);
    /* 240 s keep all; with 12000 s every limit below it breaks some; limits first, slowest */
    for (size_t limit = 0; limit < 5; limit++) {
        assert_true(experiment.tallies[limit * 5].firewall[0].late == 0);
        assert_true(limit == 4 || experiment.tallies[limit * 5 + 4].firewall[0].late > 0);
    }
    experiment_finish(&experiment);
    scenario_destroy(scenario);
}

int main(int argc, char **argv)
{
    size_t n = 0;
    struct CMUnitTest *tests = calloc(scenario_shipped_count + MUTANTS + 4, sizeof(*tests));
    char(*names)[96] = calloc(scenario_shipped_count + MUTANTS, sizeof(*names));
    int r = 1;

    if (!tests || !names)
        goto out;
    for (size_t i = 0; i < scenario_shipped_count; i++, n++) {
        snprintf(names[n], sizeof(names[n]), "%s", scenario_shipped[i].name);
        tests[n] = (struct CMUnitTest){names[n], case_holds, NULL, NULL,
                                       (void *)(uintptr_t)&scenario_shipped[i]};
    }
    for (size_t i = 0; i < MUTANTS; i++, n++) {
        snprintf(names[n], sizeof(names[n]), "%s with %.40s", mutants[i].name, mutants[i].to);
        for (char *p = names[n]; (p = strchr(p, '\n')); *p = ';') /* TAP has a line a test */
            ;
        tests[n] = (struct CMUnitTest){names[n], mutant_is_noticed, NULL, NULL,
                                       (void *)(uintptr_t)&mutants[i]};
    }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(every_case_has_a_mutant);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(price_of_limit);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(price_of_keepalive);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(price_of_both);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    r = _cmocka_run_group_tests("cases", tests, n, NULL, NULL);
out:
    free(tests);
    free(names);
    return r;
}
