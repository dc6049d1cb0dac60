/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/world_private.h"

#include <errno.h>
#include <stdlib.h>

int count_init(struct world *world)
{
    struct tally *tally = world->tally;
    size_t n = (size_t)(world->scenario->until / world->scenario->sample) + 1;

    if (!tally)
        return 0;
    *tally = (struct tally){.n_firewalls = world->scenario->n_firewalls,
                            .noticed = {MTIME_NEVER, MTIME_NEVER}};
    tally->samples = calloc(n, sizeof(*tally->samples));
    if (!tally->samples)
        return -ENOMEM;
    world->n_samples = n;
    return 0;
}

void count_samples(struct world *world, mtime_t now)
{
    struct tally *tally = world->tally;

    while (tally && tally->n_samples < world->n_samples) {
        mtime_t t = (mtime_t)tally->n_samples * world->scenario->sample;
        struct tally_sample *sample = &tally->samples[tally->n_samples];

        if (t >= now)
            return;
        tally->n_samples++;
        sample->t = t;
        sample->packets = world->injected;
        for (unsigned side = 0; side < 2; side++) {
            sample->sockets[side] = world->host[side].sockets;
            sample->leaked[side] = world->host[side].leaked;
            sample->packets += world->host[side].packets;
        }
        for (size_t i = 0; i < tally->n_firewalls; i++)
            sample->flows[i] = world->gateway[i].flows;
    }
}

void count_error(struct world *world, unsigned side, int error)
{
    struct tally *tally = world->tally;

    if (!tally || tally->noticed[side] != MTIME_NEVER)
        return;
    tally->noticed[side] = world->now;
    tally->error[side] = error;
}

static bool orderly(const struct application *app)
{
    return (app->closed || app->eof) && !app->trouble;
}

void count_connection(struct world *world, const struct connection *c)
{
    const struct application *app = c->app;

    if (!world->tally || !c->begun)
        return;
    if (app[0].trouble || app[1].trouble || c->leaked[0] || c->leaked[1])
        world->tally->broken++;
    else if (orderly(&app[0]) && orderly(&app[1]))
        world->tally->completed++;
}

void count_finish(struct world *world)
{
    struct tally *tally = world->tally;
    double played = world->now > 0 ? (double)world->now : 1;

    if (!tally)
        return;
    tally->played = world->now;
    for (unsigned side = 0; side < 2; side++) {
        struct host *host = &world->host[side];

        host_count(host, world->now, 0);
        tally->packets[side] = host->packets;
        tally->probes[side] = host->probes;
        tally->retransmits[side] = host->retransmits;
        tally->sockets_peak[side] = host->sockets_peak;
        tally->sockets_end[side] = host->sockets;
        tally->leaked_end[side] = host->leaked;
        tally->sockets_mean[side] = host->sockets_area / played;
    }
    for (size_t i = 0; i < world->n_gateways; i++)
        gateway_tally(&world->gateway[i], &tally->firewall[i], world->now);
}
