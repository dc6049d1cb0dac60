/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows from top to bottom, each below all that belongs to the one before; what lies long apart
 * in time is folded. */
#include "tools/timeline/ladder_private.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define SILENCE (10 * MTIME_SEC) /* longer ones are folded */
#define BURST (500 * MTIME_MSEC) /* what is closer together is one exchange */

static const struct svg_font grey = {.size = 11, .italic = true, .fill = COLOUR_GREY};

int ladder_anchor(struct ladder *ladder, mtime_t t, double y)
{
    int r = ladder_reserve((void **)&ladder->anchors, &ladder->room_anchors, ladder->n_anchors,
                           sizeof(*ladder->anchors));

    if (r < 0)
        return r;
    if (ladder->n_anchors > 0) {
        const struct ladder_anchor *last = &ladder->anchors[ladder->n_anchors - 1];

        t = t > last->t ? t : last->t;
        y = fmax(y, last->y);
    }
    ladder->anchors[ladder->n_anchors++] = (struct ladder_anchor){t, y};
    return 0;
}

double ladder_y_at(const struct ladder *ladder, mtime_t t)
{
    size_t low = 0, high = ladder->n_anchors;
    const struct ladder_anchor *next;

    while (low < high) { /* the first that is not before t */
        size_t half = low + (high - low) / 2;

        if (ladder->anchors[half].t >= t)
            high = half;
        else
            low = half + 1;
    }
    if (low == ladder->n_anchors)
        return ladder->bottom;
    next = &ladder->anchors[low];
    if (next->t == t)
        return next->y;
    if (low == 0)
        return ladder->top;
    return next[-1].y +
           (next->y - next[-1].y) * (double)(t - next[-1].t) / (double)(next->t - next[-1].t);
}

/* Between two lifelines, so that words are not written over one. */
static double middle(const struct ladder *ladder)
{
    unsigned left = (ladder->places - 2) / 2;

    return (ladder->x[left] + ladder->x[left + 1]) / 2;
}

/* A lifeline with a piece cut out. */
static void draw_zigzag(struct ladder *ladder, double x, double y)
{
    const double points[][2] = {{x, y}, {x - 5, y + 4}, {x + 5, y + 12}, {x, y + 16}};
    const struct svg_pen clear = {.stroke = "#ffffff", .width = 6};
    const struct svg_pen pen = {.stroke = COLOUR_INK, .width = 1.3};

    svg_line(ladder->to, x, y, x, y + 16, &clear);
    svg_path(ladder->to, points, 4, false, &pen);
}

/* How long nothing was on the wire; in two lines if they do not fit between two lifelines. */
static unsigned silence_text(const struct ladder *ladder, mtime_t from, mtime_t to,
                             char lines[2][2 * LADDER_TEXT])
{
    char part[LADDER_TEXT], whole[LADDER_TEXT];

    ladder_text_duration(part, to - from);
    snprintf(lines[0], sizeof(lines[0]), "%.60s %s", part,
             ladder->last_packet < 0 || from - ladder->last_packet >= BURST ? "later"
                                                                            : "of silence");
    if (ladder->last_packet < 0 || from - ladder->last_packet < BURST)
        return 1;
    ladder_text_duration(whole, to - ladder->last_packet);
    snprintf(lines[1], sizeof(lines[1]), "%.60s later: %.60s of silence by now", part, whole);
    if (svg_width(&grey, lines[1]) > ladder->segment - 40) {
        snprintf(lines[1], sizeof(lines[1]), "(%.60s of silence by now)", whole);
        return 2;
    }
    memcpy(lines[0], lines[1], sizeof(lines[0]));
    return 1;
}

static int draw_silence(struct ladder *ladder, mtime_t from, mtime_t to)
{
    double left = ladder->x[0] + 10, right = ladder->x[ladder->places - 1] - 10;
    char text[2][2 * LADDER_TEXT];
    unsigned lines = silence_text(ladder, from, to, text);
    double y = ladder->y + 2, height = 34 + 5 * log10((double)(to - from) / (double)SILENCE + 1) +
                                       (lines - 1) * LADDER_LINE;
    double centre = y + height / 2 - 3;
    /* A moment within: at its ends the rows are. */
    int r = ladder_anchor(ladder, from + 1, y);

    if (r == 0)
        r = ladder_anchor(ladder, to - 1, y + height - 6);
    svg_rect(ladder->to, left, y + 4, right - left, height - 14, 3,
             &(struct svg_pen){.fill = "#eef1f4", .opacity = 0.7});
    for (unsigned i = 0; i < ladder->places; i++)
        draw_zigzag(ladder, ladder->x[i], centre - 8);
    for (unsigned i = 0; i < lines; i++)
        svg_text(ladder->to, middle(ladder), centre + 4 + LADDER_LINE * (i - (lines - 1) / 2.0),
                 SVG_MIDDLE, &grey, text[i]);
    ladder->y += height;
    return r;
}

