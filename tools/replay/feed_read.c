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
 * fragments for their addresses, those that are quoted or summed up. False: no room. */
static bool keep_bytes(const struct feed *feed, struct feed_piece *piece, struct packet *p)
{
    if (!feed->config.checksums && p->caplen > QUOTE)
        p->caplen = QUOTE;
    if (FEED_KEPT - piece->n_kept < p->caplen)
        return false;
    memcpy(piece->kept + piece->n_kept, p->data, p->caplen);
    p->data = piece->kept + piece->n_kept;
    piece->n_kept += p->caplen;
    return true;
}

/* What dealing asks of the feed, at hand. */
struct dealing {
    unsigned shards;
    bool checksums, keep_all;
    mtime_t now; /* latest stamp */
};

/* False: the piece has no room for it. */
static inline bool deal(const struct feed *feed, struct feed_piece *piece, struct dealing *d,
                        const struct packet *read, uint64_t order, uint64_t number)
{
    struct feed_block *block = &piece->blocks[d->shards > 1 ? shard_of(read, d->shards) : 0];
    struct packet *p = &block->packets[block->n];

    p->time = read->time > d->now ? read->time : d->now;
    p->data = read->data;
    p->caplen = read->caplen;
    p->len = read->len;
    p->mark = 0;
    p->checksum_ready = d->checksums;
    p->offloaded = true;
    packet_decode(p);
    if (__builtin_expect(p->kind != PACKET_TCP || p->fragment_end || d->keep_all, false)) {
        if (!keep_bytes(feed, piece, p))
            return false;
    } else {
        p->data = NULL;
    }
    d->now = p->time;
    block->origins[block->n++] =
        (struct connection_origin){.order = order, .number = number, .capture = feed->rest.capture};
    block->bytes += p->len;
    return true;
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
    const struct feed_config *config = &feed->config;
    struct dealing dealing = {.shards = config->shards,
                              .checksums = config->checksums,
                              .keep_all = config->checksums || config->quotes,
                              .now = feed->now};
    bool many = config->n_paths > 1;
    size_t n = FEED_ROOM - fullest(feed, piece), i = 0;

    if (n > rest->n)
        n = rest->n;
    if (n > feed->left)
        n = (size_t)feed->left;
    while (i < n && deal(feed, piece, &dealing, &rest->packets[i],
                         many ? feed->order + i + 1 : rest->numbers[i], rest->numbers[i]))
        i++;
    feed->now = dealing.now;
    feed->order += i;
    rest->packets += i;
    rest->numbers += i;
    rest->n -= i;
    feed->left -= i;
    return i > 0;
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
