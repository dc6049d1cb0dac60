/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/outcome.h"

#include <errno.h>

static unsigned place_of(const struct timeline *timeline, unsigned side)
{
    return side == FLOW_CLIENT ? SCENARIO_CLIENT : scenario_server(timeline->scenario);
}

static void see_app(struct outcome_side *side, mtime_t t, const struct timeline_app *app)
{
    bool first = side->noticed == MTIME_NEVER;

    switch (app->act) {
    case APP_ERROR:
        if (first) {
            side->noticed = t;
            side->error = app->error;
        }
        break;
    case APP_EOF:
        side->eof = true;
        side->noticed = first ? t : side->noticed;
        break;
    case APP_READ_TIMEOUT:
    case APP_HEARTBEAT_TIMEOUT:
        side->gave_up = true;
        side->noticed = first ? t : side->noticed;
        break;
    case APP_CLOSE:
    case APP_IDLE_CLOSE:
    case APP_ENDED:
        side->closed = true;
        break;
    case APP_CONNECT:
    case APP_CONNECTED:
    case APP_ACCEPTED:
    case APP_SEND:
    case APP_READ:
        break;
    }
}

static bool open_state(enum socket_state state)
{
    return state == SOCKET_ESTABLISHED || state == SOCKET_CLOSE_WAIT ||
           state == SOCKET_FIN_WAIT_1 || state == SOCKET_FIN_WAIT_2;
}

static void see_flow(const struct timeline *timeline, struct outcome_connection *out,
                     const struct timeline_event *e)
{
    const struct event *event = &e->flow;
    bool over = event->kind == EVENT_EXPIRED || event->kind == EVENT_ENDED;

    (void)timeline;
    if (over && event->reason != FLOW_END_DETECTED && out->forgotten_by < 0 &&
        (open_state(out->side[0].state) || open_state(out->side[1].state))) {
        out->forgotten_by = e->place;
        out->forgotten_at = e->t;
        out->forgotten_timeout = event->flow.timeout_name;
        out->forgotten_after =
            event->reason == FLOW_END_FORCED || event->reason == FLOW_END_RESOURCES
                ? 0
                : event->flow.timeout;
    }
    if (event->kind == EVENT_LATE && !out->late && event->action != ACTED_ADOPTED) {
        out->late = true;
        out->late_at = e->t;
        out->late_action = event->action;
    }
}

struct silence {
    mtime_t last; /* MTIME_NEVER: nothing yet */
};

static void see_packet(struct outcome_connection *out, struct silence *silence,
                       const struct timeline_event *e)
{
    const struct timeline_packet *p = &e->packet;
    struct outcome_side *from = &out->side[p->from];

    if (p->passage == PASSAGE_SENT) {
        from->probes += p->note == NOTE_PROBE;
        from->retransmits += p->note == NOTE_RETRANSMIT;
    }
    if (p->passage != PASSAGE_RECEIVED && p->passage != PASSAGE_SENT)
        return;
    if (silence->last != MTIME_NEVER && e->t - silence->last > out->longest_idle &&
        (open_state(out->side[0].state) || open_state(out->side[1].state)))
        out->longest_idle = e->t - silence->last;
    silence->last = e->t;
}

static void see_deed(const struct timeline *timeline, struct outcome_connection *out,
                     const struct timeline_event *e)
{
    for (unsigned side = 0; side < 2; side++) {
        if (e->deed->place != place_of(timeline, side))
            continue;
        if (e->deed->verb == DEED_CRASH)
            out->side[side].crashed = true;
        if (e->deed->verb == DEED_REBOOT)
            out->side[side].crashed = false;
        if (e->deed->verb == DEED_CRASH || e->deed->verb == DEED_REBOOT)
            out->side[side].state = SOCKET_GONE;
    }
}

/* Left alone: it holds the connection open, and the other end has no socket for it any more. */
static bool left_alone(const struct outcome_side *one, const struct outcome_side *other)
{
    return (one->state == SOCKET_ESTABLISHED || one->state == SOCKET_CLOSE_WAIT) &&
           other->state == SOCKET_GONE;
}

int story_outcome(const struct timeline *timeline, uint32_t connection,
                  struct outcome_connection *out)
{
    struct silence silence = {MTIME_NEVER};
    bool any = false;

    *out = (struct outcome_connection){.connection = connection,
                                       .side = {{.noticed = MTIME_NEVER}, {.noticed = MTIME_NEVER}},
                                       .forgotten_by = -1,
                                       .forgotten_at = MTIME_NEVER,
                                       .late_at = MTIME_NEVER};
    for (size_t i = 0; i < timeline->n_events; i++) {
        const struct timeline_event *e = &timeline->events[i];
        unsigned side = e->place == SCENARIO_CLIENT ? FLOW_CLIENT : FLOW_SERVER;

        if (e->kind == TIMELINE_DEED) {
            see_deed(timeline, out, e);
            continue;
        }
        if (e->connection != connection)
            continue;
        any = true;
        if (e->kind == TIMELINE_APP)
            see_app(&out->side[side], e->t, &e->app);
        else if (e->kind == TIMELINE_SOCKET)
            out->side[side].state = e->socket.state;
        else if (e->kind == TIMELINE_FLOW)
            see_flow(timeline, out, e);
        else
            see_packet(out, &silence, e);
    }
    for (unsigned side = 0; side < 2; side++) {
        struct outcome_side *one = &out->side[side];

        one->believes = left_alone(one, &out->side[!side]);
        out->broken |= one->believes || one->error != 0 || one->gave_up;
    }
    return any ? 0 : -ENOENT;
}
