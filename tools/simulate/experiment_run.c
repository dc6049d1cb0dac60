/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario/scenario_parse.h"
#include "tools/simulate/experiment_private.h"
#include "tools/simulate/world.h"
#include "tools/timeline/expect.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_EVERY_NS 100000000 /* a tenth of a second */
#define THREADS_MAX 1024u

/* Points are taken in order, and those before one that fails are played to their end: which one is
 * said to have failed does not depend on the threads. */
struct work {
    struct experiment *experiment;
    pthread_mutex_t lock;
    pthread_cond_t over; /* a worker ended */
    unsigned running;
    size_t next;
    size_t n_done;
    int error; /* of the point `failed` */
    atomic_size_t failed;
    atomic_bool cancelled;
};
struct worker {
    struct work *work;
    pthread_t thread;
    size_t point;
    atomic_uint share; /* of the point it plays, in millionths */
};

static bool watch(void *arg, mtime_t reached, mtime_t until)
{
    struct worker *worker = arg;
    struct work *work = worker->work;

    atomic_store_explicit(&worker->share,
                          until > 0 ? (unsigned)(1e6 * (double)reached / (double)until) : 0,
                          memory_order_relaxed);
    return !atomic_load_explicit(&work->cancelled, memory_order_relaxed) &&
           worker->point <= atomic_load_explicit(&work->failed, memory_order_relaxed);
}

static int judge(const struct scenario *scenario, const struct timeline *timeline, char **unmet)
{
    struct expect_result *results = calloc(scenario->n_expectations + 1, sizeof(*results));
    size_t len;
    FILE *to;

    if (!results)
        return -ENOMEM;
    if (!expect_check(timeline, results)) {
        to = open_memstream(unmet, &len);
        if (to)
            expect_report(to, scenario, results);
        if (!to || fclose(to) != 0) {
            free(results);
            return -ENOMEM;
        }
    }
    free(results);
    return 0;
}

static int play(struct worker *worker)
{
    struct experiment *experiment = worker->work->experiment;
    const struct world_watch watching = {watch, worker};
    struct tally *tally = &experiment->tallies[worker->point];
    struct timeline *timeline = NULL;
    struct scenario *point = NULL;
    int r;

    r = scenario_point(&point, experiment->scenario, experiment_choice(experiment, worker->point),
                       NULL, NULL);
    if (r < 0)
        return r;
    point->seed = experiment->scenario->seed; /* it may have been given beside the text */
    if (point->n_expectations > 0 && point->workload.clients == 0)
        r = timeline_create(&timeline, point);
    if (r == 0)
        r = world_play(point, timeline, tally, &watching);
    if (r == 0 && timeline)
        r = judge(point, timeline, &experiment->unmet[worker->point]);
    if (!experiment_sampled(experiment->scenario)) {
        free(tally->samples);
        tally->samples = NULL;
        tally->n_samples = 0;
    }
    timeline_destroy(timeline);
    scenario_destroy(point);
    return r;
}

static void *work_on(void *arg)
{
    struct worker *worker = arg;
    struct work *work = worker->work;

    pthread_mutex_lock(&work->lock);
    while (work->next < work->experiment->n_points && work->next < atomic_load(&work->failed) &&
           !atomic_load(&work->cancelled)) {
        int r;

        worker->point = work->next++;
        atomic_store(&worker->share, 0);
        pthread_mutex_unlock(&work->lock);
        r = play(worker);
        pthread_mutex_lock(&work->lock);
        atomic_store(&worker->share, 0);
        if (r == 0)
            work->n_done++;
        else if (worker->point < atomic_load(&work->failed) && !atomic_load(&work->cancelled)) {
            atomic_store(&work->failed, worker->point);
            work->error = r;
        }
    }
    work->running--;
    pthread_cond_signal(&work->over);
    pthread_mutex_unlock(&work->lock);
    return NULL;
}

/* Until all workers have ended; progress is called without the lock. */
static void wait_for_all(struct work *work, struct worker *workers, unsigned n,
                         bool (*progress)(void *arg, double done), void *arg)
{
    struct timespec next;

    pthread_mutex_lock(&work->lock);
    while (work->running > 0) {
        double done = (double)work->n_done;

        clock_gettime(CLOCK_MONOTONIC, &next);
        next.tv_nsec += PROGRESS_EVERY_NS;
        if (next.tv_nsec >= 1000000000) {
            next.tv_nsec -= 1000000000;
            next.tv_sec++;
        }
        pthread_cond_timedwait(&work->over, &work->lock, &next);
        if (!progress || work->running == 0 || atomic_load(&work->cancelled))
            continue;
        for (unsigned i = 0; i < n; i++)
            done += (double)atomic_load(&workers[i].share) / 1e6;
        pthread_mutex_unlock(&work->lock);
        if (!progress(arg, done / (double)work->experiment->n_points))
            atomic_store(&work->cancelled, true);
        pthread_mutex_lock(&work->lock);
    }
    pthread_mutex_unlock(&work->lock);
}

static unsigned how_many(unsigned threads, size_t points)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (threads == 0)
        threads = cores > 0 ? (unsigned)cores : 1;
    if (threads > points)
        threads = (unsigned)points;
    return threads > THREADS_MAX ? THREADS_MAX : threads;
}

/* With as many workers as can be started, if it is at least one. */
static int play_all(struct work *work, unsigned threads, bool (*progress)(void *arg, double done),
                    void *arg)
{
    struct worker *workers = calloc(threads, sizeof(*workers));
    unsigned n = 0;
    int r = 0;

    if (!workers)
        return -ENOMEM;
    pthread_mutex_lock(&work->lock); /* nobody begins before the count is right */
    for (; n < threads && r == 0; n += r == 0) {
        workers[n].work = work;
        r = pthread_create(&workers[n].thread, NULL, work_on, &workers[n]);
    }
    work->running = n;
    pthread_mutex_unlock(&work->lock);
    if (n > 0) {
        r = 0;
        wait_for_all(work, workers, n, progress, arg);
    }
    for (unsigned i = 0; i < n; i++)
        pthread_join(workers[i].thread, NULL);
    free(workers);
    return -r;
}

int experiment_run(struct experiment *out, const struct scenario *scenario, unsigned threads,
                   bool (*progress)(void *arg, double done), void *arg)
{
    struct work work = {.experiment = out, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_condattr_t clock;
    int r = experiment_init(out, scenario);

    if (r < 0)
        return r;
    atomic_init(&work.failed, out->n_points);
    atomic_init(&work.cancelled, false);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&work.over, &clock);
    pthread_condattr_destroy(&clock);

    r = play_all(&work, how_many(threads, out->n_points), progress, arg);
    if (r == 0 && atomic_load(&work.cancelled) && work.n_done < out->n_points)
        r = -ECANCELED;
    if (r == 0)
        r = work.error;
    out->n_done = work.n_done;
    if (r != -ECANCELED)
        out->failed = atomic_load(&work.failed);
    pthread_cond_destroy(&work.over);
    pthread_mutex_destroy(&work.lock);
    return r;
}
