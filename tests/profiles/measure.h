/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_MEASURE_H
#define IDLEWALL_MEASURE_H

/* Does a policy behave as the survey says? With packets only. */

#include "tests/profiles/expect.h"

/* The first disagreement, in why; true: there is none. */
bool measure(const struct expect *expect, struct policy *policy, char *why, size_t size);

#endif
