/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the firewalls said of their tables while the story played (docs/control.md). */
#include "tools/lab/play/assemble.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static mtime_t time_of(const json_t *object, const char *name)
{
    double seconds = json_number_value(json_object_get(object, name));

    return (mtime_t)llround(seconds * 1e9);
}

static enum event_action action_of(const char *name)
{
    for (int i = ACTED_NONE; i <= ACTED_RATE_LIMITED; i++) {
        const char *known = event_action_name((enum event_action)i);

        if (known && strcmp(known, name) == 0)
            return (enum event_action)i;
    }
    return ACTED_NONE;
}

static enum policy_timeout timeout_of(const char *name)
{
    for (int i = 0; i < POLICY_TIMEOUTS; i++)
        if (strcmp(policy_timeout_name((enum policy_timeout)i), name) == 0)
            return (enum policy_timeout)i;
    return TIMEOUT_TCP_ESTABLISHED;
}

static uint64_t count_of(const json_t *object, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(object, name));
}

/* As put_tcp_flags() writes them. */
static uint8_t flags_of(const char *text)
{
    static const struct {
        char letter;
        uint8_t flag;
    } letters[] = {{'F', TCP_FIN}, {'S', TCP_SYN}, {'R', TCP_RST},
                   {'P', TCP_PSH}, {'.', TCP_ACK}, {'U', TCP_URG}};
    uint8_t flags = 0;

    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
        if (strchr(text, letters[i].letter))
            flags |= letters[i].flag;
    return flags;
}

static void flow_of(struct flow *flow, const json_t *object, const struct policy *policy,
                    mtime_t now)
{
    int state = flow_state_parse(text_of(object, "state"));

    flow->id = (uint64_t)json_integer_value(json_object_get(object, "id"));
    flow->family = 4;
    flow->proto = IPPROTO_TCP;
    (void)inet_pton(AF_INET, text_of(object, "client"), flow->addr[FLOW_CLIENT]);
    (void)inet_pton(AF_INET, text_of(object, "server"), flow->addr[FLOW_SERVER]);
    flow->port[FLOW_CLIENT] = (uint16_t)json_integer_value(json_object_get(object, "client_port"));
    flow->port[FLOW_SERVER] = (uint16_t)json_integer_value(json_object_get(object, "server_port"));
    flow->state = state < 0 ? FLOW_NONE : (enum flow_state)state;
    flow->timeout_name = timeout_of(text_of(object, "timeout_name"));
    flow->rule = (uint16_t)(policy->n_rules - 1);
    flow->timeout = json_is_null(json_object_get(object, "timeout_s"))
                        ? MTIME_NEVER
                        : time_of(object, "timeout_s");
    flow->last = now - time_of(object, "idle_s");
    flow->opened = now - time_of(object, "age_s");
    flow->longest_idle = time_of(object, "longest_idle_s");
    flow->packets[FLOW_CLIENT] = count_of(object, "client_packets");
    flow->packets[FLOW_SERVER] = count_of(object, "server_packets");
    flow->bytes[FLOW_CLIENT] = count_of(object, "client_bytes");
    flow->bytes[FLOW_SERVER] = count_of(object, "server_bytes");
    flow->policy = policy;
}

static int add_event(struct assembly *assembly, size_t firewall, const json_t *object)
{
    const struct policy *policy = assembly->play->scenario->firewall[firewall].policy;
    int kind = event_kind_parse(text_of(object, "kind"));
    mtime_t at = assembly_story_of_real(assembly, time_of(object, "wall_s"));
    struct timeline_event e = {.t = at, .kind = TIMELINE_FLOW, .place = (uint8_t)(firewall + 1)};
    struct event *event = &e.flow;

    if (strcmp(text_of(object, "type"), "event") != 0 || kind < 0 ||
        strcmp(text_of(object, "proto"), "tcp") != 0)
        return 0;
    *event = (struct event){
        .kind = (enum event_kind)kind,
        .time = at,
        .action = action_of(text_of(object, "action")),
        .reason = (enum flow_end)json_integer_value(json_object_get(object, "reason")),
        .remembered = json_is_true(json_object_get(object, "remembered")),
        .seq = (uint32_t)json_integer_value(json_object_get(object, "seq")),
        .ack = (uint32_t)json_integer_value(json_object_get(object, "ack")),
        .payload_len = (uint32_t)json_integer_value(json_object_get(object, "len"))};
    event->side = strcmp(text_of(object, "side"), "server") == 0 ? FLOW_SERVER : FLOW_CLIENT;
    flow_of(&event->flow, object, policy, at);
    event->tcp_flags = flags_of(text_of(object, "flags"));
    if (event->kind == EVENT_LATE) {
        event->was = event->reason;
        event->reason = FLOW_END_NONE;
        event->expired_at = at - time_of(object, "late_by_s");
    }
    e.connection = assembly_connection(assembly, event->flow.port[FLOW_CLIENT]);
    /* Of a flow that is not known, the client is whoever sent. */
    if (e.connection == 0)
        e.connection = assembly_connection(assembly, event->flow.port[FLOW_SERVER]);
    return assembly_add(assembly, &e);
}

static int add_firewall(struct assembly *assembly, size_t firewall)
{
    const struct play_listener *heard = &assembly->play->listener[firewall];
    size_t at = 0;
    int r = 0;

    while (r == 0 && at < heard->len) {
        const char *line = heard->events + at;
        const char *end = memchr(line, '\n', heard->len - at);
        size_t len = end ? (size_t)(end - line) : heard->len - at;
        json_t *object = json_loadb(line, len, 0, NULL);

        r = object ? add_event(assembly, firewall, object) : -EIO;
        json_decref(object);
        at += len + 1;
    }
    return r;
}

/* What was in a table is gone with it when its firewall restarts: nobody is left to say so, but we
 * did it. */
static int end_flows(struct assembly *assembly, const struct play_done *done)
{
    mtime_t at = assembly_story(assembly, done->wall_ns);
    size_t n = assembly->n;
    int r = 0;

    for (uint32_t c = 1; r == 0 && c <= assembly->n_ports; c++) {
        struct timeline_event over = {0};

        for (size_t i = 0; i < n; i++) {
            const struct timeline_event *e = &assembly->events[i];

            if (e->kind == TIMELINE_FLOW && e->place == done->deed->place && e->connection == c &&
                e->t <= at && e->flow.kind != EVENT_LATE && (over.t <= e->t || over.place == 0))
                over = *e;
        }
        if (over.place == 0 || over.flow.kind == EVENT_EXPIRED || over.flow.kind == EVENT_ENDED)
            continue;
        over.flow.flow.last = over.t;
        over.t = over.flow.time = at;
        over.flow.kind = EVENT_ENDED;
        over.flow.reason = FLOW_END_FORCED;
        over.flow.action = ACTED_NONE;
        r = assembly_add(assembly, &over);
    }
    return r;
}

int assemble_flows(struct assembly *assembly)
{
    const struct play *play = assembly->play;
    int r = 0;

    for (size_t i = 0; r == 0 && i < play->scenario->n_firewalls; i++)
        r = add_firewall(assembly, i);
    for (size_t i = 0; r == 0 && i < play->n_done; i++)
        if (play->done[i].deed->verb == DEED_RESTART)
            r = end_flows(assembly, &play->done[i]);
    return r;
}
