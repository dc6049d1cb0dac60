/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/application_private.h"
#include "tools/simulate/world_private.h"

void application_connect(struct world *world, struct connection *c)
{
    struct application *app = &c->app[FLOW_CLIENT];
    struct host *host = &world->host[FLOW_CLIENT];
    struct tcp *tcp;

    app->act_at = MTIME_NEVER;
    if (!host->up || !host_choose_tuple(world, &c->tuple))
        return;
    host->current = c->index;
    host->current_number = c->number;
    c->begun = true;
    if (world->timeline)
        world_fail(world, lookup_put(&world->numbers, c->tuple, c->number));
    tcp = connection_open(world, c, FLOW_CLIENT);
    if (!tcp)
        return;
    app->open = true;
    if (world->tally)
        world->tally->connections++;
    application_tell(world, c, FLOW_CLIENT,
                     (struct timeline_app){.act = APP_CONNECT, .call = CALL_CONNECT});
    tcp_connect(tcp, world->now);
}

void application_send(struct world *world, struct connection *c, unsigned side, uint32_t bytes,
                      enum packet_note note)
{
    struct application *app = &c->app[side];

    if (!app->open)
        return;
    if (!app->connected && !app->trouble) {
        app->unsent = bytes > UINT32_MAX - app->unsent ? UINT32_MAX : app->unsent + bytes;
        return;
    }
    application_write_it(world, c, side, bytes, note);
}

void application_close(struct world *world, struct connection *c, unsigned side)
{
    struct application *app = &c->app[side];

    if (!app->open)
        return;
    app->closed = !app->trouble;
    application_close_it(world, c, side);
}

void application_shutdown(struct world *world, struct connection *c, unsigned side)
{
    if (c->app[side].open && c->stands[side] == SOCKET_THERE)
        tcp_shutdown(connection_tcp(world, c, side), world->now);
}

void application_abort(struct world *world, struct connection *c, unsigned side)
{
    struct application *app = &c->app[side];

    if (!app->open)
        return;
    application_tell(world, c, side, (struct timeline_app){.act = APP_CLOSE});
    app->open = app->reading = false;
    app->closed = !app->trouble;
    if (c->stands[side] == SOCKET_THERE)
        tcp_abort(connection_tcp(world, c, side), world->now);
    application_let_go(world, c, side);
}

void application_kill(struct world *world, struct connection *c, unsigned side)
{
    struct application *app = &c->app[side];

    app->act_at = MTIME_NEVER;
    if (app->open) {
        application_tell(world, c, side, (struct timeline_app){.act = APP_ENDED});
        application_let_go(world, c, side);
    } else if (side == FLOW_SERVER && !app->connected && c->stands[side] == SOCKET_THERE) {
        /* Still in the listener's hands (inet_csk_listen_stop()). */
        tcp_abort(connection_tcp(world, c, side), world->now);
    }
}

void application_stop_reading(struct world *world, struct connection *c, unsigned side)
{
    (void)world;
    c->app[side].reading = false;
}

void application_read(struct world *world, struct connection *c, unsigned side)
{
    struct application *app = &c->app[side];

    if (!app->open || app->trouble || app->eof)
        return;
    if (c->stands[side] != SOCKET_THERE) {
        if (app->pending)
            application_fail(world, c, side, CALL_READ, app->pending);
        return;
    }
    app->reading = true;
    application_read_all(world, c, side);
}
