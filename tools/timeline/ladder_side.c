/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Beside the outer lifelines: what the applications do and see, and how their sockets stand. */
#include "tools/timeline/ladder_private.h"

#include "tools/timeline/outcome.h"
#include "tools/timeline/timeline_text.h"

#include <string.h>

#define GAP 14.0   /* from the lifeline */
#define LAST_MAX 4 /* connections told of at the end */

static const struct svg_font plain = {.size = 11, .fill = COLOUR_INK};
static const struct svg_font bold = {.size = 11, .bold = true, .fill = COLOUR_INK};
static const struct svg_font alarm_font = {.size = 11.5, .bold = true, .fill = COLOUR_BAD};
static const struct svg_font state_font = {
    .size = 10.5, .mono = true, .bold = true, .fill = "#22663c"};
static const struct svg_font timer_font = {.size = 10.5, .mono = true, .fill = "#22663c"};

/* Below what stands there already. */
void ladder_side_text(struct ladder *ladder, unsigned side, double y, const struct svg_font *font,
                      const char *text)
{
    double x = side == FLOW_CLIENT ? ladder->x[0] - GAP : ladder->x[ladder->places - 1] + GAP;

    while (*text) {
        size_t fit = svg_fit(font, text, LADDER_SIDE - GAP - 6);

        if (y < ladder->side_y[side] + LADDER_LINE)
            y = ladder->side_y[side] + LADDER_LINE;
        svg_text_n(ladder->to, x, y, side == FLOW_CLIENT ? SVG_END : SVG_START, font, text, fit);
        ladder->side_y[side] = y;
        text = svg_next_line(text, fit);
    }
}

static unsigned side_of(const struct timeline_event *e)
{
    return e->place == SCENARIO_CLIENT ? FLOW_CLIENT : FLOW_SERVER;
}

static char *numbered(const struct ladder *ladder, uint32_t connection, char *text)
{
    char copy[LADDER_TEXT];

    if (ladder->connections < 2 || connection == 0)
        return text;
    snprintf(copy, sizeof(copy), "%s", text);
    snprintf(text, LADDER_TEXT, "#%u %.*s", connection, LADDER_TEXT - 16, copy);
    return text;
}

void ladder_draw_notes(struct ladder *ladder, const struct ladder_row *row)
{
    char text[LADDER_TEXT];

    for (size_t i = row->notes; i != LADDER_NONE; i = ladder->notes[i].next) {
        const struct timeline_event *e = ladder->notes[i].event;
        bool receives = e->kind == TIMELINE_APP &&
                        (e->app.act == APP_EOF || e->app.act == APP_ERROR) &&
                        row->kind == LADDER_PACKET;
        const struct svg_font *font = &plain;

        if (ladder_is_alarm(e))
            font = &alarm_font;
        else if (e->kind == TIMELINE_APP && e->app.act == APP_EOF)
            font = &bold;
        ladder_side_text(ladder, side_of(e), (receives ? row->y_side : row->y) + 4, font,
                         numbered(ladder, e->connection, ladder_text_app(text, e)));
    }
}

static bool same(const struct socket_view *a, const struct socket_view *b)
{
    return a->state == b->state && a->timer == b->timer && a->retransmits == b->retransmits &&
           a->probes == b->probes;
}

static void draw_socket(struct ladder *ladder, uint32_t connection, unsigned side, double y,
                        mtime_t t)
{
    size_t i = 2 * (size_t)connection + side;
    const struct socket_view *now = &ladder->views[i], *before = &ladder->shown[i];
    char text[LADDER_TEXT];

    if (same(now, before))
        return;
    if (now->state != before->state) {
        snprintf(text, sizeof(text), "%s",
                 now->state == SOCKET_GONE ? "socket gone" : socket_state_name(now->state));
        ladder_side_text(ladder, side, y, &state_font, numbered(ladder, connection, text));
    }
    if (now->state != SOCKET_GONE) {
        text_netstat_timer(text, sizeof(text), now, t);
        ladder_side_text(ladder, side, y, &timer_font, text);
    }
    ladder->shown[i] = *now;
}

void ladder_draw_sockets(struct ladder *ladder, const struct ladder_row *row, mtime_t until)
{
    const struct timeline *timeline = ladder->timeline;
    size_t first = ladder->socket_event;

    while (ladder->socket_event < timeline->n_events &&
           timeline->events[ladder->socket_event].t < until) {
        const struct timeline_event *e = &timeline->events[ladder->socket_event++];

        if (e->kind == TIMELINE_SOCKET)
            ladder->views[2 * (size_t)e->connection + side_of(e)] = e->socket;
    }
    for (size_t i = first; i < ladder->socket_event; i++) {
        const struct timeline_event *e = &timeline->events[i];

        if (e->kind != TIMELINE_SOCKET)
            continue;
        /* What came and went in rows that are not shown is not told either. */
        if (row->kind == LADDER_FOLDED && ladder->connections > 1)
            ladder->shown[2 * (size_t)e->connection + side_of(e)] = e->socket;
        else if (same(&e->socket, &ladder->views[2 * (size_t)e->connection + side_of(e)]))
            draw_socket(ladder, e->connection, side_of(e),
                        (e->t < row->until ? ladder_y_at(ladder, e->t) : row->y_side) + 4,
                        row->until);
    }
}

static void draw_last_of(struct ladder *ladder, uint32_t connection, unsigned side,
                         const struct outcome_connection *outcome)
{
    const struct outcome_side *end = &outcome->side[side];
    char text[LADDER_TEXT];

    if (end->state == SOCKET_GONE || end->crashed)
        snprintf(text, sizeof(text), end->crashed ? "down" : "no socket any more");
    else
        snprintf(text, sizeof(text), "still %s", socket_state_name(end->state));
    ladder_side_text(ladder, side, ladder->y + 8, end->believes ? &alarm_font : &bold,
                     numbered(ladder, connection, text));
    if (end->believes)
        ladder_side_text(ladder, side, ladder->y + 8, &alarm_font, "with nobody at the other end");
}

void ladder_draw_last(struct ladder *ladder)
{
    uint32_t first = ladder->connections > LAST_MAX ? ladder->connections - LAST_MAX + 1 : 1;
    struct outcome_connection outcome;
    char text[LADDER_TEXT];

    for (uint32_t c = first; c <= ladder->connections; c++)
        if (story_outcome(ladder->timeline, c, &outcome) == 0)
            for (unsigned side = 0; side < 2; side++)
                draw_last_of(ladder, c, side, &outcome);
    for (unsigned side = 0; side < 2 && first > 1; side++) {
        unsigned there = 0;

        for (uint32_t c = 1; c < first; c++)
            there += ladder->views[2 * (size_t)c + side].state != SOCKET_GONE;
        snprintf(text, sizeof(text), "and %u socket%s of #1 to #%u", there, there == 1 ? "" : "s",
                 first - 1);
        ladder_side_text(ladder, side, ladder->y + 8, &plain, text);
    }
}
