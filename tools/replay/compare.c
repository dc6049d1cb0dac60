/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/compare_private.h"

#include "middlebox/record/put.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct policy_profile *compared_profile(const struct compared *compared)
{
    const struct policy *policy = compared->policy;

    return &policy->profiles[policy->rules[policy->n_rules - 1].profile];
}

static int compare_keys(const struct server_key *a, const struct server_key *b)
{
    int r = (int)a->family - (int)b->family;

    r = r ? r : memcmp(a->addr, b->addr, sizeof(a->addr));
    r = r ? r : (int)a->port - (int)b->port;
    return r ? r : (int)a->proto - (int)b->proto;
}

/* One firewall's share of a server. */
struct share {
    struct server_key key;
    size_t firewall;
    uint64_t broken;
};

static int by_key(const void *one, const void *two)
{
    const struct share *a = one, *b = two;

    return compare_keys(&a->key, &b->key);
}

static int by_broken(const void *one, const void *two)
{
    const struct compared_server *a = one, *b = two;

    if (a->most != b->most)
        return a->most > b->most ? -1 : 1;
    return compare_keys(&a->key, &b->key);
}

static size_t gather(const struct compared *compared, size_t n, struct share *shares)
{
    size_t found = 0;

    for (size_t f = 0; f < n; f++) {
        const struct servers *servers = &compared[f].summary->servers;

        for (size_t i = 0; i < servers->room; i++) {
            const struct server *server = &servers->slots[i];

            if (server->key.family == 0 || server->by_outcome[REPLAY_BROKEN] == 0)
                continue;
            if (shares)
                shares[found] = (struct share){server->key, f, server->by_outcome[REPLAY_BROKEN]};
            found++;
        }
    }
    return found;
}

int compared_servers_init(struct compared_servers *servers, const struct compared *compared,
                          size_t n)
{
    size_t found = gather(compared, n, NULL);
    struct share *shares = calloc(found + 1, sizeof(*shares));

    servers->n = 0;
    servers->rows = calloc(found + 1, sizeof(*servers->rows));
    servers->broken = calloc(found * n + 1, sizeof(*servers->broken));
    if (!shares || !servers->rows || !servers->broken) {
        free(shares);
        compared_servers_finish(servers);
        return -ENOMEM;
    }
    gather(compared, n, shares);
    qsort(shares, found, sizeof(*shares), by_key);
    for (size_t i = 0; i < found; i++) {
        struct compared_server *row;

        if (i == 0 || compare_keys(&shares[i].key, &shares[i - 1].key) != 0)
            servers->n++;
        row = &servers->rows[servers->n - 1];
        row->key = shares[i].key;
        row->broken = servers->broken + (servers->n - 1) * n;
        row->broken[shares[i].firewall] = shares[i].broken;
        row->most = shares[i].broken > row->most ? shares[i].broken : row->most;
    }
    qsort(servers->rows, servers->n, sizeof(*servers->rows), by_broken);
    free(shares);
    return 0;
}

void compared_servers_finish(struct compared_servers *servers)
{
    free(servers->rows);
    free(servers->broken);
    *servers = (struct compared_servers){0};
}

void compared_server_text(const struct server_key *key, char text[80])
{
    struct flow flow = {.family = key->family, .proto = key->proto};

    memcpy(flow.addr[FLOW_SERVER], key->addr, sizeof(key->addr));
    flow.port[FLOW_SERVER] = key->port;
    *put_end(text, &flow, FLOW_SERVER) = '\0';
}
