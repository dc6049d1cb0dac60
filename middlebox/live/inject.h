/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_INJECT_H
#define IDLEWALL_INJECT_H

/* Sends the packets that the engine makes, through raw sockets. They carry RULES_MARK beside their
 * own mark. */

#include "middlebox/engine/segment.h"

#include <stddef.h>
#include <stdint.h>

struct inject {
    int fd4, fd6; /* fd6 is -1 where the kernel has no IPv6 */
};

int inject_init(struct inject *inject);
void inject_finish(struct inject *inject);
/* Returns how many could be sent; the rest is lost, as any packet may be. */
size_t inject_send(struct inject *inject, const struct segment *segments, size_t n);

#endif