static const char *many(const struct ladder_row *folded)
{
    for (size_t i = 1; i <= folded->unit; i++)
        if (folded[i].kind != LADDER_PACKET)
            return " such rounds";
    return folded->unit > 1 ? " such exchanges" : "";
}

static void draw_folded(struct ladder *ladder, struct ladder_row *row)
{
    mtime_t least = row->apart_least, most = row->apart_most;
    char text[LADDER_TEXT], every[LADDER_TEXT], to[LADDER_TEXT];
    size_t packets = 0;

    row->y = row->y_until = row->y_side = ladder->y + 14;
    for (size_t i = 1; i <= row->folded; i++)
        packets += row[i].kind == LADDER_PACKET;
    if (row->unit == 0)
        snprintf(text, sizeof(text), "\xe2\x80\xa6 %zu more packets of data and ACKs \xe2\x80\xa6",
                 packets);
    else if (most < 100 * MTIME_MSEC)
        snprintf(text, sizeof(text), "\xe2\x80\xa6 %zu more%s, at once \xe2\x80\xa6", row->repeats,
                 many(row));
    else if (most - least <= most / 8)
        snprintf(text, sizeof(text), "\xe2\x80\xa6 %zu more%s, every %.60s \xe2\x80\xa6",
                 row->repeats, many(row), ladder_text_duration(every, (least + most) / 2));
    else
        snprintf(text, sizeof(text), "\xe2\x80\xa6 %zu more%s, %.60s to %.60s apart \xe2\x80\xa6",
                 row->repeats, many(row), ladder_text_duration(every, least),
                 ladder_text_duration(to, most));
    fprintf(ladder->to, "<g class=\"fold\" data-packets=\"%zu\">\n", packets);
    svg_text(ladder->to, middle(ladder), row->y + 4, SVG_MIDDLE, &grey, text);
    fputs("</g>\n", ladder->to);
    ladder->y = row->y + 20;
}

static void draw_deed(struct ladder *ladder, struct ladder_row *row)
{
    const struct svg_font font = {.size = 11.5, .bold = true, .fill = COLOUR_DEED};
    char text[LADDER_TEXT];
    double half;

    ladder_text_deed(text, ladder, row->event->deed);
    half = svg_width(&font, text) / 2;
    ladder->shaded |= ladder_lasts(row->event->deed);
    row->y = row->y_until = ladder->y + 18;
    row->y_side = row->y + 12;
    svg_line(ladder->to, LADDER_MARGIN, row->y, ladder->width - 8, row->y,
             &(struct svg_pen){.stroke = COLOUR_DEED, .dash = "6 4", .width = 1.3});
    svg_text(ladder->to, fmax(fmin(middle(ladder), ladder->width - 8 - half), LADDER_MARGIN + half),
             row->y - 5, SVG_MIDDLE, &font, text);
    ladder->y = row->y + 8;
}

static void draw_flow(struct ladder *ladder, struct ladder_row *row)
{
    const struct svg_font font = {.size = 11.5, .bold = true, .fill = COLOUR_BAD};
    double left = ladder->x[0] + 12, right = ladder->x[ladder->places - 1] - 12;
    double x = ladder->x[row->event->place], width = 0, y;
    char text[LADDER_TEXT];
    unsigned lines = 0;

    ladder_text_forgot(text, ladder, row->event);
    for (const char *p = text; *p; lines++) {
        size_t fit = svg_fit(&font, p, right - left - 24);

        width = fmax(width, svg_width_n(&font, p, fit) + 20);
        p = svg_next_line(p, fit);
    }
    x = fmin(fmax(x, left + width / 2), right - width / 2);
    row->y = row->y_until = ladder->y + 4;
    row->y_side = row->y + 10;
    y = row->y + 13;
    svg_rect(ladder->to, x - width / 2, row->y, width, lines * 14.0 + 6, 4,
             &(struct svg_pen){.fill = "#fff1f0", .stroke = COLOUR_BAD, .width = 1.2});
    ladder_wrapped(ladder, x, &y, right - left - 24, 14, SVG_MIDDLE, &font, text, lines);
    ladder->y = row->y + lines * 14.0 + 14;
}

