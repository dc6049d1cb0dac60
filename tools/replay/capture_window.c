/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/capture_window.h"

#include <stdlib.h>
#include <string.h>

/* read() copies: with pieces of this size the copy is still in the second level cache when it is
 * looked at. */
#define PIECE (256 * 1024)

int capture_window_init(struct capture_window *w, struct capture_source *source)
{
    *w = (struct capture_window){.source = source};
    for (unsigned i = 0; i < 2; i++) {
        w->buffer[i] = malloc(CAPTURE_WINDOW_MAX + PIECE);
        if (!w->buffer[i])
            return -ENOMEM;
    }
    w->at = w->end = w->buffer[0];
    return 0;
}

void capture_window_finish(struct capture_window *w)
{
    for (unsigned i = 0; i < 2; i++)
        free(w->buffer[i]);
}

static void skip(struct capture_window *w)
{
    size_t left = (size_t)(w->end - w->at), n = w->skip < left ? (size_t)w->skip : left;

    w->at += n;
    w->skip -= n;
}

/* What is left to the front of a buffer that nobody looks at. */
static void make_room(struct capture_window *w)
{
    size_t left = (size_t)(w->end - w->at);

    if (w->lent[w->current])
        w->current ^= 1;
    memmove(w->buffer[w->current], w->at, left);
    w->at = w->buffer[w->current];
    w->end = w->at + left;
}

static int fetch_piece(struct capture_window *w)
{
    ssize_t n;

    make_room(w);
    n = capture_source_read(w->source, w->end, PIECE, &w->why);
    if (n < 0)
        w->failed = (int)n;
    if (n <= 0)
        return (int)n;
    w->end += n;
    w->offset += (uint64_t)n;
    return 1;
}

int capture_window_fetch(struct capture_window *w, size_t n)
{
    skip(w);
    while (w->skip > 0 || (size_t)(w->end - w->at) < n) {
        int r = w->failed;

        if (w->hold)
            return -EAGAIN;
        if (!r)
            r = fetch_piece(w);
        if (r <= 0)
            return r;
        skip(w);
    }
    return 1;
}
