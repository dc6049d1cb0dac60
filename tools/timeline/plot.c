/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/plot.h"

#include "tools/timeline/plot_axis.h"
#include "tools/timeline/svg.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define WIDTH 960.0
#define LEFT 84.0
#define RIGHT 84.0
#define PLOT_HEIGHT 380.0
#define LEGEND_LINE 20.0
#define POINTS_MAX 1500 /* more are drawn as their ups and downs */

/* Told apart by people who see colours differently too: Okabe and Ito. */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                      "#56b4e9", "#e69f00", "#000000", "#8c6d31"};
#define COLOURS (sizeof(colours) / sizeof(colours[0]))
static const char *const dashes[] = {NULL, "7 4", "2 3"};

static const struct svg_font title_font = {.size = 20, .bold = true};
static const struct svg_font text_font = {.size = 13, .fill = "#374151"};
static const struct svg_font tick_font = {.size = 12, .fill = "#6b7280"};

struct area {
    const struct plot *plot;
    struct plot_axis x, left, right;
    double top, bottom;
    bool any_left, any_right;
};

static double at_x(const struct area *area, double value)
{
    return LEFT + plot_axis_share(&area->x, value) * (WIDTH - LEFT - RIGHT);
}

static double at_y(const struct area *area, bool right, double value)
{
    const struct plot_axis *axis = right ? &area->right : &area->left;

    return area->bottom - plot_axis_share(axis, value) * (area->bottom - area->top);
}

struct bounds {
    double low, high;
};

static void widen(struct bounds *bounds, double value)
{
    if (!isfinite(value))
        return;
    bounds->low = value < bounds->low ? value : bounds->low;
    bounds->high = value > bounds->high ? value : bounds->high;
}

/* False if there is nothing to draw. */
static bool measure(struct area *area)
{
    struct bounds x = {INFINITY, -INFINITY}, y[2] = {{INFINITY, -INFINITY}, {INFINITY, -INFINITY}};

    for (size_t i = 0; i < area->plot->n_curves; i++) {
        const struct plot_curve *curve = &area->plot->curves[i];

        for (size_t k = 0; k < curve->n; k++) {
            widen(&x, curve->x[k]);
            widen(&y[curve->right], curve->y[k]);
        }
    }
    area->any_left = y[0].low <= y[0].high;
    area->any_right = y[1].low <= y[1].high;
    if (!(x.low <= x.high) || (!area->any_left && !area->any_right))
        return false;
    plot_axis_init(&area->x, area->plot->x_unit, area->plot->x_log && x.low > 0, x.low, x.high);
    plot_axis_init(&area->left, area->plot->y_unit, false, area->any_left ? y[0].low : 0,
                   area->any_left ? y[0].high : 1);
    plot_axis_init(&area->right, area->plot->right_unit, false, area->any_right ? y[1].low : 0,
                   area->any_right ? y[1].high : 1);
    return true;
}

static void grid(FILE *to, const struct area *area)
{
    const struct svg_pen faint = {.stroke = "#e5e7eb", .width = 1};
    const struct svg_pen strong = {.stroke = "#9ca3af", .width = 1};
    char text[32];

    for (size_t i = 0; i < area->left.n_ticks && area->any_left; i++) {
        double y = at_y(area, false, area->left.ticks[i]);

        svg_line(to, LEFT, y, WIDTH - RIGHT, y, &faint);
        svg_text(to, LEFT - 8, y + 4, SVG_END, &tick_font,
                 plot_axis_text(&area->left, area->left.ticks[i], text, sizeof(text)));
    }
    for (size_t i = 0; i < area->right.n_ticks && area->any_right; i++) {
        double y = at_y(area, true, area->right.ticks[i]);

        if (!area->any_left)
            svg_line(to, LEFT, y, WIDTH - RIGHT, y, &faint);
        svg_text(to, WIDTH - RIGHT + 8, y + 4, SVG_START, &tick_font,
                 plot_axis_text(&area->right, area->right.ticks[i], text, sizeof(text)));
    }
    for (size_t i = 0; i < area->x.n_ticks; i++) {
        double x = at_x(area, area->x.ticks[i]);

        svg_line(to, x, area->bottom, x, area->bottom + 5, &strong);
        svg_text(to, x, area->bottom + 20, SVG_MIDDLE, &tick_font,
                 plot_axis_text(&area->x, area->x.ticks[i], text, sizeof(text)));
    }
    svg_line(to, LEFT, area->bottom, WIDTH - RIGHT, area->bottom, &strong);
}

