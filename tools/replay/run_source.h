/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_RUN_SOURCE_H
#define IDLEWALL_RUN_SOURCE_H

/* Captures as one, in time order. */

#include "tools/replay/capture.h"

struct run_source; /* opaque */

/* A stretch of one capture, before the next packet of any other. */
struct run_stretch {
    struct packet *packets;
    const uint64_t *numbers;
    size_t n;
    uint32_t capture;
};

/* 0, or a negative errno: then *broken says which path, and *fault why. */
int run_source_open(struct run_source **out, const char *const *paths, size_t n,
                    struct capture_fault *fault, size_t *broken);
struct run_source *run_source_close(struct run_source *source);
/* 1 and a stretch; 0: the end; a negative errno: *broken cannot be read on, and what came before it
 * was handed out. Others go on: call again. */
int run_source_next(struct run_source *source, struct run_stretch *stretch,
                    struct capture_fault *fault, size_t *broken);
/* Will the next call let go of bytes that were handed out? */
bool run_source_lets_go(const struct run_source *source);
/* Sums over the captures. */
void run_source_stats(const struct run_source *source, struct capture_stats *out);

#endif
