/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_LISTENING_H
#define IDLEWALL_LISTENING_H

#include "tools/lab/space.h"

#include <sys/types.h>

/*
 * Waits until the server listens, so that COMMAND does not come too early: in a namespace of our
 * own (alone) any listening TCP or open UDP socket is its. After three seconds it says so and goes
 * on. *server becomes 0 when it has ended. DONE, or the exit status after a message.
 */
int listening_wait(pid_t *server, const struct space *space);

#endif
