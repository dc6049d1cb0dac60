/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PLOT_AXIS_H
#define IDLEWALL_PLOT_AXIS_H

/* One axis: from which value to which, where its marks stand, and what they say. */

#include "tools/timeline/plot.h"

#define PLOT_TICKS 24

struct plot_axis {
    enum plot_unit unit;
    bool log;
    double low, high; /* of the axis, round; low < high */
    double ticks[PLOT_TICKS];
    size_t n_ticks;
};

/* For the values from low to high; from 0 unless they are far from it or the axis is logarithmic.
 */
void plot_axis_init(struct plot_axis *axis, enum plot_unit unit, bool log, double low, double high);
/* Where the value lies, 0 to 1. */
double plot_axis_share(const struct plot_axis *axis, double value);
/* `1.5M`, `4h`, `25%`. Returns text. */
char *plot_axis_text(const struct plot_axis *axis, double value, char *text, size_t size);

#endif
