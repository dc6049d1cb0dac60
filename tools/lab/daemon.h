/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_DAEMON_H
#define IDLEWALL_DAEMON_H

/* idlewalld in a namespace of the lab. */

#include "tools/lab/space.h"

#include <limits.h>
#include <sys/types.h>

struct daemon {
    /* asked for; borrowed */
    const struct space *space;
    const char *profile, *policy; /* one of them */
    const char *record;           /* file; NULL: none */
    unsigned speed;
    const char *directory; /* private, for what follows */
    const char *name;      /* of its files there; unique in the directory */

    /* made */
    pid_t pid; /* 0: does not run */
    bool ready;
    char made_policy[PATH_MAX / 2]; /* what a profile means in a lab; empty: not made */
    char control[PATH_MAX / 2], log[PATH_MAX / 2];
};

/* Starts it and waits until it is ready. DONE, or the exit status after a message and its log. */
int daemon_start(struct daemon *daemon);
/* True when it has ended by itself, which it must not; says so once and shows its log. */
bool daemon_lost(struct daemon *daemon);
/* Ends it. DONE, or COULD_NOT with its log when it did not end well. */
int daemon_stop(struct daemon *daemon);

#endif
