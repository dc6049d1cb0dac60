/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/world_private.h"

static void for_each(struct world *world, struct host *host,
                     void (*act)(struct world *, struct connection *, unsigned))
{
    for (uint32_t i = 0; i < world->connection_slab.end; i++) {
        struct connection *c = connection_at(world, i);

        if (!connection_living(c))
            continue;
        act(world, c, host->side);
        connection_settle(world, c);
    }
}

static void crash_one(struct world *world, struct connection *c, unsigned side)
{
    connection_drop(world, c, side, false);
    application_init(&c->app[side]);
}

void host_crash(struct world *world, struct host *host)
{
    host->up = host->runs = false;
    for_each(world, host, crash_one);
    host->current = SLAB_NONE;
    host->held = false;
}

void host_reboot(struct world *world, struct host *host)
{
    if (host->up)
        host_crash(world, host);
    host->up = host->runs = true;
    host->unreachable = false;
    host_draw(host);
}

void host_link_up(struct host *host, bool new_address)
{
    unsigned next = host->first_address + (unsigned)host->n_addresses;

    host->link_up = true;
    host->unreachable = false;
    if (!new_address)
        return;
    if (next + host->n_addresses - 1 > HOST_LAST_ADDRESS)
        next = HOST_FIRST_ADDRESS;
    host->first_address = host->address = (uint8_t)next;
    /* Who talks to the old address is alone from now on. */
    for (uint32_t i = 0; i < host->world->connection_slab.end; i++)
        if (connection_living(connection_at(host->world, i)))
            connection_settle(host->world, connection_at(host->world, i));
}

void host_kill(struct world *world, struct host *host)
{
    host->runs = false;
    host->held = false;
    for_each(world, host, application_kill);
}
