/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/socket_parts.h"

#include <errno.h>
#include <stdlib.h>

static int compare_addresses(const struct socket_fact *a, const struct socket_fact *b)
{
    int order = memcmp(a->local, b->local, sizeof(a->local));

    if (order == 0)
        order = memcmp(a->peer, b->peer, sizeof(a->peer));
    if (order == 0)
        order = (int)a->family - (int)b->family;
    if (order == 0)
        order = (int)a->local_port - (int)b->local_port;
    if (order == 0)
        order = (int)a->peer_port - (int)b->peer_port;
    return order;
}

static int compare_entries(const void *a, const void *b)
{
    return compare_addresses(*(const struct socket_fact *const *)a,
                             *(const struct socket_fact *const *)b);
}

/* Addresses come back with another socket; one without an inode has lost it (TIME_WAIT). */
static bool is_same(const struct socket_fact *a, const struct socket_fact *b)
{
    return a->inode == b->inode || a->inode == 0 || b->inode == 0;
}

static void take_over(struct socket_fact *fact, const struct socket_fact *later)
{
    fact->state = later->state;
    fact->timer = later->timer;
    fact->timer_known = later->timer_known;
    fact->timer_left = later->timer_left;
    fact->retransmits = later->retransmits;
    fact->probes = later->probes;
    fact->send_queue = later->send_queue;
    fact->receive_queue = later->receive_queue;
    fact->last_sent = later->last_sent;
    fact->last_received = later->last_received;
    if (later->rtt != 0)
        fact->rtt = later->rtt;
}

static const struct socket_fact *find(const struct socket_fact **sorted, size_t n,
                                      const struct socket_fact *fact)
{
    const struct socket_fact **at = NULL, **end = sorted + n;

    if (n > 0)
        at = bsearch(&fact, sorted, n, sizeof(*sorted), compare_entries);
    while (at && at > sorted && compare_addresses(at[-1], fact) == 0)
        at--;
    for (; at && at < end && compare_addresses(*at, fact) == 0; at++)
        if (is_same(*at, fact))
            return *at;
    return NULL;
}

int socket_table_narrow(struct socket_table *table, const struct socket_table *later,
                        mtime_t elapsed)
{
    const struct socket_fact **sorted = calloc(later->n + 1, sizeof(*sorted));

    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < later->n; i++)
        sorted[i] = &later->sockets[i];
    qsort(sorted, later->n, sizeof(*sorted), compare_entries);
    for (size_t i = 0; i < table->n; i++) {
        struct socket_fact *fact = &table->sockets[i];
        const struct socket_fact *now = find(sorted, later->n, fact);

        if (!now || fact->state == SOCKET_GONE) {
            fact->state = SOCKET_GONE;
            continue;
        }
        figures_narrow(fact, now, elapsed);
        take_over(fact, now);
    }
    free(sorted);
    return 0;
}
