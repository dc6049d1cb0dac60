/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SAVED_TIMELINE_H
#define SAVED_TIMELINE_H

/* What `idlewall lab FILE -o json` wrote, as the timeline that it was; without packets' bytes, and
 * of flows only what is compared. */

#include "tools/timeline/timeline.h"

#include <stdio.h>

/* 0; -EINVAL after a message for a line that is no such event; -ENOMEM. */
int saved_timeline_read(struct timeline **out, const struct scenario *scenario, FILE *from);

#endif
