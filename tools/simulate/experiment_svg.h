/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_EXPERIMENT_SVG_H
#define IDLEWALL_EXPERIMENT_SVG_H

/* An experiment's picture while it is put together. */

#include "tools/simulate/experiment_private.h"
#include "tools/timeline/plot.h"

/* More cannot be told apart by their colours. */
#define CURVES_MAX 8

struct picture {
    struct plot plot;
    struct plot_curve curves[2 * CURVES_MAX];
    char *labels[2 * CURVES_MAX]; /* owned */
    double *numbers;              /* owned: all x and y */
    size_t n_numbers;
    char *x_label; /* owned */
};

double *picture_take(struct picture *picture, size_t n);
/* Takes over label; NULL is out of memory: -ENOMEM. */
int picture_add(struct picture *picture, char *label, const struct plot_curve *curve);

/* Figures over the axes' values. 0, -ENOMEM, -E2BIG. */
int picture_grid(struct picture *picture, const struct experiment *experiment);

#endif
