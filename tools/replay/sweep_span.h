/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SWEEP_SPAN_H
#define IDLEWALL_SWEEP_SPAN_H

/* How long an entry may be idle, for every value of the timeout that is swept. */

#include "tools/replay/sweep.h"

/* What one choice of the engine's comes to under one profile. */
struct span {
    mtime_t idle[SWEEP_VALUES]; /* ascending */
    uint16_t lo, hi;            /* from lo to below hi it is the value itself */
    bool same;                  /* for all values */
};

struct spans {
    struct sweep sweep;        /* borrowed points */
    struct policy *policy;     /* with the greatest value */
    struct policy **policies;  /* by value, NULL until needed: of spans_policy() */
    const struct policy *base; /* a reference is held */
    struct span **span;        /* by profile and choice; NULL until needed */
    struct span ***of_rule;    /* the same by rule, then choice */
    mtime_t least;             /* no entry that lives on for the greatest value is over for another
                                  before */
};

/* 0 or -ENOMEM. */
int spans_init(struct spans *spans, struct policy *policy, const struct sweep *sweep);
void spans_finish(struct spans *spans);
/* The policy with that value, and without limits; NULL without memory. Lives as long as spans. */
struct policy *spans_policy(struct spans *spans, size_t value);
/* NULL without memory. */
const struct span *spans_make(struct spans *spans, unsigned rule, unsigned choice);
static inline const struct span *spans_of(struct spans *spans, unsigned rule, unsigned choice)
{
    const struct span *span = spans->of_rule[rule][choice];

    return span ? span : spans_make(spans, rule, choice);
}
/* Values from lo on, below hi, that are over by now: below the one returned. */
size_t span_over(const struct span *span, mtime_t last, mtime_t now, size_t lo, size_t hi);

/* Is there a choice that can be made whose idle times do not rise with the values? */
bool spans_fall(const struct policy *policy, const struct sweep *sweep);

#endif
