/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/expect_private.h"

#include "tools/timeline/story_clock.h"

#include <stdlib.h>

/* Everything at one place as it stands between two events: all its sockets, or all its flows. */
struct standing {
    struct socket_view *sockets; /* by connection */
    struct standing_flow {
        uint64_t id; /* 0: free */
        enum flow_state state;
    } * flows;
    size_t n, n_flows, room_flows;
};

/* What the clock of a timer shows goes from `high` to `low` between two moments. */
static bool shows(const struct expectation *e, const struct socket_view *view, mtime_t from,
                  mtime_t to)
{
    mtime_t high, low;

    if ((int)view->timer != e->timer || view->state == SOCKET_GONE)
        return false;
    if (e->retransmits >= 0 && view->retransmits != e->retransmits)
        return false;
    if (e->probes >= 0 && view->probes != e->probes)
        return false;
    if (view->timer == TIMER_OFF)
        return true;
    /* One that is over shows 0 until it fires. */
    high = view->expires > from ? view->expires - from : 0;
    low = view->expires > to ? view->expires - to : 0;
    return low <= e->left_to && high >= e->left_from;
}

static uint32_t sockets_there(const struct standing *now)
{
    uint32_t n = 0;

    for (size_t i = 0; i < now->n; i++)
        n += now->sockets[i].state != SOCKET_GONE;
    return n;
}

static bool holds_sockets(const struct expectation *e, const struct standing *now, mtime_t from,
                          mtime_t to)
{
    uint32_t there;

    if (e->kind == EXPECT_CONNECTIONS || (e->kind == EXPECT_STATE && e->state == SOCKET_GONE)) {
        there = sockets_there(now);
        return e->kind == EXPECT_STATE ? there == 0
                                       : there >= e->number_from && there <= e->number_to;
    }
    for (size_t i = 0; i < now->n; i++)
        if (e->kind == EXPECT_STATE ? (int)now->sockets[i].state == e->state
                                    : shows(e, &now->sockets[i], from, to))
            return true;
    return false;
}

static bool holds_flows(const struct expectation *e, const struct standing *now)
{
    bool any = false;

    for (size_t i = 0; i < now->n_flows; i++) {
        any |= now->flows[i].id != 0;
        if (now->flows[i].id != 0 && (int)now->flows[i].state == e->state)
            return true;
    }
    return e->state < 0 && !any;
}

static bool holds(const struct expectation *e, const struct standing *now, mtime_t from, mtime_t to)
{
    return e->kind == EXPECT_FLOW ? holds_flows(e, now) : holds_sockets(e, now, from, to);
}

static void say_socket(const struct socket_view *view, mtime_t at, char *text, size_t size)
{
    if (view->timer == TIMER_OFF)
        snprintf(text, size, "%s off (0.00/%u/%u)", socket_state_name(view->state),
                 view->retransmits, view->probes);
    else
        snprintf(text, size, "%s %s (%.2f/%u/%u)", socket_state_name(view->state),
                 socket_timer_name(view->timer),
                 view->expires > at ? mtime_seconds(view->expires - at) : 0.0, view->retransmits,
                 view->probes);
}

static void say(const struct expectation *e, const struct standing *now, mtime_t at,
                struct expect_result *result)
{
    char when[STORY_TEXT], what[96] = "no socket";

    story_clock(at, when);
    if (e->kind == EXPECT_CONNECTIONS)
        snprintf(what, sizeof(what), "%u sockets", sockets_there(now));
    else if (e->kind == EXPECT_FLOW)
        snprintf(what, sizeof(what), "no flow");
    for (size_t i = 0; e->kind == EXPECT_FLOW && i < now->n_flows; i++)
        if (now->flows[i].id != 0)
            snprintf(what, sizeof(what), "flow %s", flow_state_name(now->flows[i].state));
    for (size_t i = 0; e->kind != EXPECT_FLOW && e->kind != EXPECT_CONNECTIONS && i < now->n; i++)
        if (now->sockets[i].state != SOCKET_GONE)
            say_socket(&now->sockets[i], at, what, sizeof(what));
    snprintf(result->seen, sizeof(result->seen), "%s at %s", what, when);
}

static bool put_flow(struct standing *now, const struct event *event)
{
    bool gone = event->kind == EVENT_EXPIRED || event->kind == EVENT_ENDED;

    if (event->kind == EVENT_LATE || event->flow.id == 0)
        return true;
    for (size_t i = 0; i < now->n_flows; i++)
        if (now->flows[i].id == event->flow.id) {
            now->flows[i].state = event->flow.state;
            now->flows[i].id = gone ? 0 : event->flow.id;
            return true;
        }
    if (gone)
        return true;
    if (now->n_flows == now->room_flows) {
        size_t room = now->room_flows ? 2 * now->room_flows : 16;
        struct standing_flow *flows = reallocarray(now->flows, room, sizeof(*flows));

        if (!flows)
            return false;
        now->flows = flows;
        now->room_flows = room;
    }
    now->flows[now->n_flows++] = (struct standing_flow){event->flow.id, event->flow.state};
    return true;
}

static bool apply(struct standing *now, const struct expectation *e,
                  const struct timeline_event *event)
{
    if (event->place != e->place)
        return true;
    if (event->kind == TIMELINE_SOCKET && event->connection <= now->n && event->connection > 0)
        now->sockets[event->connection - 1] = event->socket;
    if (event->kind == TIMELINE_FLOW && e->kind == EXPECT_FLOW)
        return put_flow(now, &event->flow);
    return true;
}

static bool later_matters(const struct timeline_event *event, const struct expectation *e)
{
    return event->place == e->place &&
           event->kind == (e->kind == EXPECT_FLOW ? TIMELINE_FLOW : TIMELINE_SOCKET);
}

bool expect_lasting(const struct timeline *timeline, const struct expectation *e,
                    struct expect_result *result)
{
    uint32_t connections = timeline_connections(timeline);
    struct standing now = {.sockets = calloc(connections + 1u, sizeof(*now.sockets)),
                           .n = connections};
    mtime_t since = 0;
    bool found = false, said = false, ok = now.sockets != NULL;

    /* Between two moments at which something changes, all stands as it does; events at the same
     * moment are one change. */
    for (size_t i = 0; ok && i <= timeline->n_events && !found; i++) {
        bool last = i == timeline->n_events;
        mtime_t t = last ? timeline->end : timeline->events[i].t;
        mtime_t from = since > e->from ? since : e->from;
        mtime_t to = last || t - 1 > e->to ? e->to : t - 1;

        if (!last && !later_matters(&timeline->events[i], e))
            continue;
        if ((t > since || last) && from <= to) {
            if (!said)
                say(e, &now, from, result);
            said = true;
            found = holds(e, &now, from, to);
        }
        if (last)
            break;
        ok = apply(&now, e, &timeline->events[i]);
        since = t;
    }
    if (!ok)
        snprintf(result->seen, sizeof(result->seen), "out of memory");
    free(now.sockets);
    free(now.flows);
    return found;
}
