/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_RUN_PRIVATE_H
#define IDLEWALL_RUN_PRIVATE_H

/*
 * A replay on several threads: every one judges its shard of the packets, with an engine of its
 * own, and reads for all of them when it is its turn. Time is the whole capture's in all of them,
 * so that nothing depends on how many there are. They meet at the ends of spans of packets: there
 * entries that are over have been cleared away everywhere, and are counted.
 */

#include "tools/replay/feed.h"

#include <pthread.h>

#define RUN_THREADS 64
#define RUN_LEAD 4 /* spans that the fastest may be ahead of the slowest */
#define RUN_SPAN 65536
#define SHARD_SEGMENTS 512 /* room for what a batch puts out, which nobody looks at */

struct filter;

/* What one span came to, shard by shard. */
struct run_span {
    struct occupancy_times opens[RUN_THREADS], closes[RUN_THREADS];
    unsigned left; /* shards that have finished it */
};

struct run {
    const struct replay_options *options;
    const char *const *paths;
    size_t n_paths;
    unsigned threads;
    uint64_t span;  /* packets */
    uint32_t limit; /* entries from which on threads could not stay apart; 0: none */
    struct filter **filters;
    struct feed *feed;

    pthread_mutex_t lock;
    pthread_cond_t turned;
    struct run_span spans[RUN_LEAD];
    uint64_t done[RUN_THREADS]; /* spans finished */
    uint32_t used[RUN_THREADS]; /* entries then */
    uint64_t highest;           /* span that anybody has entered, + 1 */
    uint64_t stop_at;           /* no span from this one on is entered; UINT64_MAX: none */
    bool too_full;              /* that is because of the limit */
    struct occupancy occupancy;
    int error;

    pthread_mutex_t handing;
    uint64_t muted; /* spans whose connections were handed out by another attempt */
};

struct shard {
    _Alignas(64) struct run *run; /* no cache line is two shards' */
    unsigned number;
    uint64_t span; /* that it is in */
    struct engine *engine;
    struct connections connections;
    mtime_t now; /* of the whole capture, as far as it was judged */
    uint64_t packets, bytes;
    struct outcome out;
    struct judgement *judgements;
    size_t n_judgements;
    struct segment *segments;
    int error;
    pthread_t thread;
};

/* Judges and hands out; everything it has to say is in it then. */
void shard_run(struct shard *shard);
void shard_finish(struct shard *shard);

/* May this shard go into its next span? Waits for those that are behind. */
bool run_enter(struct run *run, struct shard *shard);
/* It has finished one. */
void run_leave(struct run *run, struct shard *shard);
/* It will enter no more: the captures are over. */
void run_depart(struct run *run, struct shard *shard);

#endif
