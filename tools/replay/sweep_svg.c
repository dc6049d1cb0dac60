/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "tools/replay/sweep.h"
#include "tools/timeline/plot.h"

#include <errno.h>
#include <stdlib.h>

struct texts {
    char title[PUT_LINE], subtitle[4 * PUT_LINE], x[PUT_LINE], own[2 * PUT_LINE],
        safe[2 * PUT_LINE];
};

static void describe(struct texts *t, const struct sweep *sweep, const struct sweep_about *about)
{
    const struct sweep_point *safe = sweep_safe(sweep);
    const char *name = policy_timeout_name(sweep->timeout);
    char span[PUT_LINE], own[PUT_LINE], least[PUT_LINE];

    *put_duration(span, about->totals->last - about->totals->first) = '\0';
    *put_duration(own, about->own) = '\0';
    *put_duration(least, safe ? safe->timeout : 0) = '\0';
    snprintf(t->title, sizeof(t->title), "What each %s would break, and what it costs", name);
    snprintf(t->subtitle, sizeof(t->subtitle),
             "%s: %llu connections in %s, through %s. A connection is broken if it is silent for "
             "as long as the timeout and then sends again.%s%s",
             about->capture, (unsigned long long)sweep->points[sweep->n - 1].flows, span,
             about->subject, safe ? "" : " Every value breaks something.",
             about->totals->last - about->totals->first < sweep->points[sweep->n - 1].timeout
                 ? " Silences longer than the capture are not in it."
                 : "");
    snprintf(t->x, sizeof(t->x), "%s (logarithmic)", name);
    snprintf(t->own, sizeof(t->own), "as it is: %s", own);
    for (size_t i = 0; i < sweep->n; i++)
        if (sweep->points[i].timeout == about->own)
            snprintf(t->own, sizeof(t->own), "as it is, %s: %llu broken, %llu entries", own,
                     (unsigned long long)sweep->points[i].broken,
                     (unsigned long long)sweep->points[i].peak);
    snprintf(t->safe, sizeof(t->safe), "nothing breaks from %s: %llu entries", least,
             (unsigned long long)(safe ? safe->peak : 0));
}

int sweep_svg(FILE *to, const struct sweep *sweep, const struct sweep_about *about)
{
    const struct sweep_point *safe = sweep_safe(sweep);
    double *data = calloc(3 * sweep->n + 1, sizeof(*data));
    struct texts *texts = calloc(1, sizeof(*texts));
    double *x = data, *broken = data + sweep->n, *peak = broken + sweep->n;
    struct plot_mark marks[2];
    struct plot plot = {.x_unit = PLOT_DURATION, .x_log = true, .marks = marks};
    int r = -ENOMEM;

    if (!data || !texts)
        goto out;
    for (size_t i = 0; i < sweep->n; i++) {
        x[i] = mtime_seconds(sweep->points[i].timeout);
        broken[i] = (double)sweep->points[i].broken;
        peak[i] = (double)sweep->points[i].peak;
    }
    describe(texts, sweep, about);
    plot.title = texts->title;
    plot.subtitle = texts->subtitle;
    plot.x_label = texts->x;
    plot.y_label = "broken connections";
    plot.right_label = "table entries at most";
    if (about->own > 0)
        marks[plot.n_marks++] = (struct plot_mark){mtime_seconds(about->own), texts->own};
    if (safe && safe->timeout != about->own)
        marks[plot.n_marks++] = (struct plot_mark){mtime_seconds(safe->timeout), texts->safe};
    plot.curves = (const struct plot_curve[]){
        {.label = "broken connections", .x = x, .y = broken, .n = sweep->n},
        {.label = "table entries at most", .x = x, .y = peak, .n = sweep->n, .right = true},
    };
    plot.n_curves = 2;
    r = plot_write(to, &plot);
out:
    free(data);
    free(texts);
    return r;
}
