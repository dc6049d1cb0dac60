/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_DIRECTORY_H
#define IDLEWALL_DIRECTORY_H

/* The lab's private directory, for control sockets and logs. */

#include <stddef.h>

/* Fills path. DONE, or the exit status after a message; path is empty then. */
int directory_create(char *path, size_t size);
/* With all that is in it. Takes an empty path. */
void directory_remove(const char *path);
/* Those of labs that were killed. */
void directory_remove_leftovers(void);

#endif
