/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "tools/replay/compare_private.h"
#include "tools/timeline/json_out.h"

static void out_keepalive(FILE *to, const struct summary *summary)
{
    struct keepalive_setting keepalive;

    json_out_number(to, "keepalive_would_save", summary->figures.helped);
    json_out_seconds(to, "shortest_timeout_s",
                     summary_limit(summary) > 0 ? summary_limit(summary) : MTIME_NEVER);
    if (summary_limit(summary) == 0 || !keepalive_for(summary_limit(summary), &keepalive))
        keepalive = (struct keepalive_setting){MTIME_NEVER, MTIME_NEVER};
    json_out_seconds(to, "keepalive_idle_s", keepalive.idle);
    json_out_seconds(to, "keepalive_interval_s", keepalive.interval);
}

static void out_firewall(FILE *to, const struct compared *compared)
{
    const struct policy_profile *profile = compared_profile(compared);
    const struct summary *summary = compared->summary;
    const struct figures *figures = &summary->figures;

    json_out_begin(to, "compare");
    json_out_text(to, "firewall", compared->name);
    json_out_seconds(to, "tcp_established_s", profile->timeout[TIMEOUT_TCP_ESTABLISHED]);
    json_out_text(to, "on_late", policy_on_late_name(profile->on_late));
    json_out_number(to, "connections", figures->flows);
    for (enum replay_outcome o = 0; o < REPLAY_OUTCOMES; o++)
        json_out_number(to, replay_outcome_name(o), figures->by_outcome[o]);
    json_out_number(to, "late_packets", figures->late_packets);
    json_out_number(to, "peak_entries", summary->peak);
    json_out_name(to, "mean_entries");
    fprintf(to, "%.3f", summary_mean(summary));
    out_keepalive(to, summary);
    json_out_end(to);
}

static void out_server(FILE *to, const struct compared *compared, size_t n,
                       const struct compared_server *server)
{
    char text[64];

    json_out_begin(to, "compare-server");
    *put_address(text, server->key.family, server->key.addr) = '\0';
    json_out_text(to, "server", text);
    json_out_number(to, "server_port", server->key.port);
    *put_proto(text, server->key.proto) = '\0';
    json_out_text(to, "proto", text);
    json_out_name(to, "broken");
    for (size_t f = 0; f < n; f++) {
        fputc(f == 0 ? '{' : ',', to);
        json_out_string(to, compared[f].name);
        fprintf(to, ":%llu", (unsigned long long)server->broken[f]);
    }
    fputc('}', to);
    json_out_end(to);
}

void compare_json(FILE *to, const struct compared *compared, size_t n)
{
    struct compared_servers servers;

    for (size_t f = 0; f < n; f++)
        out_firewall(to, &compared[f]);
    if (n == 0 || compared_servers_init(&servers, compared, n) < 0)
        return;
    for (size_t i = 0; i < servers.n; i++)
        out_server(to, compared, n, &servers.rows[i]);
    compared_servers_finish(&servers);
}

static void csv_time(FILE *to, mtime_t time)
{
    char text[64];

    *put_seconds(text, time) = '\0';
    fprintf(to, ",%s", time == 0 || time == MTIME_NEVER ? "" : text);
}

/* A policy's path may hold anything. */
static void csv_name(FILE *to, const char *name)
{
    fputc('"', to);
    for (; *name; name++)
        fputs(*name == '"' ? "\"\"" : (char[]){*name, '\0'}, to);
    fputc('"', to);
}

void compare_csv(FILE *to, const struct compared *compared, size_t n)
{
    fputs("firewall,tcp_established_s,on_late,connections,fine,saved,broken,expired,refused,"
          "late_packets,peak_entries,mean_entries,keepalive_would_save,shortest_timeout_s,"
          "keepalive_idle_s,keepalive_interval_s\n",
          to);
    for (size_t f = 0; f < n; f++) {
        const struct policy_profile *profile = compared_profile(&compared[f]);
        const struct summary *summary = compared[f].summary;
        const struct figures *figures = &summary->figures;
        struct keepalive_setting keepalive;

        if (summary_limit(summary) == 0 || !keepalive_for(summary_limit(summary), &keepalive))
            keepalive = (struct keepalive_setting){0};
        csv_name(to, compared[f].name);
        csv_time(to, profile->timeout[TIMEOUT_TCP_ESTABLISHED]);
        fprintf(to, ",%s,%llu", policy_on_late_name(profile->on_late),
                (unsigned long long)figures->flows);
        for (enum replay_outcome o = 0; o < REPLAY_OUTCOMES; o++)
            fprintf(to, ",%llu", (unsigned long long)figures->by_outcome[o]);
        fprintf(to, ",%llu,%llu,%.3f,%llu", (unsigned long long)figures->late_packets,
                (unsigned long long)summary->peak, summary_mean(summary),
                (unsigned long long)figures->helped);
        csv_time(to, summary_limit(summary));
        csv_time(to, keepalive.idle);
        csv_time(to, keepalive.interval);
        fputc('\n', to);
    }
}
