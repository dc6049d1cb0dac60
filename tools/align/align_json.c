/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "tools/align/show.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

static json_t *seconds(mtime_t t)
{
    return t == MTIME_NEVER ? json_null() : json_real(mtime_seconds(t));
}

static void set(json_t *object, const char *member, json_t *value)
{
    json_object_set_new(object, member, value);
}

static void set_bounds(json_t *object, const char *member, struct bounds b)
{
    json_t *pair = json_array();

    json_array_append_new(pair, seconds(b.low));
    json_array_append_new(pair, seconds(b.high));
    set(object, member, pair);
}

static json_t *end_json(const struct row *row, enum flow_side side)
{
    static const char *const known[] = {
        [KEEPALIVE_UNKNOWN] = "unknown", [KEEPALIVE_OFF] = "off", [KEEPALIVE_ON] = "on"};
    static const char *const from[] = {[FIGURES_UNKNOWN] = "unknown",
                                       [FIGURES_READ] = "read",
                                       [FIGURES_INFERRED] = "inferred",
                                       [FIGURES_DEFAULT] = "default"};
    const struct end *end = &row->connection.end[side];
    const struct end_outcome *outcome = &row->verdict.outcome[side];
    json_t *object = json_object();

    if (row->software[side])
        set(object, "software", json_string(row->software[side]->name));
    set(object, "keepalive", json_string(known[end->keepalive]));
    if (end->keepalive == KEEPALIVE_ON) {
        set(object, "figures", json_string(from[end->figures]));
        set_bounds(object, "idle_s", end->idle);
        set_bounds(object, "interval_s", end->interval);
        set(object, "count", end->count > 0 ? json_integer(end->count) : json_null());
    }
    if (row->verdict.kind == VERDICT_SAFE)
        return object;
    set(object, "sees", json_string(sight_name(outcome->sight)));
    if (outcome->sight != SEES_NOTHING && outcome->sight != SEES_UNKNOWN)
        set_bounds(object, "after_s", outcome->after);
    set(object, "on_write", json_string(sight_name(outcome->on_write)));
    return object;
}

static void set_address(json_t *object, const char *member, const char *port_member, uint8_t family,
                        const uint8_t *address, uint16_t port)
{
    char text[64];

    *put_address(text, family, address) = '\0';
    set(object, member, json_string(text));
    set(object, port_member, json_integer(port));
}

static void set_fact(json_t *object, const struct row *row)
{
    const struct socket_fact *fact = row->fact;

    if (!fact)
        return;
    set(object, "process", fact->process[0] ? json_string(fact->process) : json_null());
    set(object, "pid", fact->pid > 0 ? json_integer(fact->pid) : json_null());
    if (fact->container[0])
        set(object, "container", json_string(fact->container));
    set_address(object, "local", "local_port", fact->family, fact->local, fact->local_port);
    set_address(object, "peer", "peer_port", fact->family, fact->peer, fact->peer_port);
    set(object, "state", json_string(socket_state_name(fact->state)));
}

static const char *origin_name(enum policy_origin origin)
{
    static const char *const names[] = {[ORIGIN_ASSUMED] = "assumed",
                                        [ORIGIN_SET] = "verified",
                                        [ORIGIN_UNVERIFIED] = "unverified"};

    return names[origin];
}

static void set_limit(json_t *object, const struct limit *limit)
{
    if (!limit->hop)
        return;
    set(object, "limit", json_string(limit->hop->name));
    set(object, "limit_s", seconds(limit->timeout));
    set(object, "limit_name", json_string(policy_timeout_name(limit->which)));
    set(object, "limit_origin", json_string(origin_name(limit->origin)));
    set(object, "refreshed_by", json_string(show_refresh(limit)));
}

static int print(FILE *to, json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    int r = text ? 0 : -ENOMEM;

    if (text)
        fprintf(to, "%s\n", text);
    free(text);
    json_decref(object);
    return r;
}

static void set_fix(json_t *object, const struct row *row)
{
    enum flow_side side;
    const struct template *software = advice_target(row, &side);

    set(object, "fix", json_string(flow_side_name(side)));
    set(object, "fix_software", json_string(software->name));
}

