/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SCENARIO_READ_H
#define IDLEWALL_SCENARIO_READ_H

#include "tools/scenario/scenario_parse.h"

/* Reads and parses a scenario. what: a path if there is a / in it or such a file, `-` for standard
 * input, else the name of a shipped one. Each of the sets is a `set` statement without that word,
 * added at the end; faults in it name it. 0, -ENOENT for a name that nothing has, -EINVAL (faults
 * reported), or a negative errno. */
int scenario_read(struct scenario **out, const char *what, const char *const *sets, size_t n_sets,
                  policy_fault_fn fault, void *arg);

/* The shipped scenarios whose names are nearest to `name`, best first; at most n. How many. */
size_t scenario_nearest(const char *name, const char **names, size_t n);

#endif
