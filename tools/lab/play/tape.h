/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_TAPE_H
#define IDLEWALL_TAPE_H

/* What one interface saw: a packet socket in its namespace, with the kernel's stamps. */

#include "tools/lab/space.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAPE_SNAP 160

struct tape_packet {
    int64_t wall_ns; /* CLOCK_REALTIME, the kernel's receive stamp */
    bool outgoing;
    uint16_t caplen;
    uint32_t wire_len;
    uint8_t data[TAPE_SNAP]; /* from IP on */
};
struct tape {
    int fd; /* -1: not open */
    struct tape_packet *packets;
    size_t n, room;
    uint64_t lost; /* the kernel's count: a story with losses here must not be believed */
};
/* 0 or a negative errno. */
int tape_start(struct tape *tape, const struct space *space, const char *interface);
/* All that is there. 0 or a negative errno. */
int tape_take(struct tape *tape);
void tape_finish(struct tape *tape);

#endif
