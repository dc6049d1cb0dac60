/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/experiment_private.h"

#include <math.h>

double tally_broken_share(const struct tally *tally)
{
    return tally->connections == 0 ? 0 : (double)tally->broken / (double)tally->connections;
}

double tally_packets_a_day(const struct tally *tally)
{
    double days = mtime_seconds(tally->played) / 86400;

    return days > 0 ? (double)(tally->packets[0] + tally->packets[1]) / days : 0;
}

static double connections(const struct tally *tally, size_t which)
{
    (void)which;
    return (double)tally->connections;
}

static double completed(const struct tally *tally, size_t which)
{
    (void)which;
    return (double)tally->completed;
}

static double broken(const struct tally *tally, size_t which)
{
    (void)which;
    return (double)tally->broken;
}

static double broken_share(const struct tally *tally, size_t which)
{
    (void)which;
    return tally_broken_share(tally);
}

static double noticed(const struct tally *tally, size_t side)
{
    return tally->noticed[side] == MTIME_NEVER ? NAN : mtime_seconds(tally->noticed[side]);
}

static double error(const struct tally *tally, size_t side)
{
    return tally->noticed[side] == MTIME_NEVER ? NAN : (double)tally->error[side];
}

static double packets(const struct tally *tally, size_t side)
{
    return (double)tally->packets[side];
}

static double packets_a_day(const struct tally *tally, size_t which)
{
    (void)which;
    return tally_packets_a_day(tally);
}

static double packets_all(const struct tally *tally, size_t which)
{
    (void)which;
    return (double)(tally->packets[0] + tally->packets[1]);
}

static double probes(const struct tally *tally, size_t side)
{
    return (double)tally->probes[side];
}

static double retransmits(const struct tally *tally, size_t side)
{
    return (double)tally->retransmits[side];
}

static double sockets_peak(const struct tally *tally, size_t side)
{
    return (double)tally->sockets_peak[side];
}

static double sockets_mean(const struct tally *tally, size_t side)
{
    return tally->sockets_mean[side];
}

static double sockets_end(const struct tally *tally, size_t side)
{
    return (double)tally->sockets_end[side];
}

static double leaked(const struct tally *tally, size_t side)
{
    return (double)tally->leaked_end[side];
}

static double opened(const struct tally *tally, size_t firewall)
{
    return (double)tally->firewall[firewall].opened;
}

static double expired(const struct tally *tally, size_t firewall)
{
    return (double)tally->firewall[firewall].expired;
}

static double late(const struct tally *tally, size_t firewall)
{
    return (double)tally->firewall[firewall].late;
}

static double resets(const struct tally *tally, size_t firewall)
{
    return (double)tally->firewall[firewall].resets;
}

static double flows_peak(const struct tally *tally, size_t firewall)
{
    return (double)tally->firewall[firewall].flows_peak;
}

static double flows_mean(const struct tally *tally, size_t firewall)
{
    return tally->firewall[firewall].flows_mean;
}

static double flows_end(const struct tally *tally, size_t firewall)
{
    return (double)tally->firewall[firewall].flows_end;
}

static double played(const struct tally *tally, size_t which)
{
    (void)which;
    return mtime_seconds(tally->played);
}

const struct column experiment_columns[] = {
    {"played_s", NULL, COLUMN_SECONDS, COLUMN_ALL, played},
    {"connections", "connections", COLUMN_COUNT, COLUMN_ALL, connections},
    {"completed", NULL, COLUMN_COUNT, COLUMN_ALL, completed},
    {"broken", "broken", COLUMN_COUNT, COLUMN_ALL, broken},
    {"broken_share", "share", COLUMN_SHARE, COLUMN_ALL, broken_share},
    {NULL, "packets", COLUMN_COUNT, COLUMN_ALL, packets_all},
    {"packets_per_day", "packets a day", COLUMN_MEAN, COLUMN_ALL, packets_a_day},
    {"noticed_s", "noticed", COLUMN_SECONDS, COLUMN_SIDE, noticed},
    {"error", "by", COLUMN_ERRNO, COLUMN_SIDE, error},
    {"packets", NULL, COLUMN_COUNT, COLUMN_SIDE, packets},
    {"probes", "probes", COLUMN_COUNT, COLUMN_SIDE, probes},
    {"retransmits", NULL, COLUMN_COUNT, COLUMN_SIDE, retransmits},
    {"sockets_peak", "sockets peak", COLUMN_COUNT, COLUMN_SIDE, sockets_peak},
    {"sockets_mean", NULL, COLUMN_MEAN, COLUMN_SIDE, sockets_mean},
    {"sockets_end", "at end", COLUMN_COUNT, COLUMN_SIDE, sockets_end},
    {"leaked_end", "leaked", COLUMN_COUNT, COLUMN_SIDE, leaked},
    {"entries_peak", "entries peak", COLUMN_COUNT, COLUMN_FIREWALL, flows_peak},
    {"entries_mean", "mean", COLUMN_MEAN, COLUMN_FIREWALL, flows_mean},
    {"entries_end", NULL, COLUMN_COUNT, COLUMN_FIREWALL, flows_end},
    {"opened", NULL, COLUMN_COUNT, COLUMN_FIREWALL, opened},
    {"expired", NULL, COLUMN_COUNT, COLUMN_FIREWALL, expired},
    {"late", NULL, COLUMN_COUNT, COLUMN_FIREWALL, late},
    {"resets", NULL, COLUMN_COUNT, COLUMN_FIREWALL, resets},
};
const size_t experiment_column_count = sizeof(experiment_columns) / sizeof(experiment_columns[0]);

size_t column_times(const struct column *column, const struct scenario *scenario)
{
    switch (column->scope) {
    case COLUMN_ALL:
        return 1;
    case COLUMN_SIDE:
        return 2;
    case COLUMN_FIREWALL:
        return scenario->n_firewalls;
    }
    return 0;
}

const char *column_owner(const struct column *column, const struct scenario *scenario, size_t which)
{
    switch (column->scope) {
    case COLUMN_ALL:
        return "";
    case COLUMN_SIDE:
        return flow_side_name((enum flow_side)which);
    case COLUMN_FIREWALL:
        return scenario->firewall[which].name;
    }
    return "";
}

bool column_silent(double value)
{
    return isnan(value) || value == 0;
}
