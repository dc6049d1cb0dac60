/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/plot.h"

#include "tools/timeline/plot_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 920.0
#define HEIGHT 380.0 /* of the framed area */
#define EDGE 24.0
#define AXIS 78.0 /* room for an axis' figures and its name */

static const struct svg_font figures = {.size = 11, .fill = "#3d4852"};
static const struct svg_font names = {.size = 12, .fill = "#1f2933"};

/* False: there is not one point that can be shown. */
static bool see_all(struct plot_area *area)
{
    const struct plot *plot = area->plot;
    bool any = false;

    for (size_t i = 0; i < plot->n_curves; i++) {
        const struct plot_curve *curve = &plot->curves[i];
        struct plot_axis *y = curve->right ? &area->right : &area->y;

        for (size_t j = 0; j < curve->n; j++) {
            if (!plot_axis_shows(&area->x, curve->x[j]) || !plot_axis_shows(y, curve->y[j]))
                continue;
            plot_axis_see(&area->x, curve->x[j]);
            plot_axis_see(y, curve->y[j]);
            any = true;
        }
    }
    for (size_t i = 0; any && i < plot->n_marks; i++)
        if (plot_axis_shows(&area->x, plot->marks[i].x))
            plot_axis_see(&area->x, plot->marks[i].x);
    return any;
}

static double draw_lines(FILE *to, double x, double y, double step, const struct svg_font *font,
                         const char *text, unsigned most)
{
    for (unsigned n = 0; *text && n < most; n++) {
        size_t fit = svg_fit(font, text, WIDTH - 2 * EDGE);

        svg_text_n(to, x, y, SVG_START, font, text, fit);
        text = svg_next_line(text, fit);
        y += step;
    }
    return y;
}

static void draw_head(struct plot_area *area)
{
    const struct svg_font title = {.size = 17, .bold = true, .fill = "#1f2933"};
    const struct svg_font subtitle = {.size = 12, .fill = "#3d4852"};
    double y = 30;

    if (area->plot->title)
        y = draw_lines(area->to, EDGE, y, 22, &title, area->plot->title, 3);
    if (area->plot->subtitle)
        y = draw_lines(area->to, EDGE, y, 16, &subtitle, area->plot->subtitle, 6);
    area->top = y + 20 + plot_marks_height(area->plot);
}

/* Turned by a quarter, beside its axis. */
static void draw_turned(FILE *to, double x, double y, const struct svg_font *font, const char *text)
{
    size_t fit = svg_fit(font, text, HEIGHT + 40);

    fprintf(to, "<g transform=\"rotate(-90 %ld %ld)\">\n", lround(x), lround(y));
    svg_text_n(to, round(x), round(y), SVG_MIDDLE, font, text, fit);
    fputs("</g>\n", to);
}

static void draw_x(const struct plot_area *area)
{
    const struct svg_pen grid = {.stroke = "#e3e7eb", .width = 1};
    double bottom = area->top + area->height;
    char text[PLOT_TEXT];

    for (size_t i = 0; i < area->x.n_ticks; i++) {
        double x = plot_axis_at(&area->x, area->x.ticks[i]);

        svg_line(area->to, x, area->top, x, bottom, &grid);
        svg_line(area->to, x, bottom, x, bottom + 5,
                 &(struct svg_pen){.stroke = "#4a5560", .width = 1});
        svg_text(area->to, x, bottom + 19, SVG_MIDDLE, &figures,
                 plot_axis_text(&area->x, area->x.ticks[i], text));
    }
}

static void draw_y(const struct plot_area *area, const struct plot_axis *axis, bool right)
{
    double x = right ? area->left + area->width : area->left;
    char text[PLOT_TEXT];

    for (size_t i = 0; i < axis->n_ticks; i++) {
        double y = plot_axis_at(axis, axis->ticks[i]);

        if (!right)
            svg_line(area->to, area->left, y, area->left + area->width, y,
                     &(struct svg_pen){.stroke = "#e3e7eb", .width = 1});
        svg_line(area->to, x, y, x + (right ? 5 : -5), y,
                 &(struct svg_pen){.stroke = "#4a5560", .width = 1});
        svg_text(area->to, x + (right ? 9 : -9), y + 4, right ? SVG_START : SVG_END, &figures,
                 plot_axis_text(axis, axis->ticks[i], text));
    }
}

