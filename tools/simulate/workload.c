/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/world_private.h"

#include <math.h>

/* The next of what is left of N points dropped evenly at random on [0, over): the least of n on the
 * rest is its length times 1 - U^(1/n). A Poisson process of which N arrivals are known. */
static void draw_next(struct world *world)
{
    const struct workload *w = &world->scenario->workload;
    struct workload_state *s = &world->workload;
    uint32_t left = w->clients - s->arrived;

    if (left == 0)
        s->next = MTIME_NEVER;
    else if (w->regular)
        s->next = (mtime_t)((double)w->over * ((double)s->arrived / (double)w->clients));
    else
        s->next += (mtime_t)((double)(w->over - s->next) *
                             -expm1(log(1 - random_unit(&s->random)) / (double)left));
}

static int queue_next(struct world *world)
{
    if (world->workload.next == MTIME_NEVER)
        return 0;
    return queue_push(&world->queue, world->workload.next, WORLD_ARRIVAL, 0);
}

int workload_start(struct world *world)
{
    if (world->scenario->workload.clients == 0)
        return 0;
    world->workload.random = world->scenario->seed ^ UINT64_C(0x6172726976616c73);
    draw_next(world);
    return queue_next(world);
}

void workload_arrival(struct world *world)
{
    const struct workload *w = &world->scenario->workload;
    uint32_t which = world->workload.arrived++;
    struct connection *c;

    draw_next(world);
    world_fail(world, queue_next(world));
    if (!world->host[FLOW_CLIENT].runs)
        return;
    c = connection_create(world, 0);
    if (!c)
        return;
    c->workload = true;
    c->random = world->scenario->seed * UINT64_C(0xd1342543de82ef95) + which;
    random_next(&c->random);
    c->requests = random_between(&c->random, w->requests_from, w->requests_to);
    application_connect(world, c);
    connection_settle(world, c);
}

static void idle(struct world *world, struct connection *c)
{
    c->app[FLOW_CLIENT].act_at =
        mtime_add(world->now, random_drawn(&c->random, &world->scenario->workload.idle));
}

static void request(struct world *world, struct connection *c)
{
    const struct workload *w = &world->scenario->workload;

    c->requests--;
    application_send(world, c, FLOW_CLIENT, w->request_bytes, NOTE_NONE);
    if (w->answer_bytes == 0 && !c->app[FLOW_CLIENT].trouble)
        idle(world, c);
}

void workload_connected(struct world *world, struct connection *c)
{
    if (c->requests > 0)
        request(world, c);
    else
        idle(world, c);
}

void workload_answered(struct world *world, struct connection *c)
{
    idle(world, c);
}

void workload_act(struct world *world, struct connection *c)
{
    c->app[FLOW_CLIENT].act_at = MTIME_NEVER;
    if (c->requests > 0) {
        request(world, c);
    } else if (random_unit(&c->random) < world->scenario->workload.vanish) {
        application_init(&c->app[FLOW_CLIENT]);
        connection_drop(world, c, FLOW_CLIENT, true);
    } else {
        application_close(world, c, FLOW_CLIENT);
    }
}
