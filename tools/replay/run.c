/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/filter.h"
#include "tools/replay/run_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SMALL (1 << 20) /* bytes: not worth a thread */

const char *replay_outcome_name(enum replay_outcome outcome)
{
    static const char *const names[REPLAY_OUTCOMES] = {
        [REPLAY_FINE] = "fine",       [REPLAY_SAVED] = "saved",     [REPLAY_BROKEN] = "broken",
        [REPLAY_EXPIRED] = "expired", [REPLAY_REFUSED] = "refused",
    };
    return (unsigned)outcome < REPLAY_OUTCOMES ? names[outcome] : NULL;
}

/* It may have to be read again. */
static bool is_file(const char *path, uint64_t *size)
{
    struct stat st;

    if (strcmp(path, "-") == 0 || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    *size += (uint64_t)st.st_size;
    return true;
}

static unsigned threads_for(const struct run *run)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = run->options->threads;
    uint64_t size = 0;

    if (threads == 0)
        threads = processors > 0 ? (unsigned)processors : 1;
    if (threads > RUN_THREADS)
        threads = RUN_THREADS;
    for (size_t i = 0; threads > 1 && i < run->n_paths; i++)
        if (!is_file(run->paths[i], &size))
            threads = 1;
    return run->options->threads == 0 && size < SMALL ? 1 : threads;
}

static void *thread_main(void *arg)
{
    shard_run(arg);
    return NULL;
}

static void add_stats(struct engine_stats *to, const struct engine_stats *from)
{
    for (unsigned i = 0; i < REASONS; i++)
        to->packets[i] += from->packets[i];
    for (unsigned i = 0; i <= FLOW_END_RESOURCES; i++)
        to->ended[i] += from->ended[i];
    for (unsigned i = 0; i <= SEGMENT_PROBE; i++)
        to->segments[i] += from->segments[i];
    for (unsigned i = 0; i < FLOW_STATES; i++)
        to->by_state[i] += from->by_state[i];
    to->accepted += from->accepted;
    to->dropped += from->dropped;
    to->opened += from->opened;
    to->expired += from->expired;
    to->late += from->late;
    to->flows += from->flows;
    to->max_flows = from->max_flows;
    to->policies = from->policies;
    to->memory += from->memory;
}

static void add_up(const struct run *run, const struct shard *shards, struct replay_totals *totals)
{
    *totals = (struct replay_totals){.peak_flows = run->occupancy.peak};
    feed_figures(run->feed, &totals->first, &totals->last, &totals->capture);
    for (unsigned i = 0; i < run->threads; i++) {
        const struct shard *shard = &shards[i];
        const struct connections *cs = &shard->connections;
        struct engine_stats stats;

        totals->packets += shard->packets;
        totals->bytes += shard->bytes;
        totals->flows += cs->flows;
        totals->midstream += cs->midstream;
        for (unsigned k = 0; k < REPLAY_OUTCOMES; k++)
            totals->by_outcome[k] += cs->by_outcome[k];
        if (!shard->engine)
            continue;
        engine_stats(shard->engine, &stats);
        add_stats(&totals->engine, &stats);
    }
    totals->engine.peak_flows = (uint32_t)run->occupancy.peak;
    totals->mean_flows = occupancy_mean(&run->occupancy, totals->first, totals->last);
}

/* A shard for each thread; the caller's is the first. */
static int run_shards(struct run *run, struct shard *shards)
{
    unsigned started = 1;
    int r = 0;

    run->stop_at = UINT64_MAX;
    for (unsigned i = 0; i < run->threads; i++) {
        shards[i].run = run;
        shards[i].number = i;
    }
    for (; started < run->threads; started++)
        if (pthread_create(&shards[started].thread, NULL, thread_main, &shards[started]) != 0)
            break;
    if (started < run->threads) {
        r = -EAGAIN;
        pthread_mutex_lock(&run->lock);
        run->stop_at = 0;
        for (unsigned i = started; i < run->threads; i++)
            run->done[i] = UINT64_MAX / 2;
        pthread_cond_broadcast(&run->turned);
        pthread_mutex_unlock(&run->lock);
        for (unsigned i = started; i < run->threads; i++)
            feed_leave(run->feed, i);
        feed_leave(run->feed, 0);
    } else {
        shard_run(&shards[0]);
    }
    for (unsigned i = 1; i < started; i++)
        pthread_join(shards[i].thread, NULL);
    for (unsigned i = 0; r == 0 && i < run->threads; i++)
        r = shards[i].error;
    return r;
}

