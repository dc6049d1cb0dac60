/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/world_private.h"

#include <errno.h>

static struct host *host_of(struct world *world, unsigned place)
{
    if (place == SCENARIO_CLIENT)
        return &world->host[FLOW_CLIENT];
    return place == scenario_server(world->scenario) ? &world->host[FLOW_SERVER] : NULL;
}

/* ---- the application ---- */

static void connect_it(struct world *world)
{
    struct connection *c;

    if (!world->host[FLOW_CLIENT].up)
        return;
    world->host[FLOW_CLIENT].runs = true; /* started again, if it was killed */
    c = connection_create(world, 0);
    if (!c)
        return;
    application_connect(world, c);
    connection_settle(world, c);
}

/* A call on a socket that is gone altogether. */
static void call_in_vain(struct world *world, struct host *host, enum app_call call)
{
    struct timeline_app what = {.act = APP_ERROR, .call = call, .error = host->held_error};

    if (!host->held)
        return;
    if (what.error == 0 && call == CALL_READ)
        return; /* it has returned 0 or the error before */
    if (what.error == 0)
        what.error = EPIPE;
    host->held_error = 0;
    count_error(world, host->side, what.error);
    watch_app(world, host->side, host->current_number, &what);
}

/* What the application asks for stays: also for sockets that it opens later. */
static void set_options(struct world *world, struct host *host, const struct deed *deed,
                        struct connection *c)
{
    struct tcp_options *options = &host->options;

    if (deed->verb == DEED_USER_TIMEOUT) {
        options->user_timeout = deed->duration;
    } else {
        if (deed->keepalive != SOFTWARE_KEEPALIVE_UNSET)
            options->keepalive = deed->keepalive == SOFTWARE_KEEPALIVE_ON;
        if (deed->times.idle)
            options->times.idle = deed->times.idle;
        if (deed->times.interval)
            options->times.interval = deed->times.interval;
        if (deed->times.count)
            options->times.count = deed->times.count;
    }
    if (c && c->app[host->side].open && c->stands[host->side] == SOCKET_THERE)
        tcp_set_options(connection_tcp(world, c, host->side), world->now, options);
}

static void of_application(struct world *world, struct host *host, const struct deed *deed)
{
    struct connection *c = host->current == SLAB_NONE ? NULL : connection_at(world, host->current);
    unsigned side = host->side;

    if (deed->verb == DEED_KEEPALIVE || deed->verb == DEED_USER_TIMEOUT)
        set_options(world, host, deed, c);
    if (!c) {
        if (deed->verb == DEED_SEND)
            call_in_vain(world, host, CALL_WRITE);
        else if (deed->verb == DEED_READ)
            call_in_vain(world, host, CALL_READ);
        else if (deed->verb == DEED_CLOSE || deed->verb == DEED_ABORT)
            host->held = false;
        return;
    }
    if (deed->verb == DEED_SEND)
        application_send(world, c, side, deed->number, NOTE_NONE);
    else if (deed->verb == DEED_CLOSE)
        application_close(world, c, side);
    else if (deed->verb == DEED_SHUTDOWN)
        application_shutdown(world, c, side);
    else if (deed->verb == DEED_ABORT)
        application_abort(world, c, side);
    else if (deed->verb == DEED_STOP_READING)
        application_stop_reading(world, c, side);
    else if (deed->verb == DEED_READ)
        application_read(world, c, side);
    connection_settle(world, c);
}

/* ---- the path ---- */

static void set_sides(bool sides[2], const struct deed *deed, bool to)
{
    for (unsigned i = 0; i < 2; i++)
        if (!deed->side_given || deed->side == i)
            sides[i] = to;
}

static void block(struct world *world, const struct deed *deed)
{
    struct host *host = host_of(world, deed->place);
    bool to = deed->verb == DEED_BLOCK;

    if (host) {
        set_sides(host->blocked, deed, to);
        if (!to)
            set_sides(host->prohibited, deed, false);
        return;
    }
    gateway_command(world, &world->gateway[deed->place - 1], to ? ENGINE_BLOCK : ENGINE_UNBLOCK,
                    deed->side_given, deed->side);
    if (!to)
        set_sides(world->gateway[deed->place - 1].prohibited, deed, false);
}

static void prohibit(struct world *world, const struct deed *deed)
{
    struct host *host = host_of(world, deed->place);

    set_sides(host ? host->prohibited : world->gateway[deed->place - 1].prohibited, deed, true);
}

static void of_firewall(struct world *world, const struct deed *deed, enum engine_verb verb)
{
    if (!host_of(world, deed->place))
        gateway_command(world, &world->gateway[deed->place - 1], verb, false, FLOW_CLIENT);
}

void world_deed(struct world *world, const struct deed *deed)
{
    struct host *host = host_of(world, deed->place);

    watch_deed(world, deed);
    switch (deed->verb) {
    case DEED_CONNECT:
        connect_it(world);
        break;
    case DEED_SEND:
    case DEED_CLOSE:
    case DEED_SHUTDOWN:
    case DEED_ABORT:
    case DEED_STOP_READING:
    case DEED_READ:
    case DEED_KEEPALIVE:
    case DEED_USER_TIMEOUT:
        if (host)
            of_application(world, host, deed);
        break;
    case DEED_KILL:
        if (host)
            host_kill(world, host);
        break;
    case DEED_CRASH:
        if (host)
            host_crash(world, host);
        break;
    case DEED_REBOOT:
        if (host)
            host_reboot(world, host);
        break;
    case DEED_LINK_DOWN:
        if (host)
            host->link_up = false;
        break;
    case DEED_LINK_UP:
        if (host)
            host_link_up(host, deed->new_address);
        break;
    case DEED_UNREACHABLE:
        if (host)
            host->unreachable = true;
        break;
    case DEED_BLOCK:
    case DEED_UNBLOCK:
        block(world, deed);
        break;
    case DEED_PROHIBIT:
        prohibit(world, deed);
        break;
    case DEED_LOSE:
        path_lose(world, deed->place, !deed->side_given, deed->side, deed->number);
        break;
    case DEED_EXPIRE:
        of_firewall(world, deed, ENGINE_EXPIRE);
        break;
    case DEED_FORGET:
        of_firewall(world, deed, ENGINE_FORGET);
        break;
    case DEED_FLOW_KILL:
        of_firewall(world, deed, ENGINE_KILL);
        break;
    case DEED_RESTART:
        if (!host)
            gateway_restart(world, &world->gateway[deed->place - 1]);
        break;
    }
}
