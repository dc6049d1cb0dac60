/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/lab/saved_timeline.h"

#include "middlebox/record/line.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    const struct scenario *scenario;
    const json_t *line;
    size_t n_deeds; /* so far */
    const char *wrong;
};

static const char *text(struct reader *r, const char *name)
{
    const json_t *value = json_object_get(r->line, name);

    if (!value) /* null is a value */
        r->wrong = name;
    return json_string_value(value);
}

static uint32_t number(struct reader *r, const char *name)
{
    const json_t *value = json_object_get(r->line, name);

    if (!value || (!json_is_integer(value) && !json_is_null(value)))
        r->wrong = name;
    return (uint32_t)json_integer_value(value);
}

static mtime_t seconds(struct reader *r, const char *name)
{
    const json_t *value = json_object_get(r->line, name);

    if (!json_is_number(value))
        r->wrong = name;
    return (mtime_t)llround(json_number_value(value) * (double)MTIME_SEC);
}

/* Which value of an enumeration has that name; `none` stands for null. */
static int named(struct reader *r, const char *name, const char *(*name_of)(int), int n, int none)
{
    const char *word = text(r, name);

    if (!word)
        return none;
    for (int i = 0; i < n; i++)
        if (name_of(i) && strcmp(name_of(i), word) == 0)
            return i;
    r->wrong = name;
    return none;
}

static const char *act(int i)
{
    static const char *const words[] = {
        [APP_EOF] = "eof",
        [APP_READ_TIMEOUT] = "read_timeout",
        [APP_HEARTBEAT_TIMEOUT] = "heartbeat_timeout",
        [APP_IDLE_CLOSE] = "idle_close",
    };

    return (size_t)i < sizeof(words) / sizeof(words[0]) && words[i] ? words[i]
                                                                    : app_act_name((enum app_act)i);
}

static const char *call(int i)
{
    return app_call_name((enum app_call)i);
}

static const char *side(int i)
{
    return flow_side_name((enum flow_side)i);
}

static const char *reason(int i)
{
    return reason_name((enum reason)i);
}

static const char *state(int i)
{
    return socket_state_name((enum socket_state)i);
}

static const char *timer(int i)
{
    return socket_timer_name((enum socket_timer)i);
}

static const char *event(int i)
{
    return event_kind_name((enum event_kind)i);
}

static const char *flow(int i)
{
    return flow_state_name((enum flow_state)i);
}

static const char *action(int i)
{
    return event_action_name((enum event_action)i);
}

static const char *passage(int i)
{
    static const char *const words[] = {"sent",    "forwarded", "injected",
                                        "dropped", "lost",      "received"};

    return words[i];
}

static const char *protocol(int i)
{
    return i ? "tcp" : "icmp";
}

static uint8_t flags(struct reader *r)
{
    const char *word = text(r, "flags");
    char shown[64];

    for (unsigned i = 0; word && i < 256; i++) {
        *put_tcp_flags(shown, (uint8_t)i) = '\0';
        if (strcmp(shown, word) == 0)
            return (uint8_t)i;
    }
    r->wrong = "flags";
    return 0;
}

static void read_packet(struct reader *r, struct timeline_packet *p)
{
    *p = (struct timeline_packet){
        .id = number(r, "packet"),
        .passage = (enum passage)named(r, "kind", passage, 6, 0),
        .from = (enum flow_side)named(r, "side", side, 2, 0),
        .tcp = named(r, "protocol", protocol, 2, 0),
        .flags = flags(r),
        .seq = number(r, "seq"),
        .ack = number(r, "ack"),
        .rel_seq = number(r, "relative_seq"),
        .rel_ack = number(r, "relative_ack"),
        .len = number(r, "len"),
        .window = number(r, "window"),
        .wire_len = number(r, "wire_len"),
        .reason = (enum reason)named(r, "reason", reason, REASON_FRAGMENT_LOST + 1, 0),
    };
    if (!p->tcp) {
        p->icmp_type = (uint8_t)number(r, "icmp_type");
        p->icmp_code = (uint8_t)number(r, "icmp_code");
    }
}

static void read_socket(struct reader *r, struct socket_view *view)
{
    *view = (struct socket_view){
        .state = (enum socket_state)named(r, "state", state, SOCKET_STATES, SOCKET_GONE),
        .timer = (enum socket_timer)named(r, "timer", timer, SOCKET_TIMERS, TIMER_OFF),
        .expires = MTIME_NEVER,
        .retransmits = (uint8_t)number(r, "retransmits"),
        .probes = (uint8_t)number(r, "probes"),
        .send_queue = number(r, "send_queue"),
        .receive_queue = number(r, "receive_queue"),
    };
}