static int row_json(FILE *to, const struct row *row)
{
    const struct verdict *v = &row->verdict;
    json_t *object = json_pack("{s:s,s:i,s:s,s:s}", "type", "connection", "v", 1, "verdict",
                               verdict_name(v->kind), "why", verdict_why_name(v->why));
    char *reason = NULL;
    size_t size;
    FILE *words = open_memstream(&reason, &size);

    if (!object || !words)
        goto out;
    show_reason(words, row);
    if (v->kind != VERDICT_SAFE) {
        set(object, "forgotten_in_s", seconds(v->due));
        if (advice_is_needed(row))
            set_fix(object, row);
    }
    set_fact(object, row);
    set_limit(object, &v->limit);
    set(object, "here", json_string(flow_side_name(row->connection.here)));
    set(object, "client_end", end_json(row, FLOW_CLIENT));
    set(object, "server_end", end_json(row, FLOW_SERVER));
    set(object, "rtt_s", json_real(mtime_seconds(row->connection.rtt)));
    if (v->silence_lost < MTIME_NEVER)
        set(object, "silence_s", seconds(v->silence_lost));
out:
    if (words && fclose(words) == 0)
        set(object, "reason", json_string(reason));
    free(reason);
    return print(to, object);
}

static void add_line(void *arg, enum template_line kind, const char *text)
{
    static const char *const names[] = {[LINE_FILE] = "file",
                                        [LINE_SET] = "set",
                                        [LINE_THEN] = "then",
                                        [LINE_NOTE] = "note",
                                        [LINE_SOURCE] = "source"};

    json_array_append_new(arg, json_pack("{s:s}", names[kind], text));
}

static int item_json(FILE *to, const struct advice *item)
{
    json_t *object =
        json_pack("{s:s,s:i,s:s,s:s,s:b,s:b,s:I,s:s,s:o}", "type", "advice", "v", 1, "software",
                  item->software->name, "side", flow_side_name(item->side), "here", item->here,
                  "possible", item->possible, "connections", (json_int_t)item->n, "limit",
                  item->limit.hop->name, "limit_s", seconds(item->limit.timeout));
    json_t *lines = json_array();
    int r = object && lines ? 0 : -ENOMEM;

    if (r == 0 && item->possible) {
        if (item->part == PART_HEARTBEAT) {
            set(object, "heartbeat_s", seconds(item->figures.heartbeat));
        } else {
            set(object, "idle_s", seconds(item->figures.idle));
            set(object, "interval_s", seconds(item->figures.interval));
            set(object, "count", json_integer(item->figures.count));
        }
        r = template_render(item->software, item->part, &item->figures, add_line, lines);
    }
    set(object, "lines", lines);
    if (r == 0)
        return print(to, object);
    json_decref(object);
    return r;
}

static int price_json(FILE *to, const struct price *price)
{
    json_t *object = json_pack("{s:s,s:i,s:s,s:I,s:f,s:f,s:o,s:o}", "type", "price", "v", 1,
                               "limit", price->hop->name, "connections", (json_int_t)price->n,
                               "packets_per_s_now", price->packets_now, "packets_per_s",
                               price->packets, "limit_s", seconds(price->limit), "raised_s",
                               price->raised > 0 ? seconds(price->raised) : json_null());

    if (object && ceiling_of(price->hop))
        set(object, "limit_most_s", seconds(ceiling_of(price->hop)->most));
    if (object && price->arrivals >= 0)
        set(object, "arrivals_per_s", json_real(price->arrivals));
    if (object && price->entries >= 0)
        set(object, "entries", json_real(price->entries));
    return print(to, object);
}

int align_json(FILE *to, const struct shown *shown)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < shown->join->n; i++)
        r = row_json(to, &shown->join->rows[i]);
    for (size_t i = 0; r == 0 && i < shown->advices->n; i++)
        r = item_json(to, &shown->advices->items[i]);
    for (size_t i = 0; r == 0 && i < shown->n_prices; i++)
        r = price_json(to, &shown->prices[i]);
    return r;
}
