/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/filter.h"
#include "tools/replay/sweep_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Only what can be read more than once is read by more than one. */
static unsigned threads_for(const struct sweep_run *run)
{
    static const uint8_t gzip[4] = {0x1f, 0x8b}, zstd[4] = {0x28, 0xb5, 0x2f, 0xfd};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = run->options->threads;

    if (threads == 0)
        threads = processors > 0 ? (unsigned)processors : 1;
    for (size_t i = 0; threads > 1 && i < run->n_paths; i++) {
        uint8_t magic[4] = {0};
        struct stat st;
        int fd =
            strcmp(run->paths[i], "-") == 0 || stat(run->paths[i], &st) < 0 || !S_ISREG(st.st_mode)
                ? -1
                : open(run->paths[i], O_RDONLY | O_CLOEXEC);

        if (fd < 0 || read(fd, magic, sizeof(magic)) != (ssize_t)sizeof(magic) ||
            memcmp(magic, gzip, 2) == 0 || memcmp(magic, zstd, 4) == 0)
            threads = 1;
        if (fd >= 0)
            close(fd);
    }
    return threads < 64 ? threads : 64;
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

/* Without a thread of its own a shard is run after the others. */
static void run_all(struct sweep_run *run, struct sweep_shard *shards)
{
    bool started[64] = {false};

    for (unsigned i = 1; i < run->threads; i++)
        started[i] = pthread_create(&shards[i].thread, NULL, thread_main, &shards[i]) == 0;
    for (unsigned i = 1; i < run->threads; i++)
        if (!started[i]) {
            pthread_mutex_lock(&run->lock);
            run->one_by_one = true;
            pthread_cond_broadcast(&run->turned);
            pthread_mutex_unlock(&run->lock);
        }
    sweep_shard_run(&shards[0]);
    for (unsigned i = 1; i < run->threads; i++) {
        if (started[i])
            pthread_join(shards[i].thread, NULL);
        else
            sweep_shard_run(&shards[i]);
    }
}

/* The first that went wrong. What was read before counts all the same. */
static int fault_of(const struct sweep_run *run, const struct sweep_shard *shards,
                    struct capture_fault *fault, size_t *broken)
{
    for (unsigned i = 0; i < run->threads; i++)
        if (shards[i].error < 0) {
            *fault = shards[i].fault;
            *broken = shards[i].broken;
            return shards[i].error;
        }
    return 0;
}

static void clear(struct sweep *sweep)
{
    for (size_t v = 0; v < sweep->n; v++)
        sweep->points[v] = (struct sweep_point){.timeout = sweep->points[v].timeout};
}

static int add_up(struct sweep_run *run, struct sweep_shard *shards, struct replay_totals *totals)
{
    struct sweep *sweep = run->sweep;
    struct lives *lives = &shards[0].lives;
    int r;

    *totals = (struct replay_totals){.first = shards[0].first, .last = shards[0].now};
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
        if (i > 0)
            lives_take(lives, &shards[i].lives);
    }
    if (shards[0].source)
        run_source_stats(shards[0].source, &totals->capture);
    r = run->error;
    if (r == 0)
        r = lives_settle(&run->total, lives, sweep, totals->first);
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
    struct sweep_shard *shards = calloc(run->threads, sizeof(*shards));
    int r, counted;

    if (!shards)
        return -ENOMEM;
    run->shards = shards;
    pthread_mutex_init(&run->lock, NULL);
    pthread_cond_init(&run->turned, NULL);
    for (unsigned i = 0; i < run->threads; i++) {
        shards[i].run = run;
        shards[i].number = i;
    }
    run_all(run, shards);
    r = fault_of(run, shards, fault, broken);
    counted = add_up(run, shards, totals);
    if (r == 0)
        r = counted;
    if (r == 0)
        r = judge_limit(run, fault);
    for (unsigned i = 0; i < run->threads; i++)
        sweep_shard_finish(&shards[i]);
    free(shards);
    pthread_cond_destroy(&run->turned);
    pthread_mutex_destroy(&run->lock);
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
        r = play(&run, totals, fault, broken);
    for (size_t i = 0; run.filters && i < options->policy->n_rules; i++)
        filter_destroy(run.filters[i]);
    free(run.filters);
    return r;
}
