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

#define BLOCKS 8192 /* at most */
#define BLOCK 64    /* openings, at least */

/* How many of the times before a block count for each value. */
struct sums {
    const struct lives_time *at;
    size_t n, n_blocks, block;
    uint32_t *before; /* (n_blocks + 1) rows of n_values */
};

struct count {
    size_t n_values;
    struct sums opens, tails;
    const struct lives_time *closes;
    size_t n_closes;
    size_t *closed;          /* of the closings, how many are not after a block's first opening */
    uint32_t *closed_before; /* the same by value */
};

/* By 11 bits a time: mostly in order already, and then nothing moves. */
static int sort(struct lives_times *times, mtime_t first)
{
    struct lives_time *a = times->at, *b, *spare;
    uint64_t most = 0;
    bool sorted = true;

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
    int64_t live = (int64_t)o->before[b * c->n_values + v] -
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
static uint64_t peak_of(const struct count *c, size_t v, mtime_t timeout, uint32_t *bounds,
                        size_t *tails)
{
    const struct sums *o = &c->opens, *t = &c->tails;
    size_t over = 0, most = 0;
    uint64_t peak;

    if (o->n_blocks == 0)
        return 0;
    for (size_t b = 0; b < o->n_blocks; b++) {
        mtime_t start = o->at[b * o->block].at;

        while ((over + 1) * t->block <= t->n &&
               mtime_add(t->at[(over + 1) * t->block - 1].at, timeout) <= start)
            over++;
        tails[b] = over;
        bounds[b] = o->before[(b + 1) * c->n_values + v] - c->closed_before[b * c->n_values + v] -
                    t->before[over * c->n_values + v];
        if (bounds[b] > bounds[most])
            most = b;
    }
    peak = walk(c, most, v, timeout, tails[most]);
    for (size_t b = 0; b < o->n_blocks; b++)
        if (bounds[b] > peak && b != most) {
            uint64_t here = walk(c, b, v, timeout, tails[b]);

            peak = here > peak ? here : peak;
        }
    return peak;
}

/* Sums by value of what counts from lo to below hi. */
struct total {
    double n[SWEEP_VALUES + 1], seconds[SWEEP_VALUES + 1];
};

static void total_add(struct total *t, size_t lo, size_t hi, mtime_t at)
{
    double s = mtime_seconds(at);

    if (lo >= hi)
        return;
    t->n[lo] += 1;
    t->n[hi] -= 1;
    t->seconds[lo] += s;
    t->seconds[hi] -= s;
}

static void total_up(struct total *t, size_t n)
{
    for (size_t v = 1; v < n; v++) {
        t->n[v] += t->n[v - 1];
        t->seconds[v] += t->seconds[v - 1];
    }
}

/* Lives summed: when they ended less when they began, all from first on. */
static void means(const struct lives *lives, struct sweep *sweep, mtime_t first, mtime_t last)
{
    struct total opens = {0}, closes = {0}, tails = {0};
    size_t over = sweep->n; /* values after which a tail is closed by the end */

    for (size_t i = 0; i < lives->opens.n; i++)
        total_add(&opens, lives->opens.at[i].lo, lives->opens.at[i].hi,
                  lives->opens.at[i].at - first);
    for (size_t i = 0; i < lives->closes.n; i++)
        if (lives->closes.at[i].at <= last)
            total_add(&closes, lives->closes.at[i].lo, lives->closes.at[i].hi,
                      lives->closes.at[i].at - first);
    for (size_t i = 0; i < lives->tails.n; i++) {
        const struct lives_time *t = &lives->tails.at[i];

        while (over > 0 && mtime_add(t->at, sweep->points[over - 1].timeout) > last)
            over--;
        total_add(&tails, t->lo, t->hi < over ? t->hi : over, t->at - first);
    }
    total_up(&opens, sweep->n);
    total_up(&closes, sweep->n);
    total_up(&tails, sweep->n);
    for (size_t v = 0; v < sweep->n; v++) {
        struct sweep_point *p = &sweep->points[v];
        double left = opens.n[v] - closes.n[v] - tails.n[v];
        double lived = closes.seconds[v] - opens.seconds[v] + left * mtime_seconds(last - first);

        if (tails.n[v] > 0)
            lived += tails.seconds[v] + tails.n[v] * mtime_seconds(p->timeout);
        p->entries = (uint64_t)opens.n[v];
        p->mean = last > first ? lived / mtime_seconds(last - first) : (double)p->peak;
    }
}

int lives_count(struct lives *lives, struct sweep *sweep, mtime_t first, mtime_t last)
{
    struct count c = {.n_values = sweep->n};
    uint32_t *bounds = NULL;
    size_t *tails = NULL;
    int r = lives->error;

    if (r == 0)
        r = sort(&lives->opens, first);
    if (r == 0)
        r = sort(&lives->closes, first);
    if (r == 0)
        r = sort(&lives->tails, first);
    if (r == 0)
        r = sums_init(&c.opens, &lives->opens, c.n_values);
    if (r == 0)
        r = sums_init(&c.tails, &lives->tails, c.n_values);
    c.closes = lives->closes.at;
    c.n_closes = lives->closes.n;
    if (r == 0)
        r = close_before(&c);
    if (r < 0)
        goto out;
    bounds = calloc(c.opens.n_blocks + 1, sizeof(*bounds));
    tails = calloc(c.opens.n_blocks + 1, sizeof(*tails));
    r = bounds && tails ? 0 : -ENOMEM;
    for (size_t v = 0; r == 0 && v < sweep->n; v++)
        sweep->points[v].peak = peak_of(&c, v, sweep->points[v].timeout, bounds, tails);
    if (r == 0)
        means(lives, sweep, first, last);
out:
    free(bounds);
    free(tails);
    free(c.closed);
    free(c.closed_before);
    free(c.opens.before);
    free(c.tails.before);
    return r;
}