static void read_app(struct reader *r, struct timeline_app *app)
{
    *app = (struct timeline_app){
        .act = (enum app_act)named(r, "kind", act, APP_EXITED + 1, 0),
        .call = (enum app_call)named(r, "call", call, CALL_POLL + 1, CALL_NONE),
        .bytes = number(r, "bytes"),
        .error = named(r, "error", errno_name, 134, 0),
    };
}

static void read_flow(struct reader *r, struct event *e)
{
    *e = (struct event){
        .kind = (enum event_kind)named(r, "kind", event, EVENT_ENDED + 1, 0),
        .action = (enum event_action)named(r, "action", action, ACTED_RATE_LIMITED + 1, 0),
        .flow.state = (enum flow_state)named(r, "state", flow, FLOW_STATES, 0),
    };
    if (e->kind != EVENT_LATE) /* there it is why the flow that is remembered had ended */
        e->reason = (enum flow_end)number(r, "reason");
}

/* They were done in the scenario's order. */
static const struct deed *next_deed(struct reader *r)
{
    const struct deed *deed = &r->scenario->deeds[r->n_deeds];

    if (r->n_deeds == r->scenario->n_deeds || deed->line != number(r, "line")) {
        r->wrong = "line";
        return NULL;
    }
    r->n_deeds++;
    return deed;
}

static uint8_t place(struct reader *r)
{
    const char *name = text(r, "place");

    for (unsigned i = 0; name && i <= scenario_server(r->scenario); i++)
        if (strcmp(name, scenario_place_name(r->scenario, i)) == 0)
            return (uint8_t)i;
    r->wrong = "place";
    return 0;
}

static void read_event(struct reader *r, const char *type, struct timeline_event *e)
{
    *e = (struct timeline_event){
        .t = seconds(r, "t_s"), .place = place(r), .connection = number(r, "connection")};
    if (strcmp(type, "deed") == 0) {
        e->kind = TIMELINE_DEED;
        e->deed = next_deed(r);
    } else if (strcmp(type, "packet") == 0) {
        e->kind = TIMELINE_PACKET;
        read_packet(r, &e->packet);
    } else if (strcmp(type, "socket") == 0) {
        e->kind = TIMELINE_SOCKET;
        read_socket(r, &e->socket);
    } else if (strcmp(type, "app") == 0) {
        e->kind = TIMELINE_APP;
        read_app(r, &e->app);
    } else if (strcmp(type, "flow") == 0) {
        e->kind = TIMELINE_FLOW;
        read_flow(r, &e->flow);
    } else {
        r->wrong = "type";
    }
}

static int take(struct reader *r, struct timeline *timeline, const char *type)
{
    struct timeline_event e;

    if (strcmp(type, "outcome") == 0)
        return 0;
    if (strcmp(type, "story") == 0) {
        timeline->live = json_is_true(json_object_get(r->line, "live"));
        timeline->wall_ns = (uint64_t)seconds(r, "wall_s");
        timeline->end = seconds(r, "end_s");
        return r->wrong ? -EINVAL : 0;
    }
    read_event(r, type, &e);
    return r->wrong ? -EINVAL : timeline_add(timeline, &e);
}

int saved_timeline_read(struct timeline **out, const struct scenario *scenario, FILE *from)
{
    struct reader reader = {.scenario = scenario};
    int r = timeline_create(out, scenario);
    unsigned n = 0;

    while (r == 0) {
        json_error_t error;
        json_t *line = json_loadf(from, JSON_DISABLE_EOF_CHECK, &error);
        const char *type = json_string_value(json_object_get(line, "type"));

        if (!line)
            break; /* the end, or what is no JSON: then the outcome is missing */
        n++;
        reader.line = line;
        r = type ? take(&reader, *out, type) : -EINVAL;
        if (r == -EINVAL)
            fprintf(stderr, "line %u: %s is not as it should be\n", n,
                    reader.wrong ? reader.wrong : "type");
        if (type && strcmp(type, "outcome") == 0) {
            json_decref(line);
            return r;
        }
        json_decref(line);
    }
    if (r == 0) {
        fprintf(stderr, "line %u: no JSON, or no outcome at the end\n", n + 1);
        r = -EINVAL;
    }
    return r;
}
