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
struct lives {
    struct lives_times opens;
    struct lives_times closes;
    struct lives_times tails; /* closes at the value's timeout after that */
    int error;                /* -ENOMEM: figures are not to be trusted */
};

void lives_note(struct lives *lives, struct lives_times *times, mtime_t at, unsigned lo,
                unsigned hi);
void lives_finish(struct lives *lives);
/* Moves all of from behind what is in into. */
void lives_take(struct lives *into, struct lives *from);
/*
 * Sets entries, peak and mean. One that closes as another opens has made room for it; what lives on
 * is counted until last. Sorts lives. 0 or -ENOMEM.
 */
int lives_count(struct lives *lives, struct sweep *sweep, mtime_t first, mtime_t last);

#endif
