/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of packets, in blocks that never move. */
struct pool {
    struct pool *before;
    size_t used, size;
    uint8_t bytes[];
};
#define POOL_BLOCK ((size_t)1 << 18)

static uint8_t *pool_copy(struct timeline *timeline, const uint8_t *bytes, size_t len)
{
    struct pool *pool = timeline->pool;
    uint8_t *copy;

    if (!pool || pool->size - pool->used < len) {
        size_t size = len > POOL_BLOCK ? len : POOL_BLOCK;

        pool = malloc(sizeof(*pool) + size);
        if (!pool)
            return NULL;
        *pool = (struct pool){.before = timeline->pool, .size = size};
        timeline->pool = pool;
    }
    copy = pool->bytes + pool->used;
    memcpy(copy, bytes, len);
    pool->used += len;
    return copy;
}

int timeline_create(struct timeline **out, const struct scenario *scenario)
{
    struct timeline *timeline = calloc(1, sizeof(*timeline));

    if (!timeline)
        return -ENOMEM;
    timeline->scenario = scenario;
    timeline->end = scenario->until;
    *out = timeline;
    return 0;
}

struct timeline *timeline_destroy(struct timeline *timeline)
{
    if (!timeline)
        return NULL;
    while (timeline->pool) {
        struct pool *before = timeline->pool->before;

        free(timeline->pool);
        timeline->pool = before;
    }
    free(timeline->events);
    free(timeline);
    return NULL;
}

static int make_room(struct timeline *timeline)
{
    size_t room = timeline->room_events ? 2 * timeline->room_events : 256;
    struct timeline_event *events;

    if (timeline->n_events < timeline->room_events)
        return 0;
    events = reallocarray(timeline->events, room, sizeof(*events));
    if (!events)
        return -ENOMEM;
    timeline->events = events;
    timeline->room_events = room;
    return 0;
}

int timeline_add(struct timeline *timeline, const struct timeline_event *event)
{
    struct timeline_event copy = *event;
    int r;

    if (timeline->n_events >= TIMELINE_EVENTS_MAX) {
        timeline->dropped_events++;
        return 0;
    }
    r = make_room(timeline);
    if (r < 0)
        return r;
    if (event->kind == TIMELINE_PACKET && event->packet.data) {
        copy.packet.data = pool_copy(timeline, event->packet.data, event->packet.caplen);
        if (!copy.packet.data)
            return -ENOMEM;
    }
    timeline->events[timeline->n_events++] = copy;
    return 0;
}

/* The first event after t: events come in time order. */
static size_t events_until(const struct timeline *timeline, mtime_t t)
{
    size_t low = 0, high = timeline->n_events;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (timeline->events[middle].t <= t)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool timeline_socket_at(const struct timeline *timeline, unsigned place, uint32_t connection,
                        mtime_t t, struct socket_view *out)
{
    for (size_t i = events_until(timeline, t); i-- > 0;) {
        const struct timeline_event *e = &timeline->events[i];

        if (e->kind != TIMELINE_SOCKET || e->place != place || e->connection != connection)
            continue;
        *out = e->socket;
        return true;
    }
    return false;
}

uint32_t timeline_connections(const struct timeline *timeline)
{
    uint32_t highest = 0;

    for (size_t i = 0; i < timeline->n_events; i++)
        if (timeline->events[i].connection > highest)
            highest = timeline->events[i].connection;
    return highest;
}

const char *app_act_name(enum app_act act)
{
    switch (act) {
    case APP_CONNECT:
        return "connect";
    case APP_CONNECTED:
        return "connected";
    case APP_ACCEPTED:
        return "accepted";
    case APP_SEND:
        return "send";
    case APP_READ:
        return "read";
    case APP_EOF:
        return "end of file";
    case APP_ERROR:
        return "error";
    case APP_CLOSE:
        return "close";
    case APP_READ_TIMEOUT:
        return "read timeout";
    case APP_HEARTBEAT_TIMEOUT:
        return "heartbeat timeout";
    case APP_IDLE_CLOSE:
        return "idle close";
    case APP_EXITED:
        return "exited";
    case APP_ENDED:
        return "killed";
    }
    return NULL;
}

const char *app_call_name(enum app_call call)
{
    switch (call) {
    case CALL_NONE:
        return "";
    case CALL_CONNECT:
        return "connect";
    case CALL_READ:
        return "read";
    case CALL_WRITE:
        return "write";
    case CALL_POLL:
        return "poll";
    }
    return NULL;
}
