/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/filter.h"
#include "tools/replay/run_private.h"
#include "tools/replay/shard_hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define EXPIRE_BUDGET 1024
#define PROGRESS_EVERY 1024 /* stretches */

static unsigned classify(void *arg, const struct policy *policy, const struct flow *flow)
{
    const struct connections *connections = arg;
    const struct shard *shard = connections->arg;
    struct filter_tuple tuple = {.family = flow->family,
                                 .proto = flow->proto,
                                 .client_port = flow->port[FLOW_CLIENT],
                                 .server_port = flow->port[FLOW_SERVER]};
    unsigned last = (unsigned)policy->n_rules - 1;

    memcpy(tuple.client, flow->addr[FLOW_CLIENT], sizeof(tuple.client));
    memcpy(tuple.server, flow->addr[FLOW_SERVER], sizeof(tuple.server));
    for (unsigned i = 0; i < last; i++)
        if (filter_match(shard->run->filters[i], &tuple))
            return i;
    return last;
}

static void emit(void *arg, const struct replay_flow *flow)
{
    struct shard *shard = arg;
    struct run *run = shard->run;

    if (shard->span < run->muted)
        return;
    pthread_mutex_lock(&run->handing);
    run->options->flow(run->options->arg, flow);
    pthread_mutex_unlock(&run->handing);
}

/* With the first packet: its time is when the firewall was switched on. */
static int start(struct shard *shard, mtime_t first)
{
    struct connections *cs = &shard->connections;
    struct run *run = shard->run;
    struct engine_config config = {.start = first,
                                   .classify = classify,
                                   .watch = &connections_watch,
                                   .unlimited = true,
                                   .arg = cs};
    int r;

    if (getrandom(config.hash_secret, sizeof(config.hash_secret), 0) < 0)
        return -errno;
    shard->first = shard->now = first;
    shard->segments = malloc(OUTCOME_SEGMENTS * SHARD_BATCH * sizeof(*shard->segments));
    if (!shard->segments)
        return -ENOMEM;
    shard->out = (struct outcome){.judgements = shard->judgements,
                                  .segments = shard->segments,
                                  .max_segments = OUTCOME_SEGMENTS * SHARD_BATCH,
                                  .max_events = OUTCOME_EVENTS};
    r = engine_create(&shard->engine, &config, run->options->policy);
    if (r < 0)
        return r;
    *cs = (struct connections){.policy = run->options->policy,
                               .engine = shard->engine,
                               .now = first,
                               .many = run->n_paths > 1,
                               .emit = run->options->flow ? emit : NULL,
                               .arg = shard};
    return connections_init(cs);
}

static void judge(struct shard *shard, const struct packet *packets, size_t n)
{
    struct connections *cs = &shard->connections;

    cs->packets = packets;
    cs->origins = shard->origins;
    cs->now = packets[0].time;
    for (size_t done = 0; done < n;) {
        shard->out.n_segments = 0;
        shard->out.judgements = shard->judgements + done;
        done += engine_packets(shard->engine, packets + done, n - done, &shard->out);
    }
}

static void flush(struct shard *shard)
{
    for (size_t i = 0; i < shard->n; i++)
        packet_decode(&shard->pending[i]);
    if (shard->n > 0)
        judge(shard, shard->pending, shard->n);
    shard->n = 0;
}

/* Up to n packets of the stretch; those of this shard wait to be judged together. */
static void walk(struct shard *shard, const struct run_stretch *stretch, size_t n)
{
    struct run *run = shard->run;
    bool many = run->n_paths > 1;

    for (size_t i = 0; i < n; i++) {
        const struct packet *p = &stretch->packets[i];
        struct packet *mine;

        shard->order++;
        if (p->time > shard->now)
            shard->now = p->time;
        if (run->threads > 1 && shard_of(p, run->threads) != shard->number)
            continue;
        mine = &shard->pending[shard->n];
        mine->time = shard->now;
        mine->data = p->data;
        mine->caplen = p->caplen;
        mine->len = p->len;
        mine->mark = 0;
        mine->checksum_ready = run->options->checksums;
        shard->origins[shard->n] =
            (struct connection_origin){.order = many ? shard->order : stretch->numbers[i],
                                       .number = stretch->numbers[i],
                                       .capture = stretch->capture};
        shard->packets++;
        shard->bytes += p->len;
        if (++shard->n == SHARD_BATCH)
            flush(shard);
    }
}

static int next_stretch(struct shard *shard, struct run_stretch *stretch)
{
    struct capture_fault fault;
    size_t broken;
    int r;

    if (run_source_lets_go(shard->source))
        flush(shard);
    while ((r = run_source_next(shard->source, stretch, &fault, &broken)) < 0) {
        if (shard->error == 0) {
            shard->error = r;
            shard->fault = fault;
            shard->broken = broken;
        }
    }
    if (r > 0 && !shard->engine) {
        int started = start(shard, stretch->packets[0].time);

        if (started < 0) {
            shard->error = started;
            return 0;
        }
    }
    return r;
}

/* False: the captures are over. */
static bool walk_span(struct shard *shard, struct run_stretch *rest, unsigned *turn)
{
    const struct replay_options *options = shard->run->options;
    uint64_t left = shard->run->span;

    while (left > 0) {
        size_t n;

        if (rest->n == 0) {
            if (shard->run->threads == 1 && options->stop && atomic_load(options->stop))
                return false;
            if (next_stretch(shard, rest) <= 0)
                return false;
            if (options->progress && shard->number == 0 && ++*turn % PROGRESS_EVERY == 0) {
                struct capture_stats so_far;

                run_source_stats(shard->source, &so_far);
                options->progress(options->arg, &so_far);
            }
        }
        n = rest->n < left ? rest->n : (size_t)left;
        walk(shard, rest, n);
        rest->packets += n;
        rest->numbers += n;
        rest->n -= n;
        left -= n;
    }
    return true;
}

/* Whatever is over by now goes: how often this is done shows nowhere but in the memory. */
static void clear_away(struct shard *shard)
{
    bool more = true;

    flush(shard);
    if (!shard->engine)
        return;
    shard->connections.now = shard->now;
    while (more) {
        shard->out.n_segments = 0;
        more = engine_advance(shard->engine, shard->now, EXPIRE_BUDGET, &shard->out);
    }
    connections_sweep(&shard->connections, shard->now);
}

void shard_run(struct shard *shard)
{
    struct run_stretch rest = {0};
    bool more = true, complete = true;
    unsigned turn = 0;
    int r = run_source_open(&shard->source, shard->run->paths, shard->run->n_paths, &shard->fault,
                            &shard->broken);

    if (r < 0) {
        shard->error = r;
        more = false;
    }
    while (more && (complete = run_enter(shard->run, shard))) {
        more = walk_span(shard, &rest, &turn);
        clear_away(shard);
        run_leave(shard->run, shard);
    }
    if (!more)
        run_depart(shard->run, shard);
    if (shard->engine && (complete || !shard->run->too_full))
        connections_drain(&shard->connections);
    if (shard->connections.error < 0)
        shard->error = shard->connections.error;
}

void shard_finish(struct shard *shard)
{
    connections_finish(&shard->connections);
    shard->engine = engine_destroy(shard->engine);
    shard->source = run_source_close(shard->source);
    free(shard->segments);
}
