/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/world_private.h"

#include <errno.h>
#include <stdlib.h>

#define OUT_SEGMENTS 64
#define OUT_EVENTS 64
#define PROGRESS_EVERY 4096 /* events */

static int outcome_start(struct outcome *out)
{
    *out = (struct outcome){.max_segments = OUT_SEGMENTS, .max_events = OUT_EVENTS};
    out->segments = calloc(OUT_SEGMENTS, sizeof(*out->segments));
    out->events = calloc(OUT_EVENTS, sizeof(*out->events));
    return out->segments && out->events ? 0 : -ENOMEM;
}

static int begin(struct world *world)
{
    size_t socket = SOCKET_OFFSET + (TCP_SIZE + 15) / 16 * 16;
    int r;

    if (world->timeline)
        socket += (sizeof(struct socket_view) + 15) / 16 * 16;
    world->random = world->scenario->seed;
    world->port = world->scenario->host[FLOW_SERVER].port;
    queue_init(&world->queue);
    lookup_init(&world->numbers);
    slab_init(&world->connection_slab, sizeof(struct connection));
    slab_init(&world->socket_slab, socket);
    slab_init(&world->packet_slab, sizeof(struct wire_packet));
    for (unsigned side = 0; side < 2; side++)
        host_init(&world->host[side], world, side);
    r = outcome_start(&world->outcome);
    if (r == 0)
        r = count_init(world);
    while (r == 0 && world->n_gateways < world->scenario->n_firewalls) {
        struct gateway *gateway = &world->gateway[world->n_gateways++];

        r = gateway_init(gateway, world, (unsigned)world->n_gateways);
    }
    if (r == 0)
        r = workload_start(world);
    return r;
}

static void end(struct world *world)
{
    for (size_t i = 0; i < world->n_gateways; i++)
        gateway_finish(&world->gateway[i]);
    for (unsigned side = 0; side < 2; side++)
        host_finish(&world->host[side]);
    free(world->outcome.segments);
    free(world->outcome.events);
    slab_finish(&world->packet_slab);
    slab_finish(&world->socket_slab);
    slab_finish(&world->connection_slab);
    lookup_finish(&world->numbers);
    queue_finish(&world->queue);
}

static void happen(struct world *world, const struct queue_entry *entry)
{
    switch ((enum world_kind)entry->kind) {
    case WORLD_PACKET:
        path_arrival(world, entry->index);
        break;
    case WORLD_CONNECTION:
        connection_wake(world, entry->index, entry->at);
        break;
    case WORLD_GATEWAY:
        gateway_wake(world, &world->gateway[entry->index], entry->at);
        break;
    case WORLD_ARRIVAL:
        workload_arrival(world);
        break;
    }
}

/* Deeds come before what else happens in the same instant. */
static void play(struct world *world, const struct world_watch *watch)
{
    const struct scenario *scenario = world->scenario;
    size_t done = 0;

    for (uint64_t n = 1; world->error == 0; n++) {
        const struct deed *deed = done < scenario->n_deeds ? &scenario->deeds[done] : NULL;
        mtime_t by = scenario->until;
        struct queue_entry entry;

        if (deed && deed->at <= by)
            by = deed->at - 1;
        else
            deed = NULL;
        if (queue_pop(&world->queue, by, &entry)) {
            count_samples(world, entry.at);
            world->now = entry.at;
            happen(world, &entry);
        } else if (deed) {
            count_samples(world, deed->at);
            world->now = deed->at;
            world_deed(world, deed);
            done++;
        } else {
            break;
        }
        if (n % PROGRESS_EVERY == 0 && watch && watch->progress &&
            !watch->progress(watch->arg, world->now, scenario->until))
            world_fail(world, -ECANCELED);
    }
}

int world_play(const struct scenario *scenario, struct timeline *timeline, struct tally *tally,
               const struct world_watch *watch)
{
    struct world *world = calloc(1, sizeof(*world));
    int r;

    if (!world)
        return -ENOMEM;
    world->scenario = scenario;
    world->timeline = timeline;
    world->tally = tally;
    r = begin(world);
    world_fail(world, r);
    if (r == 0)
        play(world, watch);
    r = world->error;
    if (r == 0) {
        count_samples(world, MTIME_NEVER);
        world->now = scenario->until;
        connection_finish_all(world);
        count_finish(world);
        if (timeline)
            timeline->end = scenario->until;
    } else if (tally) {
        tally_finish(tally);
    }
    end(world);
    free(world);
    return r;
}
