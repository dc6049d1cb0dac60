/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_STORY_CLOCK_H
#define IDLEWALL_STORY_CLOCK_H

/* Points in story time and durations as people read them. */

#include "policy/mtime.h"

#include <stddef.h>

#define STORY_TEXT 64

/* `1:02:03.004`, cut off; days go on as hours. Returns buf. */
char *story_clock(mtime_t t, char buf[STORY_TEXT]);
/* `1h59min54s`, `53.9s`, `250ms`, `never`, cut off. Returns buf. */
char *story_duration(mtime_t duration, char buf[STORY_TEXT]);
/* The same to the second, all units: `1h59min54s`, `9.9s`. Returns buf. */
char *story_span(mtime_t duration, char buf[STORY_TEXT]);

#endif
