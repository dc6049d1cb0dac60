/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/summary_private.h"
#include "tools/replay/summary_tables.h"

#include "middlebox/record/put.h"
#include "tools/aligned.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first that is not shorter. */
static size_t place_of(const struct summary *summary, mtime_t limit)
{
    size_t from = 0, n = summary->n_limits;

    while (n > 0) {
        size_t half = n / 2;

        if (summary->limits[from + half].limit < limit) {
            from += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return from;
}

int summary_add_limit(struct summary *summary, mtime_t limit, uint64_t helped, uint64_t too_slow)
{
    size_t at = place_of(summary, limit), n = summary->n_limits;
    struct summary_limit *limits = summary->limits;

    if (at == n || limits[at].limit != limit) {
        if (n == SUMMARY_LIMITS) { /* what is in time for a shorter one is in time */
            at = at > 0 ? at - 1 : 0;
            limits[at].limit = shorter_limit(limits[at].limit, limit);
        } else {
            limits = realloc(limits, (n + 1) * sizeof(*limits));
            if (!limits)
                return -ENOMEM;
            memmove(&limits[at + 1], &limits[at], (n - at) * sizeof(*limits));
            limits[at] = (struct summary_limit){.limit = limit};
            summary->limits = limits;
            summary->n_limits = n + 1;
        }
    }
    limits[at].helped += helped;
    limits[at].too_slow += too_slow;
    return 0;
}

static void add_row(struct aligned *table, const struct summary_limit *l)
{
    struct keepalive_setting keepalive;
    char text[64];

    *put_duration(text, l->limit) = '\0';
    aligned_add(table, "  %s", text);
    aligned_add(table, "%llu", (unsigned long long)l->helped);
    aligned_add(table, "%llu", (unsigned long long)l->too_slow);
    if (!keepalive_for(l->limit, &keepalive)) {
        aligned_add(table, "too short for any");
        aligned_add(table, "%s", "");
        return;
    }
    *put_duration(text, keepalive.idle) = '\0';
    aligned_add(table, "%s", text);
    *put_duration(text, keepalive.interval) = '\0';
    aligned_add(table, "%s", text);
}

void summary_limit_table(FILE *to, const struct summary *summary)
{
    static const char *const headings[] = {"  timeout", "broken", "had a slower one", "idle",
                                           "interval"};
    size_t n_columns = sizeof(headings) / sizeof(headings[0]);
    struct aligned table;

    if (aligned_init(&table, n_columns) < 0)
        return;
    table.right = 0x3 << 1;
    for (size_t i = 0; i < n_columns; i++)
        aligned_add(&table, "%s", headings[i]);
    for (size_t i = 0; i < summary->n_limits; i++)
        add_row(&table, &summary->limits[i]);
    aligned_finish(&table, to);
}
