/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/ladder.h"

#include "tools/timeline/ladder_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static void finish(struct ladder *ladder)
{
    free(ladder->rows);
    free(ladder->hops);
    free(ladder->notes);
    free(ladder->entries);
    free(ladder->last_entry);
    free(ladder->anchors);
    free(ladder->visible);
    free(ladder->states);
    free(ladder->shown);
    free(ladder->views);
}

static bool too_many(const struct ladder *ladder)
{
    size_t shown = 0;

    for (size_t i = 0; i < ladder->n_rows; i++)
        shown += !ladder->rows[i].hidden;
    return shown > LADDER_ROWS_MAX;
}

static int prepare(struct ladder *ladder)
{
    size_t sockets = 2 * ((size_t)ladder->connections + 1);
    int r = ladder_tell(ladder);

    if (r == 0)
        r = ladder_fold(ladder);
    if (r == 0 && too_many(ladder))
        r = -E2BIG;
    if (r < 0)
        return r;
    ladder->shown = calloc(sockets, sizeof(*ladder->shown));
    ladder->views = calloc(sockets, sizeof(*ladder->views));
    ladder->visible = calloc((size_t)ladder->connections + 1, sizeof(*ladder->visible));
    if (!ladder->shown || !ladder->views || !ladder->visible)
        return -ENOMEM;
    for (size_t i = 0; i < ladder->n_rows; i++)
        if (ladder->rows[i].event && !ladder->rows[i].hidden)
            ladder->visible[ladder->rows[i].event->connection] = true;
    return 0;
}

/* Wide enough for what stands on the arrows. */
static void lay_out(struct ladder *ladder)
{
    double least = ladder->places == 2 ? 340 : ladder->places == 3 ? 250 : 200;
    double side = LADDER_MARGIN + LADDER_SIDE;

    ladder->segment = fmin(fmax(least, ladder_label_width(ladder) + 28), 420);
    for (unsigned i = 0; i < ladder->places; i++)
        ladder->x[i] = side + i * ladder->segment;
    ladder->width = ladder->x[ladder->places - 1] + LADDER_SIDE + 8;
}

/* The picture in front: all but what lies behind it. */
static int draw_front(struct ladder *ladder)
{
    int r;

    ladder_draw_head(ladder);
    r = ladder_draw_rows(ladder);
    return r < 0 ? r : ladder_draw_foot(ladder);
}

static int in_memory(struct ladder *ladder, int (*draw)(struct ladder *), char **text, size_t *len)
{
    FILE *to = open_memstream(text, len);
    int r;

    if (!to)
        return -ENOMEM;
    ladder->to = to;
    r = draw(ladder);
    if (fclose(to) != 0 && r == 0)
        r = -ENOMEM;
    return r;
}

static int put(FILE *to, const struct ladder *ladder, const char *behind, size_t n_behind,
               const char *front, size_t n_front)
{
    const struct scenario *scenario = ladder->scenario;

    errno = 0;
    svg_begin(to, ladder->width, ladder->y, scenario->title ? scenario->title : "A story");
    fwrite(behind, 1, n_behind, to);
    fwrite(front, 1, n_front, to);
    svg_end(to);
    if (fflush(to) != 0 || ferror(to))
        return errno ? -errno : -EIO;
    return 0;
}

int ladder_write(FILE *to, const struct timeline *timeline)
{
    struct ladder ladder = {.timeline = timeline,
                            .scenario = timeline->scenario,
                            .connections = timeline_connections(timeline),
                            .places = scenario_server(timeline->scenario) + 1,
                            .margin = -1,
                            .last_packet = -1};
    char *front = NULL, *behind = NULL;
    size_t n_front = 0, n_behind = 0;
    int r = prepare(&ladder);

    if (r == 0) {
        lay_out(&ladder);
        r = in_memory(&ladder, draw_front, &front, &n_front);
    }
    if (r == 0)
        r = in_memory(&ladder, ladder_draw_behind, &behind, &n_behind);
    if (r == 0)
        r = put(to, &ladder, behind, n_behind, front, n_front);
    free(front);
    free(behind);
    finish(&ladder);
    return r;
}
