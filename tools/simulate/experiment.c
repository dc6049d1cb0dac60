/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/experiment.h"

#include "tools/scenario/scenario_parse.h"
#include "tools/simulate/experiment_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool experiment_sampled(const struct scenario *scenario)
{
    return scenario->n_axes == 0 ||
           (scenario->plot == PLOT_TIME && scenario_points(scenario) <= EXPERIMENT_SAMPLED);
}

const size_t *experiment_choice(const struct experiment *experiment, size_t point)
{
    return experiment->choices + point * experiment->scenario->n_axes;
}

/* Point 0 has every axis's first value; the last axis runs fastest. */
static void fill_choices(struct experiment *experiment)
{
    const struct scenario *scenario = experiment->scenario;

    for (size_t point = 0; point < experiment->n_points; point++) {
        size_t rest = point;

        for (size_t a = scenario->n_axes; a-- > 0;) {
            size_t n = scenario->axis[a].n_values;

            experiment->choices[point * scenario->n_axes + a] = rest % n;
            rest /= n;
        }
    }
}

int experiment_init(struct experiment *out, const struct scenario *scenario)
{
    *out = (struct experiment){.scenario = scenario, .n_points = scenario_points(scenario)};
    out->failed = out->n_points;
    out->choices = calloc(out->n_points * scenario->n_axes + 1, sizeof(*out->choices));
    out->tallies = calloc(out->n_points, sizeof(*out->tallies));
    out->unmet = calloc(out->n_points, sizeof(*out->unmet));
    if (!out->choices || !out->tallies || !out->unmet)
        return -ENOMEM;
    fill_choices(out);
    return 0;
}

void experiment_finish(struct experiment *experiment)
{
    for (size_t i = 0; i < experiment->n_points; i++) {
        if (experiment->tallies)
            tally_finish(&experiment->tallies[i]);
        if (experiment->unmet)
            free(experiment->unmet[i]);
    }
    free(experiment->choices);
    free(experiment->tallies);
    free(experiment->unmet);
    *experiment = (struct experiment){0};
}

char *experiment_point_text(const struct experiment *experiment, size_t point)
{
    const struct scenario *scenario = experiment->scenario;
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);

    if (!to)
        return NULL;
    for (size_t a = 0; a < scenario->n_axes; a++)
        fprintf(to, "%s%s %s", a > 0 ? ", " : "", scenario->axis[a].label,
                scenario->axis[a].values[experiment_choice(experiment, point)[a]]);
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
