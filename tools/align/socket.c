/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/socket_parts.h"

#include <errno.h>
#include <stdlib.h>

const struct socket_fact socket_fact_unknown = {
    .idle = {0, MTIME_NEVER},
    .interval = {0, MTIME_NEVER},
    .last_sent = MTIME_NEVER,
    .last_received = MTIME_NEVER,
};

void socket_table_finish(struct socket_table *table)
{
    free(table->sockets);
    free(table->bad_lines);
    *table = (struct socket_table){0};
}

int socket_table_add(struct socket_table *table, const struct socket_fact *fact)
{
    if (table->n == table->room) {
        size_t room = table->room ? 2 * table->room : 64;
        struct socket_fact *more = reallocarray(table->sockets, room, sizeof(*more));

        if (!more)
            return -ENOMEM;
        table->sockets = more;
        table->room = room;
    }
    table->sockets[table->n++] = *fact;
    return 0;
}

int socket_table_bad(struct socket_table *table, unsigned line)
{
    if (table->n_bad == table->room_bad) {
        size_t room = table->room_bad ? 2 * table->room_bad : 16;
        unsigned *more = reallocarray(table->bad_lines, room, sizeof(*more));

        if (!more)
            return -ENOMEM;
        table->bad_lines = more;
        table->room_bad = room;
    }
    table->bad_lines[table->n_bad++] = line;
    return 0;
}

static int compare_ports(const void *a, const void *b)
{
    const struct socket_fact *left = a, *right = b;

    return (left->local_port > right->local_port) - (left->local_port < right->local_port);
}

static bool listens_for(const struct socket_fact *listener, const struct socket_fact *fact)
{
    static const uint8_t any[16];

    /* An IPv6 socket bound to any address takes IPv4's connections, too, unless IPV6_V6ONLY. */
    if (memcmp(listener->local, any, sizeof(any)) == 0)
        return listener->family == 6 || fact->family == 4;
    return listener->family == fact->family &&
           memcmp(listener->local, fact->local, sizeof(any)) == 0;
}

/* Who opened it, as a capture that begins in its middle would be read: ports below 1024 are
 * servers'; else the lower one, for clients get theirs from 32768 on (ip_local_port_range). */
static void guess_listened(struct socket_fact *fact)
{
    fact->listened = fact->local_port < fact->peer_port;
    fact->listened_guessed = true;
}

void socket_listened(struct socket_table *table, struct socket_table *listening, bool guess)
{
    if (listening->n > 0)
        qsort(listening->sockets, listening->n, sizeof(*listening->sockets), compare_ports);
    for (size_t i = 0; i < table->n; i++) {
        struct socket_fact *fact = &table->sockets[i];
        const struct socket_fact *at, *end;

        if (listening->n == 0) {
            if (guess)
                guess_listened(fact);
            continue;
        }
        end = listening->sockets + listening->n;
        at = bsearch(fact, listening->sockets, listening->n, sizeof(*at), compare_ports);
        while (at && at > listening->sockets && compare_ports(at - 1, fact) == 0)
            at--;
        for (; at && at < end && compare_ports(at, fact) == 0; at++)
            if (listens_for(at, fact)) {
                fact->listened = true;
                fact->systemd_socket = fact->systemd_socket || at->systemd_socket;
            }
    }
}
