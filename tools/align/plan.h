/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ALIGN_PLAN_H
#define IDLEWALL_ALIGN_PLAN_H

/* A system not yet built: the software at both ends, as shipped, and the path between them. */

#include "tools/align/join.h"

/* `postgresql`, `java@windows`, `aix`: a program on a system (default: linux), or a system alone.
 * NULL: not known. -EINVAL with a message in why. */
struct planned {
    const char *client, *server;
};
/* Rows without sockets. 0; -EINVAL with a message in why; -ENOMEM. */
int plan_make(struct join *join, const struct planned *planned, const struct path *path, char *why,
              size_t why_size);

#endif
