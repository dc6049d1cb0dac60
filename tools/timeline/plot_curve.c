/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/plot_private.h"

#include <math.h>

#define STEPS_MAX 40 /* levels */

#define COLOURS 8u

/* Which one of those of its axis. */
static size_t of_axis(const struct plot *plot, size_t curve)
{
    size_t n = 0;

    for (size_t i = 0; i < curve; i++)
        n += plot->curves[i].right == plot->curves[curve].right;
    return n;
}

/* Families on both axes: the same colour is the same thing, dashed on the right. One curve on each
 * are two things. */
const char *plot_colour(const struct plot *plot, size_t curve)
{
    /* Told apart with any colour vision (Okabe and Ito). */
    static const char *const colours[COLOURS] = {"#0072b2", "#d55e00", "#009e73", "#b05a8e",
                                                 "#c28a00", "#3a95cc", "#5b4b8a", "#4d4d4d"};

    return colours[(plot->n_curves > 2 ? of_axis(plot, curve) : curve) % COLOURS];
}

const char *plot_dash(const struct plot *plot, size_t curve)
{
    if (plot->curves[curve].right)
        return of_axis(plot, curve) < COLOURS ? "7 4" : "7 3 2 3";
    return of_axis(plot, curve) < COLOURS ? NULL : "2 3";
}

static const struct plot_axis *axis_of(const struct plot_area *area, const struct plot_curve *curve)
{
    return curve->right ? &area->right : &area->y;
}

static bool shows(const struct plot_area *area, const struct plot_curve *curve, size_t i)
{
    return plot_axis_shows(&area->x, curve->x[i]) &&
           plot_axis_shows(axis_of(area, curve), curve->y[i]);
}

bool plot_curve_end(const struct plot_area *area, size_t index, double *x, double *y)
{
    const struct plot_curve *curve = &area->plot->curves[index];

    for (size_t i = curve->n; i-- > 0;)
        if (shows(area, curve, i)) {
            *x = plot_axis_at(&area->x, curve->x[i]);
            *y = plot_axis_at(axis_of(area, curve), curve->y[i]);
            return true;
        }
    return false;
}

/* Few whole numbers stay what they are until they change. */
static bool has_steps(const struct plot_curve *curve)
{
    for (size_t i = 0; i < curve->n; i++)
        if (!(fabs(curve->y[i]) <= STEPS_MAX) || curve->y[i] != floor(curve->y[i]))
            return false;
    return !curve->points && curve->n > 2;
}

/* A path that grows; of what falls into one column of pixels the first, the lowest, the highest and
 * the last are enough. */
struct pencil {
    FILE *to;
    bool down;
    bool steps;
    double x, y; /* the last put */
    bool pending;
    double column, low, high, last; /* not yet put */
};

static void put(struct pencil *pencil, double x, double y)
{
    fprintf(pencil->to, "%c%ld.%ld %ld.%ld", pencil->down ? 'L' : 'M', lround(x * 10) / 10,
            lround(x * 10) % 10, lround(y * 10) / 10, lround(y * 10) % 10);
    pencil->down = true;
    pencil->x = x;
    pencil->y = y;
}

static void flush(struct pencil *pencil)
{
    if (!pencil->pending)
        return;
    if (pencil->low != pencil->y || pencil->high != pencil->y) {
        put(pencil, pencil->column, pencil->low);
        put(pencil, pencil->column, pencil->high);
    }
    put(pencil, pencil->column, pencil->last);
    pencil->pending = false;
}

static void move(struct pencil *pencil, double x, double y)
{
    if (pencil->down && x - pencil->x < 0.5 && x >= pencil->x) {
        if (!pencil->pending) {
            pencil->low = pencil->high = y;
            pencil->column = x;
            pencil->pending = true;
        }
        pencil->low = fmin(pencil->low, y);
        pencil->high = fmax(pencil->high, y);
        pencil->last = y;
        return;
    }
    flush(pencil);
    if (pencil->steps && pencil->down && y != pencil->y)
        put(pencil, x, pencil->y);
    if (!pencil->down || x != pencil->x || y != pencil->y)
        put(pencil, x, y);
}

void plot_draw_curve(const struct plot_area *area, size_t index)
{
    const struct plot_curve *curve = &area->plot->curves[index];
    const char *dash = plot_dash(area->plot, index), *colour = plot_colour(area->plot, index);
    struct pencil pencil = {.to = area->to, .steps = has_steps(curve)};
    size_t shown = 0;

    for (size_t i = 0; i < curve->n; i++)
        shown += shows(area, curve, i);
    if (shown == 0)
        return;
    fputs("<path class=\"curve\" d=\"", area->to);
    for (size_t i = 0; i < curve->n; i++) {
        if (shows(area, curve, i)) {
            move(&pencil, plot_axis_at(&area->x, curve->x[i]),
                 plot_axis_at(axis_of(area, curve), curve->y[i]));
        } else {
            flush(&pencil);
            pencil.down = false;
        }
    }
    flush(&pencil);
    fprintf(area->to, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-linejoin=\"round\"",
            colour);
    if (dash)
        fprintf(area->to, " stroke-dasharray=\"%s\"", dash);
    fputs("/>\n", area->to);
    /* A single point has no line. */
    for (size_t i = 0; i < curve->n && (curve->points || shown == 1); i++)
        if (shows(area, curve, i))
            svg_circle(area->to, plot_axis_at(&area->x, curve->x[i]),
                       plot_axis_at(axis_of(area, curve), curve->y[i]), 3.2,
                       &(struct svg_pen){.fill = curve->right ? "#ffffff" : colour,
                                         .stroke = colour,
                                         .width = 1.5,
                                         .class = "point"});
}
