/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/advice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SEC(n) ((mtime_t)(n)*MTIME_SEC)

/* Round figures, the longest idle time first. Not above ten minutes, so that a dead peer is noticed
 * within a quarter of an hour; not so often lost that five unanswered probes were an accident. */
static const struct figures ladder[] = {
    {.idle = SEC(600), .interval = SEC(60), .count = 5},
    {.idle = SEC(300), .interval = SEC(30), .count = 5},
    {.idle = SEC(240), .interval = SEC(30), .count = 5},
    {.idle = SEC(180), .interval = SEC(20), .count = 5},
    {.idle = SEC(120), .interval = SEC(20), .count = 5},
    {.idle = SEC(90), .interval = SEC(10), .count = 5},
    {.idle = SEC(60), .interval = SEC(10), .count = 5},
    {.idle = SEC(45), .interval = SEC(5), .count = 6},
    {.idle = SEC(30), .interval = SEC(5), .count = 6},
    {.idle = SEC(20), .interval = SEC(3), .count = 6},
    {.idle = SEC(15), .interval = SEC(2), .count = 6},
    {.idle = SEC(10), .interval = SEC(2), .count = 5},
    {.idle = SEC(5), .interval = SEC(1), .count = 5},
    {.idle = SEC(3), .interval = SEC(1), .count = 5},
    {.idle = SEC(2), .interval = SEC(1), .count = 5},
    {.idle = SEC(1), .interval = SEC(1), .count = 5},
};

/* What the software makes of a step of the ladder; false: it cannot take it. */
static bool adapt(const struct template *t, const struct figures *step, struct figures *out)
{
    *out = *step;
    if (step->idle % t->unit != 0 || step->idle > t->most)
        return false;
    if (t->interval_rule == FIGURE_THIRD)
        out->interval = step->idle / 3;
    else if (t->interval_rule == FIGURE_SAME)
        out->interval = step->idle;
    else if (t->interval_rule == FIGURE_FIXED)
        out->interval = t->interval;
    if (t->count_rule == FIGURE_FIXED)
        out->count = t->count;
    return out->interval >= MTIME_SEC && out->interval % MTIME_SEC == 0;
}

static bool choose_keepalive(const struct template *t, mtime_t limit, mtime_t rtt, unsigned lost,
                             struct figures *figures)
{
    for (size_t i = 0; i < sizeof(ladder) / sizeof(ladder[0]); i++)
        if (adapt(t, &ladder[i], figures) &&
            verdict_silence(figures->idle, figures->interval, lost, rtt) < limit)
            return true;
    return false;
}

/* One that is missed may be made up for by the next. TCP sends it again if it is lost. */
static bool choose_heartbeat(mtime_t limit, mtime_t rtt, struct figures *figures)
{
    for (size_t i = 0; i < sizeof(ladder) / sizeof(ladder[0]); i++) {
        mtime_t every = ladder[i].idle;

        if (verdict_silence(every, every, 1, rtt) < limit) {
            *figures = (struct figures){.heartbeat = every};
            return true;
        }
    }
    return false;
}

bool advice_choose(const struct template *software, enum template_part part, mtime_t limit,
                   mtime_t rtt, struct figures *figures, unsigned *lost)
{
    if (part == PART_HEARTBEAT) {
        *lost = 1;
        return choose_heartbeat(limit, rtt, figures);
    }
    for (*lost = 2; *lost > 0; --*lost)
        if (choose_keepalive(software, limit, rtt, *lost, figures))
            return true;
    return false;
}

/* What a row needs: against which limit, and whether probes will do. */
struct need {
    const struct limit *limit; /* NULL: nothing that is sent helps, or nothing is needed */
    const struct limit *absolute;
    bool payload;
};

static struct need need_of(const struct row *row)
{
    struct need need = {0};

    for (size_t i = 0; i < row->n_limits; i++) {
        const struct limit *limit = &row->limits[i];
        struct verdict alone = verdict_of(&row->connection, limit);

        if (limit->timeout == MTIME_NEVER)
            continue;
        if (limit->absolute) {
            if (alone.kind != VERDICT_SAFE &&
                (!need.absolute || limit->timeout < need.absolute->timeout))
                need.absolute = limit;
            continue;
        }
        need.payload = need.payload || (limit->payload && alone.kind != VERDICT_SAFE);
        if (!need.limit || limit->timeout < need.limit->timeout)
            need.limit = limit;
    }
    return need;
}