static void draw_last(struct ladder *ladder, struct ladder_row *row)
{
    row->y = row->y_until = ladder->y + 16;
    svg_line(ladder->to, LADDER_MARGIN, row->y, ladder->width - 8, row->y,
             &(struct svg_pen){.stroke = COLOUR_GREY, .width = 1});
    svg_text(ladder->to, middle(ladder), row->y - 5, SVG_MIDDLE, &grey, "here the story ends");
    ladder->bottom = row->y;
    ladder->y = row->y + 8;
    ladder_draw_last(ladder);
}

static void draw_time(struct ladder *ladder, const struct ladder_row *row)
{
    const struct svg_font font = {.size = 10.5, .mono = true, .fill = COLOUR_GREY};
    double y = row->kind == LADDER_FLOW ? row->y + 13 : row->y + 4;
    mtime_t t = row->t / (100 * MTIME_MSEC);
    char clock[STORY_TEXT], *point;

    if (t == ladder->margin || row->kind == LADDER_FOLDED)
        return;
    ladder->margin = t;
    story_clock(row->t, clock);
    point = strchr(clock, '.');
    if (point && point[1])
        point[2] = '\0';
    svg_text(ladder->to, LADDER_MARGIN - 8, y, SVG_END, &font, clock);
}

static void draw_row(struct ladder *ladder, struct ladder_row *row)
{
    switch (row->kind) {
    case LADDER_PACKET:
        ladder_draw_packet(ladder, row);
        ladder->last_packet = row->until;
        break;
    case LADDER_DEED:
        draw_deed(ladder, row);
        break;
    case LADDER_NOTE:
        row->y = row->y_until = row->y_side = ladder->y + 8;
        ladder->y = row->y + 8;
        break;
    case LADDER_FLOW:
        draw_flow(ladder, row);
        break;
    case LADDER_FOLDED:
        draw_folded(ladder, row);
        ladder->last_packet = row->until;
        break;
    case LADDER_LAST:
        draw_last(ladder, row);
        break;
    }
}

/* Those that were folded away lie evenly where they are counted. */
static void place_hidden(struct ladder *ladder, struct ladder_row *folded)
{
    for (size_t i = 1; i <= folded->folded; i++) {
        struct ladder_row *row = &folded[i];

        row->y = row->y_until = folded->y - 8 + 18 * (double)i / (double)(folded->folded + 1);
        for (size_t h = row->hops; h != LADDER_NONE; h = ladder->hops[h].next)
            ladder->hops[h].y = row->y;
    }
}

int ladder_draw_rows(struct ladder *ladder)
{
    const struct ladder_row *before = NULL;
    int r = 0;

    for (size_t i = 0; i < ladder->n_rows && r == 0;) {
        struct ladder_row *row = &ladder->rows[i];
        size_t next = i + 1 + row->folded;
        mtime_t gap = before ? row->t - before->until : row->t;

        if (gap >= SILENCE && (!before || before->kind != LADDER_FOLDED))
            r = draw_silence(ladder, row->t - gap, row->t);
        else if (gap >= MTIME_SEC)
            ladder->y += 8;
        draw_row(ladder, row);
        place_hidden(ladder, row);
        draw_time(ladder, row);
        if (r == 0)
            r = ladder_anchor(ladder, row->t, row->y);
        if (r == 0)
            r = ladder_anchor(ladder, row->until, row->y_until);
        if (row->kind != LADDER_LAST)
            ladder_draw_notes(ladder, row);
        if (next < ladder->n_rows && ladder->rows[next].t - row->until >= BURST)
            ladder_draw_sockets(ladder, row, row->until + BURST);
        ladder->y = fmax(ladder->y, fmax(ladder->side_y[0], ladder->side_y[1]) + 8);
        before = row;
        i = next;
    }
    return r;
}
