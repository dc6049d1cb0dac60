/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_DAEMON_H
#define IDLEWALL_DAEMON_H

/* idlewalld in the lab's firewall namespace. */

#include "tools/lab/lab.h"

/* Starts it and waits until it is ready. DONE, or the exit status after a message and its log. */
int daemon_start(struct lab *lab);
/* True when it has ended by itself, which it must not; says so once and shows its log. */
bool daemon_lost(struct lab *lab);
/* Ends it. DONE, or COULD_NOT with its log when it did not end well. */
int daemon_stop(struct lab *lab);

#endif
