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

#include <stdio.h>

#define SWEEP_VALUES 256 /* at most */

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
    /* For tests: packets after which memory is let go of, 0: as suits; filled in: how many times of
     * entries were held at most. */
    unsigned often;
    size_t held;
};

/* NULL, or why the policy makes such a sweep inexact (adaptive timeouts, ...): static. */
const char *sweep_refused(const struct policy *policy, const struct sweep *sweep);

/*
 * As replay_run(); no flows are handed out. Of totals the capture's own are set: packets, bytes,
 * first, last, capture. -EDOM: the policy is refused, or max-flows was reached, as *fault says.
 */
int sweep_run(const char *const *paths, size_t n, const struct replay_options *options,
              struct sweep *sweep, struct replay_totals *totals, struct capture_fault *fault,
              size_t *broken);

/* `10s..24h`: n values spread evenly by their logarithm, both ends included, in round figures
 * where there is room; `1min,5min,1h`: those. own (0: none) comes in as well. 0, -EINVAL with a
 * static text in *why, -ENOMEM; points are the caller's to free. */
#define SWEEP_STEPS 200
int sweep_values(struct sweep *sweep, const char *text, mtime_t own, const char **why);
/* What the policy says itself; 0 if its profiles do not agree. */
mtime_t sweep_own(const struct policy *policy, enum policy_timeout timeout);

/* What a sweep came to. own: 0 if there is none to mark. */
struct sweep_about {
    const char *subject; /* the profile's or policy file's name */
    const char *capture;
    mtime_t own;
    const struct replay_totals *totals;
};
/* 0 or -ENOMEM. */
int sweep_text(FILE *to, const struct sweep *sweep, const struct sweep_about *about);
void sweep_json(FILE *to, const struct sweep *sweep, const struct sweep_about *about);
void sweep_csv(FILE *to, const struct sweep *sweep);
/* 0 or a negative errno. */
int sweep_svg(FILE *to, const struct sweep *sweep, const struct sweep_about *about);
/* The smallest value from which on nothing breaks, among the points; NULL: there is none. */
const struct sweep_point *sweep_safe(const struct sweep *sweep);

#endif
