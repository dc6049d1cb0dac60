/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "tools/replay/summary_private.h"
#include "tools/timeline/json_out.h"

#include <stdlib.h>

static void out_limit(FILE *to, const char *name, mtime_t limit)
{
    json_out_seconds(to, name, limit > 0 ? limit : MTIME_NEVER);
}

/* Of use to the reader only: summary_read() works them out again. */
static void out_keepalive(FILE *to, mtime_t limit)
{
    struct keepalive_setting keepalive;

    if (limit == 0 || !keepalive_for(limit, &keepalive))
        return;
    json_out_seconds(to, "keepalive_idle_s", keepalive.idle);
    json_out_seconds(to, "keepalive_interval_s", keepalive.interval);
}

static void out_summary(FILE *to, const struct summary *summary)
{
    const struct figures *figures = &summary->figures;

    json_out_begin(to, "summary");
    json_out_text(to, "policy", summary->policy);
    json_out_seconds(to, "first_s", summary->first);
    json_out_seconds(to, "last_s", summary->last);
    for (size_t i = 0; i < summary_figure_count; i++)
        json_out_number(to, summary_figures[i].name, figure_of(figures, i));
    json_out_number(to, "peak_entries", summary->peak);
    json_out_name(to, "mean_entries");
    fprintf(to, "%.3f", summary_mean(summary));
    out_limit(to, "shortest_timeout_s", summary_limit(summary));
    out_keepalive(to, summary_limit(summary));
    json_out_number(to, "servers", summary->servers.n);
    json_out_number(to, "servers_let_go", summary->servers.let_go);
    json_out_end(to);
}

static void out_server(FILE *to, const struct server *server)
{
    char text[64];

    json_out_begin(to, "server");
    *put_address(text, server->key.family, server->key.addr) = '\0';
    json_out_text(to, "server", text);
    json_out_number(to, "server_port", server->key.port);
    *put_proto(text, server->key.proto) = '\0';
    json_out_text(to, "proto", text);
    json_out_number(to, "proto_number", server->key.proto);
    json_out_number(to, "connections", server_connections(server));
    for (enum replay_outcome o = 0; o < REPLAY_OUTCOMES; o++)
        json_out_number(to, replay_outcome_name(o), server->by_outcome[o]);
    json_out_number(to, "late_packets", server->late_packets);
    json_out_seconds(to, "longest_silence_s", server->longest);
    json_out_number(to, "keepalive_would_save", server->helped);
    out_limit(to, "shortest_timeout_s", server->limit);
    out_keepalive(to, server->limit);
    json_out_bool(to, "incomplete", server->incomplete);
    json_out_end(to);
}

static void out_broken_by(FILE *to, const struct summary_limit *limit)
{
    json_out_begin(to, "limit");
    json_out_seconds(to, "timeout_s", limit->limit);
    json_out_number(to, "keepalive_would_save", limit->helped);
    json_out_number(to, "keepalive_too_slow", limit->too_slow);
    out_keepalive(to, limit->limit);
    json_out_end(to);
}

static void out_worst(FILE *to, const struct worst *worst, size_t rank)
{
    json_out_begin(to, "worst");
    json_out_number(to, "rank", rank);
    json_out_text(to, "capture", worst->capture);
    replay_flow_members(to, &worst->flow);
    json_out_end(to);
}

void summary_json(FILE *to, const struct summary *summary)
{
    struct server *servers = servers_sorted(&summary->servers);

    out_summary(to, summary);
    for (size_t i = 0; i < summary->n_limits; i++)
        out_broken_by(to, &summary->limits[i]);
    for (size_t i = 0; i < summary->n_worst; i++)
        out_worst(to, &summary->worst[i], i + 1);
    for (size_t i = 0; servers && i < summary->servers.n; i++)
        out_server(to, &servers[i]);
    free(servers);
}

static void csv_limit(FILE *to, mtime_t limit)
{
    char text[64];

    *put_seconds(text, limit) = '\0';
    fprintf(to, ",%s", limit > 0 ? text : "");
}

void summary_csv(FILE *to, const struct summary *summary)
{
    struct server *servers = servers_sorted(&summary->servers);

    fputs("server,server_port,proto,connections,fine,saved,broken,expired,refused,late_packets,"
          "longest_silence_s,keepalive_would_save,shortest_timeout_s,keepalive_idle_s,"
          "keepalive_interval_s,incomplete\n",
          to);
    for (size_t i = 0; servers && i < summary->servers.n; i++) {
        const struct server *server = &servers[i];
        struct keepalive_setting keepalive = {0};
        char text[128], *p = put_address(text, server->key.family, server->key.addr);

        p = put_char(put_u64(put_char(p, ','), server->key.port), ',');
        *put_proto(p, server->key.proto) = '\0';
        fprintf(to, "%s,%llu", text, (unsigned long long)server_connections(server));
        for (enum replay_outcome o = 0; o < REPLAY_OUTCOMES; o++)
            fprintf(to, ",%llu", (unsigned long long)server->by_outcome[o]);
        *put_seconds(text, server->longest) = '\0';
        fprintf(to, ",%llu,%s,%llu", (unsigned long long)server->late_packets, text,
                (unsigned long long)server->helped);
        if (server->limit == 0 || !keepalive_for(server->limit, &keepalive))
            keepalive = (struct keepalive_setting){0};
        csv_limit(to, server->limit);
        csv_limit(to, keepalive.idle);
        csv_limit(to, keepalive.interval);
        fprintf(to, ",%d\n", server->incomplete);
    }
    free(servers);
}
