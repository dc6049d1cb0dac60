/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "tools/aligned.h"
#include "tools/replay/sweep.h"

#include <math.h>

#define ROWS 20 /* beside those that are marked */

static const char *duration(char text[PUT_LINE], mtime_t t)
{
    *put_duration(text, t) = '\0';
    return text;
}

static const struct sweep_point *point_at(const struct sweep *sweep, mtime_t timeout)
{
    for (size_t i = 0; i < sweep->n; i++)
        if (timeout > 0 && sweep->points[i].timeout == timeout)
            return &sweep->points[i];
    return NULL;
}

/* How round a duration looks: the greatest of these that it is a multiple of. */
static size_t roundness(mtime_t t)
{
    static const int64_t seconds[] = {86400, 43200, 21600, 7200, 3600, 1800, 900, 600,
                                      300,   120,   60,    30,   20,   10,   5,   1};
    size_t n = sizeof(seconds) / sizeof(seconds[0]);

    for (size_t i = 0; i < n; i++)
        if (t % (seconds[i] * MTIME_SEC) == 0)
            return n - i;
    return 0;
}

/* Of the points in each stretch of the range, the roundest. */
static bool is_row(const struct sweep *sweep, size_t i)
{
    size_t step = sweep->n / ROWS + 1, from = i / step * step, best = from;

    if (i == 0 || i + 1 == sweep->n)
        return true;
    for (size_t k = from; k < from + step && k < sweep->n; k++)
        if (roundness(sweep->points[k].timeout) > roundness(sweep->points[best].timeout))
            best = k;
    return i == best;
}

static void conclude(FILE *to, const struct sweep *sweep, const struct sweep_about *about)
{
    const struct sweep_point *safe = sweep_safe(sweep), *own = point_at(sweep, about->own);
    char a[PUT_LINE];

    fputc('\n', to);
    if (own)
        fprintf(to, "%s as it is (%s): %llu broken, at most %llu entries at once.\n",
                about->subject, duration(a, own->timeout), (unsigned long long)own->broken,
                (unsigned long long)own->peak);
    if (!safe) {
        const struct sweep_point *last = &sweep->points[sweep->n - 1];

        fprintf(to, "Every value breaks something: even %s breaks %llu.\n",
                duration(a, last->timeout), (unsigned long long)last->broken);
    } else if (safe == sweep->points) {
        fprintf(to, "None of them breaks anything.\n");
    } else {
        fprintf(to, "Nothing breaks from %s on: at most %llu entries at once%s.\n",
                duration(a, safe->timeout), (unsigned long long)safe->peak,
                own && own->timeout < safe->timeout ? ", all that it costs" : "");
    }
    if (about->totals->last - about->totals->first < sweep->points[sweep->n - 1].timeout)
        fprintf(to, "The capture lasts %s: longer silences are not in it.\n",
                duration(a, about->totals->last - about->totals->first));
}

int sweep_text(FILE *to, const struct sweep *sweep, const struct sweep_about *about)
{
    const struct sweep_point *safe = sweep_safe(sweep);
    const struct replay_totals *totals = about->totals;
    struct aligned table;
    char a[PUT_LINE];
    int r = aligned_init(&table, 6);

    if (r < 0)
        return r;
    fprintf(to, "%s under %s, with %zu values of %s: %llu packets, %llu connections, %s\n\n",
            about->capture, about->subject, sweep->n, policy_timeout_name(sweep->timeout),
            (unsigned long long)totals->packets,
            (unsigned long long)sweep->points[sweep->n - 1].flows,
            duration(a, totals->last - totals->first));
    for (unsigned i = 0; i < 6; i++)
        aligned_add(&table, "%s",
                    (const char *const[]){policy_timeout_name(sweep->timeout), "broken", "of all",
                                          "entries at most", "on average", ""}[i]);
    for (size_t i = 0; i < sweep->n; i++) {
        const struct sweep_point *p = &sweep->points[i];
        bool own = p->timeout == about->own;

        if (!own && p != safe && !is_row(sweep, i))
            continue;
        aligned_add(&table, "%s", duration(a, p->timeout));
        aligned_add(&table, "%llu", (unsigned long long)p->broken);
        aligned_add(&table, "%.3g%%",
                    p->flows ? 100.0 * (double)p->broken / (double)p->flows : 0.0);
        aligned_add(&table, "%llu", (unsigned long long)p->peak);
        aligned_add(&table, "%.1f", p->mean);
        aligned_add(&table, "%s%s%s", own ? "<- as it is" : "", own && p == safe ? ", " : "",
                    p == safe
                        ? (own ? "nothing breaks from here on" : "<- nothing breaks from here on")
                        : "");
    }
    r = aligned_finish(&table, to);
    if (r == 0)
        conclude(to, sweep, about);
    return r;
}
