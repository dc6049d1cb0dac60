/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_FROM_SILENCE_H
#define IDLEWALL_FROM_SILENCE_H

/*
 * What of a story can be compared when real programs play it: they log in, ask and answer in bytes
 * of their own. Kept are sockets and firewalls, and the packets from each connection's first
 * silence on; numbers count from the highest that their sender had sent by then, so that a probe is
 * -1 and new data 0, however much was said before; lengths say only whether there is payload.
 */

#include "tools/timeline/timeline.h"

#define SILENCE (1500 * MTIME_MSEC)

/* Makes *out of timeline: a copy whose events are its own; free(out->events) is what it needs. 0 or
 * -ENOMEM. */
int timeline_from_silence(struct timeline *out, const struct timeline *timeline, mtime_t silence);

#endif
