/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Peaks and means of many values without walking all entries for each. Openings are cut into
 * blocks. What was open when a block began and all it opens is more than there can be within it,
 * and sums over blocks serve all values: only blocks that could hold a value's peak are walked.
 */
#include "tools/replay/sweep_lives.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 4096 /* at most */
#define BLOCK 32    /* openings, at least */

/* How many of the times before a block count for each value. */
struct sums {
    const struct lives_time *at;
    size_t n, n_blocks, block;
    uint32_t *before; /* (n_blocks + 1) rows of n_values */
};

struct count {
    size_t n_values;
    const struct lives_total *total; /* before */
    struct sums opens, tails;
    const struct lives_time *closes;
    size_t n_closes;
    size_t *closed;          /* of the closings, how many are not after a block's first opening */
    uint32_t *closed_before; /* the same by value */
};

/* By 11 bits a time: mostly in order already, and then nothing moves. */
static int sort(struct lives_times *times)
{
    struct lives_time *a = times->at, *b, *spare;
    mtime_t first = MTIME_NEVER;
    uint64_t most = 0;
    bool sorted = true;

    for (size_t i = 0; i < times->n; i++)
        first = a[i].at < first ? a[i].at : first;
    for (size_t i = 0; i < times->n; i++) {
        uint64_t key = (uint64_t)(a[i].at - first);

        most = key > most ? key : most;
        sorted = sorted && (i == 0 || a[i - 1].at <= a[i].at);
    }
    if (sorted)
        return 0;
    b = spare = malloc(times->room * sizeof(*b));
    if (!b)
        return -ENOMEM;
    for (unsigned shift = 0; shift < 64 && most >> shift; shift += 11) {
        size_t places[2048] = {0}, sum = 0;
        struct lives_time *t;

        for (size_t i = 0; i < times->n; i++)
            places[(uint64_t)(a[i].at - first) >> shift & 2047]++;
        for (size_t k = 0; k < 2048; k++) {
            size_t here = places[k];

            places[k] = sum;
            sum += here;
        }
        for (size_t i = 0; i < times->n; i++)
            b[places[(uint64_t)(a[i].at - first) >> shift & 2047]++] = a[i];
        t = a;
        a = b;
        b = t;
    }
    times->at = a;
    free(b);
    return 0;
}

static int sums_init(struct sums *s, const struct lives_times *times, size_t n_values)
{
    s->at = times->at;
    s->n = times->n;
    s->block = s->n / BLOCKS + 1 > BLOCK ? s->n / BLOCKS + 1 : BLOCK;
    s->n_blocks = (s->n + s->block - 1) / s->block;
    s->before = calloc((s->n_blocks + 1) * n_values, sizeof(*s->before));
    if (!s->before)
        return -ENOMEM;
    for (size_t b = 0; b < s->n_blocks; b++) {
        uint32_t *above = s->before + b * n_values, *row = above + n_values, more = 0;
        size_t end = (b + 1) * s->block < s->n ? (b + 1) * s->block : s->n;

        /* What it adds and takes away, by value; two's complement makes both one. */
        for (size_t i = b * s->block; i < end; i++) {
            row[s->at[i].lo]++;
            if (s->at[i].hi < n_values)
                row[s->at[i].hi]--;
        }
        for (size_t v = 0; v < n_values; v++) {
            more += row[v];
            row[v] = above[v] + more;
        }
    }
    return 0;
}

/* Closings that count when each block's first opening comes. */
static int close_before(struct count *c)
{
    size_t done = 0;

    c->closed = calloc(c->opens.n_blocks + 1, sizeof(*c->closed));
    c->closed_before = calloc((c->opens.n_blocks + 1) * c->n_values, sizeof(*c->closed_before));
    if (!c->closed || !c->closed_before)
        return -ENOMEM;
    for (size_t b = 0; b < c->opens.n_blocks; b++) {
        uint32_t *row = c->closed_before + b * c->n_values, more = 0;
        const uint32_t *above = b > 0 ? row - c->n_values : NULL;
        mtime_t t = c->opens.at[b * c->opens.block].at;

        for (; done < c->n_closes && c->closes[done].at <= t; done++) {
            row[c->closes[done].lo]++;
            if (c->closes[done].hi < c->n_values)
                row[c->closes[done].hi]--;
        }
        c->closed[b] = done;
        for (size_t v = 0; v < c->n_values; v++) {
            more += row[v];
            row[v] = more + (above ? above[v] : 0);
        }
    }
    return 0;
}

static bool counts(const struct lives_time *t, size_t v)
{
    return t->lo <= v && v < t->hi;
}

/* The most there were within a block. tails: so many of its blocks were over when it began. */
static uint64_t walk(const struct count *c, size_t b, size_t v, mtime_t timeout, size_t tails)
{
    const struct sums *o = &c->opens, *t = &c->tails;
    size_t end = (b + 1) * o->block < o->n ? (b + 1) * o->block : o->n;
    size_t close = c->closed[b], tail = tails * t->block;
    int64_t live = (int64_t)(c->total->live[v] + o->before[b * c->n_values + v]) -
                   (int64_t)c->closed_before[b * c->n_values + v] -
                   (int64_t)t->before[tails * c->n_values + v];
    int64_t peak = 0;

    for (size_t i = b * o->block; i < end; i++) {
        mtime_t now = o->at[i].at;

        if (!counts(&o->at[i], v))
            continue;
        for (; close < c->n_closes && c->closes[close].at <= now; close++)
            live -= counts(&c->closes[close], v);
        for (; tail < t->n && mtime_add(t->at[tail].at, timeout) <= now; tail++)
            live -= counts(&t->at[tail], v);
        live++;
        peak = live > peak ? live : peak;
    }
    return (uint64_t)peak;
}

