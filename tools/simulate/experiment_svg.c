/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/experiment_svg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void picture_finish(struct picture *picture)
{
    for (size_t i = 0; i < 2 * (size_t)CURVES_MAX; i++)
        free(picture->labels[i]);
    free(picture->numbers);
    free(picture->x_label);
}

double *picture_take(struct picture *picture, size_t n)
{
    double *numbers = picture->numbers + picture->n_numbers;

    picture->n_numbers += n;
    return numbers;
}

int picture_add(struct picture *picture, char *label, const struct plot_curve *curve)
{
    size_t i = picture->plot.n_curves;

    if (!label)
        return -ENOMEM;
    picture->labels[i] = label;
    picture->curves[i] = *curve;
    picture->curves[i].label = label;
    picture->plot.n_curves++;
    return 0;
}

static double sample_sockets(const struct tally_sample *sample, size_t side)
{
    return sample->sockets[side];
}

static double sample_leaked(const struct tally_sample *sample, size_t side)
{
    return sample->leaked[side];
}

static double sample_flows(const struct tally_sample *sample, size_t firewall)
{
    return sample->flows[firewall];
}

typedef double sample_fn(const struct tally_sample *sample, size_t which);

static int add_samples(struct picture *picture, const struct tally *tally, char *label,
                       sample_fn *of, size_t which)
{
    double *x = picture_take(picture, tally->n_samples),
           *y = picture_take(picture, tally->n_samples);
    const struct plot_curve curve = {.x = x, .y = y, .n = tally->n_samples};

    for (size_t i = 0; i < tally->n_samples; i++) {
        x[i] = mtime_seconds(tally->samples[i].t);
        y[i] = of(&tally->samples[i], which);
    }
    return picture_add(picture, label, &curve);
}

/* One point: all that it holds. */
static int draw_point(struct picture *picture, const struct experiment *experiment)
{
    const struct scenario *scenario = experiment->scenario;
    const struct tally *tally = &experiment->tallies[0];
    char label[128];
    int r = 0;

    picture->plot.y_label = "at a time";
    for (size_t side = 0; side < 2 && r == 0; side++) {
        const char *name = flow_side_name((enum flow_side)side);

        snprintf(label, sizeof(label), "sockets held, %s", name);
        r = add_samples(picture, tally, strdup(label), sample_sockets, side);
        snprintf(label, sizeof(label), "of these leaked, %s", name);
        if (r == 0 && tally->leaked_end[side] > 0)
            r = add_samples(picture, tally, strdup(label), sample_leaked, side);
    }
    for (size_t f = 0; f < scenario->n_firewalls && r == 0; f++) {
        if (picture->plot.n_curves == CURVES_MAX)
            break;
        snprintf(label, sizeof(label), "table entries, %s", scenario->firewall[f].name);
        r = add_samples(picture, tally, strdup(label), sample_flows, f);
    }
    return r;
}

static bool points_differ(const struct experiment *experiment, sample_fn *of, size_t which)
{
    const struct tally *first = &experiment->tallies[0];

    for (size_t p = 1; p < experiment->n_points; p++) {
        const struct tally *tally = &experiment->tallies[p];

        for (size_t i = 0; i < tally->n_samples && i < first->n_samples; i++)
            if (of(&tally->samples[i], which) != of(&first->samples[i], which))
                return true;
    }
    return false;
}

/* Several points: of the server's sockets, the client's, and the table entries, the first in which
 * they differ. */
static int draw_points(struct picture *picture, const struct experiment *experiment)
{
    sample_fn *of = sample_sockets;
    size_t which = FLOW_SERVER;
    int r = 0;

    if (experiment->n_points > CURVES_MAX)
        return -E2BIG;
    picture->plot.y_label = "sockets held by the server";
    if (!points_differ(experiment, of, which)) {
        if (points_differ(experiment, of, FLOW_CLIENT)) {
            which = FLOW_CLIENT;
            picture->plot.y_label = "sockets held by the client";
        } else if (experiment->scenario->n_firewalls > 0) {
            of = sample_flows;
            which = 0;
            picture->plot.y_label = "table entries";
        }
    }
    for (size_t p = 0; p < experiment->n_points && r == 0; p++)
        r = add_samples(picture, &experiment->tallies[p], experiment_point_text(experiment, p), of,
                        which);
    return r;
}

static int draw_time(struct picture *picture, const struct experiment *experiment)
{
    size_t n = 0;

    for (size_t p = 0; p < experiment->n_points; p++)
        n += experiment->tallies[p].n_samples;
    if (n == 0)
        return -E2BIG; /* points beyond EXPERIMENT_SAMPLED keep none */
    picture->numbers = calloc(n, 2 * CURVES_MAX * sizeof(*picture->numbers));
    if (!picture->numbers)
        return -ENOMEM;
    picture->plot.x_label = "story time";
    picture->plot.x_unit = PLOT_DURATION;
    return experiment->n_points == 1 ? draw_point(picture, experiment)
                                     : draw_points(picture, experiment);
}

int experiment_svg(FILE *to, const struct experiment *experiment)
{
    const struct scenario *scenario = experiment->scenario;
    struct picture picture = {.plot = {.title = scenario->title ? scenario->title : scenario->name,
                                       .subtitle = scenario->story}};
    int r;

    picture.plot.curves = picture.curves;
    if (scenario->n_axes == 0 || scenario->plot == PLOT_TIME)
        r = draw_time(&picture, experiment);
    else
        r = picture_grid(&picture, experiment);
    if (r == 0)
        r = plot_write(to, &picture.plot);
    picture_finish(&picture);
    return r;
}
