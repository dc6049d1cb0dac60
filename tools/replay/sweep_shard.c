/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/shard_hash.h"
#include "tools/replay/sweep_private.h"

#include <errno.h>
#include <stdlib.h>

#define BATCH 64
#define TIDY_EVERY 65536    /* packets walked */
#define PROGRESS_EVERY 1024 /* stretches */

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
    shard->worlds = calloc(sweep->n, sizeof(struct world *));
    shard->count = calloc(sweep->n, sizeof(*shard->count));
    shard->broken_below = calloc(sweep->n + 1, sizeof(*shard->broken_below));
    shard->pending = malloc(BATCH * sizeof(*shard->pending));
    shard->origins = malloc(BATCH * sizeof(*shard->origins));
    shard->judgements = malloc(BATCH * sizeof(*shard->judgements));
    shard->segments = malloc(BATCH * OUTCOME_SEGMENTS * sizeof(*shard->segments));
    if (!shard->worlds || !shard->count || !shard->broken_below || !shard->pending ||
        !shard->origins || !shard->judgements || !shard->segments)
        return -ENOMEM;
    shard->main = world_of(shard, sweep->n - 1);
    return shard->error;
}

static void flush(struct sweep_shard *shard)
{
    struct connections *cs;
    struct outcome out = {.segments = shard->segments + OUTCOME_SEGMENTS,
                          .max_segments = (BATCH - 1) * OUTCOME_SEGMENTS,
                          .max_events = OUTCOME_EVENTS};

    if (shard->n == 0)
        return;
    cs = &shard->main->connections;
    for (size_t i = 0; i < shard->n; i++)
        packet_decode(&shard->pending[i]);
    cs->packets = shard->pending;
    cs->origins = shard->origins;
    cs->now = shard->pending[0].time;
    for (size_t done = 0; done < shard->n;) {
        out.n_segments = 0;
        out.judgements = shard->judgements + done;
        done += engine_packets(shard->main->engine, shard->pending + done, shard->n - done, &out);
    }
    shard->judged += shard->n;
    shard->n = 0;
}

static void walk(struct sweep_shard *shard, const struct run_stretch *stretch)
{
    const struct sweep_run *run = shard->run;

    for (size_t i = 0; i < stretch->n; i++) {
        const struct packet *p = &stretch->packets[i];
        struct packet *mine = &shard->pending[shard->n];

        shard->order++;
        if (p->time > shard->now)
            shard->now = p->time;
        if (run->threads > 1 && shard_of(p, run->threads) != shard->number)
            continue;
        mine->time = shard->now;
        mine->data = p->data;
        mine->caplen = p->caplen;
        mine->len = p->len;
        mine->mark = 0;
        mine->checksum_ready = run->options->checksums;
        shard->origins[shard->n] = (struct connection_origin){
            .order = run->n_paths > 1 ? shard->order : stretch->numbers[i],
            .number = stretch->numbers[i],
            .capture = stretch->capture};
        shard->packets++;
        shard->bytes += p->len;
        if (++shard->n == BATCH)
            flush(shard);
    }
}

static int next_stretch(struct sweep_shard *shard, struct run_stretch *stretch)
{
    struct capture_fault fault;
    size_t broken;
    int r;

    if (shard->main && run_source_lets_go(shard->source))
        flush(shard);
    while ((r = run_source_next(shard->source, stretch, &fault, &broken)) < 0) {
        if (shard->error == 0) {
            shard->error = r;
            shard->fault = fault;
            shard->broken = broken;
        }
    }
    if (r > 0 && !shard->main) {
        int error = shard->error, started;

        shard->error = 0;
        started = start(shard, stretch->packets[0].time);
        shard->error = started < 0 ? started : error;
        return started < 0 ? 0 : r;
    }
    return r;
}

static void drain(struct sweep_shard *shard)
{
    if (!shard->main)
        return;
    flush(shard);
    sweep_tidy(shard);
    for (uint32_t i = 0; i < shard->parted_room && shard->parted[i]; i++)
        for (unsigned k = 0; k < shard->parted[i]->n; k++)
            if (shard->parted[i]->classes[k].quiet)
                quiet_end(shard, shard->parted[i], &shard->parted[i]->classes[k]);
    for (size_t v = 0; v < shard->run->sweep->n; v++)
        if (shard->worlds[v])
            connections_drain(&shard->worlds[v]->connections);
}

void sweep_shard_run(struct sweep_shard *shard)
{
    const struct replay_options *options = shard->run->options;
    struct run_stretch stretch = {0};
    uint64_t tidied = 0;
    unsigned every = shard->run->sweep->often ? shard->run->sweep->often : TIDY_EVERY;
    unsigned turn = 0;
    int r = run_source_open(&shard->source, shard->run->paths, shard->run->n_paths, &shard->fault,
                            &shard->broken);

    if (r < 0) {
        shard->error = r;
        sweep_depart(shard);
        return;
    }
    while (!(options->stop && atomic_load(options->stop)) && next_stretch(shard, &stretch) > 0) {
        walk(shard, &stretch);
        if (shard->order - tidied >= every) {
            flush(shard);
            sweep_tidy(shard);
            sweep_settle(shard);
            tidied = shard->order;
        }
        if (options->progress && shard->number == 0 && ++turn % PROGRESS_EVERY == 0) {
            struct capture_stats so_far;

            run_source_stats(shard->source, &so_far);
            options->progress(options->arg, &so_far);
        }
    }
    sweep_depart(shard);
    drain(shard);
}

void sweep_shard_finish(struct sweep_shard *shard)
{
    for (size_t v = 0; shard->worlds && v < shard->run->sweep->n; v++)
        world_destroy(shard->worlds[v]);
    free(shard->worlds);
    parted_finish(shard);
    spans_finish(&shard->spans);
    lives_finish(&shard->lives);
    if (shard->source)
        run_source_close(shard->source);
    free(shard->count);
    free(shard->broken_below);
    free(shard->pending);
    free(shard->origins);
    free(shard->judgements);
    free(shard->segments);
}
