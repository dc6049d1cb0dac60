/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_COMPARE_EVENT_H
#define IDLEWALL_COMPARE_EVENT_H

#include "tools/timeline/timeline.h"

/* Is it one that both a lab and a simulator must have? Not where a lost packet got lost: its
 * missing arrival tells. */
bool compare_counts(const struct timeline_event *e);
/* Do they belong to the same stream, within which order is everything: place, connection, kind? */
bool compare_same_stream(const struct timeline_event *a, const struct timeline_event *b);
/* Do they say the same, time apart? Else `why`. */
bool compare_says_same(const struct timeline_event *live, const struct timeline_event *virtual,
                       char *why, size_t size);

#endif
