/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_LONG_WRITE_H
#define IDLEWALL_LONG_WRITE_H

/*
 * A write longer than a segment: how it is cut, where PSH stands, how often it is acknowledged on
 * the way and in how many pieces it is read is up to segmentation offload, buffers and who runs
 * first. As one packet, one acknowledgement and one read it can be compared: with all its bytes,
 * at every place. What is sent again, probes and closed windows stay as they are.
 */

#include "tools/timeline/timeline.h"

/* Makes *out of timeline: a copy whose events are its own; free(out->events) is what it needs.
 * at_once: an acknowledgement repeated so soon is the same one. 0 or -ENOMEM. */
int timeline_long_writes(struct timeline *out, const struct timeline *timeline, mtime_t at_once);

#endif
