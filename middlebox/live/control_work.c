/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LIST_SLICE 128 /* flows copied while the engine is locked: some 20 microseconds */
#define RETRY (10 * MTIME_MSEC)

struct match {
    const struct request *request;
    mtime_t now;
};

static bool match(void *arg, const struct flow *flow)
{
    const struct match *m = arg;

    return request_matches(m->request, m->now, flow);
}

static void begin_list(struct control *control, struct client *client)
{
    control->text.len = 0;
    if (record_flow_header(&control->text, client->request.output) < 0 ||
        !client_data(client, control->text.data, control->text.len))
        control_out_of_memory(client);
    else
        client->state = CLIENT_WORKING;
}

static void begin_act(struct client *client)
{
    client->command = (struct engine_command){.verb = request_verb(&client->request),
                                              .side_given = client->request.has_from,
                                              .side = client->request.from,
                                              .match = match};
    client->state = CLIENT_WORKING;
}

void control_begin(struct control *control, struct client *client, int64_t now)
{
    char why[512];
    int r = request_parse(&client->request, client->text, client->text_len, why, sizeof(why));

    client->loop = 0;
    client->cursor = 0;
    if (r == -EINVAL) {
        client_say(client, why);
        client_end(client, 2);
        return;
    }
    if (r < 0) {
        control_out_of_memory(client);
        return;
    }
    switch (client->request.command) {
    case REQUEST_LIST:
        begin_list(control, client);
        break;
    case REQUEST_EVENTS:
    case REQUEST_WAIT:
        if (client->request.has_timeout)
            client->until = mtime_add(now, client->request.timeout);
        client->state = CLIENT_LISTENING;
        control_update_wants(control);
        break;
    case REQUEST_EXPIRE:
    case REQUEST_FORGET:
    case REQUEST_KILL:
    case REQUEST_BLOCK:
    case REQUEST_UNBLOCK:
        begin_act(client);
        break;
    case REQUEST_STATUS:
        control_status(control, client);
        break;
    case REQUEST_RELOAD:
        control_ask_reload(control, client);
        break;
    }
}

static const struct policy *keep(const struct policy *policy)
{
    return policy ? policy_ref((struct policy *)(size_t)policy) : NULL;
}

/* Flows are only copied while the engine is locked; text is made afterwards. */
static size_t read_flows(struct loop *loop, mtime_t now, uint64_t *cursor, struct flow *flows)
{
    size_t n;

    pthread_mutex_lock(&loop->lock);
    n = engine_read(loop->engine, now, cursor, flows, LIST_SLICE);
    for (size_t i = 0; i < n; i++) {
        flows[i].id = loop_flow_id(loop, flows[i].id);
        flows[i].policy = keep(flows[i].policy);
    }
    pthread_mutex_unlock(&loop->lock);
    return n;
}

static void work_list(struct control *control, struct client *client)
{
    static struct flow flows[LIST_SLICE]; /* the control thread's only */
    struct worker *worker = control->worker;
    mtime_t now = live_clock_now(&worker->clock);
    const struct record_clock clock = live_clock_record(&worker->clock, now);
    size_t n = read_flows(&worker->loops[client->loop], now, &client->cursor, flows);
    int r = 0;

    control->text.len = 0;
    for (size_t i = 0; i < n; i++) {
        if (r == 0 && request_matches(&client->request, now, &flows[i]))
            r = record_flow(&control->text, client->request.output, &clock, &flows[i]);
        policy_unref((struct policy *)(size_t)flows[i].policy);
    }
    if (r < 0 || !client_data(client, control->text.data, control->text.len)) {
        control_out_of_memory(client);
        return;
    }
    if (n > 0)
        return;
    client->cursor = 0;
    if (++client->loop == worker->n_loops)
        client_end(client, 0);
}

/* A recording must be able to repeat the command in one go, so while one is made it is done in one
 * go. */
static void record_act(struct loop *loop, const struct client *client, mtime_t now, bool unfinished)
{
    if (!loop->recording)
        return;
    if (client->command.cursor == 0 || !unfinished)
        recording_command(loop->recording, now, client->text, client->text_len);
    if (unfinished)
        recording_gap(loop->recording, now, "a command had to wait for inject-rate");
}

static bool act(struct worker *worker, struct loop *loop, struct client *client, bool *idle)
{
    struct match m = {.request = &client->request, .now = live_clock_now(&worker->clock)};
    struct outcome *out = &worker->out;
    bool unfinished;

    client->command.arg = &m;
    pthread_mutex_lock(&loop->lock);
    do {
        unfinished = engine_command(loop->engine, m.now, &client->command, out);
        *idle = out->n_segments == 0 && out->n_events == 0;
        loop_tap(loop, out);
        if (loop->recording)
            loop_inject(loop, &worker->inject, out);
    } while (loop->recording && unfinished && !*idle);
    record_act(loop, client, m.now, unfinished);
    pthread_mutex_unlock(&loop->lock);
    loop_inject(loop, &worker->inject, out);
    loop_poke(loop);
    return unfinished;
}

static void end_act(struct client *client)
{
    static const char *const done[] = {[ENGINE_EXPIRE] = "expired",
                                       [ENGINE_FORGET] = "forgotten",
                                       [ENGINE_KILL] = "killed",
                                       [ENGINE_BLOCK] = "blocked",
                                       [ENGINE_UNBLOCK] = "unblocked"};
    char text[64];
    int len = snprintf(text, sizeof(text), "%llu flow%s %s\n",
                       (unsigned long long)client->command.matched,
                       client->command.matched == 1 ? "" : "s", done[client->command.verb]);

    client_data(client, text, (size_t)len);
    client_end(client, 0);
}

static void work_act(struct control *control, struct client *client, int64_t now)
{
    struct worker *worker = control->worker;
    bool idle;

    client->again = 0;
    if (act(worker, &worker->loops[client->loop], client, &idle)) {
        if (idle)
            client->again = now + RETRY;
        return;
    }
    client->command.cursor = 0;
    if (++client->loop == worker->n_loops)
        end_act(client);
}

void control_work(struct control *control, struct client *client, int64_t now)
{
    if (client->request.command == REQUEST_LIST)
        work_list(control, client);
    else
        work_act(control, client, now);
}