static bool can(const struct template *t, bool payload)
{
    return t && (t->has_heartbeat || (!payload && (t->has_keepalive || t->also)));
}

/* Whose settings to change: of the end that was looked at, unless only the other one can help. */
static enum flow_side side_to_fix(const struct row *row, bool payload)
{
    enum flow_side here = row->connection.here;
    enum flow_side there = here == FLOW_CLIENT ? FLOW_SERVER : FLOW_CLIENT;

    return !can(row->software[here], payload) && can(row->software[there], payload) ? there : here;
}

static const struct template *system_for(const struct row *row, enum flow_side side)
{
    return row->system[side] ? row->system[side] : template_find("linux");
}

static const struct template *template_for(const struct row *row, enum flow_side side)
{
    bool here = side == row->connection.here;

    if (here && row->fact && row->fact->systemd_socket)
        return template_find("systemd");
    return row->software[side] ? row->software[side] : system_for(row, side);
}

const struct template *advice_target(const struct row *row, enum flow_side *side)
{
    *side = side_to_fix(row, need_of(row).payload);
    return template_for(row, *side);
}

static void merge(struct advice *item, const struct row *row, const struct limit *limit)
{
    const struct socket_fact *fact = row->fact;

    item->n++;
    if (fact && !row->software[item->side] && item->here && item->process[0] == '\0')
        snprintf(item->process, sizeof(item->process), "%s", fact->process);
    if (item->n == 1 || limit->timeout < item->limit.timeout)
        item->limit = *limit;
    if (row->connection.rtt > item->rtt)
        item->rtt = row->connection.rtt;
}

static bool alike(const struct advice *a, const struct advice *b)
{
    return a->software == b->software && a->side == b->side && a->here == b->here &&
           a->part == b->part && a->hopeless == b->hopeless;
}

static int add(struct advices *advices, struct advice wanted, const struct row *row,
               const struct limit *limit)
{
    struct advice *more;
    size_t i = 0;

    while (i < advices->n && !alike(&advices->items[i], &wanted))
        i++;
    if (i == advices->n) {
        more = reallocarray(advices->items, i + 1, sizeof(*more));
        if (!more)
            return -ENOMEM;
        advices->items = more;
        more[advices->n++] = wanted;
    }
    merge(&advices->items[i], row, limit);
    return 0;
}

static int advise(struct advices *advices, const struct row *row)
{
    struct need need = need_of(row);
    enum flow_side side = side_to_fix(row, need.payload);
    struct advice wanted = {
        .software = template_for(row, side), .side = side, .here = side == row->connection.here};
    bool heartbeat =
        need.payload || (wanted.software->prefers_heartbeat && wanted.software->has_heartbeat);
    int r = 0;

    if (need.absolute) {
        wanted.hopeless = true;
        return add(advices, wanted, row, need.absolute);
    }
    if (!need.limit)
        return 0;
    wanted.part = heartbeat ? PART_HEARTBEAT : PART_KEEPALIVE;
    r = add(advices, wanted, row, need.limit);
    if (r == 0 && wanted.part == PART_KEEPALIVE && wanted.software->also) {
        wanted.software = template_find(wanted.software->also);
        if (wanted.software->system)
            wanted.software = system_for(row, side);
        r = add(advices, wanted, row, need.limit);
    }
    return r;
}

bool advice_is_needed(const struct row *row)
{
    /* Nobody can set something for a limit that nobody knows. */
    return row->verdict.kind != VERDICT_SAFE && row->verdict.why != WHY_LIMIT_ASSUMED;
}

int advices_make(struct advices *advices, const struct join *join)
{
    int r = 0;

    *advices = (struct advices){0};
    for (size_t i = 0; r == 0 && i < join->n; i++)
        if (advice_is_needed(&join->rows[i]))
            r = advise(advices, &join->rows[i]);
    for (size_t i = 0; r == 0 && i < advices->n; i++) {
        struct advice *item = &advices->items[i];
        bool has = item->part == PART_HEARTBEAT
                       ? item->software->has_heartbeat
                       : item->software->has_keepalive || item->software->also;

        item->possible = advice_choose(item->software, item->part, item->limit.timeout, item->rtt,
                                       &item->figures, &item->lost) &&
                         has && !item->hopeless;
    }
    if (r < 0)
        advices_finish(advices);
    return r;
}

void advices_finish(struct advices *advices)
{
    free(advices->items);
    *advices = (struct advices){0};
}
