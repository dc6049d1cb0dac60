/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_WORKER_H
#define IDLEWALL_WORKER_H

/* The process that touches packets: queues, engines, injected packets, clients of the control
 * socket. It was born of the privileged parent and asks it for the policy file. */

#include "middlebox/live/loop.h"
#include "middlebox/live/options.h"

struct worker {
    const struct options *options;
    struct live_clock clock;
    struct loop *loops;
    unsigned n_loops;
    struct ruleset *ruleset; /* in force for new flows */
    struct ruleset_shelf shelf;
    struct inject inject; /* the control thread's own, as is out */
    struct outcome out;
    int link;     /* to the parent */
    int listener; /* control socket */
    int metrics;  /* listening socket, until it is served; or -1 */
    int proc;     /* nfqueue_proc_open(), or negative */
    int tap_wake; /* eventfd: events are waiting */
    uint64_t reloads, reloads_failed;
};

/* What the parent hands to its child; the worker closes them. record is -1 without --record,
 * metrics without --metrics. */
struct worker_inheritance {
    int link, listener, record, metrics;
};
/* Never returns to the parent's code: the result is the process's exit status. */
int worker_run(const struct options *options, const struct worker_inheritance *inherited);

/* Makes ruleset the one for new flows in every engine; takes over the reference. 0, or an error,
 * and then nothing changed. */
int worker_apply(struct worker *worker, struct ruleset *ruleset);
/* Reads the policy out of the parent's answer and applies it: 0, or a negative errno after the
 * faults. */
int worker_reload(struct worker *worker, const char *why, int text, policy_fault_fn fault,
                  void *arg);

#endif
