/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PLOT_H
#define IDLEWALL_PLOT_H

/* Curves as SVG. Data only comes in; nothing here knows scenarios. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct plot_curve {
    const char *label;
    const double *x, *y;
    size_t n;
    bool right;  /* belongs to the right axis */
    bool points; /* mark each point (a grid's) */
};
enum plot_unit {
    PLOT_NUMBER,
    PLOT_DURATION /* x or y in seconds, shown as 5min, 2h, 3d */,
    PLOT_PERCENT
};
/* A place on the x axis, with a line through the plot. */
struct plot_mark {
    double x;
    const char *label;
};
struct plot {
    const char *title, *subtitle;
    const char *x_label, *y_label, *right_label; /* right_label NULL: no right axis */
    enum plot_unit x_unit, y_unit, right_unit;
    bool x_log;
    const struct plot_curve *curves;
    size_t n_curves;
    const struct plot_mark *marks;
    size_t n_marks;
};
/* 0 or a negative errno; -EINVAL for nothing to draw. */
int plot_write(FILE *to, const struct plot *plot);

#endif
