/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/filter.h"
#include "tools/replay/run_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define EXPIRE_BUDGET 1024

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
                                   .many = true,
                                   .quick_hash = true,
                                   .arg = cs};
    int r;

    if (getrandom(config.hash_secret, sizeof(config.hash_secret), 0) < 0)
        return -errno;
    shard->segments = malloc(SHARD_SEGMENTS * sizeof(*shard->segments));
    if (!shard->segments)
        return -ENOMEM;
    shard->out = (struct outcome){
        .segments = shard->segments, .max_segments = SHARD_SEGMENTS, .max_events = OUTCOME_EVENTS};
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

static int judge(struct shard *shard, const struct feed_block *block)
{
    struct connections *cs = &shard->connections;

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
        shard->out.n_segments = 0;
        shard->out.judgements = shard->judgements + done;
        done += engine_packets(shard->engine, block->packets + done, block->n - done, &shard->out);
    }
    shard->packets += block->n;
    shard->bytes += block->bytes;
    return 0;
}

/* False: the captures are over, or something went wrong. */
static bool judge_span(struct shard *shard)
{
    struct feed *feed = shard->run->feed;
    const struct feed_piece *piece;
    bool more = true;

    while (more && (piece = feed_next(feed, shard->number))) {
        if (!shard->engine)
            shard->error = start(shard, piece->first);
        if (shard->error == 0)
            shard->error = judge(shard, &piece->blocks[shard->number]);
        if (shard->error < 0)
            return false;
        shard->now = piece->now;
        more = !piece->ends_span;
        feed_done(feed, shard->number);
    }
    return !more;
}

/* Whatever is over by now goes: how often this is done shows nowhere but in the memory. */
static void clear_away(struct shard *shard)
{
    bool more = true;

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
    struct run *run = shard->run;
    bool more = true, complete = true;

    while (more && (complete = run_enter(run, shard))) {
        more = judge_span(shard);
        clear_away(shard);
        run_leave(run, shard);
    }
    if (!more)
        run_depart(run, shard);
    feed_leave(run->feed, shard->number);
    if (shard->engine && (complete || !run->too_full))
        connections_drain(&shard->connections);
    if (shard->connections.error < 0)
        shard->error = shard->connections.error;
}

void shard_finish(struct shard *shard)
{
    connections_finish(&shard->connections);
    shard->engine = engine_destroy(shard->engine);
    free(shard->judgements);
    free(shard->segments);
}
