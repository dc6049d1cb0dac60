/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/join.h"

#include "policy/filter.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

void join_finish(struct join *join)
{
    for (size_t i = 0; i < join->n; i++)
        free(join->rows[i].limits);
    free(join->rows);
    *join = (struct join){0};
}

static enum flow_side side_of(const struct socket_fact *fact)
{
    return fact->listened ? FLOW_SERVER : FLOW_CLIENT;
}

static enum flow_side other(enum flow_side side)
{
    return side == FLOW_CLIENT ? FLOW_SERVER : FLOW_CLIENT;
}

/* Nothing lies between two sockets of one host. */
static bool is_inside(const struct socket_fact *fact)
{
    static const uint8_t loopback6[16] = {[15] = 1};

    if (memcmp(fact->local, fact->peer, 16) == 0)
        return true;
    if (fact->family == 4)
        return fact->local[0] == 127 || fact->peer[0] == 127;
    return memcmp(fact->local, loopback6, 16) == 0;
}

/* Opening, or closed by both ends: its kernel ends that soon, and keepalive has no part in it. */
static bool is_passing(enum socket_state state)
{
    return state != SOCKET_ESTABLISHED && state != SOCKET_FIN_WAIT_2 && state != SOCKET_CLOSE_WAIT;
}

static void end_from_socket(struct end *end, const struct socket_fact *fact)
{
    end->keepalive = fact->keepalive;
    end->figures = fact->figures;
    end->idle = fact->idle;
    end->interval = fact->interval;
    end->at_least = fact->at_least;
    end->count = fact->count;
    end->user_timeout = fact->user_timeout;
}

/* The firewall saw the end's probes: on, and so often. */
static void end_from_flow(struct end *end, const struct table_keepalive *seen)
{
    if (end->keepalive == KEEPALIVE_OFF || seen->seen == 0)
        return;
    if (end->keepalive == KEEPALIVE_ON && end->figures == FIGURES_READ)
        return;
    end->keepalive = KEEPALIVE_ON;
    if (seen->interval == 0)
        return;
    end->figures = FIGURES_INFERRED;
    /* It includes the lateness, which comes on top again: rather too careful. */
    end->idle = (struct bounds){seen->interval, seen->interval};
    end->interval = (struct bounds){0, seen->interval};
}

static mtime_t quiet_of(const struct socket_fact *fact, const struct table_flow *flow)
{
    if (flow)
        return flow->idle;
    return fact->last_sent < fact->last_received ? fact->last_sent : fact->last_received;
}

static void fill_connection(struct row *row)
{
    struct connection *c = &row->connection;
    enum flow_side here = c->here;

    for (unsigned side = 0; side < 2; side++)
        c->end[side] = (struct end){.idle = BOUNDS_UNKNOWN, .interval = BOUNDS_UNKNOWN};
    end_from_socket(&c->end[here], row->fact);
    if (row->peer)
        end_from_socket(&c->end[other(here)], row->peer);
    for (unsigned side = 0; row->flow && side < 2; side++)
        end_from_flow(&c->end[side], &row->flow->keepalive[side]);
    c->rtt = row->fact->rtt;
    c->quiet = quiet_of(row->fact, row->flow);
    c->age = row->flow ? row->flow->age : MTIME_NEVER;
}

static int add_limit(struct row *row, struct limit limit)
{
    struct limit *more = reallocarray(row->limits, row->n_limits + 1, sizeof(*more));

    if (!more)
        return -ENOMEM;
    row->limits = more;
    more[row->n_limits++] = limit;
    return 0;
}

static int add_hop(struct row *row, const struct hop *hop, struct limit idle)
{
    struct limit life = limit_of_life(hop);
    int r = add_limit(row, idle);

    return r == 0 && life.timeout < MTIME_NEVER ? add_limit(row, life) : r;
}

int row_limits(struct row *row, const struct path *path, struct path_part part,
               const struct table *table, enum socket_state state)
{
    int r = 0;

    for (size_t i = part.first; r == 0 && i < part.first + part.n; i++) {
        r = add_hop(row, &path->hops[i], limit_of(&path->hops[i], state));
        row->proxied = row->proxied || path->hops[i].profile.kind == KIND_PROXY;
    }
    if (r == 0 && row->flow)
        r = add_hop(row, table->hops[row->flow->hop], table_limit(table, row->flow, state));
    return r;
}

/* The same connection seen from the other end. */
static int compare_mirrored(const struct socket_fact *fact, const struct socket_fact *peer)
{
    int r = (fact->family > peer->family) - (fact->family < peer->family);

    if (r == 0)
        r = memcmp(fact->local, peer->peer, 16);
    if (r == 0)
        r = memcmp(fact->peer, peer->local, 16);
    if (r == 0)
        r = (fact->local_port > peer->peer_port) - (fact->local_port < peer->peer_port);
    if (r == 0)
        r = (fact->peer_port > peer->local_port) - (fact->peer_port < peer->local_port);
    return r;
}

