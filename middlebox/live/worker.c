/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/worker.h"
#include "middlebox/live/control.h"
#include "middlebox/live/link.h"
#include "middlebox/live/nfqueue_proc.h"
#include "middlebox/live/privileges.h"

#include "policy/duration.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Wall time. An end that did not take its reset shows itself by a retransmission: at the latest
 * after TCP_RTO_MAX, 120 s, and an eighth more by the rounding of the timer wheel. */
#define LINGER (140 * MTIME_SEC)

static void say_fault(void *arg, const char *message)
{
    (void)arg;
    fprintf(stderr, "%s\n", message);
}

static int complain(const char *what, int r)
{
    fprintf(stderr, "idlewalld: %s: %s\n", what, strerror(-r));
    return 3;
}

/* The file's figures are totals; engines share nothing, so each gets its part. */
static void split(struct policy *policy, unsigned parts)
{
    if (parts == 1)
        return;
    policy->max_flows = (policy->max_flows + parts - 1) / parts;
    policy->late_memory_count = (policy->late_memory_count + parts - 1) / parts;
    policy->inject_rate = (policy->inject_rate + parts - 1) / parts;
}

static int parse(struct ruleset **out, const struct worker *worker, int text, policy_fault_fn fault,
                 void *arg)
{
    struct policy *policy = NULL;
    struct stat st;
    void *map = NULL;
    int r = 0;

    *out = NULL;
    if (fstat(text, &st) < 0)
        return -errno;
    if (st.st_size > 0) {
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, text, 0);
        r = map == MAP_FAILED ? -errno : 0;
    }
    if (r == 0)
        r = policy_parse(&policy, worker->options->policy, map ? map : "", (size_t)st.st_size,
                         fault, arg);
    if (map && map != MAP_FAILED)
        munmap(map, (size_t)st.st_size);
    if (r < 0)
        return r;
    split(policy, worker->n_loops);
    return ruleset_create(out, policy, fault, arg);
}

int worker_apply(struct worker *worker, struct ruleset *ruleset)
{
    int r = 0;
    unsigned done;

    ruleset = ruleset_shelf_pass(&worker->shelf, ruleset);
    for (done = 0; r == 0 && done < worker->n_loops; done++)
        r = loop_set_ruleset(&worker->loops[done], ruleset);
    if (r < 0) { /* those that took it go back to the old one */
        for (unsigned i = 0; i + 1 < done; i++)
            loop_set_ruleset(&worker->loops[i], worker->ruleset);
        ruleset_unref(ruleset);
        return r;
    }
    if (ruleset->policy->fail_closed != worker->ruleset->policy->fail_closed) {
        const struct link_message fail = {.kind = LINK_FAIL, .flag = ruleset->policy->fail_closed};

        link_send(worker->link, &fail, -1);
    }
    ruleset_unref(worker->ruleset);
    worker->ruleset = ruleset;
    return 0;
}

int worker_reload(struct worker *worker, const char *why, int text, policy_fault_fn fault,
                  void *arg)
{
    struct ruleset *ruleset = NULL;
    char message[512];
    int r;

    if (text < 0) {
        snprintf(message, sizeof(message), "%s: %s", worker->options->policy, why);
        fault(arg, message);
        r = -ENOENT;
    } else {
        r = parse(&ruleset, worker, text, fault, arg);
        if (r == 0)
            r = worker_apply(worker, ruleset);
        if (r < 0 && r != -EINVAL) {
            snprintf(message, sizeof(message), "%s: %s", worker->options->policy,
                     r == -EUSERS ? "flows of too many older policies are still alive"
                                  : strerror(-r));
            fault(arg, message);
        }
    }
    if (r < 0)
        worker->reloads_failed++;
    else
        worker->reloads++;
    return r;
}

static int first_policy(struct worker *worker)
{
    struct link_message message;
    struct policy *policy;
    int text, r;

    if (worker->options->profile) {
        r = policy_from_profile(&policy, worker->options->profile);
        if (r == -ENOENT) {
            fprintf(stderr, "idlewalld: %s: no such profile; `idlewall profile list` names them\n",
                    worker->options->profile);
            return 2;
        }
        if (r < 0)
            return complain("policy", r);
        split(policy, worker->n_loops);
        r = ruleset_create(&worker->ruleset, policy, say_fault, NULL);
    } else {
        if (link_receive(worker->link, &message, &text) <= 0 || text < 0)
            return 3;
        r = parse(&worker->ruleset, worker, text, say_fault, NULL);
        close(text);
    }
    if (r < 0)
        return r == -EINVAL ? 2 : complain("policy", r);
    worker->ruleset = ruleset_shelf_pass(&worker->shelf, worker->ruleset);
    return 0;
}