/* Of many points, what a column of pixels spans: the first, lowest, highest and last of each. */
static size_t thinned(const struct area *area, const struct plot_curve *curve, double (*points)[2])
{
    size_t n = 0, bucket = curve->n / (POINTS_MAX / 4) + 1;

    for (size_t start = 0; start < curve->n; start += bucket) {
        size_t end = start + bucket < curve->n ? start + bucket : curve->n, low = start,
               high = start, chosen[4];

        for (size_t k = start; k < end; k++) {
            low = curve->y[k] < curve->y[low] ? k : low;
            high = curve->y[k] > curve->y[high] ? k : high;
        }
        chosen[0] = start;
        chosen[1] = low < high ? low : high;
        chosen[2] = low < high ? high : low;
        chosen[3] = end - 1;
        for (size_t k = 0; k < 4; k++) {
            size_t i = chosen[k];

            if ((k > 0 && i == chosen[k - 1]) || !isfinite(curve->x[i]) || !isfinite(curve->y[i]))
                continue;
            points[n][0] = at_x(area, curve->x[i]);
            points[n][1] = at_y(area, curve->right, curve->y[i]);
            n++;
        }
    }
    return n;
}

static struct svg_pen pen_of(size_t i)
{
    return (struct svg_pen){.stroke = colours[i % COLOURS],
                            .dash = dashes[i / COLOURS % (sizeof(dashes) / sizeof(dashes[0]))],
                            .width = 2.2,
                            .class = "curve"};
}

static int draw(FILE *to, const struct area *area, size_t i)
{
    const struct plot_curve *curve = &area->plot->curves[i];
    struct svg_pen pen = pen_of(i), dot = {.fill = pen.stroke};
    double(*points)[2] = calloc(4 * (curve->n + 4), sizeof(*points));
    size_t n;

    if (!points)
        return -ENOMEM;
    n = thinned(area, curve, (double(*)[2])points);
    svg_path(to, (const double(*)[2])points, n, false, &pen);
    for (size_t k = 0; k < n && (curve->points || n == 1); k++)
        svg_circle(to, points[k][0], points[k][1], 3.5, &dot);
    free(points);
    return 0;
}

static bool two_axes(const struct area *area)
{
    return area->any_left && area->any_right;
}

/* Above the curves, so that it covers none. Returns where the next thing may begin. */
static double legend(FILE *to, const struct area *area, double y)
{
    double x = LEFT;

    for (size_t i = 0; i < area->plot->n_curves; i++) {
        const struct plot_curve *curve = &area->plot->curves[i];
        struct svg_pen pen = pen_of(i);
        char label[256];
        double width;

        snprintf(label, sizeof(label), "%s%s", curve->label ? curve->label : "",
                 two_axes(area) ? (curve->right ? " (right)" : " (left)") : "");
        width = 34 + svg_width(&text_font, label) + 24;
        if (x > LEFT && x + width > WIDTH - 20) {
            x = LEFT;
            y += LEGEND_LINE;
        }
        if (to) {
            svg_line(to, x, y - 4, x + 26, y - 4, &pen);
            svg_text(to, x + 32, y, SVG_START, &text_font, label);
        }
        x += width;
    }
    return y + LEGEND_LINE;
}

static double lines(FILE *to, const struct svg_font *font, const char *text, double y)
{
    while (text && *text) {
        size_t fit = svg_fit(font, text, WIDTH - 48);

        if (to)
            svg_text_n(to, 24, y, SVG_START, font, text, fit);
        y += font->size * 1.4;
        text = svg_next_line(text, fit);
    }
    return y;
}

/* With to NULL: only how high it is. */
static double head(FILE *to, const struct area *area)
{
    double y = lines(to, &title_font, area->plot->title, 34);

    y = lines(to, &text_font, area->plot->subtitle, y + 2);
    y = legend(to, area, y + 12);
    if (to && area->any_left && area->plot->y_label)
        svg_text(to, 24, y + 6, SVG_START, &text_font, area->plot->y_label);
    if (to && area->any_right && area->plot->right_label)
        svg_text(to, WIDTH - 24, y + 6, SVG_END, &text_font, area->plot->right_label);
    return y + 24;
}

int plot_write(FILE *to, const struct plot *plot)
{
    struct area area = {.plot = plot};
    int r = 0;

    if (!measure(&area))
        return -EINVAL;
    area.top = head(NULL, &area);
    area.bottom = area.top + PLOT_HEIGHT;
    svg_begin(to, WIDTH, area.bottom + 60, plot->title ? plot->title : "");
    head(to, &area);
    grid(to, &area);
    for (size_t i = 0; r == 0 && i < plot->n_curves; i++)
        r = draw(to, &area, i);
    if (plot->x_label)
        svg_text(to, LEFT + (WIDTH - LEFT - RIGHT) / 2, area.bottom + 46, SVG_MIDDLE, &text_font,
                 plot->x_label);
    svg_end(to);
    if (r == 0 && (fflush(to) != 0 || ferror(to)))
        r = -EIO;
    return r;
}
