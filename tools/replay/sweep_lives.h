/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SWEEP_LIVES_H
#define IDLEWALL_SWEEP_LIVES_H

/* When entries opened and closed, for all values of a sweep at once. Values are numbers from 0 on;
 * what is said counts for those from lo to below hi. */

#include "tools/replay/sweep.h"

struct lives_time {
    mtime_t at;
    uint16_t lo, hi;
};
struct lives_times {
    struct lives_time *at;
    size_t n, room;
};
/* Since they were last settled. */
struct lives {
    struct lives_times opens;
    struct lives_times closes;
    struct lives_times tails; /* closes at the value's timeout after that */
    int error;                /* -ENOMEM: figures are not to be trusted */
};

void lives_note(struct lives *lives, struct lives_times *times, mtime_t at, unsigned lo,
                unsigned hi);
void lives_finish(struct lives *lives);
static inline size_t lives_held(const struct lives *lives)
{
    return lives->opens.n + lives->closes.n + lives->tails.n;
}
/* Moves all of from behind what is in into. */
void lives_take(struct lives *into, struct lives *from);

/* What all that was settled came to. Zeroed: nothing. */
struct lives_total {
    uint64_t live[SWEEP_VALUES], peak[SWEEP_VALUES], opened[SWEEP_VALUES];
    double seconds[SWEEP_VALUES]; /* when they closed, less when they opened */
};
/*
 * Counts what is in lives up to now, and empties it. Nothing that is noted later may have happened
 * before. One that closes as another opens has made room for it: openings at that very moment stay
 * in lives. 0 or -ENOMEM. first: of the capture.
 */
int lives_settle(struct lives_total *total, struct lives *lives, const struct sweep *sweep,
                 mtime_t first, mtime_t now);
/* Sets entries, peak and mean; what lives on is counted until last. */
void lives_figures(const struct lives_total *total, struct sweep *sweep, mtime_t first,
                   mtime_t last);

#endif
