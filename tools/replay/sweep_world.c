/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/filter.h"
#include "tools/replay/sweep_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define EXPIRE_BUDGET 1024

static unsigned classify(void *arg, const struct policy *policy, const struct flow *flow)
{
    const struct world *world = arg;
    struct filter *const *filters = world->shard->run->filters;
    struct filter_tuple tuple = {.family = flow->family,
                                 .proto = flow->proto,
                                 .client_port = flow->port[FLOW_CLIENT],
                                 .server_port = flow->port[FLOW_SERVER]};
    unsigned last = (unsigned)policy->n_rules - 1;

    memcpy(tuple.client, flow->addr[FLOW_CLIENT], sizeof(tuple.client));
    memcpy(tuple.server, flow->addr[FLOW_SERVER], sizeof(tuple.server));
    for (unsigned i = 0; i < last; i++)
        if (filter_match(filters[i], &tuple))
            return i;
    return last;
}

static int start(struct world *world)
{
    struct sweep_shard *shard = world->shard;
    struct policy *policy = spans_policy(&shard->spans, world->value);
    struct engine_config config = {.start = shard->first,
                                   .classify = classify,
                                   .watch = &sweep_watch,
                                   .unlimited = true,
                                   .many = !shard->main, /* the first world sees all */
                                   .quick_hash = true,
                                   .arg = world};
    int r;

    if (!policy)
        return -ENOMEM;
    if (getrandom(config.hash_secret, sizeof(config.hash_secret), 0) < 0)
        return -errno;
    r = engine_create(&world->engine, &config, policy);
    if (r < 0)
        return r;
    world->connections = (struct connections){.policy = policy,
                                              .engine = world->engine,
                                              .now = shard->first,
                                              .many = shard->run->n_paths > 1,
                                              .emit = sweep_emit,
                                              .arg = world};
    return connections_init(&world->connections);
}

struct world *world_of(struct sweep_shard *shard, size_t value)
{
    struct world *world = shard->worlds[value];
    int r;

    if (world)
        return world;
    world = calloc(1, sizeof(*world));
    if (!world) {
        shard->error = -ENOMEM;
        return NULL;
    }
    world->shard = shard;
    world->value = (uint16_t)value;
    r = start(world);
    if (r < 0) {
        shard->error = r;
        return world_destroy(world);
    }
    return shard->worlds[value] = world;
}

struct world *world_destroy(struct world *world)
{
    if (!world)
        return NULL;
    connections_finish(&world->connections);
    engine_destroy(world->engine);
    free(world);
    return NULL;
}

void world_advance(struct world *world, mtime_t now)
{
    struct sweep_shard *shard = world->shard;
    struct outcome out = {.segments = shard->segments,
                          .max_segments = OUTCOME_SEGMENTS,
                          .max_events = OUTCOME_EVENTS};

    world->connections.now = now;
    while (engine_advance(world->engine, now, EXPIRE_BUDGET, &out))
        out.n_segments = 0;
}

void world_feed(struct world *world, const struct packet *p)
{
    struct sweep_shard *shard = world->shard;
    struct judgement judgement;
    struct outcome out = {.judgements = &judgement,
                          .segments = shard->segments,
                          .max_segments = OUTCOME_SEGMENTS,
                          .max_events = OUTCOME_EVENTS};

    world->connections.packets = shard->main->connections.packets;
    world->connections.origins = shard->main->connections.origins;
    engine_packets(world->engine, p, 1, &out);
}
