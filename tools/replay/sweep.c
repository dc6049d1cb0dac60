/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/filter.h"
#include "tools/replay/sweep_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SWEEP_THREADS 64
#define TIDY_EVERY 65536             /* packets */
#define DOUBT_FROM (120 * MTIME_SEC) /* the engine's doubt() */

const char *sweep_refused(const struct policy *policy, const struct sweep *sweep)
{
    if (sweep->timeout == TIMEOUT_ACTIVE)
        return "active-timeout counts from a connection's beginning, silences do not matter to it";
    if (policy->adaptive_start)
        return "adaptive timeouts hang on the number of entries, which differs for every value";
    for (size_t i = 0; i < policy->n_profiles; i++) {
        const struct policy_profile *p = &policy->profiles[i];

        if (p->on_expiry == ON_EXPIRY_DCD)
            return "on-expiry dcd: how the ends would have answered probes is not in a capture";
        if (p->refresh == REFRESH_EACH || p->refresh_udp == REFRESH_UDP_EACH)
            return "refresh each: a connection is not forgotten after one silence, but after that "
                   "of "
                   "either side";
        if (sweep->timeout != TIMEOUT_TCP_UNACKNOWLEDGED &&
            p->timeout[TIMEOUT_TCP_UNACKNOWLEDGED] < DOUBT_FROM)
            return "tcp-unacknowledged is below 2min: it would cut long timeouts shorter than "
                   "short "
                   "ones";
    }
    if (spans_fall(policy, sweep))
        return "with this policy, a longer timeout would let some connections be idle for less";
    return NULL;
}

static unsigned threads_for(const struct sweep_run *run)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = run->options->threads;

    if (threads == 0)
        threads = processors > 0 ? (unsigned)processors : 1;
    return threads < SWEEP_THREADS ? threads : SWEEP_THREADS;
}

static int compile(struct sweep_run *run)
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

static void *thread_main(void *arg)
{
    sweep_shard_run(arg);
    return NULL;
}

/* A shard for each thread; the caller's is the first. 0 or a negative errno. */
static int run_all(struct sweep_run *run)
{
    struct sweep_shard *shards = run->shards;
    unsigned started = 1;
    int r = 0;

    for (; started < run->threads; started++)
        if (pthread_create(&shards[started].thread, NULL, thread_main, &shards[started]) != 0)
            break;
    if (started == run->threads) {
        sweep_shard_run(&shards[0]);
    } else {
        r = -EAGAIN;
        sweep_shard_leave(&shards[0]);
        for (unsigned i = started; i < run->threads; i++)
            sweep_shard_leave(&shards[i]);
    }
    for (unsigned i = 1; i < started; i++)
        pthread_join(shards[i].thread, NULL);
    for (unsigned i = 0; r == 0 && i < run->threads; i++)
        r = shards[i].error;
    return r;
}

static void clear(struct sweep *sweep)
{
    for (size_t v = 0; v < sweep->n; v++)
        sweep->points[v] = (struct sweep_point){.timeout = sweep->points[v].timeout};
}

static int add_up(struct sweep_run *run, struct replay_totals *totals)
{
    struct sweep_shard *shards = run->shards;
    struct sweep *sweep = run->sweep;
    int r;

    feed_figures(run->feed, &totals->first, &totals->last, &totals->capture);
    clear(sweep);
    for (unsigned i = 0; i < run->threads; i++) {
        uint64_t below = 0;

        totals->packets += shards[i].packets;
        totals->bytes += shards[i].bytes;
        for (size_t v = sweep->n; shards[i].main && v-- > 0;) {
            below += shards[i].broken_below[v + 1];
            sweep->points[v].flows += shards[i].all.flows + shards[i].count[v].flows;
            sweep->points[v].broken += shards[i].all.broken + shards[i].count[v].broken + below;
        }
    }
    sweep_gather(run);
    r = run->error;
    if (r == 0)
        r = lives_settle(&run->total, &shards[0].lives, sweep, totals->first, MTIME_NEVER);
    lives_figures(&run->total, sweep, totals->first, totals->last);
    return r;
}

static int judge_limit(const struct sweep_run *run, struct capture_fault *fault)
{
    for (size_t v = 0; v < run->sweep->n; v++)
        if (run->sweep->points[v].peak > run->options->policy->max_flows) {
            snprintf(fault->text, sizeof(fault->text),
                     "max-flows (%u) is reached: who is turned away then is not the same for every "
                     "value",
                     run->options->policy->max_flows);
            clear(run->sweep); /* no figures rather than wrong ones */
            return -EDOM;
        }
    return 0;
}

static int play(struct sweep_run *run, struct replay_totals *totals, struct capture_fault *fault,
                size_t *broken)
{
    int failed, counted, r;

    run->shards = calloc(run->threads, sizeof(*run->shards));
    if (!run->shards)
        return -ENOMEM;
    pthread_mutex_init(&run->lock, NULL);
    pthread_cond_init(&run->turned, NULL);
    for (unsigned i = 0; i < run->threads; i++) {
        run->shards[i].run = run;
        run->shards[i].number = i;
    }
    failed = run_all(run);
    counted = add_up(run, totals);
    r = feed_error(run->feed, fault, broken);
    if (r == 0)
        r = failed ? failed : counted;
    if (r == 0)
        r = judge_limit(run, fault);
    for (unsigned i = 0; i < run->threads; i++)
        sweep_shard_finish(&run->shards[i]);
    free(run->shards);
    pthread_cond_destroy(&run->turned);
    pthread_mutex_destroy(&run->lock);
    return r;
}

static int read_and_play(struct sweep_run *run, struct replay_totals *totals,
                         struct capture_fault *fault, size_t *broken)
{
    struct feed_config config = {.paths = run->paths,
                                 .n_paths = run->n_paths,
                                 .shards = run->threads,
                                 .span = run->sweep->often ? run->sweep->often : TIDY_EVERY,
                                 .checksums = run->options->checksums,
                                 .quotes = feed_quotes(run->options->policy),
                                 .options = run->options};
    int r = feed_create(&run->feed, &config, fault, broken);

    if (r == 0)
        r = play(run, totals, fault, broken);
    run->feed = feed_destroy(run->feed);
    return r;
}

int sweep_run(const char *const *paths, size_t n, const struct replay_options *options,
              struct sweep *sweep, struct replay_totals *totals, struct capture_fault *fault,
              size_t *broken)
{
    struct sweep_run run = {.options = options, .paths = paths, .n_paths = n, .sweep = sweep};
    const char *why = sweep_refused(options->policy, sweep);
    int r;

    *totals = (struct replay_totals){0};
    *fault = (struct capture_fault){0};
    *broken = 0;
    if (why) {
        snprintf(fault->text, sizeof(fault->text), "%s", why);
        return -EDOM;
    }
    run.threads = threads_for(&run);
    r = compile(&run);
    if (r == 0)
        r = read_and_play(&run, totals, fault, broken);
    for (size_t i = 0; run.filters && i < options->policy->n_rules; i++)
        filter_destroy(run.filters[i]);
    free(run.filters);
    return r;
}
