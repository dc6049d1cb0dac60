/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/feed.h"

#include "tools/replay/feed_private.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

/* A wake-up on another processor takes longer than most pieces: so often it is looked again before
 * sleeping. */
#define LOOKS 200

bool feed_quotes(const struct policy *policy)
{
    for (size_t i = 0; i < policy->n_profiles; i++)
        if (policy->profiles[i].on_late == ON_LATE_ICMP)
            return true;
    return false;
}

static bool piece_init(struct feed_piece *piece, unsigned shards)
{
    piece->kept = malloc(FEED_KEPT);
    piece->blocks = calloc(shards, sizeof(*piece->blocks));
    if (!piece->kept || !piece->blocks)
        return false;
    for (unsigned i = 0; i < shards; i++) {
        struct feed_block *block = &piece->blocks[i];

        block->packets = aligned_alloc(64, (FEED_ROOM * sizeof(*block->packets) + 63) / 64 * 64);
        block->origins = malloc(FEED_ROOM * sizeof(*block->origins));
        if (!block->packets || !block->origins)
            return false;
    }
    return true;
}

static void piece_finish(struct feed_piece *piece, unsigned shards)
{
    for (unsigned i = 0; piece->blocks && i < shards; i++) {
        free(piece->blocks[i].packets);
        free(piece->blocks[i].origins);
    }
    free(piece->blocks);
    free(piece->kept);
}

int feed_create(struct feed **out, const struct feed_config *config, struct capture_fault *fault,
                size_t *broken)
{
    struct feed *feed = calloc(1, sizeof(*feed));
    int r = 0;

    *out = NULL;
    *fault = (struct capture_fault){0};
    *broken = 0;
    if (!feed)
        return -ENOMEM;
    feed->config = *config;
    feed->left = config->span;
    feed->n_pieces = config->shards == 1 ? 1 : FEED_PIECES;
    pthread_mutex_init(&feed->lock, NULL);
    pthread_cond_init(&feed->turned, NULL);
    for (unsigned i = 0; i < feed->n_pieces; i++)
        if (!piece_init(&feed->pieces[i], config->shards))
            r = -ENOMEM;
    if (r == 0)
        r = run_source_open(&feed->source, config->paths, config->n_paths, fault, broken);
    *out = r == 0 ? feed : feed_destroy(feed);
    return r;
}

struct feed *feed_destroy(struct feed *feed)
{
    if (!feed)
        return NULL;
    run_source_close(feed->source);
    for (unsigned i = 0; i < feed->n_pieces; i++)
        piece_finish(&feed->pieces[i], feed->config.shards);
    pthread_cond_destroy(&feed->turned);
    pthread_mutex_destroy(&feed->lock);
    free(feed);
    return NULL;
}

static uint64_t slowest(const struct feed *feed)
{
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < feed->config.shards; i++)
        if (feed->used[i] < least)
            least = feed->used[i];
    return least;
}

static void tell(struct feed *feed)
{
    if (feed->sleepers > 0)
        pthread_cond_broadcast(&feed->turned);
}

/* With the lock; gives it away meanwhile. */
static void read_one(struct feed *feed)
{
    bool more;

    feed->reading = true;
    pthread_mutex_unlock(&feed->lock);
    more = feed_read(feed, &feed->pieces[feed->made % feed->n_pieces]);
    pthread_mutex_lock(&feed->lock);
    feed->reading = false;
    if (more)
        feed->made++;
    else
        feed->over = true;
    tell(feed);
}

static void wait(struct feed *feed, unsigned *looks)
{
    if (++*looks > LOOKS) {
        feed->sleepers++;
        pthread_cond_wait(&feed->turned, &feed->lock);
        feed->sleepers--;
        return;
    }
    pthread_mutex_unlock(&feed->lock);
    sched_yield();
    pthread_mutex_lock(&feed->lock);
}

/* Reading goes first, so that there is something to do for all while somebody reads; but not for
 * whoever is behind: it would stay there, and read for all ever after. */
static bool should_read(const struct feed *feed, unsigned shard)
{
    return !feed->over && !feed->reading && feed->made < slowest(feed) + feed->n_pieces &&
           feed->made - feed->used[shard] <= feed->n_pieces / 2;
}

const struct feed_piece *feed_next(struct feed *feed, unsigned shard)
{
    const struct feed_piece *piece = NULL;
    unsigned looks = 0;

    pthread_mutex_lock(&feed->lock);
    for (;;) {
        if (should_read(feed, shard))
            read_one(feed);
        if (feed->used[shard] < feed->made)
            piece = &feed->pieces[feed->used[shard] % feed->n_pieces];
        if (piece || feed->over)
            break;
        wait(feed, &looks);
    }
    pthread_mutex_unlock(&feed->lock);
    return piece;
}

void feed_done(struct feed *feed, unsigned shard)
{
    pthread_mutex_lock(&feed->lock);
    feed->used[shard]++;
    tell(feed);
    pthread_mutex_unlock(&feed->lock);
}

void feed_leave(struct feed *feed, unsigned shard)
{
    pthread_mutex_lock(&feed->lock);
    feed->used[shard] = UINT64_MAX / 2;
    tell(feed);
    pthread_mutex_unlock(&feed->lock);
}

int feed_error(const struct feed *feed, struct capture_fault *fault, size_t *broken)
{
    *fault = feed->fault;
    *broken = feed->broken;
    return feed->error;
}

void feed_figures(const struct feed *feed, mtime_t *first, mtime_t *now, struct capture_stats *out)
{
    *first = feed->first;
    *now = feed->now;
    run_source_stats(feed->source, out);
}
