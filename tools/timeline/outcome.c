/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/outcome.h"

#include <errno.h>
#include <stdlib.h>

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
    case APP_EXITED:
        if (!side->closed) {
            side->exited = true;
            side->noticed = first ? t : side->noticed;
        }
        break;
    case APP_CLOSE:
    case APP_IDLE_CLOSE:
    case APP_ENDED:
        if (!side->closed)
            side->closed_at = t;
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

static void see_flow(struct outcome_connection *out, const struct timeline_event *e)
{
    const struct event *event = &e->flow;
    bool over = event->kind == EVENT_EXPIRED || event->kind == EVENT_ENDED;

    if (over && event->reason != FLOW_END_DETECTED && out->forgotten_by < 0 &&
        (open_state(out->side[0].state) || open_state(out->side[1].state))) {
        out->forgotten_by = e->place;
        out->forgotten_at = e->t;
        out->forgotten_action = event->action;
        out->forgotten_rule = event->flow.rule;
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

/* What is known while the story goes on. */
struct account {
    struct outcome_connection outcome;
    mtime_t last; /* something was sent or arrived; MTIME_NEVER: nothing yet */
    bool any;
};

static void see_packet(struct account *account, const struct timeline_event *e)
{
    struct outcome_connection *out = &account->outcome;
    const struct timeline_packet *p = &e->packet;
    struct outcome_side *from = &out->side[p->from];

    if (p->passage == PASSAGE_SENT) {
        if (p->tcp && !(p->flags & TCP_RST)) /* one may follow the last probe */
            from->probing = p->note == NOTE_PROBE;
        from->probes += p->note == NOTE_PROBE;
        from->retransmits += p->note == NOTE_RETRANSMIT;
    }
    if (p->passage != PASSAGE_RECEIVED && p->passage != PASSAGE_SENT)
        return;
    if (account->last != MTIME_NEVER && e->t - account->last > out->longest_idle &&
        (open_state(out->side[0].state) || open_state(out->side[1].state)))
        out->longest_idle = e->t - account->last;
    account->last = e->t;
}

static void see_fault(struct outcome_side *side, const struct deed *deed, mtime_t t)
{
    switch (deed->verb) {
    case DEED_CRASH:
        side->crashed = true;
        side->crashed_at = side->crashed_at == MTIME_NEVER ? t : side->crashed_at;
        break;
    case DEED_REBOOT:
        side->crashed = false;
        side->crashed_at = side->crashed_at == MTIME_NEVER ? t : side->crashed_at;
        break;
    case DEED_LINK_DOWN:
        side->vanished = true;
        return;
    case DEED_LINK_UP: /* a socket stays bound to the address that it was made with */
        side->moved |= deed->new_address;
        side->vanished = side->moved;
        return;
    default:
        return;
    }
    if (side->state != SOCKET_GONE)
        side->ended = t;
    side->state = SOCKET_GONE;
    side->view = (struct socket_view){.state = SOCKET_GONE, .expires = MTIME_NEVER};
}

static void see_deed(const struct timeline *timeline, struct outcome_connection *out,
                     const struct timeline_event *e)
{
    for (unsigned side = 0; side < 2; side++)
        if (e->deed->place == place_of(timeline, side))
            see_fault(&out->side[side], e->deed, e->t);
}

static void see_socket(struct outcome_side *side, mtime_t t, const struct socket_view *view)
{
    if (view->state == SOCKET_GONE && side->state != SOCKET_GONE)
        side->ended = t;
    if (view->state != SOCKET_GONE)
        side->ended = MTIME_NEVER;
    side->state = view->state;
    side->view = *view;
}

/* Left alone: it holds the connection open, and the other end has no socket for it any more. */
static bool left_alone(const struct outcome_side *one, const struct outcome_side *other)
{
    return (one->state == SOCKET_ESTABLISHED || one->state == SOCKET_CLOSE_WAIT) &&
           other->state == SOCKET_GONE;
}

static void see(struct account *account, const struct timeline *timeline,
                const struct timeline_event *e)
{
    struct outcome_connection *out = &account->outcome;
    unsigned side = e->place == SCENARIO_CLIENT ? FLOW_CLIENT : FLOW_SERVER;

    if (e->kind != TIMELINE_DEED) {
        out->begun = account->any ? out->begun : e->t;
        out->ended = e->t;
        account->any = true;
    }
    switch (e->kind) {
    case TIMELINE_DEED:
        see_deed(timeline, out, e);
        break;
    case TIMELINE_APP:
        see_app(&out->side[side], e->t, &e->app);
        break;
    case TIMELINE_SOCKET:
        see_socket(&out->side[side], e->t, &e->socket);
        break;
    case TIMELINE_FLOW:
        see_flow(out, e);
        break;
    case TIMELINE_PACKET:
        see_packet(account, e);
        break;
    }
}

static void start(struct account *account, uint32_t connection)
{
    const struct outcome_side side = {.noticed = MTIME_NEVER,
                                      .crashed_at = MTIME_NEVER,
                                      .ended = MTIME_NEVER,
                                      .closed_at = MTIME_NEVER,
                                      .view = {.expires = MTIME_NEVER}};

    *account = (struct account){.last = MTIME_NEVER,
                                .outcome = {.connection = connection,
                                            .side = {side, side},
                                            .forgotten_by = -1,
                                            .forgotten_at = MTIME_NEVER,
                                            .late_at = MTIME_NEVER}};
}

/* Nothing but an application can end what it waits for. */
static bool waits_for_application(const struct outcome_side *one, const struct outcome_side *other)
{
    return (one->state == SOCKET_CLOSE_WAIT && !one->believes) ||
           (one->state == SOCKET_FIN_WAIT_2 && other->state != SOCKET_GONE) ||
           (one->state == SOCKET_ESTABLISHED && one->view.timer == TIMER_PERSIST);
}

/* Its socket is gone, and its application has not been told. */
static bool unnoticed(const struct outcome_side *one)
{
    return one->ended != MTIME_NEVER && !one->closed && !one->eof && one->crashed_at == MTIME_NEVER;
}

static void conclude(struct outcome_connection *out)
{
    for (unsigned side = 0; side < 2; side++) {
        struct outcome_side *one = &out->side[side], *other = &out->side[!side];

        one->believes = left_alone(one, other);
        out->broken |= one->believes || one->error != 0 || one->gave_up || one->exited ||
                       unnoticed(one) || (other->vanished && one->state == SOCKET_ESTABLISHED);
        out->stuck |= waits_for_application(one, other);
    }
}

/* What befalls a host befalls all its connections; `highest`: that there were until then. */
static void see_all(struct account *accounts, uint32_t highest, const struct timeline *timeline,
                    const struct timeline_event *e)
{
    for (uint32_t c = 1; c <= highest; c++)
        see(&accounts[c], timeline, e);
}

int story_outcomes(const struct timeline *timeline, struct outcome_connection **out, uint32_t *n)
{
    uint32_t connections = timeline_connections(timeline), highest = 0;
    struct account *accounts = calloc((size_t)connections + 1, sizeof(*accounts));
    int r = -ENOMEM;

    *n = 0;
    *out = calloc((size_t)connections + 1, sizeof(**out));
    if (!accounts || !*out)
        goto out;
    for (uint32_t c = 0; c <= connections; c++)
        start(&accounts[c], c);
    for (size_t i = 0; i < timeline->n_events; i++) {
        const struct timeline_event *e = &timeline->events[i];

        if (e->kind == TIMELINE_DEED) {
            if (e->deed->verb == DEED_CRASH || e->deed->verb == DEED_REBOOT ||
                e->deed->verb == DEED_LINK_DOWN || e->deed->verb == DEED_LINK_UP)
                see_all(accounts, highest, timeline, e);
            continue;
        }
        highest = e->connection > highest ? e->connection : highest;
        see(&accounts[e->connection], timeline, e);
    }
    for (uint32_t c = 1; c <= connections; c++) {
        if (!accounts[c].any)
            continue;
        conclude(&accounts[c].outcome);
        (*out)[(*n)++] = accounts[c].outcome;
    }
    r = 0;
out:
    free(accounts);
    if (r < 0) {
        free(*out);
        *out = NULL;
    }
    return r;
}

int story_outcome(const struct timeline *timeline, uint32_t connection,
                  struct outcome_connection *out)
{
    struct account account;

    start(&account, connection);
    for (size_t i = 0; i < timeline->n_events; i++)
        if (timeline->events[i].kind == TIMELINE_DEED
                ? account.any
                : timeline->events[i].connection == connection)
            see(&account, timeline, &timeline->events[i]);
    conclude(&account.outcome);
    *out = account.outcome;
    return account.any ? 0 : -ENOENT;
}
