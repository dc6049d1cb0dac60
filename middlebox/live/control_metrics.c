/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/control.h"

#include <stdlib.h>
#include <string.h>

#define CENSUS_SLICE 64 /* rows copied while an engine is locked */

/* What the engines count, by policy and profile; each with a reference to its policy. */
struct census {
    struct engine_census *rows;
    size_t n, cap;
};

static bool grow(struct census *census)
{
    size_t cap = census->cap ? 2 * census->cap : CENSUS_SLICE;
    struct engine_census *rows;

    if (census->cap - census->n >= CENSUS_SLICE)
        return true;
    while (cap - census->n < CENSUS_SLICE)
        cap *= 2;
    rows = realloc(census->rows, cap * sizeof(*rows));
    if (!rows)
        return false;
    census->rows = rows;
    census->cap = cap;
    return true;
}

static bool take(struct census *census, struct loop *loop)
{
    uint64_t cursor = 0;
    size_t n;

    do {
        if (!grow(census))
            return false;
        pthread_mutex_lock(&loop->lock);
        n = engine_census(loop->engine, &cursor, census->rows + census->n, CENSUS_SLICE);
        for (size_t i = 0; i < n; i++)
            policy_ref((struct policy *)(size_t)census->rows[census->n + i].policy);
        pthread_mutex_unlock(&loop->lock);
        census->n += n;
    } while (n == CENSUS_SLICE);
    return true;
}

static void give_back(struct census *census)
{
    for (size_t i = 0; i < census->n; i++)
        policy_unref((struct policy *)(size_t)census->rows[i].policy);
    free(census->rows);
}

static const char *name_of(const struct engine_census *row)
{
    return row->policy->profiles[row->profile].name;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(name_of(a), name_of(b));
}

/* One row a name: profiles of older policies and of other queues are summed. */
static size_t merge(struct census *census, struct metrics_census *sums)
{
    size_t n = 0;

    if (census->n > 0)
        qsort(census->rows, census->n, sizeof(*census->rows), by_name);
    for (size_t i = 0; i < census->n; i++) {
        if (n == 0 || strcmp(sums[n - 1].profile, name_of(&census->rows[i])) != 0)
            sums[n++] = (struct metrics_census){.profile = name_of(&census->rows[i])};
        for (unsigned s = 0; s < FLOW_STATES; s++)
            sums[n - 1].by_state[s] += census->rows[i].by_state[s];
    }
    return n;
}

static void next_deadline(struct loop *loop, struct metrics *metrics)
{
    mtime_t when;
    bool has;

    pthread_mutex_lock(&loop->lock);
    has = engine_next_deadline(loop->engine, &when);
    pthread_mutex_unlock(&loop->lock);
    if (has && (!metrics->has_deadline || when < metrics->next_deadline)) {
        metrics->has_deadline = true;
        metrics->next_deadline = when;
    }
}

char *control_metrics(void *arg, enum metrics_form form, size_t *len)
{
    struct control *control = arg;
    struct worker *worker = control->worker;
    mtime_t now = live_clock_now(&worker->clock);
    const struct record_clock clock = live_clock_record(&worker->clock, now);
    struct metrics metrics = {.waiting = 0};
    struct metrics_census *sums = NULL;
    struct census census = {0};
    char *text = NULL;
    bool ok = true;

    control_gather(control, &metrics.status, &metrics.waiting);
    for (unsigned i = 0; ok && i < worker->n_loops; i++) {
        next_deadline(&worker->loops[i], &metrics);
        ok = take(&census, &worker->loops[i]);
    }
    if (ok)
        sums = calloc(census.n + 1, sizeof(*sums));
    if (sums) {
        metrics.n_census = merge(&census, sums);
        metrics.census = sums;
        text = metrics_text(form, &clock, &metrics, len);
    }
    free(sums);
    give_back(&census);
    return text;
}
