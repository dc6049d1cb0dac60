/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/flow_words.h"
#include "tools/replay/summary_private.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct summary *summary_create(void)
{
    return calloc(1, sizeof(struct summary));
}

struct summary *summary_destroy(struct summary *summary)
{
    if (!summary)
        return NULL;
    for (size_t i = 0; i < summary->n_worst; i++)
        free(summary->worst[i].capture);
    servers_finish(&summary->servers);
    free(summary->limits);
    free(summary->policy);
    free(summary);
    return NULL;
}

int summary_set_policy(struct summary *summary, const char *name)
{
    char *copy = name ? strdup(name) : NULL;

    if (name && !copy)
        return -ENOMEM;
    free(summary->policy);
    summary->policy = copy;
    return 0;
}

const char *summary_policy(const struct summary *summary)
{
    return summary->policy;
}

void summary_set_captures(struct summary *summary, const char *const *paths, size_t n)
{
    summary->captures = paths;
    summary->n_captures = n;
}

/* An echo's id is no port. */
static bool has_ports(uint8_t proto)
{
    return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE ||
           proto == IPPROTO_SCTP || proto == IPPROTO_DCCP;
}

static int add_server(struct summary *summary, const struct replay_flow *f, mtime_t limit)
{
    struct server_key key = {.family = f->flow.family, .proto = f->flow.proto};
    struct server *server;

    memcpy(key.addr, f->flow.addr[FLOW_SERVER], key.family == 4 ? 4 : sizeof(key.addr));
    if (has_ports(key.proto))
        key.port = f->flow.port[FLOW_SERVER];
    server = servers_place(&summary->servers, &key);
    if (!server)
        return -ENOMEM;
    server->by_outcome[f->outcome]++;
    server->late_packets += f->late_packets;
    server->helped += limit > 0;
    server->limit = shorter_limit(server->limit, limit);
    if (f->longest_idle > server->longest)
        server->longest = f->longest_idle;
    return 0;
}

static void count(struct figures *figures, const struct replay_flow *f)
{
    figures->late_packets += f->late_packets;
    if (f->late.number != 0 && (size_t)f->late.action < SUMMARY_ACTIONS)
        figures->acted[f->late.action]++;
}

int summary_add(struct summary *summary, const struct replay_flow *f)
{
    mtime_t limit = 0; /* that a keepalive would have had to meet */
    uint32_t capture = f->late.capture;

    count(&summary->figures, f);
    if (f->outcome != REPLAY_BROKEN)
        return add_server(summary, f, 0);
    if (replay_flow_keepalive_helps(f)) {
        bool too_slow = replay_flow_keepalive(f) > 0;

        limit = replay_flow_limit(f);
        summary->figures.helped++;
        summary->figures.too_slow += too_slow;
        if (summary_add_limit(summary, limit, 1, too_slow) < 0)
            return -ENOMEM;
    }
    if (add_server(summary, f, limit) < 0)
        return -ENOMEM;
    return summary_add_worst(summary, f,
                             capture < summary->n_captures ? summary->captures[capture] : NULL);
}

static void widen(struct summary *summary, mtime_t first, mtime_t last, bool any)
{
    bool had = summary->figures.packets > 0;

    if (!any)
        return;
    summary->first = had && summary->first < first ? summary->first : first;
    summary->last = had && summary->last > last ? summary->last : last;
}

/* Milliseconds, so that they add up without rounding anew. */
void summary_totals(struct summary *summary, const struct replay_totals *totals)
{
    struct figures *figures = &summary->figures;
    double ms = (double)(totals->last - totals->first) / (double)MTIME_MSEC;
    struct figures add = {.parts = 1,
                          .flows = totals->flows,
                          .midstream = totals->midstream,
                          .packets = totals->packets,
                          .bytes = totals->bytes,
                          .entry_ms = (uint64_t)llround(totals->mean_flows * ms),
                          .observed_ms = (uint64_t)llround(ms),
                          .peak_sum = totals->peak_flows,
                          .opened = totals->engine.opened,
                          .expired = totals->engine.expired,
                          .accepted = totals->engine.accepted,
                          .dropped = totals->engine.dropped,
                          .capture = totals->capture};

    memcpy(add.by_outcome, totals->by_outcome, sizeof(add.by_outcome));
    widen(summary, totals->first, totals->last, totals->packets > 0);
    for (size_t i = 0; i < summary_figure_count; i++)
        *figure_at(figures, i) += figure_of(&add, i);
    if (totals->peak_flows > summary->peak)
        summary->peak = totals->peak_flows;
}

double summary_mean(const struct summary *summary)
{
    const struct figures *figures = &summary->figures;

    return figures->observed_ms > 0 ? (double)figures->entry_ms / (double)figures->observed_ms
                                    : (double)summary->peak;
}

int summary_decimals(const struct summary *summary)
{
    double mean = summary_mean(summary);

    return mean < 1 ? 3 : mean < 100 ? 1 : 0;
}

int summary_merge(struct summary *into, const struct summary *from)
{
    int r = servers_merge(&into->servers, &from->servers);

    for (size_t i = 0; r == 0 && i < from->n_worst; i++)
        r = summary_add_worst(into, &from->worst[i].flow, from->worst[i].capture);
    for (size_t i = 0; r == 0 && i < from->n_limits; i++)
        r = summary_add_limit(into, from->limits[i].limit, from->limits[i].helped,
                              from->limits[i].too_slow);
    if (r == 0 && from->policy && !into->policy)
        r = summary_set_policy(into, from->policy);
    widen(into, from->first, from->last, from->figures.packets > 0);
    for (size_t i = 0; i < summary_figure_count; i++)
        *figure_at(&into->figures, i) += figure_of(&from->figures, i);
    into->peak = from->peak > into->peak ? from->peak : into->peak;
    return r;
}
