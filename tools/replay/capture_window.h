/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_CAPTURE_WINDOW_H
#define IDLEWALL_CAPTURE_WINDOW_H

/*
 * A stretch of the capture in memory. What was handed out of it stays where it is: while a batch is
 * filled nothing is fetched (-EAGAIN), and looking ahead after it goes on in a second buffer.
 */

#include "tools/replay/capture_source.h"

#include <errno.h>
#include <stdbool.h>

/* The most that can stand in it at once. */
#define CAPTURE_WINDOW_MAX (512 * 1024)

struct capture_window {
    struct capture_source *source;
    uint8_t *buffer[2];
    uint8_t *at, *end; /* what is not used up yet, in buffer[current] */
    uint64_t offset;   /* of `end` in the capture */
    uint64_t skip;     /* to be left out before anything else */
    unsigned current;
    bool hold;    /* no fetching now */
    bool lent[2]; /* handed out of it */
    int failed;
    const char *why;
};

int capture_window_init(struct capture_window *w, struct capture_source *source);
void capture_window_finish(struct capture_window *w);

int capture_window_fetch(struct capture_window *w, size_t n); /* as capture_window_need() */

/* 1: n bytes (at most CAPTURE_WINDOW_MAX) stand at w->at. 0: fewer are left in the capture.
 * -EAGAIN: held. Another negative errno: w->why. */
static inline int capture_window_need(struct capture_window *w, size_t n)
{
    return (size_t)(w->end - w->at) >= n && w->skip == 0 ? 1 : capture_window_fetch(w, n);
}

static inline uint64_t capture_window_offset(const struct capture_window *w)
{
    return w->offset - (uint64_t)(w->end - w->at) + w->skip;
}

#endif
