/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/plan.h"

#include "tools/scenario/software.h"
#include "tools/scenario/system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct side_plan {
    bool given;
    const struct template *template, *system;
    struct end end;
};

/* What the program leaves open is the system's. */
static void as_shipped(struct end *end, const struct software *software,
                       const struct system *system, enum flow_side side)
{
    struct keepalive_times times = system->keepalive;
    bool on = system->keepalive_always;

    *end = (struct end){.idle = BOUNDS_UNKNOWN, .interval = BOUNDS_UNKNOWN};
    if (software) {
        const struct keepalive_times *own = &software->side[side].times;

        times.idle = own->idle > 0 ? own->idle : times.idle;
        times.interval = own->interval > 0 ? own->interval : times.interval;
        times.count = own->count > 0 ? own->count : times.count;
        if (software->side[side].keepalive != SOFTWARE_KEEPALIVE_UNSET)
            on = software->side[side].keepalive == SOFTWARE_KEEPALIVE_ON;
        end->user_timeout = software->side[side].user_timeout;
        end->heartbeat = software->side[side].behaviour.heartbeat;
        end->idle_close = software->side[side].behaviour.idle_close;
    }
    end->keepalive = on ? KEEPALIVE_ON : KEEPALIVE_OFF;
    end->figures = FIGURES_READ;
    end->idle = (struct bounds){times.idle, times.idle};
    end->interval = (struct bounds){times.interval, times.interval};
    end->count = times.count;
}

static const struct template *system_template(const struct system *system)
{
    const struct template *t = template_find(system->name);

    return t && t->system ? t : template_find("other");
}

/* NULL: it has none, and the system's holds. */
static const struct template *template_named(const char *name, enum flow_side side)
{
    char sided[64];
    const struct template *t;

    snprintf(sided, sizeof(sided), "%s-%s", name, flow_side_name(side));
    t = template_find(sided);
    if (!t)
        t = template_find(name);
    return t && !t->system ? t : NULL;
}

static int side_parse(struct side_plan *plan, const char *text, enum flow_side side, char *why,
                      size_t why_size)
{
    const char *at = text ? strchr(text, '@') : NULL;
    size_t len = text ? (at ? (size_t)(at - text) : strlen(text)) : 0;
    const char *system_name = at ? at + 1 : "linux";
    const struct software *software;
    const struct system *system;
    char name[48];

    *plan = (struct side_plan){.end = {.idle = BOUNDS_UNKNOWN, .interval = BOUNDS_UNKNOWN}};
    if (!text)
        return 0;
    snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : 0), text);
    software = software_find(name, strlen(name));
    system = system_find(software || at ? system_name : name,
                         strlen(software || at ? system_name : name));
    if (!system || (!software && at && !template_find(name)) || (!software && !at && !system)) {
        snprintf(
            why, why_size,
            "--%s %s: neither a program nor a system that is known; `idlewall simulate --apps` "
            "and `--systems` list them",
            flow_side_name(side), text);
        return -EINVAL;
    }
    plan->given = true;
    as_shipped(&plan->end, software, system, side);
    plan->template = template_named(name, side);
    plan->system = system_template(system);
    return 0;
}

static int add_row(struct join *join, const struct side_plan plans[2], enum flow_side here,
                   bool both)
{
    struct row *row = &join->rows[join->n];
    enum flow_side there = here == FLOW_CLIENT ? FLOW_SERVER : FLOW_CLIENT;
    int r;

    *row = (struct row){.connection = {.here = here, .quiet = MTIME_NEVER, .age = MTIME_NEVER}};
    row->connection.end[here] = plans[here].end;
    row->connection.end[there] =
        both ? plans[there].end : (struct end){.idle = BOUNDS_UNKNOWN, .interval = BOUNDS_UNKNOWN};
    row->software[here] = plans[here].template;
    row->system[here] = plans[here].system;
    row->system[there] = both ? plans[there].system : NULL;
    row->software[there] = both ? plans[there].template : NULL;
    r = row_limits(row, join->path, path_part_of(join->path, here, NULL), NULL, SOCKET_ESTABLISHED);
    if (r < 0) {
        free(row->limits);
        return r;
    }
    row->verdict = verdict_of_all(&row->connection, row->limits, row->n_limits);
    join->n++;
    return 0;
}

int plan_make(struct join *join, const struct planned *planned, const struct path *path, char *why,
              size_t why_size)
{
    struct side_plan plans[2];
    bool proxied = false;
    int r;

    *join = (struct join){.path = path};
    for (size_t i = 0; i < path->n; i++)
        proxied = proxied || path->hops[i].profile.kind == KIND_PROXY;
    r = side_parse(&plans[FLOW_CLIENT], planned->client, FLOW_CLIENT, why, why_size);
    if (r == 0)
        r = side_parse(&plans[FLOW_SERVER], planned->server, FLOW_SERVER, why, why_size);
    if (r < 0)
        return r;
    join->rows = calloc(2, sizeof(*join->rows));
    if (!join->rows)
        return -ENOMEM;
    if (plans[FLOW_SERVER].given)
        r = add_row(join, plans, FLOW_SERVER, !proxied && plans[FLOW_CLIENT].given);
    if (r == 0 && plans[FLOW_CLIENT].given && (proxied || !plans[FLOW_SERVER].given))
        r = add_row(join, plans, FLOW_CLIENT, false);
    if (r < 0)
        join_finish(join);
    else
        join_sort(join);
    return r;
}
