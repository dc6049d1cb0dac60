/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SCENARIO_PRINT_H
#define IDLEWALL_SCENARIO_PRINT_H

#include "tools/scenario/scenario.h"

#include <stdio.h>

/* The scenario in its own language: scenario_parse() of it gives the same scenario. Settings that
 * are the preset's are left out. 0 or a negative errno. */
int scenario_print(FILE *to, const struct scenario *scenario);

#endif
