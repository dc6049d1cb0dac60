/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "tools/aligned.h"
#include "tools/replay/places_words.h"

#include <inttypes.h>

#define SHOWN 10 /* servers, unless all are asked for */

static const char *silence(char *buffer, mtime_t time)
{
    *put_silence(buffer, time) = '\0';
    return buffer;
}

static void show_count(const struct places_page *page, uint64_t n)
{
    fprintf(page->to, "%" PRIu64 " connection%s", n, n == 1 ? "" : "s");
}

static uint64_t half_closed(const struct places_totals *t)
{
    uint64_t n = 0;

    for (size_t i = 0; i < t->n_kept; i++)
        n += t->kept[i].outcome == PLACES_FORGOTTEN && t->kept[i].half_closed;
    return n;
}

/* A pause in the traffic is no bound worth telling. */
static bool has_survived(const struct places_limit *limit)
{
    return limit->survived >= PLACES_SILENCE;
}

/* No server's connections contradict each other; together they do. */
static bool is_by_server(const struct places_totals *t)
{
    if (t->limit.sooner == 0 || t->no_server > 0)
        return false;
    for (size_t i = 0; i < t->n_servers; i++)
        if (t->servers[i].limit.sooner > 0)
            return false;
    return true;
}

static void show_forgotten(const struct places_page *page)
{
    const struct places_totals *t = page->totals;
    const struct places_limit *limit = &t->limit;
    char low[PLACES_WORDS], high[PLACES_WORDS];
    uint64_t closed = half_closed(t);

    if (t->by_outcome[PLACES_FORGOTTEN] == 0)
        return;
    fputs("Something between them forgot ", page->to);
    show_count(page, t->by_outcome[PLACES_FORGOTTEN]);
    if (t->n_servers == 1 && t->no_server == 0) {
        *put_places_server(low, &t->servers[0]) = '\0';
        fprintf(page->to, " to %s", low);
    }
    if (is_by_server(t))
        fputs("; the limit depends on the server.\n", page->to);
    else if (limit->forgotten > 0 && has_survived(limit))
        fprintf(page->to,
                " after a silence of %s to %s:\nthe longest after which a packet still came "
                "through, and the shortest after which none did.\n",
                silence(low, limit->survived), silence(high, limit->forgotten));
    else if (limit->forgotten > 0)
        fprintf(page->to, ", after a silence of at most %s.\n", silence(high, limit->forgotten));
    else
        fputs(".\n", page->to);
    if (limit->sooner > 0 && !is_by_server(t))
        fprintf(page->to,
                "%" PRIu64 " of them after a silence shorter than one that others survived (%s): "
                "not all have the same limit.\n",
                limit->sooner, silence(low, limit->survived));
    if (closed > 0)
        fprintf(page->to,
                "%" PRIu64 " had been closed by one side; for these, limits are others.\n", closed);
}

static void show_limit(struct aligned *table, const struct places_limit *limit)
{
    char low[PLACES_WORDS], high[PLACES_WORDS];

    silence(low, limit->survived);
    if (limit->sooner > 0)
        aligned_add(table, "not one: forgotten after %s, and not after %s",
                    silence(high, limit->shortest), low);
    else if (limit->forgotten > 0 && has_survived(limit))
        aligned_add(table, "%s to %s", low, silence(high, limit->forgotten));
    else if (limit->forgotten > 0)
        aligned_add(table, "at most %s", silence(high, limit->forgotten));
    else if (has_survived(limit))
        aligned_add(table, "more than %s", low);
    else
        aligned_add(table, "unknown");
}

/* What one limit for all would hide. */
static void show_servers(const struct places_page *page, bool all)
{
    const struct places_totals *t = page->totals;
    struct aligned table;
    size_t shown = 0;

    if (t->by_outcome[PLACES_FORGOTTEN] == 0 || (t->n_servers < 2 && t->no_server == 0) ||
        aligned_init(&table, 4) < 0)
        return;
    table.right = 1 << 1 | 1 << 2;
    aligned_add(&table, "  server");
    aligned_add(&table, "connections");
    aligned_add(&table, "forgotten");
    aligned_add(&table, "limit of silence");
    for (; shown < t->n_servers && (all || shown < SHOWN); shown++) {
        const struct places_server *server = &t->servers[shown];
        char name[PLACES_WORDS];

        *put_places_server(name, server) = '\0';
        aligned_add(&table, "  %s", name);
        aligned_add(&table, "%" PRIu64, server->connections);
        aligned_add(&table, "%" PRIu64, server->forgotten);
        show_limit(&table, &server->limit);
    }
    fputc('\n', page->to);
    aligned_finish(&table, page->to);
    if (shown < t->n_servers)
        fprintf(page->to, "  %zu more: --flows shows them\n", t->n_servers - shown);
    if (t->no_server > 0)
        fprintf(page->to,
                "  %" PRIu64 " connections to further servers are not told apart: memory is "
                "bounded\n",
                t->no_server);
    fputc('\n', page->to);
}

static void show_other(const struct places_page *page)
{
    const struct places_totals *t = page->totals;
    const char *const what[] = {"reset", "FIN", "ICMP error", "other packet"};
    const uint64_t counts[] = {t->resets, t->fins, t->icmp, t->made};
    const char *before = "Arrived, and sent by neither end: ";

    if (t->by_outcome[PLACES_RESET] > 0) {
        fputs("Something between them reset ", page->to);
        show_count(page, t->by_outcome[PLACES_RESET]);
        fputs(" in the midst of traffic.\n", page->to);
    }
    if (t->by_outcome[PLACES_CUT] > 0) {
        show_count(page, t->by_outcome[PLACES_CUT]);
        fputs(" went dead in the midst of traffic: nothing came through any more.\n", page->to);
    }
    for (unsigned i = 0; i < 4; i++)
        if (counts[i] > 0) {
            fprintf(page->to, "%s%" PRIu64 " %s%s", before, counts[i], what[i],
                    counts[i] == 1 ? "" : "s");
            before = ", ";
        }
    if (t->resets + t->fins + t->icmp + t->made > 0)
        fputs(".\n", page->to);
}

void places_text_limit(const struct places_page *page, bool all)
{
    const struct places_totals *t = page->totals;
    char low[PLACES_WORDS];

    show_forgotten(page);
    show_servers(page, all);
    show_other(page);
    if (t->by_outcome[PLACES_FORGOTTEN] + t->by_outcome[PLACES_RESET] + t->by_outcome[PLACES_CUT] +
            t->by_outcome[PLACES_MADE] >
        0)
        return;
    fputs("Nothing between them broke a connection", page->to);
    if (has_survived(&t->limit))
        fprintf(page->to, "; the longest silence after which a packet still came through\nwas %s",
                silence(low, t->limit.survived));
    fputs(".\n", page->to);
}
