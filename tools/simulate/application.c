/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/application_private.h"
#include "tools/simulate/world_private.h"

#include <errno.h>

void application_init(struct application *app)
{
    *app = (struct application){
        .waits_since = MTIME_NEVER, .answer_at = MTIME_NEVER, .act_at = MTIME_NEVER};
}

void application_tell(struct world *world, const struct connection *c, unsigned side,
                      struct timeline_app what)
{
    watch_app(world, side, c->number, &what);
}

/* Its own connect again, in a connection of its own; the old one it lets go of. */
static void reconnect(struct world *world, struct connection *c)
{
    mtime_t after = world->host[FLOW_CLIENT].behaviour.reconnect;
    struct connection *again;

    if (after == 0 || !world->host[FLOW_CLIENT].runs)
        return;
    if (c->app[FLOW_CLIENT].open) {
        c->app[FLOW_CLIENT].open = false;
        if (c->stands[FLOW_CLIENT] == SOCKET_THERE)
            tcp_close(connection_tcp(world, c, FLOW_CLIENT), world->now);
    }
    again = connection_create(world, 0);
    if (!again)
        return;
    again->workload = c->workload;
    again->random = c->random;
    again->requests = c->requests;
    again->app[FLOW_CLIENT].act_at = mtime_add(world->now, after);
    connection_settle(world, again);
}

static void ended(struct world *world, struct connection *c, unsigned side)
{
    struct application *app = &c->app[side];

    app->waits_since = app->answer_at = app->act_at = MTIME_NEVER;
    if (side == FLOW_CLIENT)
        reconnect(world, c);
}

void application_fail(struct world *world, struct connection *c, unsigned side, enum app_call call,
                      int error)
{
    struct application *app = &c->app[side];

    app->trouble = true;
    app->reading = false;
    app->pending = 0;
    count_error(world, side, error);
    application_tell(world, c, side,
                     (struct timeline_app){.act = APP_ERROR, .call = call, .error = error});
    ended(world, c, side);
}

void application_let_go(struct world *world, struct connection *c, unsigned side)
{
    struct application *app = &c->app[side];

    app->open = app->reading = false;
    app->waits_since = app->answer_at = app->act_at = MTIME_NEVER;
    if (c->stands[side] == SOCKET_THERE)
        tcp_close(connection_tcp(world, c, side), world->now);
}

void application_close_it(struct world *world, struct connection *c, unsigned side)
{
    application_tell(world, c, side, (struct timeline_app){.act = APP_CLOSE});
    application_let_go(world, c, side);
}

static void give_up(struct world *world, struct connection *c, unsigned side, enum app_act why)
{
    c->app[side].trouble = true;
    application_tell(world, c, side, (struct timeline_app){.act = why});
    application_close_it(world, c, side);
    ended(world, c, side);
}

static bool can_send(const struct world *world, const struct connection *c, unsigned side)
{
    struct socket_view view;

    if (c->stands[side] != SOCKET_THERE || c->app[side].pending)
        return false;
    tcp_view(connection_tcp(world, c, side), &view);
    return view.state == SOCKET_ESTABLISHED || view.state == SOCKET_CLOSE_WAIT;
}

void application_write_it(struct world *world, struct connection *c, unsigned side, uint32_t bytes,
                          enum packet_note note)
{
    struct application *app = &c->app[side];
    int r;

    /* Told before the packets that it makes. */
    if (can_send(world, c, side))
        application_tell(world, c, side, (struct timeline_app){.act = APP_SEND, .bytes = bytes});
    if (c->stands[side] == SOCKET_THERE)
        r = tcp_send(connection_tcp(world, c, side), world->now, bytes, note);
    else
        r = app->pending ? -app->pending : -EPIPE;
    if (r == -EAGAIN) /* a gigabyte waits already: the call blocks, for good */
        return;
    if (r < 0) {
        application_fail(world, c, side, CALL_WRITE, -r);
        return;
    }
    app->last_sent = app->last_payload = world->now;
    /* A client reads for the answer to what it asked; a server always waits for the next request
     * (Oracle's SQLNET.RECV_TIMEOUT). A heartbeat asks for nothing. */
    if (note != NOTE_HEARTBEAT && (side == FLOW_SERVER || app->waits_since == MTIME_NEVER))
        app->waits_since = world->now;
}

static void answered_or_asked(struct world *world, struct connection *c, unsigned side)
{
    const struct host *host = &world->host[side == FLOW_SERVER]; /* gcc -O3 fears a third */
    struct application *app = &c->app[side];

    if (app->got < host->piece)
        return;
    app->got = 0;
    app->waits_since = side == FLOW_SERVER ? world->now : MTIME_NEVER;
    if (c->workload && side == FLOW_CLIENT)
        workload_answered(world, c);
    if (host->behaviour.answer_bytes == 0 || (c->workload && side == FLOW_CLIENT))
        return;
    app->waits_since = MTIME_NEVER;
    if (host->behaviour.answer_after > 0)
        app->answer_at = mtime_add(world->now, host->behaviour.answer_after);
    else
        application_write_it(world, c, side, host->behaviour.answer_bytes, NOTE_NONE);
}

