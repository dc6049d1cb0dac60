/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PLAY_H
#define IDLEWALL_PLAY_H

/*
 * Plays a scenario live: kernel sockets in a namespace for each host, idlewalld in one for each
 * firewall, and gives the same timeline as the simulator. Needs what `idlewall lab` needs.
 */

#include "tools/lab/chain.h"
#include "tools/scenario/scenario.h"
#include "tools/timeline/timeline.h"

#include <limits.h>

struct play_options {
    unsigned speed;     /* story seconds a wall second; see play_scaled() */
    const char *record; /* directory for the firewalls' recordings; NULL: none kept */
    bool progress;      /* a line on a terminal */
};

/* Can a Linux kernel play this, at that speed? DONE, or WRONG_USE after a message for everything
 * that stands against it (virtual-only, a system that is not linux, a workload, axes, keepalive
 * that is no whole number of seconds when divided, ...). */
int play_possible(const struct scenario *scenario, const struct play_options *options);

/* What does not scale with the speed in this scenario, one line each to `to`. */
void play_unscaled(FILE *to, const struct scenario *scenario, const struct play_options *options);

/* Plays it: takes scenario->until / speed of wall time and some seconds more. DONE, COULD_NOT, or
 * 128 + signal. timeline is complete and in story time even when a host's program failed.
 * Everything made is gone afterwards. */
int play_run(const struct scenario *scenario, const struct play_options *options,
             struct timeline *timeline);

#endif
