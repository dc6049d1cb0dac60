/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/table.h"

#include "policy/policy_parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void table_init(struct table *table)
{
    *table = (struct table){.speed = 1, .opened = -1, .idled = -1};
}

void table_finish(struct table *table)
{
    for (size_t i = 0; i < table->n_policies; i++)
        policy_unref(table->policies[i]);
    for (size_t i = 0; i < table->n_hops; i++)
        free(table->hops[i]);
    free(table->policies);
    free(table->hops);
    free(table->flows);
    free(table->bad_lines);
    free(table->policy);
    table_init(table);
}

/* Room for one more of that size; NULL without memory. */
static void *grow(void *array, size_t n, size_t *room, size_t size)
{
    size_t more = *room ? 2 * *room : 64;
    void *grown = array;

    if (n < *room)
        return array;
    grown = reallocarray(array, more, size);
    if (grown)
        *room = more;
    return grown;
}

static int note_bad(struct table *table, unsigned line)
{
    unsigned *more =
        grow(table->bad_lines, table->n_bad, &table->room_bad, sizeof(*table->bad_lines));

    if (!more)
        return -ENOMEM;
    table->bad_lines = more;
    more[table->n_bad++] = line;
    return 0;
}

#define HOPS_MAX 4096 /* as many profiles as a policy can have */

static size_t hop_index(struct table *table, const char *profile)
{
    struct hop **more, *hop;
    char name[sizeof(hop->name)];
    size_t i = 0;

    snprintf(name, sizeof(name), "%s", profile);
    while (i < table->n_hops && strcmp(table->hops[i]->name, name) != 0)
        i++;
    if (i < table->n_hops)
        return i;
    more = reallocarray(table->hops, i + 1, sizeof(struct hop *));
    if (!more)
        return SIZE_MAX;
    table->hops = more;
    hop = calloc(1, sizeof(*hop));
    if (!hop)
        return SIZE_MAX;
    memcpy(hop->name, name, sizeof(name));
    more[table->n_hops++] = hop;
    return i;
}

/* False: not there, no number, or below zero. null is never, if that is allowed. */
static bool take_time(const json_t *object, const char *member, bool never, mtime_t *out)
{
    const json_t *value = json_object_get(object, member);
    double seconds;

    if (never && json_is_null(value)) {
        *out = MTIME_NEVER;
        return true;
    }
    if (!json_is_number(value))
        return false;
    seconds = json_number_value(value);
    if (!(seconds >= 0))
        return false;
    *out = seconds >= 9.2e9 ? MTIME_NEVER : (mtime_t)(seconds * (double)MTIME_SEC + 0.5);
    return true;
}

static bool take_address(const json_t *object, const char *member, uint8_t *family,
                         uint8_t address[16])
{
    const char *text = json_string_value(json_object_get(object, member));

    memset(address, 0, 16);
    if (!text)
        return false;
    *family = strchr(text, ':') ? 6 : 4;
    return inet_pton(*family == 6 ? AF_INET6 : AF_INET, text, address) == 1;
}

static bool take_port(const json_t *object, const char *member, uint16_t *port)
{
    const json_t *value = json_object_get(object, member);
    json_int_t n = json_integer_value(value);

    *port = (uint16_t)n;
    return json_is_integer(value) && n >= 0 && n <= UINT16_MAX;
}

static bool take_which(const json_t *object, enum policy_timeout *which)
{
    const char *name = json_string_value(json_object_get(object, "timeout_name"));

    for (unsigned i = 0; name && i < POLICY_TIMEOUTS; i++)
        if (strcmp(policy_timeout_name((enum policy_timeout)i), name) == 0) {
            *which = (enum policy_timeout)i;
            return true;
        }
    return false;
}

static void take_keepalive(const json_t *object, enum flow_side side, struct table_keepalive *out)
{
    char member[64];

    *out = (struct table_keepalive){0};
    snprintf(member, sizeof(member), "%s_keepalives", flow_side_name(side));
    out->seen = (uint32_t)json_integer_value(json_object_get(object, member));
    snprintf(member, sizeof(member), "%s_keepalive_interval_s", flow_side_name(side));
    take_time(object, member, false, &out->interval);
}