/* bounds, tails: room for each block of openings. */
static uint64_t peak_of(const struct count *c, size_t v, mtime_t timeout, uint64_t *bounds,
                        size_t *tails)
{
    const struct sums *o = &c->opens, *t = &c->tails;
    size_t over = 0, most = 0;
    uint64_t peak = c->total->peak[v], here;

    if (o->n_blocks == 0)
        return peak;
    for (size_t b = 0; b < o->n_blocks; b++) {
        mtime_t start = o->at[b * o->block].at;

        while ((over + 1) * t->block <= t->n &&
               mtime_add(t->at[(over + 1) * t->block - 1].at, timeout) <= start)
            over++;
        tails[b] = over;
        bounds[b] = c->total->live[v] + o->before[(b + 1) * c->n_values + v] -
                    c->closed_before[b * c->n_values + v] - t->before[over * c->n_values + v];
        if (bounds[b] > bounds[most])
            most = b;
    }
    if (bounds[most] <= peak)
        return peak;
    here = walk(c, most, v, timeout, tails[most]);
    peak = here > peak ? here : peak;
    for (size_t b = 0; b < o->n_blocks; b++)
        if (bounds[b] > peak && b != most) {
            here = walk(c, b, v, timeout, tails[b]);
            peak = here > peak ? here : peak;
        }
    return peak;
}

/* Sums by value of what counts from lo to below hi. */
struct figures {
    int64_t n[SWEEP_VALUES + 1];
    double seconds[SWEEP_VALUES + 1];
};

static void figures_of(struct figures *f, const struct lives_times *times, mtime_t first,
                       size_t n_values)
{
    *f = (struct figures){0};
    for (size_t i = 0; i < times->n; i++) {
        const struct lives_time *t = &times->at[i];
        double s = mtime_seconds(t->at - first);

        f->n[t->lo]++;
        f->n[t->hi]--;
        f->seconds[t->lo] += s;
        f->seconds[t->hi] -= s;
    }
    for (size_t v = 1; v < n_values; v++) {
        f->n[v] += f->n[v - 1];
        f->seconds[v] += f->seconds[v - 1];
    }
}

static void add_up(struct lives_total *total, const struct lives *lives, const struct sweep *sweep,
                   mtime_t first)
{
    struct figures opens, closes, tails;

    figures_of(&opens, &lives->opens, first, sweep->n);
    figures_of(&closes, &lives->closes, first, sweep->n);
    figures_of(&tails, &lives->tails, first, sweep->n);
    for (size_t v = 0; v < sweep->n; v++) {
        total->opened[v] += (uint64_t)opens.n[v];
        total->live[v] += (uint64_t)(opens.n[v] - closes.n[v] - tails.n[v]);
        total->seconds[v] += closes.seconds[v] - opens.seconds[v];
        if (tails.n[v] > 0)
            total->seconds[v] +=
                tails.seconds[v] + (double)tails.n[v] * mtime_seconds(sweep->points[v].timeout);
    }
}

static int find_peaks(struct count *c, struct lives_total *total, const struct sweep *sweep)
{
    uint64_t *bounds = calloc(c->opens.n_blocks + 1, sizeof(*bounds));
    size_t *tails = calloc(c->opens.n_blocks + 1, sizeof(*tails));
    int r = bounds && tails ? 0 : -ENOMEM;

    for (size_t v = 0; r == 0 && v < sweep->n; v++)
        total->peak[v] = peak_of(c, v, sweep->points[v].timeout, bounds, tails);
    free(bounds);
    free(tails);
    return r;
}

/* Leaves what comes before that moment; how many come later. */
static size_t cut(struct lives_times *times, mtime_t now)
{
    size_t n = times->n;

    while (times->n > 0 && times->at[times->n - 1].at >= now)
        times->n--;
    return n - times->n;
}

int lives_settle(struct lives_total *total, struct lives *lives, const struct sweep *sweep,
                 mtime_t first, mtime_t now)
{
    struct count c = {.n_values = sweep->n, .total = total};
    size_t later = 0;
    int r = lives->error;

    if (r == 0)
        r = sort(&lives->opens);
    if (r == 0)
        r = sort(&lives->closes);
    if (r == 0)
        r = sort(&lives->tails);
    if (r == 0)
        later = cut(&lives->opens, now);
    if (r == 0)
        r = sums_init(&c.opens, &lives->opens, c.n_values);
    if (r == 0)
        r = sums_init(&c.tails, &lives->tails, c.n_values);
    c.closes = lives->closes.at;
    c.n_closes = lives->closes.n;
    if (r == 0)
        r = close_before(&c);
    if (r == 0)
        r = find_peaks(&c, total, sweep);
    if (r == 0)
        add_up(total, lives, sweep, first);
    if (later > 0)
        memmove(lives->opens.at, lives->opens.at + lives->opens.n,
                later * sizeof(*lives->opens.at));
    lives->opens.n = later;
    lives->closes.n = lives->tails.n = 0;
    free(c.closed);
    free(c.closed_before);
    free(c.opens.before);
    free(c.tails.before);
    return r;
}

void lives_figures(const struct lives_total *total, struct sweep *sweep, mtime_t first,
                   mtime_t last)
{
    for (size_t v = 0; v < sweep->n; v++) {
        struct sweep_point *p = &sweep->points[v];
        double lived = total->seconds[v] + (double)total->live[v] * mtime_seconds(last - first);

        p->entries = total->opened[v];
        p->peak = total->peak[v];
        p->mean = last > first ? lived / mtime_seconds(last - first) : (double)p->peak;
    }
}
