/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SWEEP_H
#define IDLEWALL_SWEEP_H

/*
 * One named timeout with many values, in one pass over the capture, exact: for every value what
 * replay_run() with that value alone would count.
 *
 * The engine's state for a connection, as a function of the timeout T, changes only at T equal to
 * one of its silences. So all values share one engine until a silence parts them: those below it
 * have forgotten the connection, and "forgotten" is the same state for all of them.
 */

#include "tools/replay/replay.h"

struct sweep_point {
    mtime_t timeout;
    uint64_t flows;   /* connections, as replay_totals.flows */
    uint64_t broken;  /* connections, as replay_totals */
    uint64_t entries; /* opened in the table */
    uint64_t peak;    /* entries */
    double mean;
};
struct sweep {
    enum policy_timeout timeout; /* which one is varied, in every profile of the policy */
    struct sweep_point *points;  /* ascending; timeout set by the caller, the rest filled in */
    size_t n;
};

/* NULL, or why the policy makes a sweep inexact (max-flows, adaptive timeouts, ...): static. */
const char *sweep_refused(const struct policy *policy, enum policy_timeout timeout);

/* As replay_run(). totals are those of the policy as it stands. */
int sweep_run(const char *const *paths, size_t n, const struct replay_options *options,
              struct sweep *sweep, struct replay_totals *totals, struct capture_fault *fault,
              size_t *broken);

#endif
