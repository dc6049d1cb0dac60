/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits: of all, and of each server, as firewalls have other timeouts for other ports. */
#include "tools/replay/places_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 64

static struct places_server *find(const struct places_track *t, const struct places_server *like)
{
    const struct places_servers *all = &t->servers;
    struct flow_key key = {.family = like->family, .port = {like->port}};
    struct places_server *slot;
    size_t i;

    memcpy(key.addr[0], like->addr, sizeof(key.addr[0]));
    for (i = flow_key_hash(&key, t->secret) & (all->room - 1);; i = (i + 1) & (all->room - 1)) {
        slot = &all->slots[i];
        if (slot->family == 0 || (slot->family == like->family && slot->port == like->port &&
                                  memcmp(slot->addr, like->addr, sizeof(slot->addr)) == 0))
            return slot;
    }
}

static struct places_server server_of(const struct places_connection *k)
{
    struct places_server server = {.family = k->family, .port = k->port[0][1]};

    memcpy(server.addr, k->addr[0][1], sizeof(server.addr));
    return server;
}

static int grow(struct places_track *t)
{
    struct places_servers *all = &t->servers;
    struct places_server *old = all->slots;
    size_t room = all->room ? all->room * 2 : ROOM_FIRST, n = all->room;

    all->slots = calloc(room, sizeof(*all->slots));
    if (!all->slots) {
        all->slots = old;
        return -ENOMEM;
    }
    all->room = room;
    for (size_t i = 0; i < n; i++)
        if (old[i].family != 0)
            *find(t, &old[i]) = old[i];
    free(old);
    return 0;
}

static void survive(struct places_limit *limit, mtime_t silence)
{
    if (silence > limit->survived)
        limit->survived = silence;
}

int places_servers_add(struct places_track *t, const struct places_connection *k)
{
    struct places_server like = server_of(k), *server;

    survive(&t->totals->limit, k->survived);
    if (4 * t->servers.n >= 3 * t->servers.room && grow(t) < 0)
        return -ENOMEM;
    server = find(t, &like);
    if (server->family == 0) {
        if (t->servers.n == PLACES_SERVERS) {
            t->totals->no_server++;
            return 0;
        }
        *server = like;
        t->servers.n++;
    }
    server->connections++;
    survive(&server->limit, k->survived);
    return 0;
}

static void forget(struct places_limit *limit, mtime_t silence)
{
    if (limit->shortest == 0 || silence < limit->shortest)
        limit->shortest = silence;
    if (silence <= limit->survived)
        limit->sooner++;
    else if (limit->forgotten == 0 || silence < limit->forgotten)
        limit->forgotten = silence;
}

void places_servers_forgot(struct places_track *t, const struct places_connection *k)
{
    struct places_server like = server_of(k), *server;

    if (!k->half_closed)
        forget(&t->totals->limit, k->silence);
    if (t->servers.room == 0)
        return; /* no memory: that was told */
    server = find(t, &like);
    if (server->family == 0)
        return;
    server->forgotten++;
    if (!k->half_closed)
        forget(&server->limit, k->silence);
}

static int compare(const void *one, const void *two)
{
    const struct places_server *a = one, *b = two;
    int r = (a->forgotten < b->forgotten) - (a->forgotten > b->forgotten);

    r = r ? r : (a->limit.survived < b->limit.survived) - (a->limit.survived > b->limit.survived);
    r = r ? r : (int)a->family - (int)b->family;
    r = r ? r : memcmp(a->addr, b->addr, sizeof(a->addr));
    return r ? r : (int)a->port - (int)b->port;
}

int places_servers_end(struct places_track *t)
{
    struct places_totals *totals = t->totals;

    if (t->servers.n == 0)
        return 0;
    totals->servers = calloc(t->servers.n, sizeof(*totals->servers));
    if (!totals->servers)
        return -ENOMEM;
    for (size_t i = 0; i < t->servers.room; i++)
        if (t->servers.slots[i].family != 0)
            totals->servers[totals->n_servers++] = t->servers.slots[i];
    qsort(totals->servers, totals->n_servers, sizeof(*totals->servers), compare);
    return 0;
}
