/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenarios from anywhere: every text ends in faults, or in a scenario that survives being printed,
 * whose grid is bounded, and of which every value can be played. */
#include "tests/fuzz/fuzz.h"

#include "tools/scenario/scenario_equal.h"
#include "tools/scenario/scenario_parse.h"
#include "tools/scenario/scenario_print.h"

#include <errno.h>
#include <string.h>

static void check_fault(void *arg, const char *message)
{
    unsigned *faults = arg;
    unsigned line, column;
    int end = 0;

    ++*faults;
    FUZZ_CHECK(sscanf(message, "fuzz:%u:%u: %n", &line, &column, &end) == 2 && end > 0);
    FUZZ_CHECK(line > 0 && column > 0 && message[end] != '\0' && !strchr(message, '\n'));
}

static void check_place(const struct scenario *s, unsigned place)
{
    FUZZ_CHECK(place <= scenario_server(s));
}

static void check_whole(const struct scenario *s)
{
    FUZZ_CHECK(s->until > 0 && s->until <= SCENARIO_UNTIL_MAX && s->sample > 0);
    FUZZ_CHECK(s->n_deeds <= SCENARIO_DEEDS_MAX && s->n_firewalls <= SCENARIO_FIREWALLS);
    for (size_t i = 0; i < s->n_firewalls; i++)
        FUZZ_CHECK(s->firewall[i].name && s->firewall[i].policy);
    for (size_t i = 0; i <= s->n_firewalls; i++)
        FUZZ_CHECK(s->link[i].delay > 0 && s->link[i].loss >= 0 && s->link[i].loss <= 1);
    for (size_t i = 0; i < s->n_deeds; i++) {
        check_place(s, s->deeds[i].place);
        FUZZ_CHECK(s->deeds[i].at >= 0 && s->deeds[i].at <= s->until);
        FUZZ_CHECK(i == 0 || s->deeds[i - 1].at <= s->deeds[i].at);
    }
    for (size_t i = 0; i < s->n_expectations; i++) {
        check_place(s, s->expectations[i].place);
        FUZZ_CHECK(s->expectations[i].from <= s->expectations[i].to &&
                   s->expectations[i].to <= s->until);
    }
}

/* The last value of every axis; all together, they may not go together. */
static void check_grid(const struct scenario *s)
{
    FUZZ_CHECK(s->n_axes <= SCENARIO_AXES && scenario_points(s) <= SCENARIO_POINTS_MAX);
    for (size_t i = 0; i < s->n_axes; i++) {
        size_t choice[SCENARIO_AXES] = {0};
        struct scenario *point = NULL;
        unsigned faults = 0;

        FUZZ_CHECK(s->axis[i].n_values >= 1);
        choice[i] = s->axis[i].n_values - 1;
        FUZZ_CHECK(scenario_point(&point, s, choice, check_fault, &faults) == 0);
        FUZZ_CHECK(point->n_axes == 0);
        check_whole(point);
        scenario_destroy(point);
    }
}

static void print_again(const struct scenario *scenario)
{
    struct scenario *again = NULL;
    unsigned faults = 0;
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    FUZZ_CHECK(scenario_print(to, scenario) == 0);
    fclose(to);
    if (len <= SCENARIO_TEXT_MAX) {
        FUZZ_CHECK(scenario_parse(&again, "fuzz", text, len, NULL, check_fault, &faults) == 0);
        FUZZ_CHECK(scenario_equal(scenario, again));
        scenario_destroy(again);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scenario *scenario = NULL;
    unsigned faults = 0;
    int r = scenario_parse(&scenario, "fuzz", (const char *)data, size, NULL, check_fault, &faults);

    FUZZ_CHECK(r == (faults > 0 ? -EINVAL : 0));
    if (r == 0) {
        check_whole(scenario);
        check_grid(scenario);
        print_again(scenario);
        scenario_destroy(scenario);
    }
    return 0;
}
