/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/plot_private.h"

static const struct svg_font font = {.size = 12, .bold = true, .fill = "#1f2933"};

/* Above the frame, one line each, so that no two names meet; to the side where there is room. */
double plot_marks_height(const struct plot *plot)
{
    return 16.0 * (double)plot->n_marks;
}

void plot_draw_marks(const struct plot_area *area)
{
    const struct plot *plot = area->plot;
    const struct svg_pen line = {.stroke = "#1f2933", .width = 1.3, .dash = "2 3"};
    double y = area->top - plot_marks_height(plot) + 4;

    for (size_t i = 0; i < plot->n_marks; i++, y += 16) {
        double x = plot_axis_at(&area->x, plot->marks[i].x);
        bool left = x + 6 + svg_width(&font, plot->marks[i].label) > area->left + area->width;

        if (!plot_axis_shows(&area->x, plot->marks[i].x))
            continue;
        svg_line(area->to, x, y - 9, x, area->top + area->height, &line);
        svg_text(area->to, x + (left ? -6 : 6), y, left ? SVG_END : SVG_START, &font,
                 plot->marks[i].label);
    }
}
