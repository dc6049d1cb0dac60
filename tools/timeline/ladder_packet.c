/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet: one arrow, with a piece for each link it passes. */
#include "tools/timeline/ladder_private.h"

#include <math.h>
#include <string.h>

#define SLANT 6.0 /* of one piece */
#define SLANT_ALL 24.0
#define ROW_GAP 9.0

static const struct svg_font label_font = {.size = 10.5, .mono = true};
static const struct svg_font note_font = {.size = 10.5, .italic = true};

static char *label(const struct ladder *ladder, const struct ladder_row *row, char *text)
{
    char flags[LADDER_TEXT];

    ladder_text_flags(flags, &row->event->packet);
    if (ladder->connections > 1)
        snprintf(text, LADDER_TEXT, "#%u %.*s", row->event->connection, LADDER_TEXT - 16, flags);
    else
        snprintf(text, LADDER_TEXT, "%s", flags);
    return text;
}

double ladder_label_width(const struct ladder *ladder)
{
    char text[LADDER_TEXT];
    double widest = 0;

    for (size_t i = 0; i < ladder->n_rows; i++) {
        const struct ladder_row *row = &ladder->rows[i];

        if (row->kind != LADDER_PACKET || row->hidden)
            continue;
        widest = fmax(widest, svg_width(&label_font, label(ladder, row, text)));
        widest = fmax(widest, svg_width(&note_font, ladder_text_note(text, ladder, row)));
    }
    return widest;
}

static bool stopped(const struct ladder_hop *hop)
{
    return hop->packet->passage == PASSAGE_DROPPED || hop->packet->passage == PASSAGE_LOST;
}

/* Where the packet ends. */
static void draw_end(struct ladder *ladder, const struct ladder_hop *hop, double x, int direction,
                     const char *colour)
{
    const struct svg_pen bad = {.stroke = COLOUR_BAD,
                                .width = 2.6,
                                .class = hop->packet->passage == PASSAGE_DROPPED ? "drop" : "loss"};

    if (stopped(hop))
        svg_cross(ladder->to, x, hop->y, 5.5, &bad);
    else
        svg_arrow_head(ladder->to, x, hop->y, direction, colour);
}

/* Below the arrow, from *y on. */
static void draw_below(struct ladder *ladder, double *y, double x, double room,
                       enum svg_anchor anchor, const struct svg_font *font, const char *text)
{
    while (*text) {
        size_t fit = svg_fit(font, text, room);

        *y += LADDER_LINE;
        svg_text_n(ladder->to, x, *y, anchor, font, text, fit);
        text = svg_next_line(text, fit);
    }
}

struct arrow {
    int direction;
    const char *colour;
    double x, x_end; /* of what was drawn last; of the whole */
};

/* Piece by piece; gives each hop its y. */
static struct arrow draw_arrow(struct ladder *ladder, const struct ladder_row *row)
{
    bool made = row->event->packet.passage == PASSAGE_INJECTED;
    struct arrow arrow = {.direction = row->event->packet.from == FLOW_CLIENT ? 1 : -1,
                          .colour = made ? COLOUR_MADE : COLOUR_PACKET};
    struct ladder_hop *before = &ladder->hops[row->hops];
    double slant = fmin(SLANT, SLANT_ALL / (ladder->places - 1)), y = row->y;
    const struct svg_pen pen = {.stroke = arrow.colour, .width = 1.5};
    bool ended = false;

    arrow.x = ladder->x[before->place];
    before->y = y;
    for (size_t i = before->next; i != LADDER_NONE; i = ladder->hops[i].next) {
        struct ladder_hop *hop = &ladder->hops[i];
        double x = ladder->x[hop->place];

        /* Lost on the link behind the place where it was seen last. */
        if (hop->place == before->place)
            x += arrow.direction * (ladder_is_blocked(ladder, hop) ? 26 : ladder->segment / 2);
        else if (hop->packet->passage == PASSAGE_LOST)
            x -= arrow.direction * 12;
        hop->y = y + slant;
        svg_line(ladder->to, arrow.x, y, x, hop->y, &pen);
        if (hop->packet->passage == PASSAGE_FORWARDED)
            svg_circle(ladder->to, x, hop->y, 2.6, &(struct svg_pen){.fill = arrow.colour});
        arrow.x = x;
        y = hop->y;
        before = hop;
        ended = hop->packet->passage == PASSAGE_RECEIVED || stopped(hop);
    }
    if (!ended) { /* on its way when the story ended */
        double x = arrow.x + arrow.direction * ladder->segment / 2;

        svg_line(ladder->to, arrow.x, y, x, y, &pen);
        arrow.x = x;
    }
    arrow.x_end = arrow.x;
    draw_end(ladder, before, arrow.x, arrow.direction, arrow.colour);
    return arrow;
}

void ladder_draw_packet(struct ladder *ladder, struct ladder_row *row)
{
    const struct ladder_hop *first = &ladder->hops[row->hops], *last = &ladder->hops[row->last_hop];
    struct svg_font label_of = label_font, note_of = note_font;
    const struct svg_font end_font = {.size = 10.5, .bold = true, .fill = COLOUR_BAD};
    char text[LADDER_TEXT], end[LADDER_TEXT];
    double middle, below;
    struct arrow arrow;

    row->y = ladder->y + 15;
    fprintf(ladder->to, "<g class=\"packet\" data-id=\"%llu\">\n",
            (unsigned long long)row->event->packet.id);
    arrow = draw_arrow(ladder, row);
    row->y_until = row->y_side = fmax(last->y, row->y);
    label_of.fill = note_of.fill = arrow.colour;
    middle = ladder->x[first->place] + arrow.direction * ladder->segment / 2;
    svg_text(ladder->to, middle, row->y - 4, SVG_MIDDLE, &label_of, label(ladder, row, text));
    /* Below the first piece, which is the least slanted way down. */
    below = row->y + (first->next == LADDER_NONE ? 0 : ladder->hops[first->next].y - row->y) - 1;
    ladder_text_note(text, ladder, row);
    if (*text && stopped(last) && first->next == row->last_hop) {
        /* Beside the cross, if there is room for it. */
        if (svg_width(&note_of, text) < fabs(arrow.x_end - ladder->x[first->place]) - 16)
            middle = (arrow.x_end + ladder->x[first->place]) / 2;
        else
            below += 4;
    }
    if (*text)
        draw_below(ladder, &below, middle, ladder->segment - 16, SVG_MIDDLE, &note_of, text);
    ladder_text_end(end, ladder, row, last);
    if (*end) {
        double length = fabs(arrow.x_end - ladder->x[first->place]);
        /* Behind the cross, under the arrow; a short one leaves no room there. */
        double ahead = arrow.direction * (length < 40 ? 1 : -1);

        below = fmax(below, row->y_until + (*text ? -1 : 2));
        draw_below(ladder, &below, arrow.x_end + ahead * 8,
                   fmax(length - 22, ladder->segment / 2 - 12), ahead < 0 ? SVG_END : SVG_START,
                   &end_font, end);
    }
    fputs("</g>\n", ladder->to);
    ladder->y = fmax(row->y_until, below + 3) + ROW_GAP;
}
