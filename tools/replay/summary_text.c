/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "tools/replay/flow_words.h"
#include "tools/replay/summary_private.h"
#include "tools/replay/summary_tables.h"

#include <string.h>

static unsigned long long ll(uint64_t value)
{
    return (unsigned long long)value;
}

static void show_head(FILE *to, const struct summary *summary)
{
    const struct figures *figures = &summary->figures;
    char first[PUT_WHEN], last[PUT_WHEN], span[64], bytes[32];

    *put_when(first, summary->first) = '\0';
    *put_when(last, summary->last) = '\0';
    *put_duration(span, summary->last - summary->first) = '\0';
    *put_amount(bytes, figures->bytes) = '\0';
    if (summary->policy)
        fprintf(to, "Firewall       %s\n", summary->policy);
    if (figures->packets == 0) {
        fputs("Traffic        no IP packets\n", to);
        return;
    }
    fprintf(to, "Traffic        %llu packets, %s bytes, in %s: %s to %s UTC\n",
            ll(figures->packets), bytes, span, first, last);
    if (figures->parts > 1)
        fprintf(to, "               of %llu runs, joined\n", ll(figures->parts));
}

static void show_left_out(FILE *to, const struct capture_stats *capture)
{
    const struct {
        uint64_t n;
        const char *what;
    } kinds[] = {
        {capture->not_ip, "that are not IP"},
        {capture->link_broken, "too short for their link layer"},
        {capture->unknown_link, "of an unknown link type"},
        {capture->tunnels, "in tunnels (the outer packet counts)"},
        {capture->backwards, "with a time before the last one's"},
    };
    const char *before = "Also           ";

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].n > 0) {
            fprintf(to, "%s%llu %s", before, ll(kinds[i].n), kinds[i].what);
            before = ", ";
        }
    if (before[0] == ',')
        fputc('\n', to);
}

static void show_entries(FILE *to, const struct summary *summary)
{
    const struct figures *figures = &summary->figures;

    fprintf(to, "Table entries  %llu at the peak, %.*f on average", ll(summary->peak),
            summary_decimals(summary), summary_mean(summary));
    if (figures->parts > 1)
        fprintf(to, ", of one run; %llu if all peaks came at once", ll(figures->peak_sum));
    fputc('\n', to);
}

static void show_outcomes(FILE *to, const struct figures *figures)
{
    static const struct {
        enum replay_outcome outcome;
        const char *meaning;
    } rows[] = {
        {REPLAY_BROKEN, "a packet came after the firewall had forgotten the connection"},
        {REPLAY_SAVED, "they live only because of keepalives"},
        {REPLAY_EXPIRED, "forgotten, but no packet came after that"},
        {REPLAY_REFUSED, "by a rule, or because the table was full"},
        {REPLAY_FINE, "never silent for as long as the timeout"},
    };

    fprintf(to, "Connections    %llu", ll(figures->flows));
    if (figures->midstream > 0)
        fprintf(to, ", %llu of them already running when the capture began",
                ll(figures->midstream));
    fputc('\n', to);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        fprintf(to, "  %-9s %10llu  %s\n", replay_outcome_name(rows[i].outcome),
                ll(figures->by_outcome[rows[i].outcome]), rows[i].meaning);
}

static void show_acted(FILE *to, const struct figures *figures)
{
    const char *before = "\nThe first late packet of each connection: ";

    for (enum event_action a = ACTED_NONE; a < SUMMARY_ACTIONS; a++)
        if (figures->acted[a] > 0) {
            fprintf(to, "%s%llu %s", before, ll(figures->acted[a]), replay_action_text(a));
            before = ", ";
        }
    if (before[0] != ',')
        return;
    fprintf(to, ". Late packets in all: %llu.\n", ll(figures->late_packets));
}

static void explain(FILE *to, const char *limit)
{
    fprintf(to,
            "  (idle + %d * interval) * 9/8 + 1s < %s: %d probes may be lost, a kernel's timer may "
            "come an\n  eighth late, and packets take their time.\n",
            SUMMARY_LOST, limit, SUMMARY_LOST);
}

static void show_one_keepalive(FILE *to, const struct summary *summary, const char *saved)
{
    struct keepalive_setting keepalive;
    char limit[64], idle[64], interval[64];

    *put_duration(limit, summary_limit(summary)) = '\0';
    if (!keepalive_for(summary_limit(summary), &keepalive)) {
        fprintf(to, "A timeout of %s is too short for any keepalive.\n", limit);
        return;
    }
    *put_duration(idle, keepalive.idle) = '\0';
    *put_duration(interval, keepalive.interval) = '\0';
    fprintf(to, "Keepalive that would have saved %s: idle %s, interval %s, on either end.\n", saved,
            idle, interval);
    explain(to, limit);
    if (summary->figures.too_slow > 0)
        fprintf(to, "  Probes were seen, but too seldom, on %llu of them.\n",
                ll(summary->figures.too_slow));
}

static void show_keepalives(FILE *to, const struct summary *summary, const char *saved)
{
    fprintf(to,
            "Keepalives that would have saved %s, on either end, by the timeout that broke them:\n",
            saved);
    summary_limit_table(to, summary);
    explain(to, "timeout");
}

static void show_keepalive(FILE *to, const struct summary *summary)
{
    const struct figures *figures = &summary->figures;
    uint64_t broken = figures->by_outcome[REPLAY_BROKEN];
    const char *saved;

    if (broken == 0)
        return;
    fputc('\n', to);
    if (figures->helped < broken)
        fprintf(to,
                "No keepalive would have saved %llu of the broken: the firewall limits their whole "
                "life,\ncounts payload only, or its table was full.\n",
                ll(broken - figures->helped));
    if (summary->n_limits == 0)
        return;
    saved = broken == 1 ? "it" : figures->helped == broken ? "all of them" : "the others";
    if (summary->n_limits > 1)
        show_keepalives(to, summary, saved);
    else
        show_one_keepalive(to, summary, saved);
}

void summary_text(FILE *to, const struct summary *summary)
{
    show_head(to, summary);
    show_left_out(to, &summary->figures.capture);
    show_entries(to, summary);
    fputc('\n', to);
    show_outcomes(to, &summary->figures);
    show_acted(to, &summary->figures);
    show_keepalive(to, summary);
    summary_worst_table(to, summary);
    summary_server_table(to, summary);
}
