/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Behind the rows: where something is blocked or down, and how long each end has a socket, and
 * whether it is alone with it. */
#include "tools/timeline/ladder_private.h"

#include <errno.h>
#include <stdlib.h>

#define SHADE 26.0

/* Does `end` put an end to what `deed` began? */
static bool ends(const struct deed *deed, const struct deed *end)
{
    if (deed->place != end->place)
        return false;
    switch (deed->verb) {
    case DEED_BLOCK:
    case DEED_PROHIBIT:
        return end->verb == DEED_UNBLOCK &&
               (!end->side_given || (deed->side_given && deed->side == end->side));
    case DEED_CRASH:
        return end->verb == DEED_REBOOT;
    case DEED_LINK_DOWN:
        return end->verb == DEED_LINK_UP;
    default:
        return true;
    }
}

bool ladder_lasts(const struct deed *deed)
{
    return deed->verb == DEED_BLOCK || deed->verb == DEED_PROHIBIT || deed->verb == DEED_CRASH ||
           deed->verb == DEED_LINK_DOWN || deed->verb == DEED_UNREACHABLE;
}

/* Where it is: around a firewall, else at the host's own link; a crash at the host itself. */
static void shade(struct ladder *ladder, const struct deed *deed, double y, double until)
{
    double x = ladder->x[deed->place] - SHADE / 2;
    bool crash = deed->verb == DEED_CRASH;

    if (!crash && deed->place == SCENARIO_CLIENT)
        x += SHADE / 2;
    else if (!crash && deed->place == ladder->places - 1)
        x -= SHADE / 2;
    svg_rect(ladder->to, x, y, SHADE, until - y, 0,
             &(struct svg_pen){.fill = crash ? "url(#down)" : "url(#blocked)", .class = "shade"});
}

void ladder_draw_shades(struct ladder *ladder)
{
    for (size_t i = 0; i < ladder->n_rows; i++) {
        const struct ladder_row *row = &ladder->rows[i];
        double until = ladder->bottom;

        if (row->kind != LADDER_DEED || row->hidden || !ladder_lasts(row->event->deed))
            continue;
        for (size_t j = i + 1; j < ladder->n_rows; j++)
            if (ladder->rows[j].kind == LADDER_DEED && !ladder->rows[j].hidden &&
                ends(row->event->deed, ladder->rows[j].event->deed)) {
                until = ladder->rows[j].y;
                break;
            }
        shade(ladder, row->event->deed, row->y, until);
    }
}

/* Both ends' sockets, counted over the connections. */
struct lives {
    struct ladder *ladder;
    struct life {
        bool has[2], both; /* both: it was a connection once */
    } * of;
    unsigned has[2], alone[2];
    double y[2]; /* drawn so far */
};

static bool alone(const struct life *life, unsigned side)
{
    return life->both && life->has[side] && !life->has[!side];
}

static void draw_piece(struct lives *lives, unsigned side, double y)
{
    struct ladder *ladder = lives->ladder;
    double x = ladder->x[side == FLOW_CLIENT ? 0 : ladder->places - 1];
    const struct svg_pen pen = {.stroke = lives->alone[side] ? COLOUR_ALONE : COLOUR_ALIVE,
                                .width = 4,
                                .class = lives->alone[side] ? "alone" : "alive"};

    if (lives->has[side] > 0 && y > lives->y[side])
        svg_line(ladder->to, x, lives->y[side], x, y, &pen);
    lives->y[side] = y;
}

static void live(struct lives *lives, const struct timeline_event *e)
{
    unsigned side = e->place == SCENARIO_CLIENT ? FLOW_CLIENT : FLOW_SERVER;
    struct life *life = &lives->of[e->connection];
    bool has = e->socket.state != SOCKET_GONE && e->socket.state != SOCKET_TIME_WAIT;
    double y = ladder_y_at(lives->ladder, e->t);

    if (has == life->has[side])
        return;
    for (unsigned i = 0; i < 2; i++) {
        draw_piece(lives, i, y);
        lives->alone[i] -= alone(life, i);
    }
    lives->has[side] += has ? 1 : -1u;
    life->has[side] = has;
    life->both |= life->has[0] && life->has[1];
    for (unsigned i = 0; i < 2; i++)
        lives->alone[i] += alone(life, i);
}

int ladder_draw_lives(struct ladder *ladder)
{
    struct lives lives = {.ladder = ladder, .y = {ladder->top, ladder->top}};

    lives.of = calloc((size_t)ladder->connections + 1, sizeof(*lives.of));
    if (!lives.of)
        return -ENOMEM;
    for (size_t i = 0; i < ladder->timeline->n_events; i++)
        if (ladder->timeline->events[i].kind == TIMELINE_SOCKET)
            live(&lives, &ladder->timeline->events[i]);
    for (unsigned side = 0; side < 2; side++)
        draw_piece(&lives, side, ladder->bottom);
    free(lives.of);
    return 0;
}
