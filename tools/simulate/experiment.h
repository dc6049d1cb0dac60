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
    struct tally *tallies; /* owned; one a point. samples only if experiment_sampled() */
    char **unmet;  /* owned; one a point: what expect_report() says, or NULL if all is met */
    size_t failed; /* after an error: the point it happened at; n_points: at none */
    size_t n_done; /* points that were played to their end: n_points unless an error stopped it */
};
/* The samples of so many points are kept, if the plot is over time. */
#define EXPERIMENT_SAMPLED 64
bool experiment_sampled(const struct scenario *scenario);

/* threads 0: as many as there are cores. progress may be NULL; it is called from this thread only,
 * with how much of all points' story time is played (0..1); false stops: -ECANCELED. 0, -ENOMEM,
 * -EINVAL. A grid of single stories judges the expectations at every point; a workload is played
 * without. The result is the same whatever the number of threads, also which point failed. out is
 * to be finished after an error, too. */
int experiment_run(struct experiment *out, const struct scenario *scenario, unsigned threads,
                   bool (*progress)(void *arg, double done), void *arg);
void experiment_finish(struct experiment *experiment);

/* "server keepalive idle 300, firewall tcp-established 1h"; "" without axes. Owned by the caller;
 * NULL without memory. */
char *experiment_point_text(const struct experiment *experiment, size_t point);

/* One row a point: the axes' values, then the figures. Columns that are equal in all rows and say
 * nothing (0, none) are left out of the text, never of CSV and JSON. */
int experiment_text(FILE *to, const struct experiment *experiment);
int experiment_csv(FILE *to, const struct experiment *experiment);
int experiment_json(FILE *to, const struct experiment *experiment);
/* One axis: curves over its values. Several: a family of curves, a curve for each value of the
 * others. No axis: the samples over time, as with `plot time`. -E2BIG: more curves than can be told
 * apart. */
int experiment_svg(FILE *to, const struct experiment *experiment);

#endif