static int compare_peers(const void *a, const void *b)
{
    const struct socket_fact *left = *(const struct socket_fact *const *)a;
    struct socket_fact turned = *left; /* so that both are read the same way round */

    memcpy(turned.local, left->peer, 16);
    memcpy(turned.peer, left->local, 16);
    turned.local_port = left->peer_port;
    turned.peer_port = left->local_port;
    return compare_mirrored(&turned, *(const struct socket_fact *const *)b);
}

static int compare_wanted(const void *key, const void *peer)
{
    return compare_mirrored(key, *(const struct socket_fact *const *)peer);
}

struct peers {
    const struct socket_fact **sorted; /* owned */
    size_t n;
};

static int peers_make(struct peers *peers, const struct socket_table *table)
{
    *peers = (struct peers){0};
    if (!table || table->n == 0)
        return 0;
    peers->sorted = calloc(table->n, sizeof(struct socket_fact *));
    if (!peers->sorted)
        return -ENOMEM;
    for (; peers->n < table->n; peers->n++)
        peers->sorted[peers->n] = &table->sockets[peers->n];
    qsort(peers->sorted, peers->n, sizeof(struct socket_fact *), compare_peers);
    return 0;
}

static const struct socket_fact *peers_find(const struct peers *peers,
                                            const struct socket_fact *fact)
{
    const struct socket_fact **found = NULL;

    if (peers->n > 0)
        found =
            bsearch(fact, peers->sorted, peers->n, sizeof(struct socket_fact *), compare_wanted);
    return found ? *found : NULL;
}

static bool filtered(const struct filter *filter, const struct row *row)
{
    const struct socket_fact *fact = row->fact;
    bool server = row->connection.here == FLOW_SERVER;
    struct filter_tuple tuple = {.family = fact->family, .proto = IPPROTO_TCP};

    memcpy(server ? tuple.server : tuple.client, fact->local, 16);
    memcpy(server ? tuple.client : tuple.server, fact->peer, 16);
    tuple.client_port = server ? fact->peer_port : fact->local_port;
    tuple.server_port = server ? fact->local_port : fact->peer_port;
    return filter && !filter_match(filter, &tuple);
}

static int row_make(struct join *join, struct row *row, const struct socket_fact *fact,
                    const struct peers *peers)
{
    enum flow_side here = side_of(fact);
    int r;

    *row = (struct row){.fact = fact, .peer = peers_find(peers, fact)};
    if (join->table)
        row->flow = table_find(join->table, fact->family, fact->local, fact->local_port, fact->peer,
                               fact->peer_port, &here);
    row->connection.here = here;
    row->software[here] = template_of(fact);
    if (row->peer)
        row->software[other(here)] = template_of(row->peer);
    fill_connection(row);
    r = row_limits(row, join->path, path_part_of(join->path, here, fact->process), join->table,
                   fact->state);
    if (r == 0)
        row->verdict = verdict_of_all(&row->connection, row->limits, row->n_limits);
    return r;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    bool safe_left = left->verdict.kind == VERDICT_SAFE;
    bool safe_right = right->verdict.kind == VERDICT_SAFE;

    if (safe_left != safe_right)
        return safe_left ? 1 : -1;
    if (left->verdict.due != right->verdict.due)
        return left->verdict.due < right->verdict.due ? -1 : 1;
    if (left->verdict.kind != right->verdict.kind)
        return left->verdict.kind < right->verdict.kind ? -1 : 1;
    return (left->fact > right->fact) - (left->fact < right->fact); /* as they came */
}

void join_sort(struct join *join)
{
    if (join->n > 0)
        qsort(join->rows, join->n, sizeof(*join->rows), compare_rows);
}

int join_make(struct join *join, const struct socket_table *sockets,
              const struct socket_table *peers, const struct path *path, const struct table *table,
              const struct filter *filter)
{
    struct peers sorted;
    int r = peers_make(&sorted, peers);

    *join = (struct join){.path = path, .table = table};
    join->rows = calloc(sockets->n + 1, sizeof(*join->rows));
    if (!join->rows)
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && i < sockets->n; i++) {
        const struct socket_fact *fact = &sockets->sockets[i];
        struct row *row = &join->rows[join->n];
        size_t *out = NULL;

        if (is_inside(fact))
            join->inside++;
        else if (is_passing(fact->state))
            join->passing++;
        if (is_inside(fact) || is_passing(fact->state))
            continue;
        r = row_make(join, row, fact, &sorted);
        if (filtered(filter, row))
            out = &join->filtered;
        else if (row->n_limits == 0)
            out = &join->missing;
        if (r < 0 || out)
            free(row->limits);
        else
            join->n++;
        if (out)
            ++*out;
    }
    free(sorted.sorted);
    if (r < 0)
        join_finish(join);
    else
        join_sort(join);
    return r;
}
