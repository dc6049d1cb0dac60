/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SPACE_H
#define IDLEWALL_SPACE_H

/* Network namespaces: three of our own, or two that exist with ours in between. */

#include <limits.h>
#include <stdbool.h>

#define SPACE_PATH 256

struct space {
    char name[64];         /* as `ip netns` calls it; of one that is not ours, what the user said */
    char path[SPACE_PATH]; /* the namespace's file */
    bool ours;             /* we made it and remove it */
};

/* Makes idlewall-PID-ROLE. DONE, or the exit status after a message. */
int space_create(struct space *space, const char *role);
/* One that exists: a name of `ip netns`, a path, or the pid of a process in it. */
int space_open(struct space *space, const char *what);
/* Ends the processes in it and removes it, if it is ours. Takes one that was never made. */
void space_remove(struct space *space);

/* In a child: moves into the namespace, with a /sys that shows it where that can be had. 0 or a
 * negative errno. */
int space_enter(const char *path);

/* A socket that belongs to the namespace, whoever uses it. A descriptor or a negative errno. */
int space_socket(const struct space *space, int domain, int type, int protocol);

/* Removes what labs left behind that were killed. */
void space_remove_leftovers(void);

/* Where a user is not root: user, network and mount namespaces of our own, with an empty /run.
 * DONE, or the exit status after a message. */
int space_without_root(void);

#endif