static bool flow_take(const json_t *object, struct table_flow *flow)
{
    uint8_t family = 0;

    *flow = (struct table_flow){0};
    for (unsigned side = 0; side < 2; side++)
        take_keepalive(object, (enum flow_side)side, &flow->keepalive[side]);
    return take_address(object, "client", &flow->family, flow->addr[FLOW_CLIENT]) &&
           take_address(object, "server", &family, flow->addr[FLOW_SERVER]) &&
           family == flow->family && take_port(object, "client_port", &flow->port[FLOW_CLIENT]) &&
           take_port(object, "server_port", &flow->port[FLOW_SERVER]) &&
           take_which(object, &flow->which) &&
           take_time(object, "timeout_s", true, &flow->timeout) &&
           take_time(object, "remaining_s", true, &flow->left) &&
           take_time(object, "idle_s", false, &flow->idle) &&
           take_time(object, "age_s", false, &flow->age) &&
           take_time(object, "longest_idle_s", false, &flow->longest_idle);
}

static int add_flow(struct table *table, const json_t *object, bool *good)
{
    const char *proto = json_string_value(json_object_get(object, "proto"));
    const char *profile = json_string_value(json_object_get(object, "profile"));
    struct table_flow flow, *more;

    *good = proto != NULL;
    if (!proto || strcmp(proto, "tcp") != 0)
        return 0;
    *good = flow_take(object, &flow);
    *good = *good && table->n_hops < HOPS_MAX;
    if (!*good)
        return 0;
    flow.hop = hop_index(table, profile ? profile : "firewall");
    more = grow(table->flows, table->n, &table->room, sizeof(*more));
    if (!more || flow.hop == SIZE_MAX)
        return -ENOMEM;
    table->flows = more;
    more[table->n++] = flow;
    return 0;
}

static int take_status(struct table *table, const json_t *object)
{
    const char *policy = json_string_value(json_object_get(object, "policy"));
    double uptime = json_number_value(json_object_get(object, "uptime_s"));
    double speed = json_number_value(json_object_get(object, "speed"));

    if (speed >= 1)
        table->speed = speed;
    if (uptime >= 1) {
        table->opened = json_number_value(json_object_get(object, "opened")) / uptime;
        table->idled = json_number_value(json_object_get(object, "ended_idle")) / uptime;
    }
    if (policy) {
        free(table->policy);
        table->policy = strdup(policy);
        if (!table->policy)
            return -ENOMEM;
    }
    return 0;
}

static int take_line(struct table *table, const char *line, size_t len, unsigned number)
{
    json_t *object;
    const char *type;
    bool good = true;
    int r = 0;

    while (len > 0 && strchr(" \t\r\n", line[len - 1]))
        len--;
    if (len == 0)
        return 0;
    object = json_loadb(line, len, 0, NULL);
    type = json_string_value(json_object_get(object, "type"));
    if (type && strcmp(type, "flow") == 0)
        r = add_flow(table, object, &good);
    else if (type && strcmp(type, "status") == 0)
        r = take_status(table, object);
    else
        good = false;
    json_decref(object);
    return r == 0 && !good ? note_bad(table, number) : r;
}

int table_read(struct table *table, FILE *from)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    int r = 0;

    for (unsigned number = 1; r == 0 && (len = getline(&line, &room, from)) >= 0; number++)
        r = take_line(table, line, (size_t)len, number);
    if (r == 0 && ferror(from))
        r = -EIO;
    free(line);
    return r;
}

static int compare(const void *a, const void *b)
{
    const struct table_flow *left = a, *right = b;
    int r = (left->family > right->family) - (left->family < right->family);

    if (r == 0)
        r = memcmp(left->addr, right->addr, sizeof(left->addr));
    for (unsigned side = 0; r == 0 && side < 2; side++)
        r = (left->port[side] > right->port[side]) - (left->port[side] < right->port[side]);
    return r;
}

static void slow_down(struct table *table)
{
    for (size_t i = 0; i < table->n && table->speed > 1; i++) {
        struct table_flow *flow = &table->flows[i];
        mtime_t *const times[] = {&flow->timeout,
                                  &flow->left,
                                  &flow->idle,
                                  &flow->age,
                                  &flow->longest_idle,
                                  &flow->keepalive[FLOW_CLIENT].interval,
                                  &flow->keepalive[FLOW_SERVER].interval};

        for (size_t k = 0; k < sizeof(times) / sizeof(times[0]); k++)
            if (*times[k] < MTIME_NEVER)
                *times[k] = (mtime_t)((double)*times[k] / table->speed);
    }
}