static double draw_axes(const struct plot_area *area)
{
    const struct plot *plot = area->plot;
    double bottom = area->top + area->height, middle = area->top + area->height / 2;
    struct svg_font axis_names[2] = {names, names};
    double y = bottom + 44;

    draw_x(area);
    draw_y(area, &area->y, false);
    if (plot->right_label)
        draw_y(area, &area->right, true);
    svg_rect(area->to, area->left, area->top, area->width, area->height, 0,
             &(struct svg_pen){.stroke = "#4a5560", .width = 1});
    for (size_t i = 0; i < plot->n_curves && plot->n_curves == 2; i++) /* each has its own axis */
        if (plot->curves[0].right != plot->curves[1].right)
            axis_names[plot->curves[i].right].fill = plot_colour(plot, i);
    if (plot->y_label)
        draw_turned(area->to, EDGE + 2, middle, &axis_names[0], plot->y_label);
    if (plot->right_label)
        draw_turned(area->to, WIDTH - 10, middle, &axis_names[1], plot->right_label);
    for (const char *p = plot->x_label ? plot->x_label : ""; *p; y += 16) {
        size_t fit = svg_fit(&names, p, area->width);

        svg_text_n(area->to, area->left + area->width / 2, y, SVG_MIDDLE, &names, p, fit);
        p = svg_next_line(p, fit);
    }
    return y + 12;
}

static void lay_out(struct plot_area *area)
{
    const struct plot *plot = area->plot;
    double right = plot->right_label          ? AXIS + 8
                   : plot_named_at_ends(plot) ? plot_names_width(plot) + EDGE / 2
                                              : EDGE;

    area->left = AXIS + 14;
    area->width = WIDTH - area->left - right;
    area->height = HEIGHT;
    area->x.from = area->left;
    area->x.to = area->left + area->width;
    area->y.from = area->right.from = area->top + area->height;
    area->y.to = area->right.to = area->top;
    plot_axis_settle(&area->x, 70, false);
    plot_axis_settle(&area->y, 48, true);
    plot_axis_settle(&area->right, 48, true);
}

static double draw(struct plot_area *area)
{
    double y;

    draw_head(area);
    lay_out(area);
    y = draw_axes(area);
    for (size_t i = 0; i < area->plot->n_curves; i++)
        plot_draw_curve(area, i);
    plot_draw_marks(area);
    if (plot_named_at_ends(area->plot) && !area->plot->right_label)
        plot_draw_names(area);
    else
        plot_draw_legend(area, &y);
    return y + 4;
}

int plot_write(FILE *to, const struct plot *plot)
{
    struct plot_area area = {
        .plot = plot,
        .x = {.unit = plot->x_unit, .log = plot->x_log, .least = INFINITY, .most = -INFINITY},
        .y = {.unit = plot->y_unit, .least = INFINITY, .most = -INFINITY},
        .right = {.unit = plot->right_unit, .least = INFINITY, .most = -INFINITY}};
    char *text = NULL;
    size_t len;
    double height;

    if (!see_all(&area))
        return -EINVAL;
    area.to = open_memstream(&text, &len);
    if (!area.to)
        return -ENOMEM;
    height = draw(&area);
    if (fclose(area.to) != 0) {
        free(text);
        return -ENOMEM;
    }
    errno = 0;
    svg_begin(to, WIDTH, height, plot->title ? plot->title : "");
    fwrite(text, 1, len, to);
    svg_end(to);
    free(text);
    return fflush(to) != 0 || ferror(to) ? (errno ? -errno : -EIO) : 0;
}
