/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies behind the rows: lifelines; the time that each firewall's entry has left, as a band
 * that drains and refills; where something is blocked or down. */
#include "tools/timeline/ladder_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define BAND 18.0
#define SLOTS 3u /* bands side by side, where there are several connections */

/* A band as far as it is drawn. */
struct band {
    enum ladder_entry_kind kind;
    mtime_t t, timeout, deadline;
    double y;
    bool open;
};

static double left_of(const struct band *band, mtime_t t)
{
    if (band->deadline == MTIME_NEVER)
        return 1;
    if (band->timeout <= 0)
        return 0;
    return fmin(1, fmax(0, (double)(band->deadline - t) / (double)band->timeout));
}

/* Across the time from band to (t, y). */
static int draw_wedge(struct ladder *ladder, double x, double width, const struct band *band,
                      mtime_t t, double y)
{
    double(*points)[2] = calloc(2 * (ladder->n_anchors + 2), sizeof(*points));
    const struct svg_pen pen = {
        .fill = COLOUR_BAND, .stroke = "#5b93c4", .width = 0.6, .class = "band"};
    size_t n = 0;

    if (!points)
        return -ENOMEM;
    points[n][0] = x + left_of(band, band->t) * width / 2;
    points[n++][1] = band->y;
    for (size_t i = 0; i < ladder->n_anchors; i++) {
        const struct ladder_anchor *a = &ladder->anchors[i];

        if (a->t <= band->t || a->t >= t || a->y <= band->y || a->y >= y)
            continue;
        points[n][0] = x + left_of(band, a->t) * width / 2;
        points[n++][1] = a->y;
    }
    points[n][0] = x + left_of(band, t) * width / 2;
    points[n++][1] = y;
    for (size_t i = 0; i < n; i++) {
        points[2 * n - 1 - i][0] = 2 * x - points[i][0];
        points[2 * n - 1 - i][1] = points[i][1];
    }
    svg_path(ladder->to, (const double(*)[2])points, 2 * n, true, &pen);
    free(points);
    return 0;
}

static int draw_band(struct ladder *ladder, unsigned place, uint32_t connection,
                     const struct band *band, mtime_t t, double y)
{
    double x = ladder->x[place], width = BAND;

    if (ladder->connections > 1) {
        width = BAND / 2;
        x += (connection % SLOTS - 1.0) * (width + 2);
    }
    if (!band->open || y - band->y < 0.05 || band->kind == ENTRY_REMOVED ||
        !ladder->visible[connection])
        return 0;
    if (band->kind == ENTRY_FORGOTTEN) {
        svg_rect(ladder->to, x - width / 2, band->y, width, y - band->y, 0,
                 &(struct svg_pen){.fill = "url(#forgotten)",
                                   .stroke = COLOUR_BAD,
                                   .width = 0.6,
                                   .class = "forgotten"});
        return 0;
    }
    return draw_wedge(ladder, x, width, band, t, y);
}

static int draw_bands(struct ladder *ladder)
{
    size_t n = ladder->places * ((size_t)ladder->connections + 1);
    struct band *bands = calloc(n, sizeof(*bands));
    int r = bands ? 0 : -ENOMEM;

    for (size_t i = 0; i < ladder->n_entries && r == 0; i++) {
        const struct ladder_entry *e = &ladder->entries[i];
        struct band *band = &bands[(size_t)e->connection * ladder->places + e->place];
        double y = e->hop != LADDER_NONE ? ladder->hops[e->hop].y : ladder_y_at(ladder, e->t);

        if (band->open && band->kind <= ENTRY_SET && e->kind <= ENTRY_SET && y - band->y < 0.5) {
            band->deadline = e->deadline;
            band->timeout = e->timeout;
            continue;
        }
        r = draw_band(ladder, e->place, e->connection, band, e->t, y);
        *band = (struct band){e->kind, e->t, e->timeout, e->deadline, y, true};
    }
    for (size_t i = 0; i < n && r == 0; i++)
        r = draw_band(ladder, (unsigned)(i % ladder->places), (uint32_t)(i / ladder->places),
                      &bands[i], ladder->timeline->end, ladder->bottom);
    free(bands);
    return r;
}

static void define_hatch(FILE *to, const char *id, const char *colour, const char *paper)
{
    fprintf(to,
            "<pattern id=\"%s\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
            "patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"%s\"/>"
            "<line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\" stroke=\"%s\" "
            "stroke-width=\"2.4\"/></pattern>\n",
            id, paper, colour);
}

int ladder_draw_behind(struct ladder *ladder)
{
    const struct svg_pen line = {.stroke = "#4a5560", .width = 1};
    int r;

    fputs("<defs>\n", ladder->to);
    define_hatch(ladder->to, "forgotten", "#f0a3a0", "#fdeeed");
    define_hatch(ladder->to, "blocked", "#f3cf9f", "#fdf3e4");
    define_hatch(ladder->to, "down", "#b9bfc6", "#eceff1");
    fputs("</defs>\n", ladder->to);
    ladder_draw_shades(ladder);
    for (unsigned i = 0; i < ladder->places; i++)
        svg_line(ladder->to, ladder->x[i], ladder->top, ladder->x[i], ladder->bottom, &line);
    r = ladder_draw_lives(ladder);
    return r < 0 ? r : draw_bands(ladder);
}
