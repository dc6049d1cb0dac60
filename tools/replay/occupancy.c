/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/occupancy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int occupancy_note(struct occupancy_times *times, mtime_t at)
{
    if (times->n == times->room) {
        size_t room = times->room ? 2 * times->room : 4096;
        mtime_t *grown = realloc(times->at, room * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        times->at = grown;
        times->room = room;
    }
    times->at[times->n++] = at;
    return 0;
}

void occupancy_times_finish(struct occupancy_times *times)
{
    free(times->at);
    *times = (struct occupancy_times){0};
}

void occupancy_finish(struct occupancy *o)
{
    free(o->scratch);
    free(o->closed);
    o->scratch = NULL;
    o->closed = NULL;
    o->room = 0;
}

static void sum(struct occupancy *o, const mtime_t *at, size_t n, int sign)
{
    int64_t seconds = 0, nanoseconds = 0;

    for (size_t i = 0; i < n; i++) {
        seconds += at[i] / MTIME_SEC;
        nanoseconds += at[i] % MTIME_SEC;
    }
    seconds += nanoseconds / MTIME_SEC;
    nanoseconds %= MTIME_SEC;
    o->seconds += sign * seconds;
    o->nanoseconds += sign * nanoseconds;
}

static int make_room(struct occupancy *o, size_t n)
{
    if (n <= o->room)
        return 0;
    occupancy_finish(o);
    o->scratch = malloc(n * sizeof(*o->scratch));
    o->closed = malloc((n + 1) * sizeof(*o->closed));
    if (!o->scratch || !o->closed)
        return -ENOMEM;
    o->room = n;
    return 0;
}

static void merge(mtime_t *into, size_t n, const mtime_t *more, size_t n_more)
{
    size_t i = n, j = n_more, to = n + n_more;

    while (j > 0) {
        if (i > 0 && into[i - 1] > more[j - 1])
            into[--to] = into[--i];
        else
            into[--to] = more[--j];
    }
}

/* The first opening that comes not before t. */
static size_t place_of(const mtime_t *opens, size_t n, mtime_t t)
{
    size_t from = 0;

    while (n > 0) {
        size_t half = n / 2;

        if (opens[from + half] < t) {
            from += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return from;
}

/* Of ascending times, how many come before that moment. */
static size_t before(const struct occupancy_times *times, mtime_t now)
{
    size_t n = times->n;

    while (n > 0 && times->at[n - 1] >= now)
        n--;
    return n;
}

/* Closings need not be in order: each is counted before the opening that follows it. */
static int find_peak(struct occupancy *o, const struct occupancy_times *opens,
                     const struct occupancy_times *closes, size_t n, size_t opened, mtime_t now)
{
    int64_t live = o->live;
    size_t done = 0;
    int r = make_room(o, opened);

    if (r < 0)
        return r;
    while (done < o->held)
        o->scratch[done++] = o->held_at;
    for (size_t k = 0; k < n; k++) {
        merge(o->scratch, done, opens[k].at, before(&opens[k], now));
        done += before(&opens[k], now);
    }
    memset(o->closed, 0, (opened + 1) * sizeof(*o->closed));
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < closes[k].n; i++)
            o->closed[place_of(o->scratch, opened, closes[k].at[i])]++;
    for (size_t i = 0; i < opened; i++) {
        live += 1 - (int64_t)o->closed[i];
        if (live > (int64_t)o->peak)
            o->peak = (uint64_t)live;
    }
    return 0;
}

int occupancy_add(struct occupancy *o, const struct occupancy_times *opens,
                  const struct occupancy_times *closes, size_t n, mtime_t now)
{
    size_t opened = 0, closed = 0, later = 0;
    int r = 0;

    if (o->held_at >= now) { /* still that moment */
        later = o->held;
        o->held = 0;
    }
    for (size_t k = 0; k < n; k++) {
        sum(o, opens[k].at, opens[k].n, -1);
        sum(o, closes[k].at, closes[k].n, 1);
        opened += before(&opens[k], now);
        closed += closes[k].n;
        later += opens[k].n - before(&opens[k], now);
    }
    opened += o->held;
    if (o->live + (int64_t)opened > (int64_t)o->peak)
        r = find_peak(o, opens, closes, n, opened, now);
    o->live += (int64_t)opened - (int64_t)closed;
    o->held = later;
    o->held_at = now;
    return r;
}

int occupancy_end(struct occupancy *o)
{
    return occupancy_add(o, NULL, NULL, 0, MTIME_NEVER);
}

double occupancy_mean(const struct occupancy *o, mtime_t first, mtime_t last)
{
    struct occupancy whole = *o;
    double lives;

    if (last <= first)
        return (double)o->peak;
    whole.seconds += o->live * (last / MTIME_SEC);
    whole.nanoseconds += o->live * (last % MTIME_SEC);
    lives = (double)whole.seconds * (double)MTIME_SEC + (double)whole.nanoseconds;
    return lives / (double)(last - first);
}
