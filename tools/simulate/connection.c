/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/world_private.h"

#include <errno.h>

struct connection *connection_at(const struct world *world, uint32_t index)
{
    return slab_at(&world->connection_slab, index);
}

bool connection_living(const struct connection *c)
{
    return c->number != 0;
}

struct tcp *connection_tcp(const struct world *world, const struct connection *c, unsigned side)
{
    char *slot = slab_at(&world->socket_slab, c->socket[side]);

    return (struct tcp *)(void *)(slot + SOCKET_OFFSET);
}

struct socket_view *connection_shown(const struct world *world, const struct connection *c,
                                     unsigned side)
{
    char *slot = slab_at(&world->socket_slab, c->socket[side]);

    return (struct socket_view *)(void *)(slot + world->socket_slab.size -
                                          sizeof(struct socket_view));
}

struct connection *connection_create(struct world *world, uint32_t number)
{
    uint32_t index = slab_take(&world->connection_slab);
    struct connection *c;

    if (index == SLAB_NONE) {
        world_fail(world, -ENOMEM);
        return NULL;
    }
    c = connection_at(world, index);
    *c = (struct connection){.index = index,
                             .number = number ? number : ++world->connections,
                             .wscale = {TCP_NO_WSCALE, TCP_NO_WSCALE}};
    wake_init(&c->wake);
    application_init(&c->app[FLOW_CLIENT]);
    application_init(&c->app[FLOW_SERVER]);
    return c;
}

struct tcp *connection_open(struct world *world, struct connection *c, unsigned side)
{
    struct host *host = &world->host[side];
    uint32_t index = slab_take(&world->socket_slab);
    struct socket_slot *slot;
    int r;

    if (index == SLAB_NONE) {
        world_fail(world, -ENOMEM);
        return NULL;
    }
    r = lookup_put(&host->lookup, c->tuple, c->index);
    if (r < 0) {
        slab_give(&world->socket_slab, index);
        world_fail(world, r);
        return NULL;
    }
    slot = slab_at(&world->socket_slab, index);
    *slot = (struct socket_slot){.connection = c->index, .side = (uint8_t)side};
    c->socket[side] = index;
    c->stands[side] = SOCKET_THERE;
    if (world->timeline)
        *connection_shown(world, c, side) = (struct socket_view){.state = SOCKET_GONE};
    tcp_init(connection_tcp(world, c, side), &host->tcp, &host->options);
    host_count(host, world->now, 1);
    return connection_tcp(world, c, side);
}

static void set_leaked(struct world *world, struct connection *c, unsigned side, bool leaked)
{
    if (c->leaked[side] == leaked)
        return;
    c->leaked[side] = leaked;
    if (leaked)
        world->host[side].leaked++;
    else
        world->host[side].leaked--;
}

static void forget_tuple(struct world *world, const struct connection *c, unsigned side)
{
    struct lookup *lookup = &world->host[side].lookup;

    if (lookup_find(lookup, c->tuple) == c->index)
        lookup_remove(lookup, c->tuple);
}

void connection_drop(struct world *world, struct connection *c, unsigned side, bool silent)
{
    struct host *host = &world->host[side];
    const struct tcp *tcp;

    if (c->stands[side] != SOCKET_THERE)
        return;
    tcp = connection_tcp(world, c, side);
    host->probes += tcp_probes_sent(tcp);
    host->retransmits += tcp_retransmits_sent(tcp);
    watch_socket_gone(world, c, side);
    slab_give(&world->socket_slab, c->socket[side]);
    c->stands[side] = silent ? SOCKET_VANISHED : SOCKET_ENDED;
    c->notices[side] = 0;
    set_leaked(world, c, side, false);
    if (!silent)
        forget_tuple(world, c, side);
    host_count(host, world->now, -1);
}

/* ESTABLISHED or CLOSE_WAIT, and nobody at the other end: no socket, or none that has the address any
 * more. */
static void look_for_leak(struct world *world, struct connection *c, unsigned side)
{
    struct socket_view view;

    if (c->stands[side] != SOCKET_THERE ||
        (c->stands[!side] <= SOCKET_THERE && host_has_address(&world->host[!side], c->tuple)))
        return;
    tcp_view(connection_tcp(world, c, side), &view);
    set_leaked(world, c, side, view.state == SOCKET_ESTABLISHED || view.state == SOCKET_CLOSE_WAIT);
}

