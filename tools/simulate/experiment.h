/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_EXPERIMENT_H
#define IDLEWALL_EXPERIMENT_H

/* A scenario whose parameters are lists or ranges: every point of the grid is played, on all cores.
 */

#include "tools/scenario/scenario.h"
#include "tools/timeline/tally.h"

#include <stdio.h>

struct experiment {
    const struct scenario *scenario; /* borrowed; its axes */
    size_t n_points;
    size_t *choices;       /* owned; n_points x n_axes, the first axis slowest */
    struct tally *tallies; /* owned; one a point */
};
/* threads 0: as many as there are cores. progress may be NULL; it is called from this thread only,
 * with how much of all points' story time is played (0..1); false stops: -ECANCELED. 0, -ENOMEM,
 * -EINVAL. */
int experiment_run(struct experiment *out, const struct scenario *scenario, unsigned threads,
                   bool (*progress)(void *arg, double done), void *arg);
void experiment_finish(struct experiment *experiment);

/* One row a point: the axes' values, then the figures. Columns that are equal in all rows and say
 * nothing (0, none) are left out of the text, never of CSV and JSON. */
int experiment_text(FILE *to, const struct experiment *experiment);
int experiment_csv(FILE *to, const struct experiment *experiment);
int experiment_json(FILE *to, const struct experiment *experiment);
/* One axis: curves over its values. Several: a family of curves, a curve for each value of the
 * others. No axis: the samples over time. */
int experiment_svg(FILE *to, const struct experiment *experiment);

#endif
