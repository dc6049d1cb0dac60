/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/experiment_svg.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static double mean_entries(const struct tally *tally)
{
    double most = 0;

    for (size_t f = 0; f < tally->n_firewalls; f++)
        if (tally->firewall[f].flows_mean > most)
            most = tally->firewall[f].flows_mean;
    return most;
}

static double broken_percent(const struct tally *tally)
{
    return 100 * tally_broken_share(tally);
}

struct figure {
    const char *label;
    enum plot_unit unit;
    double (*of)(const struct tally *tally);
};
static const struct figure figure_broken = {"connections broken", PLOT_PERCENT, broken_percent};
static const struct figure figure_entries = {"table entries, mean", PLOT_NUMBER, mean_entries};
static const struct figure figure_packets = {"packets a day", PLOT_NUMBER, tally_packets_a_day};

/* By how much of its highest value a figure varies over the grid: 0 to 1. */
static double varies(const struct experiment *experiment, const struct figure *figure)
{
    double least = INFINITY, most = 0;

    for (size_t p = 0; p < experiment->n_points; p++) {
        double value = figure->of(&experiment->tallies[p]);

        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    return most > 0 ? (most - least) / most : 0;
}

/* What breaks, and the price; where nothing more or less breaks, the two prices. */
static void choose_figures(const struct experiment *experiment, const struct figure *figures[2])
{
    double entries = varies(experiment, &figure_entries);
    double packets = varies(experiment, &figure_packets);

    figures[0] = &figure_broken;
    figures[1] = entries >= packets ? &figure_entries : &figure_packets;
    if (varies(experiment, &figure_broken) == 0 && entries > 0 && packets > 0) {
        figures[0] = &figure_entries;
        figures[1] = &figure_packets;
    }
}

/* Along the axis of numbers with the most values; of equal ones the first. */
static size_t choose_axis(const struct scenario *scenario)
{
    size_t best = 0;

    for (size_t a = 1; a < scenario->n_axes; a++) {
        const struct axis *axis = &scenario->axis[a], *than = &scenario->axis[best];
        bool words = axis_kind(axis) == AXIS_WORD, than_words = axis_kind(than) == AXIS_WORD;

        if (words != than_words ? than_words : axis->n_values > than->n_values)
            best = a;
    }
    return best;
}

static void label_x(struct plot *plot, const struct axis *axis, char **label)
{
    static const enum plot_unit units[] = {[AXIS_WORD] = PLOT_NUMBER,
                                           [AXIS_NUMBER] = PLOT_NUMBER,
                                           [AXIS_SECONDS] = PLOT_DURATION,
                                           [AXIS_PERCENT] = PLOT_PERCENT};
    enum axis_kind kind = axis_kind(axis);
    size_t len;
    FILE *to = open_memstream(label, &len);

    if (!to)
        return;
    fputs(axis->label, to);
    for (size_t i = 0; kind == AXIS_WORD && i < axis->n_values; i++)
        fprintf(to, "%s%zu %s", i > 0 ? ", " : ": ", i + 1, axis->values[i]);
    if (fclose(to) != 0)
        return;
    plot->x_label = *label;
    plot->x_unit = units[kind];
}

static double along(const struct axis *axis, size_t value)
{
    return axis_kind(axis) == AXIS_WORD ? (double)value + 1 : axis_number(axis, value);
}

/* A range is even on a logarithmic scale; so is any list that spans a decade. */
static bool logarithmic(const struct axis *axis)
{
    double least = INFINITY, most = 0;

    if (axis_kind(axis) == AXIS_WORD)
        return false;
    for (size_t i = 0; i < axis->n_values; i++) {
        double value = axis_number(axis, i);

        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    return least > 0 && most / least >= 10;
}

/* "firewall tcp-established 1h: packets a day"; without other axes only the figure. */
static char *family_label(const struct experiment *experiment, size_t point, size_t x,
                          const struct figure *figure)
{
    const struct scenario *scenario = experiment->scenario;
    char *label = NULL;
    size_t len;
    FILE *to = open_memstream(&label, &len);

    if (!to)
        return NULL;
    for (size_t a = 0; a < scenario->n_axes; a++)
        if (a != x && scenario->axis[a].n_values > 1)
            fprintf(to, "%s %s: ", scenario->axis[a].label,
                    scenario->axis[a].values[experiment_choice(experiment, point)[a]]);
    fputs(figure->label, to);
    if (fclose(to) != 0) {
        free(label);
        return NULL;
    }
    return label;
}

static int compare_x(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

/* The curve of the points that differ from `first` along x only. */
static int add_family(struct picture *picture, const struct experiment *experiment, size_t first,
                      size_t x, size_t stride, const struct figure *figure, bool right)
{
    const struct axis *axis = &experiment->scenario->axis[x];
    size_t n = axis->n_values;
    double *xs = picture_take(picture, n), *ys = picture_take(picture, n), (*pairs)[2];
    const struct plot_curve curve = {.x = xs, .y = ys, .n = n, .right = right, .points = true};

    pairs = calloc(n, sizeof(*pairs));
    if (!pairs)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        pairs[i][0] = along(axis, i);
        pairs[i][1] = figure->of(&experiment->tallies[first + i * stride]);
    }
    qsort(pairs, n, sizeof(*pairs), compare_x); /* a list may be in any order */
    for (size_t i = 0; i < n; i++) {
        xs[i] = pairs[i][0];
        ys[i] = pairs[i][1];
    }
    free(pairs);
    return picture_add(picture, family_label(experiment, first, x, figure), &curve);
}

int picture_grid(struct picture *picture, const struct experiment *experiment)
{
    const struct scenario *scenario = experiment->scenario;
    size_t x = choose_axis(scenario), stride = 1;
    size_t n_values = scenario->axis[x].n_values;
    const struct figure *figures[2];
    int r = 0;

    if (experiment->n_points / n_values > CURVES_MAX)
        return -E2BIG;
    picture->numbers = calloc(experiment->n_points, 4 * sizeof(*picture->numbers));
    if (!picture->numbers)
        return -ENOMEM;
    choose_figures(experiment, figures);
    label_x(&picture->plot, &scenario->axis[x], &picture->x_label);
    picture->plot.x_log = logarithmic(&scenario->axis[x]);
    picture->plot.y_label = figures[0]->label;
    picture->plot.y_unit = figures[0]->unit;
    picture->plot.right_label = figures[1]->label;
    picture->plot.right_unit = figures[1]->unit;
    for (size_t a = x + 1; a < scenario->n_axes; a++)
        stride *= scenario->axis[a].n_values;
    for (size_t side = 0; side < 2; side++)
        for (size_t p = 0; p < experiment->n_points && r == 0; p++)
            if (experiment_choice(experiment, p)[x] == 0)
                r = add_family(picture, experiment, p, x, stride, figures[side], side == 1);
    return r;
}
