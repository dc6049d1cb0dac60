/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Now and then all times at which entries opened and closed are counted and let go, so that they do
 * not add up over a long capture. Then every entry must have said for which values it is over by
 * now, though no packet came that asks, and all shards must be at the same place of the capture.
 */
#include "tools/replay/sweep_private.h"

#define SETTLE_FROM (1u << 17) /* times held by all shards together */
#define SETTLE_TIMES 8u        /* that many of all that live */

static bool holds_much(const struct sweep_shard *shard)
{
    const struct sweep_run *run = shard->run;
    struct engine_stats stats;
    size_t held = lives_held(&shard->lives);

    if (run->sweep->often)
        return held > 0;
    if (held < SETTLE_FROM / run->threads)
        return false;
    engine_stats(shard->main->engine, &stats);
    return held >= SETTLE_TIMES * (size_t)(stats.flows + shard->n_parted);
}

/* Who asks for it does so for a place that nobody has come to. */
static bool is_due(struct sweep_shard *shard)
{
    struct sweep_run *run = shard->run;
    uint64_t place = ++shard->place;
    bool much = shard->main && holds_much(shard), due;

    pthread_mutex_lock(&run->lock);
    if (place > run->highest)
        run->highest = place;
    if (much && run->settle_at < place)
        run->settle_at = run->highest + (run->threads > 1);
    due = run->settle_at == place;
    pthread_mutex_unlock(&run->lock);
    return due;
}

void sweep_gather(struct sweep_run *run)
{
    struct lives *lives = &run->shards[0].lives;

    for (unsigned i = 1; i < run->threads; i++)
        lives_take(lives, &run->shards[i].lives);
    if (lives_held(lives) > run->sweep->held)
        run->sweep->held = lives_held(lives);
}

/* With the lock; all others wait, or are at the end. */
static void turn(struct sweep_run *run, struct sweep_shard *shard)
{
    int r;

    sweep_gather(run);
    r = lives_settle(&run->total, &run->shards[0].lives, run->sweep, shard->first, shard->now);
    if (r < 0)
        run->error = r;
    run->waiting = 0;
    run->turn++;
    pthread_cond_broadcast(&run->turned);
}

static void meet(struct sweep_shard *shard)
{
    struct sweep_run *run = shard->run;
    uint64_t now;

    pthread_mutex_lock(&run->lock);
    now = run->turn;
    if (++run->waiting + run->gone == run->threads)
        turn(run, shard);
    while (run->turn == now)
        pthread_cond_wait(&run->turned, &run->lock);
    pthread_mutex_unlock(&run->lock);
}

void sweep_settle(struct sweep_shard *shard)
{
    if (!is_due(shard))
        return;
    for (uint32_t i = 0; i < shard->parted_room && shard->parted[i]; i++)
        for (unsigned k = 0; k < shard->parted[i]->n; k++)
            class_settle(shard, &shard->parted[i]->classes[k]);
    if (shard->main) {
        shard->settling = true;
        engine_watch_all(shard->main->engine);
        shard->settling = false;
    }
    meet(shard);
}

void sweep_depart(struct sweep_shard *shard)
{
    struct sweep_run *run = shard->run;

    pthread_mutex_lock(&run->lock);
    run->gone++;
    if (run->waiting > 0 && run->waiting + run->gone == run->threads)
        turn(run, shard);
    pthread_mutex_unlock(&run->lock);
}
