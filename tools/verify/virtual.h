/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_VIRTUAL_H
#define IDLEWALL_VIRTUAL_H

/* The simulated timeline that a live one is compared with. */

#include "tools/timeline/timeline.h"

/*
 * In virtual time what a lab at that speed plays: with this kernel's hz (0: the scenario's), and
 * links that take what the lab's take. Both are the caller's, also after a failure: *timeline
 * points into *divided. 0, -EINVAL or another negative errno.
 */
int virtual_timeline(const struct scenario *scenario, unsigned speed, unsigned hz,
                     struct scenario **divided, struct timeline **timeline);

#endif
