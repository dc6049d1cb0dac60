/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_DIRECTORY_H
#define IDLEWALL_DIRECTORY_H

/* The lab's private directory, for the control socket and the firewall's log. */

#include "tools/lab/lab.h"

/* Fills directory, control and log. DONE, or the exit status after a message. */
int directory_create(struct lab *lab);
/* With all that is in it. Takes an empty path. */
void directory_remove(const char *path);
/* Those of labs that were killed. */
void directory_remove_leftovers(void);

#endif
