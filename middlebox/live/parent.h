/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PARENT_H
#define IDLEWALL_PARENT_H

/* The process that keeps its privileges: it reads the policy file, owns the control socket's name
 * and the rules, and otherwise waits. It never sees a byte of traffic or of a client. */

#include "middlebox/live/options.h"

/* Runs until the end; the result is the exit status. */
int parent_run(const struct options *options);

#endif
