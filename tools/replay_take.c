/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/sweep.h"
#include "tools/replay_command.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

static atomic_bool stopped;

static void stop(int signal)
{
    (void)signal;
    atomic_store(&stopped, true);
}

void replay_catch(void)
{
    struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

const atomic_bool *replay_stopped(void)
{
    return &stopped;
}

int replay_flush(int status)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    return command_failed("replay", "standard output: %s", strerror(errno ? errno : EIO));
}

/* What replay_options.arg is while a run goes on: the caller's, and the bar. */
struct watched {
    struct replay_options own;
    struct progress progress;
    char what[80];
    int64_t start_ns;
};

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void flow(void *arg, const struct replay_flow *one)
{
    const struct watched *watched = arg;

    watched->own.flow(watched->own.arg, one);
}

static void progress(void *arg, const struct capture_stats *so_far)
{
    struct watched *watched = arg;
    double seconds = (double)(now_ns() - watched->start_ns) / 1e9;

    if (!watched->progress.terminal)
        return;
    snprintf(watched->what, sizeof(watched->what), "%.0f MB, %.2f million packets/s",
             (double)so_far->bytes / 1e6, (double)so_far->packets / 1e6 / (seconds + 1e-9));
    progress_show(&watched->progress,
                  so_far->size ? (double)so_far->bytes / (double)so_far->size : 0);
}

void replay_complain(const char *path, int error, const struct capture_fault *fault)
{
    const char *text = fault->text[0] ? fault->text : strerror(-error);

    if (strcmp(path, "-") == 0)
        path = "standard input";
    if (fault->offset > 0 || fault->packet > 0)
        command_failed("replay", "%s: at byte %llu, after packet %llu: %s", path,
                       (unsigned long long)fault->offset, (unsigned long long)fault->packet, text);
    else
        command_failed("replay", "%s: %s", path, text);
}

bool replay_take(const struct replay_command *command, const char *const *captures, size_t n,
                 struct replay_options *options, struct replay_totals *totals, int *status)
{
    struct watched watched = {.own = *options, .what = "reading", .start_ns = now_ns()};
    struct replay_options actual = *options;
    struct capture_fault fault;
    size_t broken;
    int r;

    progress_init(&watched.progress, watched.what);
    actual.policy = options->policy ? options->policy : command->policy;
    actual.threads = command->threads;
    actual.checksums = command->checksums;
    actual.flow = options->flow ? flow : NULL;
    actual.progress = command->quiet ? NULL : progress;
    actual.stop = &stopped;
    actual.arg = &watched;
    r = command->sweep
            ? sweep_run(captures, n, &actual, command->sweep, totals, &fault, &broken)
            : replay_run(captures, n, &actual, totals, &fault, &broken);
    progress_finish(&watched.progress);
    *status = DONE;
    if (r < 0) {
        if (!command->told)
            replay_complain(captures[broken], r, &fault);
        *status = COULD_NOT;
    } else if (atomic_load(&stopped)) {
        *status = command_failed("replay", "interrupted; this is what was read so far");
    }
    return r == 0 || totals->packets > 0;
}
