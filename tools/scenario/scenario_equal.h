/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SCENARIO_EQUAL_H
#define IDLEWALL_SCENARIO_EQUAL_H

#include "tools/scenario/scenario.h"

/* Everything but where things stand in which text: its lines and columns, its name, and in which
 * order it names the axes of a grid. */
bool scenario_equal(const struct scenario *a, const struct scenario *b);

#endif
