/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_WORLD_PRIVATE_H
#define IDLEWALL_WORLD_PRIVATE_H

/* The world from inside, for its own files. */

#include "tools/simulate/application.h"
#include "tools/simulate/count.h"
#include "tools/simulate/gateway.h"
#include "tools/simulate/host.h"
#include "tools/simulate/path.h"
#include "tools/simulate/random.h"
#include "tools/simulate/watch.h"
#include "tools/simulate/workload.h"
#include "tools/simulate/world.h"

/* The engine's time at story time 0: its first moment must not be 0. */
#define WORLD_ORIGIN MTIME_SEC

/* The kind of a queue's entry; what its index says. */
enum world_kind {
    WORLD_PACKET,     /* a packet on its way */
    WORLD_CONNECTION, /* a connection's timers */
    WORLD_GATEWAY,    /* which firewall, from 0 */
    WORLD_ARRIVAL,    /* the workload's next client */
};

struct world {
    const struct scenario *scenario;
    struct timeline *timeline; /* or NULL */
    struct tally *tally;       /* or NULL */
    mtime_t now;
    int error; /* the first; ends the story */
    uint64_t random;
    uint64_t packets; /* ids given out */
    uint64_t injected;
    uint32_t connections; /* numbers given out */
    uint16_t port;
    struct queue queue;
    struct slab connection_slab, socket_slab, packet_slab;
    struct host host[2];
    struct path_link links[SCENARIO_FIREWALLS + 1];
    struct gateway gateway[SCENARIO_FIREWALLS];
    size_t n_gateways; /* that are set up */
    struct outcome outcome;
    struct lookup numbers; /* with a timeline: tuple -> its latest connection's number */
    struct workload_state workload;
    size_t n_samples;
};

static inline void world_fail(struct world *world, int error)
{
    if (error < 0 && world->error == 0)
        world->error = error;
}

static inline unsigned world_place_of(const struct world *world, unsigned side)
{
    return side == FLOW_CLIENT ? SCENARIO_CLIENT : scenario_server(world->scenario);
}

/* world_deed.c */
void world_deed(struct world *world, const struct deed *deed);

#endif
