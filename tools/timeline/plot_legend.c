/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which curve is which: at their ends while there are few, else below the plot. */
#include "tools/timeline/plot_private.h"

#include <math.h>

#define NAMED_MAX 6
#define NAME_WIDTH 190.0
#define NAME_LINE 14.0
#define NAME_LINES 3
#define LEGEND_LINE 18.0
#define SIGN 38.0
#define BESIDE 60.0 /* room on either side of the framed area */

static const struct svg_font font = {.size = 11.5, .fill = "#1f2933"};

static const char *label_of(const struct plot *plot, size_t i)
{
    return plot->curves[i].label ? plot->curves[i].label : "";
}

bool plot_named_at_ends(const struct plot *plot)
{
    for (size_t i = 0; i < plot->n_curves; i++)
        if (plot->curves[i].right)
            return false;
    return plot->n_curves <= NAMED_MAX;
}

double plot_names_width(const struct plot *plot)
{
    double widest = 0;

    for (size_t i = 0; i < plot->n_curves; i++)
        widest = fmax(widest, svg_width(&font, label_of(plot, i)));
    return fmin(widest, NAME_WIDTH) + 18;
}

/* In at most `most` lines; what does not go in ends with dots. Returns how many. */
static unsigned draw_label(FILE *to, double x, double y, const struct svg_font *with,
                           const char *text, double width, unsigned most)
{
    unsigned n = 0;

    while (*text && n < most) {
        size_t fit = svg_fit(with, text, width);
        const char *next = svg_next_line(text, fit);

        if (*next && n + 1 == most)
            fit = svg_fit(with, text, width - 2 * with->size);
        if (to)
            svg_text_n(to, x, y + NAME_LINE * n, SVG_START, with, text, fit);
        if (to && *next && n + 1 == most)
            svg_text(to, x + svg_width_n(with, text, fit), y + NAME_LINE * n, SVG_START, with,
                     "\xe2\x80\xa6");
        text = next;
        n++;
    }
    return n;
}

struct name {
    size_t curve;
    double x, y, height;
};

/* Moved apart, none beyond the plot: down from above, then up from below. */
static void spread(struct name *names, size_t n, double top, double bottom)
{
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j > 0 && names[j - 1].y > names[j].y; j--) {
            struct name other = names[j];

            names[j] = names[j - 1];
            names[j - 1] = other;
        }
    for (size_t i = 0; i < n; i++) {
        double least = i == 0 ? top : names[i - 1].y + names[i - 1].height;

        names[i].y = fmax(names[i].y, least);
    }
    for (size_t i = n; i-- > 0;) {
        double most = i + 1 == n ? bottom : names[i + 1].y;

        names[i].y = fmin(names[i].y, most - names[i].height);
    }
}

void plot_draw_names(const struct plot_area *area)
{
    struct name names[NAMED_MAX];
    double right = area->left + area->width;
    size_t n = 0;

    for (size_t i = 0; i < area->plot->n_curves && n < NAMED_MAX; i++) {
        struct name *name = &names[n];

        if (!plot_curve_end(area, i, &name->x, &name->y))
            continue;
        name->curve = i;
        name->height = NAME_LINE * draw_label(NULL, 0, 0, &font, label_of(area->plot, i),
                                              NAME_WIDTH, NAME_LINES) +
                       3;
        name->y -= name->height / 2;
        n++;
    }
    spread(names, n, area->top - 8, area->top + area->height + 8);
    for (size_t i = 0; i < n; i++) {
        struct svg_font with = font;
        double end_x, end_y;

        with.fill = plot_colour(area->plot, names[i].curve);
        with.bold = true;
        if (plot_curve_end(area, names[i].curve, &end_x, &end_y))
            svg_line(area->to, end_x + 4, end_y, right + 10, names[i].y + names[i].height / 2,
                     &(struct svg_pen){.stroke = with.fill, .width = 0.7, .dash = "2 2"});
        with.bold = false;
        draw_label(area->to, right + 14, names[i].y + NAME_LINE - 2, &with,
                   label_of(area->plot, names[i].curve), NAME_WIDTH, NAME_LINES);
    }
}

/* Column by column: what belongs to the right axis comes to stand on the right. */
void plot_draw_legend(const struct plot_area *area, double *y)
{
    static const char right_too[] = " (right)";
    const struct plot *plot = area->plot;
    double left = area->left - BESIDE, all = area->width + 2 * BESIDE, widest = 0;
    double mark = svg_width(&font, right_too);
    size_t columns, lines;

    for (size_t i = 0; i < plot->n_curves; i++)
        widest =
            fmax(widest, svg_width(&font, label_of(plot, i)) + (plot->curves[i].right ? mark : 0));
    widest = fmin(widest + SIGN + 24, all);
    columns = (size_t)fmax(1, floor(all / widest));
    lines = (plot->n_curves + columns - 1) / columns;
    for (size_t i = 0; i < plot->n_curves; i++) {
        double x = left + (double)(i / lines) * widest, at = *y + LEGEND_LINE * (double)(i % lines);
        double room = widest - SIGN - 20 - (plot->curves[i].right ? mark : 0);
        const char *label = label_of(plot, i);

        svg_line(area->to, x, at - 4, x + 30, at - 4,
                 &(struct svg_pen){
                     .stroke = plot_colour(plot, i), .width = 2, .dash = plot_dash(plot, i)});
        draw_label(area->to, x + SIGN, at, &font, label, room, 1);
        if (plot->curves[i].right)
            svg_text(area->to, x + SIGN + fmin(svg_width(&font, label), room), at, SVG_START, &font,
                     right_too);
    }
    *y += LEGEND_LINE * (double)lines;
}
