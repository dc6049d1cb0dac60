/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/request.h"
#include "middlebox/live/ruleset.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Which members each command takes. */
enum member {
    FILTER = 1 << 0,
    OUTPUT = 1 << 1, /* text, json */
    TABLE = 1 << 2,  /* also csv, conntrack */
    STATE = 1 << 3,
    IDLE_OVER = 1 << 4,
    DUE_WITHIN = 1 << 5,
    RULE = 1 << 6,
    ID = 1 << 7,
    FOR = 1 << 8,
    TIMEOUT = 1 << 9,
    FROM = 1 << 10,
};
static const struct {
    const char *name;
    unsigned takes;
} commands[] = {
    [REQUEST_LIST] = {"list", FILTER | OUTPUT | TABLE | STATE | IDLE_OVER | DUE_WITHIN | RULE | ID},
    [REQUEST_EVENTS] = {"events", FILTER | OUTPUT},
    [REQUEST_WAIT] = {"wait", FILTER | OUTPUT | FOR | TIMEOUT},
    [REQUEST_EXPIRE] = {"expire", FILTER},
    [REQUEST_FORGET] = {"forget", FILTER},
    [REQUEST_KILL] = {"kill", FILTER},
    [REQUEST_BLOCK] = {"block", FILTER | FROM},
    [REQUEST_UNBLOCK] = {"unblock", FILTER | FROM},
    [REQUEST_STATUS] = {"status", OUTPUT},
    [REQUEST_RELOAD] = {"reload", 0},
};

struct parser {
    struct request *request;
    char *why;
    size_t why_size;
};

__attribute__((format(printf, 2, 3))) static int fault(struct parser *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(p->why, p->why_size, format, args);
    va_end(args);
    return -EINVAL;
}

static int read_filter(struct parser *p, const json_t *value)
{
    char why[256];
    int r;

    if (!json_is_string(value))
        return fault(p, "filter: a text is expected");
    r = filter_compile(&p->request->filter, json_string_value(value), why, sizeof(why));
    return r == -EINVAL ? fault(p, "%s", why) : r; /* it says "filter:" itself */
}

static int read_output(struct parser *p, const json_t *value)
{
    static const char *const names[] = {[RECORD_TEXT] = "text",
                                        [RECORD_JSON] = "json",
                                        [RECORD_CSV] = "csv",
                                        [RECORD_CONNTRACK] = "conntrack"};
    bool table = commands[p->request->command].takes & TABLE;

    for (unsigned i = 0; json_is_string(value) && i < (table ? 4 : 2); i++) {
        if (strcmp(json_string_value(value), names[i]) == 0) {
            p->request->output = (enum record_format)i;
            return 0;
        }
    }
    return fault(p,
                 table ? "output: one of text, json, csv, conntrack" : "output: one of text, json");
}

static int read_seconds(struct parser *p, const char *name, const json_t *value, mtime_t *out)
{
    double s = json_number_value(value);

    if (!json_is_number(value) || !(s >= 0 && s <= 9e9)) /* 285 years */
        return fault(p, "%s: seconds, from 0 to 9000000000", name);
    *out = (mtime_t)(s * (double)MTIME_SEC);
    return 0;
}

static int read_state(struct parser *p, const json_t *value)
{
    int state = json_is_string(value) ? flow_state_parse(json_string_value(value)) : -1;

    if (state < 0)
        return fault(p, "state: no such state, ESTABLISHED is one");
    p->request->state = (enum flow_state)state;
    return 0;
}

static int read_rule(struct parser *p, const json_t *value)
{
    if (!json_is_string(value))
        return fault(p, "rule: a rule's name is expected");
    p->request->rule = strdup(json_string_value(value));
    return p->request->rule ? 0 : -ENOMEM;
}

static int read_id(struct parser *p, const json_t *value)
{
    if (!json_is_integer(value) || json_integer_value(value) < 1)
        return fault(p, "id: a flow's number, from 1 on");
    p->request->id = (uint64_t)json_integer_value(value);
    return 0;
}

static int read_for(struct parser *p, const json_t *value)
{
    int kind = json_is_string(value) ? event_kind_parse(json_string_value(value)) : -1;

    if (kind < 0 || kind == EVENT_UPDATE)
        return fault(p, "for: one of new, expired, late, ended");
    p->request->wait_for = (enum event_kind)kind;
    return 0;
}