static int keep(struct table *table, struct policy *policy)
{
    struct policy **more =
        reallocarray(table->policies, table->n_policies + 1, sizeof(struct policy *));

    if (!more) {
        policy_unref(policy);
        return -ENOMEM;
    }
    table->policies = more;
    more[table->n_policies++] = policy;
    return 0;
}

static int complete_hop(struct table *table, struct hop *hop, struct policy *own)
{
    struct policy *policy;
    char name[sizeof(hop->name)];
    int r;

    memcpy(name, hop->name, sizeof(name));
    r = own ? hop_of_policy(hop, own, name) : -ENOENT;
    if (r == -ENOENT) {
        r = policy_from_profile(&policy, name);
        if (r == 0)
            r = keep(table, policy);
        if (r == 0)
            r = hop_of_policy(hop, policy, name);
    }
    if (r < 0 && r != -ENOENT)
        return r;
    hop->fact = true;
    hop->behaviour_unknown = r == -ENOENT;
    for (unsigned i = 0; i < POLICY_TIMEOUTS; i++)
        if (hop->profile.timeout[i] < MTIME_NEVER && table->speed > 1)
            hop->profile.timeout[i] = (mtime_t)((double)hop->profile.timeout[i] / table->speed);
    if (hop->behaviour_unknown) /* 0 would be a limit */
        hop->profile.timeout[TIMEOUT_ACTIVE] = MTIME_NEVER;
    return 0;
}

int table_complete(struct table *table, struct policy *own)
{
    int r = own ? keep(table, policy_ref(own)) : 0;

    for (size_t i = 0; r == 0 && i < table->n_hops; i++)
        r = complete_hop(table, table->hops[i], own);
    slow_down(table);
    if (table->n > 0)
        qsort(table->flows, table->n, sizeof(*table->flows), compare);
    return r;
}

const struct table_flow *table_find(const struct table *table, uint8_t family,
                                    const uint8_t address[16], uint16_t port,
                                    const uint8_t peer[16], uint16_t peer_port,
                                    enum flow_side *side)
{
    struct table_flow wanted = {.family = family};
    const struct table_flow *found;

    for (unsigned here = 0; here < 2 && table->n > 0; here++) {
        memcpy(wanted.addr[here], address, 16);
        memcpy(wanted.addr[!here], peer, 16);
        wanted.port[here] = port;
        wanted.port[!here] = peer_port;
        found = bsearch(&wanted, table->flows, table->n, sizeof(*found), compare);
        if (found) {
            *side = (enum flow_side)here;
            return found;
        }
    }
    return NULL;
}

struct limit table_limit(const struct table *table, const struct table_flow *flow,
                         enum socket_state state)
{
    const struct hop *hop = table->hops[flow->hop];
    struct limit limit = limit_of(hop, state);

    limit.left = flow->left;
    /* Those two hold for a moment only: what counts is the time of a connection at rest. */
    if ((flow->which == TIMEOUT_TCP_UNACKNOWLEDGED || flow->which == TIMEOUT_TCP_MAX_RETRANS) &&
        !hop->behaviour_unknown)
        return limit;
    limit.timeout = flow->timeout;
    limit.which = flow->which;
    limit.absolute = hop->profile.refresh == REFRESH_NONE ||
                     (hop->profile.refresh_in == REFRESH_IN_ESTABLISHED &&
                      flow->which != TIMEOUT_TCP_ESTABLISHED);
    return limit;
}

double table_arrivals(const struct table *table, const struct hop *hop, mtime_t timeout)
{
    size_t young = 0;

    if (table->idled > 0)
        return table->idled;
    if (timeout <= 0 || timeout == MTIME_NEVER)
        return -1;
    for (size_t i = 0; i < table->n; i++)
        young += table->hops[table->flows[i].hop] == hop && table->flows[i].age <= timeout;
    return young > 0 ? (double)young / mtime_seconds(timeout) : -1;
}
