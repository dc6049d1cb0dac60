/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/control.h"

#define DELIVER_SLICE 256

static bool listens(const struct client *client)
{
    return client->state == CLIENT_LISTENING;
}

static uint32_t wants_of(const struct client *client)
{
    if (!listens(client))
        return 0;
    if (client->request.command == REQUEST_WAIT)
        return EVENT_BIT(client->request.wait_for);
    return EVENT_BIT(EVENT_KINDS) - 1;
}

void control_update_wants(struct control *control)
{
    uint32_t wants = 0;

    for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
        wants |= wants_of(&control->clients[i]);
    if (wants == control->wants)
        return;
    control->wants = wants;
    for (unsigned i = 0; i < control->worker->n_loops; i++) {
        struct loop *loop = &control->worker->loops[i];

        pthread_mutex_lock(&loop->lock);
        engine_want(loop->engine, wants);
        pthread_mutex_unlock(&loop->lock);
    }
}

static void lose(struct control *control, struct client *client, uint64_t n)
{
    client->lost += n;
    control->lost_events += n;
}

/* Before the next event a client is told how many it did not get. */
static bool tell_lost(struct control *control, struct client *client)
{
    if (client->lost == 0)
        return true;
    control->text.len = 0;
    if (record_lost(&control->text, client->request.output, client->lost) < 0 ||
        !client_data(client, control->text.data, control->text.len))
        return false;
    client->lost = 0;
    return true;
}

static void give(struct control *control, struct client *client, const struct event *event)
{
    const struct live_clock *live = &control->worker->clock;
    const struct record_clock clock = live_clock_record(live, event->time);
    enum record_format output = client->request.output;

    /* Of its place a client gets events only up to half: so a `lost` line always fits. */
    if (client_held(client) > CLIENT_SLICE || !tell_lost(control, client)) {
        lose(control, client, 1);
        return;
    }
    control->text.len = 0;
    if (record_event(&control->text, output, &clock, event) < 0 ||
        !client_data(client, control->text.data, control->text.len))
        lose(control, client, 1);
    else if (client->request.command == REQUEST_WAIT)
        client_end(client, 0);
}

static void deliver(struct control *control, const struct event *event)
{
    for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
        struct client *client = &control->clients[i];

        if ((wants_of(client) & EVENT_BIT(event->kind)) &&
            request_matches(&client->request, event->time, &event->flow))
            give(control, client, event);
    }
}

bool control_deliver(struct control *control)
{
    static struct event events[DELIVER_SLICE]; /* the control thread's only */
    bool more = false;

    for (unsigned l = 0; l < control->worker->n_loops; l++) {
        uint64_t lost;
        size_t n = tap_take(&control->worker->loops[l].tap, events, DELIVER_SLICE, &lost);

        for (size_t i = 0; i < n; i++) {
            deliver(control, &events[i]);
            policy_unref((struct policy *)(size_t)events[i].flow.policy);
        }
        for (unsigned i = 0; lost > 0 && i < CONTROL_CLIENTS; i++) {
            if (listens(&control->clients[i]))
                lose(control, &control->clients[i], lost);
        }
        more = more || n == DELIVER_SLICE;
    }
    /* Also when nothing follows: who reads again learns what is missing. */
    for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
        struct client *client = &control->clients[i];

        if (listens(client) && client->request.command == REQUEST_EVENTS &&
            client_held(client) < CLIENT_SLICE)
            tell_lost(control, client);
    }
    control_update_wants(control);
    return more;
}

void control_check_wait(struct control *control, struct client *client, int64_t now)
{
    if (!listens(client) || now < client->until)
        return;
    client_say(client, "the time is over, and no such event was seen");
    client_end(client, 1);
    control_update_wants(control);
}