static int start_loops(struct worker *worker)
{
    uint16_t first = worker->options->plan.queue_first;
    uint8_t secret[16];
    struct loop_config config = {.clock = &worker->clock,
                                 .all = worker->loops,
                                 .n_all = worker->n_loops,
                                 .ruleset = worker->ruleset,
                                 .hash_secret = secret,
                                 .linger = LINGER * worker->options->speed,
                                 .tap_wake = worker->tap_wake};

    if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
        return complain("getrandom", -errno);
    for (unsigned i = 0; i < worker->n_loops; i++) {
        char what[64];
        int r;

        config.queue = (uint16_t)(first + i);
        r = loop_init(&worker->loops[i], &config);
        snprintf(what, sizeof(what), "queue %u", config.queue);
        if (r == -EBUSY)
            fprintf(stderr, "idlewalld: %s: another program listens to it\n", what);
        else if (r == -EPERM)
            fprintf(stderr,
                    "idlewalld: %s: not permitted: run as root, or in a user and network "
                    "namespace of your own\n",
                    what);
        else if (r < 0)
            complain(what, r);
        if (r < 0)
            return 3;
    }
    return 0;
}

static int start_recording(struct worker *worker, int *fd)
{
    const struct recording_config config = {.queue = worker->options->plan.queue_first,
                                            .speed = worker->options->speed,
                                            .start = 1,
                                            .linger = LINGER * worker->options->speed,
                                            .wall_start_ns = worker->clock.wall_start};
    struct recording *recording;
    int r;

    if (*fd < 0)
        return 0;
    r = recording_create(&recording, *fd, &config);
    *fd = -1;
    if (r == 0)
        r = recording_policy(recording, 1, worker->ruleset->text, worker->ruleset->text_len);
    worker->loops[0].recording = recording;
    return r < 0 ? complain(worker->options->record, r) : 0;
}

static int start(struct worker *worker, int *record)
{
    int status = first_policy(worker);

    if (status == 0)
        status = start_loops(worker);
    if (status == 0)
        status = start_recording(worker, record);
    if (status != 0)
        return status;
    worker->proc = nfqueue_proc_open();
    if (inject_init(&worker->inject) < 0 || outcome_init(&worker->out) < 0)
        return complain("start", -errno);
    status = privileges_drop();
    if (status < 0)
        return complain("giving up privileges", status);
    /* Only now: a change of user clears it. That the parent is gone already shows at the link. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (unsigned i = 0; i < worker->n_loops; i++) {
        status = loop_start(&worker->loops[i]);
        if (status < 0)
            return complain("thread", status);
    }
    return 0;
}

static void finish(struct worker *worker)
{
    /* All threads first: one may ask another's engine. */
    for (unsigned i = 0; i < worker->n_loops; i++)
        loop_stop(&worker->loops[i]);
    for (unsigned i = 0; i < worker->n_loops; i++)
        loop_finish(&worker->loops[i]);
    free(worker->loops);
    ruleset_unref(worker->ruleset);
    ruleset_shelf_finish(&worker->shelf);
    inject_finish(&worker->inject);
    outcome_finish(&worker->out);
    if (worker->proc >= 0)
        close(worker->proc);
    if (worker->tap_wake >= 0)
        close(worker->tap_wake);
    close(worker->link);
    close(worker->listener);
    if (worker->metrics >= 0)
        close(worker->metrics);
}

/* Or people wonder why a late packet right after the start is let pass. */
static void say_adopting(const struct policy *policy)
{
    char text[DURATION_TEXT];

    if (policy->adopt_at_start > 0)
        fprintf(
            stderr,
            "idlewalld: connections that are open already are adopted for %s (adopt-at-start)\n",
            duration_format(policy->adopt_at_start, text, sizeof(text)));
}

int worker_run(const struct options *options, const struct worker_inheritance *inherited)
{
    struct worker worker = {.options = options,
                            .n_loops = options->plan.queue_last - options->plan.queue_first + 1u,
                            .inject = {-1, -1},
                            .link = inherited->link,
                            .listener = inherited->listener,
                            .metrics = inherited->metrics,
                            .proc = -1,
                            .tap_wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    int record = inherited->record;
    int status = 3;

    live_clock_init(&worker.clock, options->speed);
    worker.loops = calloc(worker.n_loops, sizeof(struct loop));
    if (worker.loops && worker.tap_wake >= 0)
        status = start(&worker, &record);
    if (status == 0) {
        const struct link_message ready = {.kind = LINK_READY,
                                           .flag = worker.ruleset->policy->fail_closed};

        say_adopting(worker.ruleset->policy);
        status = link_send(worker.link, &ready, -1) < 0 ? 3 : control_run(&worker);
    }
    if (record >= 0)
        close(record);
    finish(&worker);
    return status;
}
