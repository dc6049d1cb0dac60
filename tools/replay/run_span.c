/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/run_private.h"

static uint64_t slowest(const struct run *run)
{
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < run->threads; i++)
        if (run->done[i] < least)
            least = run->done[i];
    return least;
}

/* Could there be too many entries before the end of that span? Where one shard went the others may
 * follow: it has asked for all of them. */
static bool may_fill(const struct run *run, uint64_t span, uint64_t least)
{
    uint64_t most = (span + 1 - least) * run->span;

    for (unsigned i = 0; i < run->threads; i++)
        most += run->used[i];
    return run->threads > 1 && run->limit && span >= run->highest && most > run->limit;
}

static bool must_wait(const struct run *run, uint64_t span)
{
    uint64_t least = slowest(run);

    if (run->threads == 1 || least >= span || span >= run->stop_at)
        return false;
    return span >= least + RUN_LEAD || may_fill(run, span, least);
}

bool run_enter(struct run *run, struct shard *shard)
{
    uint64_t span = shard->span;
    const struct replay_options *options = run->options;
    bool enters;

    pthread_mutex_lock(&run->lock);
    while (must_wait(run, span))
        pthread_cond_wait(&run->turned, &run->lock);
    if (options->stop && atomic_load(options->stop) && run->stop_at == UINT64_MAX)
        run->stop_at = run->highest;
    if (span < run->stop_at && may_fill(run, span, slowest(run))) {
        run->stop_at = span;
        run->too_full = true;
    }
    enters = span < run->stop_at;
    if (enters && span + 1 > run->highest)
        run->highest = span + 1;
    pthread_cond_broadcast(&run->turned);
    pthread_mutex_unlock(&run->lock);
    return enters;
}

static void take_times(struct occupancy_times *into, struct occupancy_times *from)
{
    struct occupancy_times before = *into;

    *into = *from;
    *from = before;
    from->n = 0;
}

void run_leave(struct run *run, struct shard *shard)
{
    struct run_span *span = &run->spans[shard->span % RUN_LEAD];
    struct engine_stats stats = {0};
    bool last;
    int r = 0;

    if (shard->engine)
        engine_stats(shard->engine, &stats);
    pthread_mutex_lock(&run->lock);
    take_times(&span->opens[shard->number], &shard->connections.opens);
    take_times(&span->closes[shard->number], &shard->connections.closes);
    last = ++span->left == run->threads;
    if (last) {
        r = occupancy_add(&run->occupancy, span->opens, span->closes, run->threads, shard->now);
        span->left = 0;
    }
    if (r < 0)
        run->error = r;
    run->used[shard->number] = stats.flows;
    run->done[shard->number] = ++shard->span;
    pthread_cond_broadcast(&run->turned);
    pthread_mutex_unlock(&run->lock);
}

void run_depart(struct run *run, struct shard *shard)
{
    pthread_mutex_lock(&run->lock);
    run->done[shard->number] = UINT64_MAX / 2;
    pthread_cond_broadcast(&run->turned);
    pthread_mutex_unlock(&run->lock);
}
