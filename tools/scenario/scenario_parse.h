/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SCENARIO_PARSE_H
#define IDLEWALL_SCENARIO_PARSE_H

#include "policy/policy_parse.h"
#include "tools/scenario/scenario.h"

#define SCENARIO_TEXT_MAX ((size_t)1 << 20)

/*
 * Parse a scenario; the language is in docs/idlewall-scenario.5.scd. Every fault is reported as
 * `NAME:LINE:COLUMN: what is wrong, what is allowed`. A policy file named in it is found beside
 * `directory` (NULL: refused). Returns 0, -EINVAL when there were faults, -ENOMEM.
 */
int scenario_parse(struct scenario **out, const char *name, const char *text, size_t len,
                   const char *directory, policy_fault_fn fault, void *arg);

/* The grid's point: choice[i] < axis[i].n_values says which value of each axis. The result has no
 * axes. 0, -EINVAL (reported; cannot happen after a successful parse), -ENOMEM. */
int scenario_point(struct scenario **out, const struct scenario *scenario, const size_t *choice,
                   policy_fault_fn fault, void *arg);

/* How many points the grid has: 1 without axes. */
size_t scenario_points(const struct scenario *scenario);

/* The shipped scenarios (compiled in from tools/scenario/cases), in alphabetical order. */
struct scenario_shipped {
    const char *name; /* "oracle-dcd-answers-lost" */
    const char *text;
    size_t len;
};
extern const struct scenario_shipped scenario_shipped[];
extern const size_t scenario_shipped_count;
const struct scenario_shipped *scenario_shipped_find(const char *name);

#endif
