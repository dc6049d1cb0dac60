/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_REPLAY_FEED_PRIVATE_H
#define IDLEWALL_REPLAY_FEED_PRIVATE_H

/* feed.c deals out, feed_read.c reads. */

#include "tools/replay/feed.h"

#include <pthread.h>

#define FEED_SHARDS 64
/* Short pieces stay in the second level cache, of both who fills and who takes; many of them even
 * out what shards have to do. */
#define FEED_PIECES 16
#define FEED_ROOM 256 /* packets of one shard in a piece */
/* Bytes of packets a piece can keep: one of the largest fits. */
#define FEED_KEPT (512 * 1024)

struct feed {
    struct feed_config config;
    unsigned n_pieces;

    pthread_mutex_t lock;
    pthread_cond_t turned;
    unsigned sleepers;
    struct feed_piece pieces[FEED_PIECES];
    uint64_t made, used[FEED_SHARDS]; /* pieces */
    bool reading, over;

    /* Belongs to whoever is reading. */
    struct run_source *source;
    struct run_stretch rest;
    uint64_t order;     /* packets dealt out */
    uint64_t left;      /* of the span */
    unsigned turn;      /* stretches */
    mtime_t first, now; /* latest stamp */
    int error;
    struct capture_fault fault;
    size_t broken;
};

/* Fills the piece. False: there is nothing left. */
bool feed_read(struct feed *feed, struct feed_piece *piece);

#endif
