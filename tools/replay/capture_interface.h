/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_CAPTURE_INTERFACE_H
#define IDLEWALL_CAPTURE_INTERFACE_H

/* pcapng's interfaces: what they captured, and what their stamps count. */

#include "tools/replay/capture_private.h"

/* The interface description block of `length` bytes at `block`: 0, or a negative errno. */
int capture_interface_read(struct capture *c, const uint8_t *block, uint32_t length);

/* Nanoseconds since 1970; what lies outside of them is their first or last. */
mtime_t capture_interface_time_slow(const struct capture_interface *interface, uint64_t stamp);

static inline mtime_t capture_interface_time(const struct capture_interface *interface,
                                             uint64_t stamp)
{
    if (interface->multiply && interface->offset == 0 && stamp < interface->safe)
        return (mtime_t)(stamp * interface->multiply);
    return capture_interface_time_slow(interface, stamp);
}

#endif
