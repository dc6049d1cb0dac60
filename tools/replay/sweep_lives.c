/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/sweep_lives.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int reserve(struct lives_times *times, size_t n)
{
    size_t room = times->room ? times->room : 1024;
    struct lives_time *grown;

    if (n <= times->room)
        return 0;
    while (room < n)
        room *= 2;
    grown = realloc(times->at, room * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    times->at = grown;
    times->room = room;
    return 0;
}

void lives_note(struct lives *lives, struct lives_times *times, mtime_t at, unsigned lo,
                unsigned hi)
{
    if (lo >= hi)
        return;
    if (times->n == times->room && reserve(times, times->n + 1) < 0) {
        lives->error = -ENOMEM;
        return;
    }
    times->at[times->n++] = (struct lives_time){at, (uint16_t)lo, (uint16_t)hi};
}

void lives_finish(struct lives *lives)
{
    free(lives->opens.at);
    free(lives->closes.at);
    free(lives->tails.at);
    *lives = (struct lives){0};
}

static int take(struct lives_times *into, struct lives_times *from)
{
    int r = reserve(into, into->n + from->n);

    if (r < 0)
        return r;
    if (from->n > 0)
        memcpy(into->at + into->n, from->at, from->n * sizeof(*from->at));
    into->n += from->n;
    from->n = 0;
    return 0;
}

void lives_take(struct lives *into, struct lives *from)
{
    if (take(&into->opens, &from->opens) < 0 || take(&into->closes, &from->closes) < 0 ||
        take(&into->tails, &from->tails) < 0)
        into->error = -ENOMEM;
    if (from->error)
        into->error = from->error;
}