static void free_connection(struct world *world, struct connection *c)
{
    for (unsigned side = 0; side < 2; side++) {
        struct host *host = &world->host[side];

        if (c->stands[side] == SOCKET_VANISHED)
            forget_tuple(world, c, side);
        if (host->current != c->index)
            continue;
        host->current = SLAB_NONE;
        host->held = c->app[side].open;
        host->held_error = c->app[side].pending;
    }
    count_connection(world, c);
    c->number = 0;
    slab_give(&world->connection_slab, c->index);
}

static mtime_t due_of(const struct world *world, const struct connection *c)
{
    mtime_t due = MTIME_NEVER;

    for (unsigned side = 0; side < 2; side++) {
        mtime_t app = application_due(world, c, side), tcp = MTIME_NEVER;

        if (c->stands[side] == SOCKET_THERE)
            tcp = tcp_due(connection_tcp(world, c, side));
        due = app < due ? app : due;
        due = tcp < due ? tcp : due;
    }
    /* What has just been looked at is not looked at again in the same instant. */
    return due > world->now ? due : world->now + 1;
}

/* What a process still holds of a dead socket is its error, which the application knows. */
static bool dead(const struct world *world, const struct connection *c, unsigned side)
{
    struct socket_view view;

    if (c->stands[side] != SOCKET_THERE)
        return false;
    tcp_view(connection_tcp(world, c, side), &view);
    return view.state == SOCKET_GONE;
}

static bool heed(struct world *world, struct connection *c)
{
    bool any = false;

    for (unsigned side = 0; side < 2; side++) {
        unsigned notices = c->notices[side];

        if (!notices)
            continue;
        any = true;
        c->notices[side] = 0;
        application_heed(world, c, side, notices);
        if (notices & (NOTICE_GONE | NOTICE_ERROR) && dead(world, c, side))
            connection_drop(world, c, side, false);
    }
    return any;
}

void connection_settle(struct world *world, struct connection *c)
{
    if (c->settling)
        return;
    c->settling = true;
    do {
        for (unsigned side = 0; side < 2; side++)
            if (c->stands[side] == SOCKET_THERE)
                watch_socket(world, c, side);
    } while (heed(world, c));
    /* TIME_WAIT can end while a process that only shut down still holds the socket. */
    for (unsigned side = 0; side < 2; side++)
        if (c->stands[side] == SOCKET_THERE &&
            tcp_due(connection_tcp(world, c, side)) == MTIME_NEVER && dead(world, c, side))
            connection_drop(world, c, side, false);
    c->settling = false;
    if (c->stands[FLOW_CLIENT] != SOCKET_THERE && c->stands[FLOW_SERVER] != SOCKET_THERE &&
        c->app[FLOW_CLIENT].act_at == MTIME_NEVER) {
        free_connection(world, c);
        return;
    }
    look_for_leak(world, c, FLOW_CLIENT);
    look_for_leak(world, c, FLOW_SERVER);
    world_fail(world,
               wake_need(&c->wake, &world->queue, due_of(world, c), WORLD_CONNECTION, c->index));
}

void connection_wake(struct world *world, uint32_t index, mtime_t at)
{
    struct connection *c = connection_at(world, index);
    uint32_t number = c->number;

    if (!connection_living(c) || !wake_take(&c->wake, at))
        return;
    for (unsigned side = 0; side < 2; side++) {
        if (c->stands[side] == SOCKET_THERE &&
            tcp_due(connection_tcp(world, c, side)) <= world->now)
            tcp_timer(connection_tcp(world, c, side), world->now);
    }
    connection_settle(world, c);
    if (c->number != number)
        return;
    for (unsigned side = 0; side < 2; side++)
        if (application_due(world, c, side) <= world->now)
            application_timer(world, c, side);
    connection_settle(world, c);
}

void connection_finish_all(struct world *world)
{
    for (uint32_t i = 0; i < world->connection_slab.end; i++) {
        struct connection *c = connection_at(world, i);

        if (!connection_living(c))
            continue;
        for (unsigned side = 0; side < 2; side++) {
            if (c->stands[side] != SOCKET_THERE)
                continue;
            world->host[side].probes += tcp_probes_sent(connection_tcp(world, c, side));
            world->host[side].retransmits += tcp_retransmits_sent(connection_tcp(world, c, side));
        }
        count_connection(world, c);
    }
}
