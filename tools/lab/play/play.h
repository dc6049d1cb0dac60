/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PLAY_H
#define IDLEWALL_PLAY_H

/*
 * Plays a scenario live: kernel sockets in a namespace for each host, idlewalld in one for each
 * firewall, and gives the same timeline as the simulator. Needs what `idlewall lab` needs.
 */

#include "tools/lab/programs/program.h"
#include "tools/scenario/scenario.h"
#include "tools/timeline/timeline.h"

#include <stdio.h>

struct play_options {
    unsigned speed;     /* story seconds a wall second */
    const char *record; /* directory that keeps the firewalls' recordings; NULL: not kept */
    bool progress;      /* a line on standard error while it plays */
};

/* Can a Linux kernel play this at that speed? DONE, or WRONG_USE after a message for everything
 * that stands against it. */
int play_possible(const struct scenario *scenario, const struct play_options *options);

/* The real program that plays a software's server; NULL: none is known, or it is not installed
 * (then said so on `to`, if that is not NULL). */
const struct program *play_program(FILE *to, const struct scenario *scenario);

/* The running kernel's CONFIG_HZ; 0: not known. */
unsigned play_kernel_hz(void);

/* What the speed divides and what it does not, for people. */
void play_unscaled(FILE *to, const struct scenario *scenario, const struct play_options *options);

/* Plays it: takes until / speed of wall time and some seconds more. DONE, COULD_NOT after a
 * message, or 128 + signal. Everything made is gone afterwards. */
int play_run(const struct scenario *scenario, const struct play_options *options,
             struct timeline *timeline);

#endif
