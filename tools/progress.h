/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PROGRESS_H
#define IDLEWALL_PROGRESS_H

/* A bar on standard error while something takes long: the share done, the time gone, the time left.
 * Only on a terminal; what is over within a moment shows none. */

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* borrowed: "playing", "reading x.pcap" */
    bool terminal, shown;
    int64_t start_ns, drawn_ns;
};
void progress_init(struct progress *progress, const char *what);
/* done: 0..1. May be called as often as one likes. */
void progress_show(struct progress *progress, double done);
/* Erases the bar; nothing is left of it. */
void progress_finish(struct progress *progress);

#endif
