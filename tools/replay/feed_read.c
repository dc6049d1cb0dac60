/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/feed_private.h"
#include "tools/replay/shard_hash.h"

#include <string.h>

#define PROGRESS_EVERY 1024 /* stretches */
#define QUOTE 192           /* bytes of a packet: more than an ICMP error quotes */

/* 0: the end. */
static int next_stretch(struct feed *feed)
{
    const struct replay_options *options = feed->config.options;
    struct capture_fault fault;
    size_t broken;
    int r;

    if (feed->config.shards == 1 && options->stop && atomic_load(options->stop))
        return 0;
    while ((r = run_source_next(feed->source, &feed->rest, &fault, &broken)) < 0) {
        if (feed->error == 0) {
            feed->error = r;
            feed->fault = fault;
            feed->broken = broken;
        }
    }
    if (r > 0 && feed->order == 0)
        feed->first = feed->now = feed->rest.packets[0].time;
    if (r > 0 && options->progress && ++feed->turn % PROGRESS_EVERY == 0) {
        struct capture_stats so_far;

        run_source_stats(feed->source, &so_far);
        options->progress(options->arg, &so_far);
    }
    return r;
}

/* What was read goes away with the next stretch; few packets are asked for more than was decoded:
 * fragments for their addresses, those that are quoted or summed up. */
static void keep_bytes(struct feed *feed, struct feed_piece *piece, struct packet *p)
{
    if (!feed->config.checksums && p->caplen > QUOTE)
        p->caplen = QUOTE;
    memcpy(piece->kept + piece->n_kept, p->data, p->caplen);
    p->data = piece->kept + piece->n_kept;
    piece->n_kept += p->caplen;
}

static inline void deal(struct feed *feed, struct feed_piece *piece, const struct packet *read,
                        uint64_t number)
{
    unsigned shards = feed->config.shards;
    struct feed_block *block = &piece->blocks[shards > 1 ? shard_of(read, shards) : 0];
    struct packet *p = &block->packets[block->n];

    feed->order++;
    if (read->time > feed->now)
        feed->now = read->time;
    p->time = feed->now;
    p->data = read->data;
    p->caplen = read->caplen;
    p->len = read->len;
    p->mark = 0;
    p->checksum_ready = feed->config.checksums;
    p->offloaded = true;
    packet_decode(p);
    if (p->kind != PACKET_TCP || p->fragment_end || feed->config.quotes || feed->config.checksums)
        keep_bytes(feed, piece, p);
    else
        p->data = NULL;
    block->origins[block->n++] =
        (struct connection_origin){.order = feed->config.n_paths > 1 ? feed->order : number,
                                   .number = number,
                                   .capture = feed->rest.capture};
    block->bytes += read->len;
}

static size_t fullest(const struct feed *feed, const struct feed_piece *piece)
{
    size_t most = 0;

    for (unsigned i = 0; i < feed->config.shards; i++)
        if (piece->blocks[i].n > most)
            most = piece->blocks[i].n;
    return most;
}

/* Deals out what has room for certain, whichever shard it is for. False: there is none. */
static bool deal_some(struct feed *feed, struct feed_piece *piece)
{
    struct run_stretch *rest = &feed->rest;
    size_t n = FEED_ROOM - fullest(feed, piece);

    if (n > rest->n)
        n = rest->n;
    if (n > feed->left)
        n = (size_t)feed->left;
    for (size_t i = 0; i < n; i++) {
        if (FEED_KEPT - piece->n_kept < rest->packets[i].caplen)
            n = i;
        else
            deal(feed, piece, &rest->packets[i], rest->numbers[i]);
    }
    rest->packets += n;
    rest->numbers += n;
    rest->n -= n;
    feed->left -= n;
    return n > 0;
}

bool feed_read(struct feed *feed, struct feed_piece *piece)
{
    uint64_t before = feed->order;

    for (unsigned i = 0; i < feed->config.shards; i++) {
        piece->blocks[i].n = 0;
        piece->blocks[i].bytes = 0;
    }
    piece->n_kept = 0;
    do
        if (feed->rest.n == 0 && next_stretch(feed) <= 0)
            break;
    while (deal_some(feed, piece));
    piece->first = feed->first;
    piece->now = feed->now;
    piece->ends_span = feed->left == 0;
    if (feed->left == 0)
        feed->left = feed->config.span;
    return feed->order > before;
}
