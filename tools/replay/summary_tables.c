/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/summary_tables.h"

#include "middlebox/record/line.h"
#include "middlebox/record/put.h"
#include "tools/aligned.h"
#include "tools/replay/flow_words.h"
#include "tools/replay/summary_private.h"

#include <stdlib.h>
#include <string.h>

static void add_end(struct aligned *table, const struct flow *flow, enum flow_side side)
{
    char text[80];

    *put_end(text, flow, side) = '\0';
    aligned_add(table, "%s", text);
}

static void add_duration(struct aligned *table, mtime_t duration)
{
    char text[64];

    *put_limit(text, duration) = '\0';
    aligned_add(table, "%s", text);
}

static bool many_captures(const struct summary *summary)
{
    const char *first = summary->worst[0].capture;

    for (size_t i = 1; i < summary->n_worst; i++) {
        const char *capture = summary->worst[i].capture;

        if (strcmp(first ? first : "", capture ? capture : "") != 0)
            return true;
    }
    return false;
}

static void add_worst(struct aligned *table, const struct worst *worst, bool named)
{
    const struct replay_flow *f = &worst->flow;
    char when[PUT_WHEN], text[256];

    aligned_add(table, "%llu", (unsigned long long)f->late_packets);
    add_end(table, &f->flow, FLOW_CLIENT);
    add_end(table, &f->flow, FLOW_SERVER);
    aligned_add(table, "%s", flow_state_name(f->flow.state));
    add_duration(table, f->late.silence);
    add_duration(table, f->limit);
    aligned_add(table, "%llu", (unsigned long long)f->late.number);
    *put_when(when, f->late.time) = '\0';
    aligned_add(table, "%s", when);
    *put_tcp_flags(text, f->late.tcp_flags) = '\0';
    aligned_add(table, "%s %s", flow_side_name(f->late.side), text);
    aligned_add(table, "%s", replay_action_text(f->late.action));
    *put_keepalives(text, &f->flow) = '\0';
    aligned_add(table, "%s", text[0] ? text : "none");
    aligned_add(table, "%s", named && worst->capture ? worst->capture : "");
}

void summary_worst_table(FILE *to, const struct summary *summary)
{
    static const char *const headings[] = {"late",
                                           "client",
                                           "server",
                                           "state",
                                           "silent",
                                           "timeout",
                                           "packet",
                                           "at (UTC)",
                                           "from",
                                           "what then",
                                           "keepalives in time"};
    size_t n = sizeof(headings) / sizeof(headings[0]);
    struct aligned table;
    bool named;

    if (summary->n_worst == 0 || aligned_init(&table, n + 1) < 0)
        return;
    table.right = 1u << 0 | 1u << 4 | 1u << 5 | 1u << 6;
    named = many_captures(summary);
    for (size_t i = 0; i < n; i++)
        aligned_add(&table, "%s", headings[i]);
    aligned_add(&table, "%s", named ? "capture" : "");
    for (size_t i = 0; i < summary->n_worst; i++)
        add_worst(&table, &summary->worst[i], named);
    if (summary->n_worst == SUMMARY_WORST)
        fprintf(to, "\nThe %d that suffer most, with the first packet that came too late:\n",
                SUMMARY_WORST);
    else
        fputs("\nThe broken, with the first packet that came too late:\n", to);
    aligned_finish(&table, to);
}

static void add_server(struct aligned *table, const struct server *server)
{
    const uint64_t *n = server->by_outcome;
    struct flow flow = {.family = server->key.family, .proto = server->key.proto};
    struct keepalive_setting keepalive;
    char text[64];

    memcpy(flow.addr[FLOW_SERVER], server->key.addr, sizeof(server->key.addr));
    flow.port[FLOW_SERVER] = server->key.port;
    add_end(table, &flow, FLOW_SERVER);
    *put_proto(text, server->key.proto) = '\0';
    aligned_add(table, "%s", text);
    aligned_add(table, "%s%llu", server->incomplete ? ">=" : "",
                (unsigned long long)server_connections(server));
    aligned_add(table, "%llu", (unsigned long long)n[REPLAY_BROKEN]);
    aligned_add(table, "%llu", (unsigned long long)n[REPLAY_SAVED]);
    aligned_add(table, "%llu", (unsigned long long)n[REPLAY_EXPIRED]);
    add_duration(table, server->longest);
    add_duration(table, server->limit);
    if (server->limit > 0 && keepalive_for(server->limit, &keepalive)) {
        char *p = put_duration(put_text(text, "idle "), keepalive.idle);

        *put_duration(put_text(p, ", interval "), keepalive.interval) = '\0';
        aligned_add(table, "%s", text);
    } else {
        aligned_add(table, "%s", n[REPLAY_BROKEN] > 0 ? "none would have" : "");
    }
}

static bool concerned(const struct server *server)
{
    return server->by_outcome[REPLAY_BROKEN] + server->by_outcome[REPLAY_SAVED] > 0;
}

void summary_server_table(FILE *to, const struct summary *summary)
{
    static const char *const headings[] = {"server",          "proto",   "connections",
                                           "broken",          "saved",   "expired",
                                           "longest silence", "timeout", "keepalive"};
    size_t n_columns = sizeof(headings) / sizeof(headings[0]), n = 0, shown;
    struct server *servers = servers_sorted(&summary->servers);
    struct aligned table;

    while (servers && n < summary->servers.n && concerned(&servers[n]))
        n++;
    if (n == 0 || aligned_init(&table, n_columns) < 0)
        goto out;
    shown = n < SUMMARY_SERVERS_SHOWN ? n : SUMMARY_SERVERS_SHOWN;
    table.right = 0x3f << 2;
    for (size_t i = 0; i < n_columns; i++)
        aligned_add(&table, "%s", headings[i]);
    for (size_t i = 0; i < shown; i++)
        add_server(&table, &servers[i]);
    fputs("\nServers of broken and saved connections, and the keepalive that would have saved "
          "theirs:\n",
          to);
    aligned_finish(&table, to);
    if (n > shown)
        fprintf(to, "and %llu more; -o json has all\n", (unsigned long long)(n - shown));
out:
    if (summary->servers.let_go > 0)
        fprintf(to,
                "There were more than %d servers: where it says >=, earlier connections may be "
                "missing.\n",
                SUMMARY_SERVERS);
    free(servers);
}
