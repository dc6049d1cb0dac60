/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/sweep_private.h"

#include <errno.h>
#include <stdlib.h>

#define SEGMENTS 512 /* room for what a batch puts out, which nobody looks at */

/* With the first packet: its time is when the firewall was switched on. */
static int start(struct sweep_shard *shard, mtime_t first)
{
    const struct sweep *sweep = shard->run->sweep;
    int r = spans_init(&shard->spans, shard->run->options->policy, sweep);

    if (r < 0)
        return r;
    shard->first = shard->now = first;
    set_add(&shard->values, 0, sweep->n);
    shard->quiet = quiet_can_be(shard->run);
    shard->policies = malloc(sweep->n * sizeof(*shard->policies));
    shard->count = calloc(sweep->n, sizeof(*shard->count));
    shard->broken_below = calloc(sweep->n + 1, sizeof(*shard->broken_below));
    /* The first are for what other worlds put out meanwhile. */
    shard->segments = malloc((OUTCOME_SEGMENTS + SEGMENTS) * sizeof(*shard->segments));
    if (!shard->policies || !shard->count || !shard->broken_below || !shard->segments)
        return -ENOMEM;
    for (size_t v = 0; v < sweep->n; v++)
        shard->policies[v] = -1;
    world_main(shard);
    return shard->error;
}

static int judge(struct sweep_shard *shard, const struct feed_block *block)
{
    struct connections *cs = &shard->main->connections;
    struct outcome out = {.segments = shard->segments + OUTCOME_SEGMENTS,
                          .max_segments = SEGMENTS,
                          .max_events = OUTCOME_EVENTS};

    if (block->n > shard->n_judgements) {
        free(shard->judgements);
        shard->n_judgements = 0;
        shard->judgements = malloc(block->n * sizeof(*shard->judgements));
        if (!shard->judgements)
            return -ENOMEM;
        shard->n_judgements = block->n;
    }
    cs->packets = block->packets;
    cs->origins = block->origins;
    for (size_t done = 0; done < block->n;) {
        cs->now = block->packets[done].time;
        out.n_segments = 0;
        out.judgements = shard->judgements + done;
        done += engine_packets(shard->main->engine, block->packets + done, block->n - done, &out);
    }
    shard->judged += block->n;
    shard->packets += block->n;
    shard->bytes += block->bytes;
    return 0;
}

/* Without memory the figures are not to be trusted any more. */
static void note(struct sweep_shard *shard, int r)
{
    if (r < 0 && shard->error == 0)
        shard->error = r;
}

static bool judge_piece(struct sweep_shard *shard, const struct feed_piece *piece)
{
    if (!shard->main)
        note(shard, start(shard, piece->first));
    if (shard->main)
        note(shard, judge(shard, &piece->blocks[shard->number]));
    shard->now = piece->now;
    if (shard->error < 0)
        return false;
    if (piece->ends_span) {
        sweep_tidy(shard);
        sweep_settle(shard);
    }
    return true;
}

static void drain(struct sweep_shard *shard)
{
    if (!shard->main)
        return;
    sweep_tidy(shard);
    for (uint32_t i = 0; i < shard->parted_room && shard->parted[i]; i++)
        for (unsigned k = 0; k < shard->parted[i]->n; k++)
            if (shard->parted[i]->classes[k].quiet)
                quiet_end(shard, shard->parted[i], &shard->parted[i]->classes[k]);
    if (shard->side)
        connections_drain(&shard->side->connections);
    connections_drain(&shard->main->connections);
}

void sweep_shard_run(struct sweep_shard *shard)
{
    struct feed *feed = shard->run->feed;
    const struct feed_piece *piece;
    bool goes_on = true;

    while (goes_on && (piece = feed_next(feed, shard->number))) {
        goes_on = judge_piece(shard, piece);
        feed_done(feed, shard->number);
    }
    sweep_shard_leave(shard);
    drain(shard);
}

void sweep_shard_leave(struct sweep_shard *shard)
{
    feed_leave(shard->run->feed, shard->number);
    sweep_depart(shard);
}

void sweep_shard_finish(struct sweep_shard *shard)
{
    world_destroy(shard->side);
    world_destroy(shard->main);
    free(shard->policies);
    parted_finish(shard);
    spans_finish(&shard->spans);
    lives_finish(&shard->lives);
    free(shard->count);
    free(shard->broken_below);
    free(shard->judgements);
    free(shard->segments);
}
