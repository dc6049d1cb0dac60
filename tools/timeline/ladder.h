/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_LADDER_H
#define IDLEWALL_LADDER_H

#include "tools/timeline/timeline.h"

#include <stdio.h>

/* The story as a ladder diagram (SVG): lifelines, long silences folded and labelled, packets as
 * arrows, drops as crosses, the firewalls' remaining idle time as bands, socket timers at the
 * sides, the outcome below. Stands alone: no script, no font but the generic families. 0 or a
 * negative errno; -E2BIG for a story with too many events to be looked at. */
int ladder_write(FILE *to, const struct timeline *timeline);

#endif
