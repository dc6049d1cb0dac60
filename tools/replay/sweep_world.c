/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/filter.h"
#include "tools/replay/sweep_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define EXPIRE_BUDGET 1024

/* The side world's flows are classified by what their connections are called outside. */
static unsigned classify(void *arg, const struct policy *policy, const struct flow *flow)
{
    const struct world *world = arg;
    const struct sweep_shard *shard = world->shard;
    struct filter *const *filters = shard->run->filters;
    struct filter_tuple tuple = {.family = flow->family,
                                 .proto = flow->proto,
                                 .client_port = flow->port[FLOW_CLIENT],
                                 .server_port = flow->port[FLOW_SERVER]};
    unsigned last = (unsigned)policy->n_rules - 1;
    const uint8_t(*addr)[16] = flow->addr;
    unsigned client = FLOW_CLIENT;

    if (last == 0)
        return 0;
    if (!world_is_main(world)) {
        const struct parted *parted = class_of_addr(shard, flow->addr, NULL);

        addr = parted->key.addr;
        client = class_end(flow->addr[FLOW_CLIENT]);
    }
    memcpy(tuple.client, addr[client], sizeof(tuple.client));
    memcpy(tuple.server, addr[!client], sizeof(tuple.server));
    for (unsigned i = 0; i < last; i++)
        if (filter_match(filters[i], &tuple))
            return i;
    return last;
}

static int start(struct world *world)
{
    struct sweep_shard *shard = world->shard;
    struct policy *policy = spans_policy(&shard->spans, shard->spans.sweep.n - 1);
    struct engine_config config = {.start = shard->first,
                                   .classify = classify,
                                   .watch = &sweep_watch,
                                   .unlimited = true,
                                   .many = true,
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

static struct world *create(struct sweep_shard *shard)
{
    struct world *world = calloc(1, sizeof(*world));
    int r;

    if (!world) {
        shard->error = -ENOMEM;
        return NULL;
    }
    world->shard = shard;
    r = start(world);
    if (r < 0) {
        shard->error = r;
        return world_destroy(world);
    }
    return world;
}

struct world *world_main(struct sweep_shard *shard)
{
    if (!shard->main)
        shard->main = create(shard);
    return shard->main;
}

struct world *world_side(struct sweep_shard *shard)
{
    if (!shard->side)
        shard->side = create(shard);
    return shard->side;
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

/* The engine's number of the policy with that value. Negative without memory. */
static int policy_number(struct sweep_shard *shard, unsigned value)
{
    struct policy *policy;

    if (shard->policies[value] >= 0)
        return shard->policies[value];
    policy = spans_policy(&shard->spans, value);
    if (!policy)
        return -ENOMEM;
    return shard->policies[value] = engine_add_policy(shard->side->engine, policy);
}

void world_feed(struct sweep_shard *shard, const struct parted *parted, const struct class *class,
                const struct packet *p)
{
    const struct connections *main = &shard->main->connections;
    struct world *side = world_side(shard);
    int number = side ? policy_number(shard, class->world) : -ENOMEM;
    struct packet copy = *p;
    struct judgement judgement;
    struct outcome out = {.judgements = &judgement,
                          .segments = shard->segments,
                          .max_segments = OUTCOME_SEGMENTS,
                          .max_events = OUTCOME_EVENTS};

    if (number < 0) {
        shard->error = number;
        return;
    }
    copy.key = class_key(parted, class->world);
    side->connections.packets = &copy;
    side->connections.origins = main->origins + (p - main->packets);
    engine_use_policy(side->engine, (unsigned)number);
    engine_packets(side->engine, &copy, 1, &out);
}