static int read_from(struct parser *p, const json_t *value)
{
    const char *side = json_is_string(value) ? json_string_value(value) : "";

    if (strcmp(side, "client") != 0 && strcmp(side, "server") != 0)
        return fault(p, "from: one of client, server");
    p->request->from = side[0] == 'c' ? FLOW_CLIENT : FLOW_SERVER;
    return 0;
}

static int read_member(struct parser *p, const char *name, const json_t *value)
{
    struct request *r = p->request;
    unsigned takes = commands[r->command].takes;

    if (strcmp(name, "command") == 0)
        return 0;
    if ((takes & FILTER) && strcmp(name, "filter") == 0)
        return read_filter(p, value);
    if ((takes & OUTPUT) && strcmp(name, "output") == 0)
        return read_output(p, value);
    if ((takes & STATE) && strcmp(name, "state") == 0)
        return r->has_state = true, read_state(p, value);
    if ((takes & IDLE_OVER) && strcmp(name, "idle_over_s") == 0)
        return r->has_idle_over = true, read_seconds(p, name, value, &r->idle_over);
    if ((takes & DUE_WITHIN) && strcmp(name, "due_within_s") == 0)
        return r->has_due_within = true, read_seconds(p, name, value, &r->due_within);
    if ((takes & RULE) && strcmp(name, "rule") == 0)
        return read_rule(p, value);
    if ((takes & ID) && strcmp(name, "id") == 0)
        return r->has_id = true, read_id(p, value);
    if ((takes & FOR) && strcmp(name, "for") == 0)
        return read_for(p, value);
    if ((takes & TIMEOUT) && strcmp(name, "timeout_s") == 0)
        return r->has_timeout = true, read_seconds(p, name, value, &r->timeout);
    if ((takes & FROM) && strcmp(name, "from") == 0)
        return r->has_from = true, read_from(p, value);
    return fault(p, "%s: %.64s does not take this", commands[r->command].name, name);
}

static int read_command(struct parser *p, const json_t *value)
{
    const char *name = json_is_string(value) ? json_string_value(value) : NULL;

    for (unsigned i = 0; name && i < sizeof(commands) / sizeof(*commands); i++) {
        if (strcmp(name, commands[i].name) == 0) {
            p->request->command = (enum request_command)i;
            return 0;
        }
    }
    return fault(p, "command: one of list, events, wait, expire, forget, kill, block, unblock, "
                    "status, reload");
}

static int read_object(struct parser *p, json_t *object)
{
    const char *name;
    json_t *value;
    int r;

    if (!json_is_object(object))
        return fault(p, "a request is one JSON object");
    r = read_command(p, json_object_get(object, "command"));
    if (r < 0)
        return r;
    if (p->request->command == REQUEST_WAIT && !json_object_get(object, "for"))
        return fault(p, "wait: for is missing: one of new, expired, late, ended");
    json_object_foreach(object, name, value)
    {
        r = read_member(p, name, value);
        if (r < 0)
            return r;
    }
    return 0;
}

int request_parse(struct request *request, const char *text, size_t len, char *why, size_t why_size)
{
    struct parser p = {.request = request, .why = why, .why_size = why_size};
    json_error_t error;
    json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    int r;

    *request = (struct request){.output = RECORD_TEXT};
    if (!object)
        return fault(&p, "not JSON: %s", error.text);
    r = read_object(&p, object);
    json_decref(object);
    if (r < 0)
        request_finish(request);
    return r;
}

void request_finish(struct request *request)
{
    filter_destroy(request->filter);
    free(request->rule);
    *request = (struct request){0};
}

static bool rule_matches(const struct request *request, const struct flow *flow)
{
    const struct policy *policy = flow->policy;

    return policy && flow->rule < policy->n_rules &&
           strcmp(policy->rules[flow->rule].name, request->rule) == 0;
}

bool request_matches(const struct request *request, mtime_t now, const struct flow *flow)
{
    struct filter_tuple tuple;

    if (request->has_id && flow->id != request->id)
        return false;
    if (request->has_state && flow->state != request->state)
        return false;
    if (request->has_idle_over && now - flow->last <= request->idle_over)
        return false;
    if (request->has_due_within && flow->deadline > mtime_add(now, request->due_within))
        return false;
    if (request->has_due_within && flow->deadline == MTIME_NEVER)
        return false;
    if (request->rule && !rule_matches(request, flow))
        return false;
    if (!request->filter)
        return true;
    ruleset_tuple(&tuple, flow);
    return filter_match(request->filter, &tuple);
}

enum engine_verb request_verb(const struct request *request)
{
    return (enum engine_verb)(request->command - REQUEST_EXPIRE + ENGINE_EXPIRE);
}
