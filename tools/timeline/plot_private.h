/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PLOT_PRIVATE_H
#define IDLEWALL_PLOT_PRIVATE_H

/* A plot from inside: axes (plot_axis.c), curves (plot_curve.c), and their names (plot_legend.c).
 */

#include "tools/timeline/plot.h"
#include "tools/timeline/svg.h"

#define PLOT_TICKS 24
#define PLOT_TEXT 32

/* From values to pixels, and where the ticks are. */
struct plot_axis {
    enum plot_unit unit;
    bool log;
    double least, most; /* values at the ends */
    double from, to;    /* pixels there */
    double ticks[PLOT_TICKS];
    size_t n_ticks;
    double step; /* between ticks; log: 0 */
};

/* Takes in a value; starts with least > most. Values that the axis cannot show are left out. */
void plot_axis_see(struct plot_axis *axis, double value);
bool plot_axis_shows(const struct plot_axis *axis, double value);
/* Rounds the ends where round makes sense, and chooses ticks at least `apart` pixels apart. */
void plot_axis_settle(struct plot_axis *axis, double apart, bool from_zero);
double plot_axis_at(const struct plot_axis *axis, double value);
/* `5min`, `20 000`, `15%`. Returns text. */
char *plot_axis_text(const struct plot_axis *axis, double value, char text[PLOT_TEXT]);

struct plot_area {
    FILE *to;
    const struct plot *plot;
    struct plot_axis x, y, right;
    double left, top, width, height; /* of what the axes frame */
};

const char *plot_colour(const struct plot *plot, size_t curve);
const char *plot_dash(const struct plot *plot, size_t curve); /* NULL: none */
void plot_draw_curve(const struct plot_area *area, size_t i);
/* Where its last point is; false: it has none. */
bool plot_curve_end(const struct plot_area *area, size_t i, double *x, double *y);

/* Lines at places of the x axis, named above the frame: so much room they need there. */
double plot_marks_height(const struct plot *plot);
void plot_draw_marks(const struct plot_area *area);

/* Names at the curves' ends, if they are few and all belong to one axis. */
bool plot_named_at_ends(const struct plot *plot);
double plot_names_width(const struct plot *plot);
void plot_draw_names(const struct plot_area *area);
/* Below the plot, from *y on. */
void plot_draw_legend(const struct plot_area *area, double *y);

#endif
