/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "tools/aligned.h"
#include "tools/replay/compare_private.h"
#include "tools/replay/flow_words.h"
#include "tools/replay/summary_tables.h"

static void add_duration(struct aligned *table, mtime_t duration)
{
    char text[64];

    *put_limit(text, duration) = '\0';
    aligned_add(table, "%s", text);
}

static void add_keepalive(struct aligned *table, const struct summary *summary)
{
    const struct figures *figures = &summary->figures;
    struct keepalive_setting keepalive;
    char text[128], *p;

    if (figures->by_outcome[REPLAY_BROKEN] == 0) {
        aligned_add(table, "%s", "");
        return;
    }
    if (summary_limit(summary) == 0 || !keepalive_for(summary_limit(summary), &keepalive)) {
        aligned_add(table, "none would have");
        return;
    }
    p = put_duration(put_text(text, "idle "), keepalive.idle);
    *put_duration(put_text(p, ", interval "), keepalive.interval) = '\0';
    if (figures->helped < figures->by_outcome[REPLAY_BROKEN])
        aligned_add(table, "%s: saves %llu", text, (unsigned long long)figures->helped);
    else
        aligned_add(table, "%s", text);
}

static void add_firewall(struct aligned *table, const struct compared *compared)
{
    static const enum replay_outcome order[] = {REPLAY_BROKEN, REPLAY_SAVED, REPLAY_EXPIRED,
                                                REPLAY_REFUSED, REPLAY_FINE};
    const struct policy_profile *profile = compared_profile(compared);
    const struct summary *summary = compared->summary;
    const struct figures *figures = &summary->figures;

    aligned_add(table, "%s", compared->name);
    add_duration(table, profile->timeout[TIMEOUT_TCP_ESTABLISHED]);
    aligned_add(table, "%s", policy_on_late_name(profile->on_late));
    for (size_t i = 0; i < REPLAY_OUTCOMES; i++)
        aligned_add(table, "%llu", (unsigned long long)figures->by_outcome[order[i]]);
    aligned_add(table, "%llu", (unsigned long long)figures->late_packets);
    aligned_add(table, "%llu", (unsigned long long)summary->peak);
    aligned_add(table, "%.*f", summary_decimals(summary), summary_mean(summary));
    add_keepalive(table, summary);
}

static void show_servers(FILE *to, const struct compared *compared, size_t n,
                         const struct compared_servers *servers)
{
    size_t shown = servers->n < SUMMARY_SERVERS_SHOWN ? servers->n : SUMMARY_SERVERS_SHOWN;
    struct aligned table;

    if (servers->n == 0 || aligned_init(&table, n + 1) < 0)
        return;
    table.right = ~(uint64_t)1;
    aligned_add(&table, "server");
    for (size_t f = 0; f < n; f++)
        aligned_add(&table, "%s", compared[f].name);
    for (size_t i = 0; i < shown; i++) {
        char text[80];

        compared_server_text(&servers->rows[i].key, text);
        aligned_add(&table, "%s", text);
        for (size_t f = 0; f < n; f++)
            aligned_add(&table, "%llu", (unsigned long long)servers->rows[i].broken[f]);
    }
    fputs("\nBroken connections by server:\n", to);
    aligned_finish(&table, to);
    if (servers->n > shown)
        fprintf(to, "and %llu more; -o json has all\n", (unsigned long long)(servers->n - shown));
}

static void show_head(FILE *to, const struct summary *summary)
{
    const struct figures *figures = &summary->figures;
    char span[64];

    *put_duration(span, summary->last - summary->first) = '\0';
    fprintf(to, "%llu connections, %llu packets, in %s\n\n", (unsigned long long)figures->flows,
            (unsigned long long)figures->packets, span);
}

void compare_text(FILE *to, const struct compared *compared, size_t n)
{
    static const char *const headings[] = {
        "firewall",     "tcp idle", "late is",      "broken",
        "saved",        "expired",  "refused",      "fine",
        "late packets", "peak",     "mean entries", "keepalive that would have saved"};
    size_t n_columns = sizeof(headings) / sizeof(headings[0]);
    struct compared_servers servers;
    struct aligned table;

    if (n == 0 || aligned_init(&table, n_columns) < 0)
        return;
    show_head(to, compared[0].summary);
    table.right = 0x7fau & ~(1u << 2);
    for (size_t i = 0; i < n_columns; i++)
        aligned_add(&table, "%s", headings[i]);
    for (size_t i = 0; i < n; i++)
        add_firewall(&table, &compared[i]);
    aligned_finish(&table, to);
    if (compared_servers_init(&servers, compared, n) < 0)
        return;
    show_servers(to, compared, n, &servers);
    compared_servers_finish(&servers);
}
