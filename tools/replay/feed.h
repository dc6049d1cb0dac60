/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_REPLAY_FEED_H
#define IDLEWALL_REPLAY_FEED_H

/*
 * Captures read, decoded and dealt out to shards once, by whichever thread has time for it: a
 * packet goes to the shard that its pair of addresses hashes to (as the kernel's queue balancing
 * does). A piece is what was read in one go; every shard takes all pieces in order. Packets are as
 * after packet_decode(), their time is the latest stamp so far.
 */

#include "tools/replay/connection.h"
#include "tools/replay/run_source.h"

struct feed; /* opaque */

struct feed_config {
    const char *const *paths;
    size_t n_paths;
    unsigned shards;
    uint64_t span; /* packets: no piece goes beyond a multiple of it */
    bool checksums;
    bool quotes; /* the engine may want to quote any packet */
    const struct replay_options *options;
};

/* A shard's part of a piece. */
struct feed_block {
    struct packet *packets; /* data is NULL where the engine does not ask for it */
    struct connection_origin *origins;
    size_t n;
    uint64_t bytes; /* on the wire */
};

struct feed_piece {
    struct feed_block *blocks; /* by shard */
    mtime_t first, now;        /* of the whole capture: its beginning, the end of this piece */
    bool ends_span;
    uint8_t *kept; /* of packets that are asked for more than was decoded */
    size_t n_kept;
};

/* Whether it does: what ICMP errors quote is asked for of no other packets than those without a
 * flow. */
bool feed_quotes(const struct policy *policy);
/* 0, -ENOMEM, or what opening them said: then *broken says which path, and *fault why. */
int feed_create(struct feed **out, const struct feed_config *config, struct capture_fault *fault,
                size_t *broken);
struct feed *feed_destroy(struct feed *feed);
/* The shard's next piece, NULL at the end. Waits, or reads. */
const struct feed_piece *feed_next(struct feed *feed, unsigned shard);
/* The shard has done with it. */
void feed_done(struct feed *feed, unsigned shard);
/* It wants no more. */
void feed_leave(struct feed *feed, unsigned shard);

/* When all have left. The first thing that went wrong: 0 or a negative errno. */
int feed_error(const struct feed *feed, struct capture_fault *fault, size_t *broken);
/* The first and the latest stamp, and sums over the captures. */
void feed_figures(const struct feed *feed, mtime_t *first, mtime_t *now, struct capture_stats *out);

#endif