static void end_of_file(struct world *world, struct connection *c, unsigned side)
{
    struct application *app = &c->app[side];

    app->eof = true;
    app->reading = false;
    app->waits_since = MTIME_NEVER;
    application_tell(world, c, side, (struct timeline_app){.act = APP_EOF, .call = CALL_READ});
    if (world->host[side].behaviour.ignores_eof)
        return;
    application_close_it(world, c, side);
    app->closed = true;
    ended(world, c, side);
}

static bool reads(const struct application *app)
{
    return app->open && app->reading && app->answer_at == MTIME_NEVER;
}

void application_read_all(struct world *world, struct connection *c, unsigned side)
{
    struct application *app = &c->app[side];

    while (reads(app) && c->stands[side] == SOCKET_THERE) {
        int64_t r = tcp_read(connection_tcp(world, c, side), world->now);

        if (r == -EAGAIN)
            return;
        if (r < 0) {
            application_fail(world, c, side, app->connected ? CALL_READ : CALL_CONNECT, (int)-r);
        } else if (r == 0) {
            end_of_file(world, c, side);
        } else {
            app->last_heard = app->last_payload = world->now;
            app->got += (uint32_t)r;
            application_tell(
                world, c, side,
                (struct timeline_app){.act = APP_READ, .call = CALL_READ, .bytes = (uint32_t)r});
            answered_or_asked(world, c, side);
        }
    }
}

static void begin(struct world *world, struct connection *c, unsigned side, enum app_act act)
{
    struct application *app = &c->app[side];

    app->open = app->connected = true;
    app->reading = !world->host[side].behaviour.reads_not;
    app->last_sent = app->last_heard = app->last_payload = world->now;
    if (side == FLOW_SERVER) {
        app->waits_since = world->now;
        world->host[side].current = c->index;
        world->host[side].current_number = c->number;
    }
    application_tell(world, c, side, (struct timeline_app){.act = act});
    if (app->unsent) {
        application_write_it(world, c, side, app->unsent, NOTE_NONE);
        app->unsent = 0;
    }
    if (c->workload && side == FLOW_CLIENT)
        workload_connected(world, c);
}

/* A call that blocks returns it; else it waits for the next call. */
static void error_came(struct world *world, struct connection *c, unsigned side)
{
    struct application *app = &c->app[side];
    int error = c->error[side];

    if (!app->open)
        return;
    if (app->connected && !reads(app)) {
        app->pending = error;
        return;
    }
    if (c->stands[side] == SOCKET_THERE) /* takes it */
        tcp_read(connection_tcp(world, c, side), world->now);
    application_fail(world, c, side, app->connected ? CALL_READ : CALL_CONNECT, error);
}

void application_heed(struct world *world, struct connection *c, unsigned side, unsigned notices)
{
    if (notices & NOTICE_CONNECTED && c->app[side].open)
        begin(world, c, side, APP_CONNECTED);
    if (notices & NOTICE_ACCEPTED)
        begin(world, c, side, APP_ACCEPTED);
    if (notices & (NOTICE_READABLE | NOTICE_EOF) && !(notices & NOTICE_ERROR))
        application_read_all(world, c, side);
    if (notices & NOTICE_ERROR)
        error_came(world, c, side);
}

static mtime_t after(mtime_t since, mtime_t delay)
{
    return delay == 0 || since == MTIME_NEVER ? MTIME_NEVER : mtime_add(since, delay);
}

static mtime_t least(mtime_t a, mtime_t b)
{
    return a < b ? a : b;
}

mtime_t application_due(const struct world *world, const struct connection *c, unsigned side)
{
    const struct behaviour *b = &world->host[side].behaviour;
    const struct application *app = &c->app[side];
    mtime_t due = least(app->act_at, app->answer_at);

    if (!app->open || !app->connected || app->trouble)
        return due;
    if (reads(app))
        due = least(due, after(app->waits_since, b->read_timeout));
    due = least(due, after(app->last_sent, b->heartbeat));
    due = least(due, after(app->last_heard, b->heartbeat_timeout));
    return least(due, after(app->last_payload, b->idle_close));
}

static void answer(struct world *world, struct connection *c, unsigned side)
{
    c->app[side].answer_at = MTIME_NEVER;
    application_write_it(world, c, side, world->host[side].behaviour.answer_bytes, NOTE_NONE);
    application_read_all(world, c, side); /* what came meanwhile */
}

void application_timer(struct world *world, struct connection *c, unsigned side)
{
    const struct behaviour *b = &world->host[side].behaviour;
    struct application *app = &c->app[side];
    mtime_t now = world->now;

    if (app->act_at <= now) {
        if (!c->begun)
            application_connect(world, c);
        else
            workload_act(world, c);
    }
    if (app->answer_at <= now)
        answer(world, c, side);
    if (!app->open || !app->connected || app->trouble)
        return;
    if (reads(app) && after(app->waits_since, b->read_timeout) <= now) {
        give_up(world, c, side, APP_READ_TIMEOUT);
    } else if (after(app->last_heard, b->heartbeat_timeout) <= now) {
        give_up(world, c, side, APP_HEARTBEAT_TIMEOUT);
    } else if (after(app->last_payload, b->idle_close) <= now) {
        application_tell(world, c, side, (struct timeline_app){.act = APP_IDLE_CLOSE});
        application_close_it(world, c, side);
        app->closed = true;
    } else if (after(app->last_sent, b->heartbeat) <= now) {
        application_write_it(world, c, side, b->heartbeat_bytes ? b->heartbeat_bytes : 1,
                             NOTE_HEARTBEAT);
    }
}
