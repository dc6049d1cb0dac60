/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/summary_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void servers_finish(struct servers *servers)
{
    free(servers->slots);
    *servers = (struct servers){0};
}

uint64_t server_connections(const struct server *server)
{
    uint64_t n = 0;

    for (size_t i = 0; i < REPLAY_OUTCOMES; i++)
        n += server->by_outcome[i];
    return n;
}

/* Nobody outside can aim at one slot: the secret is a process's own. */
static size_t slot_of(const struct servers *servers, const struct server_key *key)
{
    uint64_t words[3] = {0}, h = servers->secret;

    memcpy(words, key, sizeof(*key));
    for (size_t i = 0; i < 3; i++) {
        h = (h ^ words[i]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
        h = (h + servers->secret) * 0xbf58476d1ce4e5b9u;
        h ^= h >> 32;
    }
    return (size_t)h & (servers->room - 1);
}

static struct server *find(const struct servers *servers, const struct server_key *key)
{
    size_t i = slot_of(servers, key);

    while (servers->slots[i].key.family != 0 &&
           memcmp(&servers->slots[i].key, key, sizeof(*key)) != 0)
        i = (i + 1) & (servers->room - 1);
    return &servers->slots[i];
}

static int resize(struct servers *servers, size_t room)
{
    struct server *old = servers->slots;
    size_t n = servers->room;

    servers->slots = calloc(room, sizeof(*servers->slots));
    if (!servers->slots) {
        servers->slots = old;
        return -ENOMEM;
    }
    servers->room = room;
    if (servers->secret == 0 &&
        getrandom(&servers->secret, sizeof(servers->secret), 0) != sizeof(servers->secret))
        servers->secret = 0x94d049bb133111ebu;
    for (size_t i = 0; i < n; i++)
        if (old[i].key.family != 0)
            *find(servers, &old[i].key) = old[i];
    free(old);
    return 0;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a > b ? -1 : a < b;
}

static int compare_servers(const void *one, const void *two)
{
    static const enum replay_outcome order[] = {REPLAY_BROKEN, REPLAY_SAVED, REPLAY_REFUSED,
                                                REPLAY_EXPIRED, REPLAY_FINE};
    const struct server *a = one, *b = two;
    int r = 0;

    for (size_t i = 0; r == 0 && i < REPLAY_OUTCOMES; i++)
        r = compare_numbers(a->by_outcome[order[i]], b->by_outcome[order[i]]);
    r = r ? r : (int)a->key.family - (int)b->key.family;
    r = r ? r : memcmp(a->key.addr, b->key.addr, sizeof(a->key.addr));
    r = r ? r : (int)a->key.port - (int)b->key.port;
    return r ? r : (int)a->key.proto - (int)b->key.proto;
}

struct server *servers_sorted(const struct servers *servers)
{
    struct server *sorted = servers->n > 0 ? calloc(servers->n, sizeof(*sorted)) : NULL;
    size_t n = 0;

    if (!sorted)
        return NULL;
    for (size_t i = 0; i < servers->room; i++)
        if (servers->slots[i].key.family != 0)
            sorted[n++] = servers->slots[i];
    qsort(sorted, n, sizeof(*sorted), compare_servers);
    return sorted;
}

/* Many at once, so that sorting them costs nothing a server. */
static int let_go(struct servers *servers)
{
    struct server *sorted = servers_sorted(servers);
    size_t keep = servers->n / 4 * 3;

    if (!sorted)
        return -ENOMEM;
    servers->let_go += servers->n - keep;
    memset(servers->slots, 0, servers->room * sizeof(*servers->slots));
    for (size_t i = 0; i < keep; i++)
        *find(servers, &sorted[i].key) = sorted[i];
    servers->n = keep;
    free(sorted);
    return 0;
}

struct server *servers_place(struct servers *servers, const struct server_key *key)
{
    struct server *server;
    int r = 0;

    if (servers->n >= SUMMARY_SERVERS) {
        server = find(servers, key);
        if (server->key.family != 0)
            return server;
        r = let_go(servers);
    } else if (2 * servers->n >= servers->room) {
        r = resize(servers, servers->room == 0 ? 64 : 2 * servers->room);
    }
    if (r < 0)
        return NULL;
    server = find(servers, key);
    if (server->key.family == 0) {
        server->key = *key;
        server->incomplete = servers->let_go > 0;
        servers->n++;
    }
    return server;
}

/* What the other has let go may be one of these. */
static void doubt(struct servers *servers, const struct servers *other)
{
    if (other->let_go == 0)
        return;
    for (size_t i = 0; i < servers->room; i++) {
        struct server *server = &servers->slots[i];

        if (server->key.family != 0 &&
            (other->room == 0 || find(other, &server->key)->key.family == 0))
            server->incomplete = true;
    }
}

int servers_merge(struct servers *into, const struct servers *from)
{
    doubt(into, from);
    for (size_t i = 0; i < from->room; i++) {
        const struct server *add = &from->slots[i];
        struct server *server;

        if (add->key.family == 0)
            continue;
        server = servers_place(into, &add->key);
        if (!server)
            return -ENOMEM;
        server->incomplete |= add->incomplete;
        for (size_t o = 0; o < REPLAY_OUTCOMES; o++)
            server->by_outcome[o] += add->by_outcome[o];
        server->late_packets += add->late_packets;
        server->helped += add->helped;
        server->longest = add->longest > server->longest ? add->longest : server->longest;
        server->limit = shorter_limit(server->limit, add->limit);
    }
    into->let_go += from->let_go;
    return 0;
}
