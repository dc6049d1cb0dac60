/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_DIVIDED_H
#define IDLEWALL_DIVIDED_H

/*
 * What a lab at `--speed N` really plays: everything that a scenario says is N times shorter, what
 * belongs to the kernel (retransmission, TIME_WAIT, ticks) is not. Simulated so, and its times
 * multiplied again, a story can be compared with the live one.
 */

#include "tools/timeline/timeline.h"

/* A copy. 0, -ENOMEM, or -EINVAL where a duration does not survive the division. */
int scenario_divided(struct scenario **out, const struct scenario *scenario, unsigned speed);
/* Back to the scenario's own time. */
void timeline_multiply(struct timeline *timeline, const struct scenario *original, unsigned speed);

#endif
