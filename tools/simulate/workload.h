/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_WORKLOAD_H
#define IDLEWALL_WORKLOAD_H

/* `repeat N clients`: one arrival at a time is in the queue, and what a client does next is drawn
 * when it comes to it, from a stream of its own: the same client does the same whatever else is
 * changed. */

#include "tools/simulate/connection.h"

struct workload_state {
    uint32_t arrived;
    mtime_t next;
    uint64_t random;
};

int workload_start(struct world *world); /* 0, -ENOMEM */
void workload_arrival(struct world *world);
/* The client is connected; got its whole answer; its idle time is over. */
void workload_connected(struct world *world, struct connection *c);
void workload_answered(struct world *world, struct connection *c);
void workload_act(struct world *world, struct connection *c);

#endif