static int play(struct run *run, struct replay_totals *totals, struct capture_fault *fault,
                size_t *broken)
{
    struct feed_config config = {.paths = run->paths,
                                 .n_paths = run->n_paths,
                                 .shards = run->threads,
                                 .span = run->span,
                                 .checksums = run->options->checksums,
                                 .quotes = feed_quotes(run->options->policy),
                                 .options = run->options};
    struct shard *shards = aligned_alloc(64, run->threads * sizeof(*shards));
    int r = -ENOMEM, failed, ended;

    if (!shards)
        return r;
    memset(shards, 0, run->threads * sizeof(*shards));
    r = feed_create(&run->feed, &config, fault, broken);
    if (r < 0)
        goto out;
    failed = run_shards(run, shards);
    ended = occupancy_end(&run->occupancy);
    r = feed_error(run->feed, fault, broken);
    if (r == 0)
        r = failed ? failed : run->error ? run->error : ended;
    add_up(run, shards, totals);
out:
    for (unsigned i = 0; i < run->threads; i++)
        shard_finish(&shards[i]);
    free(shards);
    run->feed = feed_destroy(run->feed);
    return r;
}

static int compile(struct run *run)
{
    const struct policy *policy = run->options->policy;
    char why[256];
    int r = 0;

    run->filters = calloc(policy->n_rules + 1, sizeof(struct filter *));
    if (!run->filters)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < policy->n_rules; i++)
        if (policy->rules[i].match)
            r = filter_compile(&run->filters[i], policy->rules[i].match, why, sizeof(why));
    return r;
}

static void finish(struct run *run)
{
    for (size_t i = 0; run->filters && i < run->options->policy->n_rules; i++)
        filter_destroy(run->filters[i]);
    free(run->filters);
    for (unsigned k = 0; k < RUN_LEAD; k++)
        for (unsigned i = 0; i < RUN_THREADS; i++) {
            occupancy_times_finish(&run->spans[k].opens[i]);
            occupancy_times_finish(&run->spans[k].closes[i]);
        }
    occupancy_finish(&run->occupancy);
    pthread_cond_destroy(&run->turned);
    pthread_mutex_destroy(&run->lock);
    pthread_mutex_destroy(&run->handing);
    free(run);
}

/* Threads could not be kept apart any longer: one does it all again, and keeps to itself what was
 * handed out already. */
static void again(struct run *run)
{
    run->muted = run->stop_at;
    run->too_full = false;
    run->threads = 1;
    run->highest = 0;
    memset(run->done, 0, sizeof(run->done));
    memset(run->used, 0, sizeof(run->used));
    for (unsigned k = 0; k < RUN_LEAD; k++)
        run->spans[k].left = 0;
    occupancy_finish(&run->occupancy);
    run->occupancy = (struct occupancy){0};
}

int replay_run(const char *const *paths, size_t n, const struct replay_options *options,
               struct replay_totals *totals, struct capture_fault *fault, size_t *broken)
{
    const struct policy *policy = options->policy;
    struct run *run = calloc(1, sizeof(*run));
    int r;

    *totals = (struct replay_totals){0};
    *fault = (struct capture_fault){0};
    *broken = 0;
    if (!run)
        return -ENOMEM;
    run->options = options;
    run->paths = paths;
    run->n_paths = n;
    run->limit = policy->max_flows;
    if (policy->adaptive_start && policy->adaptive_start < run->limit)
        run->limit = policy->adaptive_start;
    run->span = run->limit / 8 < RUN_SPAN ? run->limit / 8 + 1 : RUN_SPAN;
    pthread_mutex_init(&run->lock, NULL);
    pthread_mutex_init(&run->handing, NULL);
    pthread_cond_init(&run->turned, NULL);
    r = compile(run);
    if (r == 0) {
        run->threads = threads_for(run);
        r = play(run, totals, fault, broken);
    }
    if (run->too_full) {
        again(run);
        r = play(run, totals, fault, broken);
    }
    finish(run);
    return r;
}
