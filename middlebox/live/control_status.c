/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/control.h"
#include "middlebox/live/nfqueue_proc.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static uint64_t resident(void)
{
    char text[128];
    uint64_t pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0)
        close(fd);
    if (n > 0) {
        text[n] = '\0';
        if (sscanf(text, "%*u %" SCNu64, &pages) != 1)
            pages = 0;
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void add_counts(uint64_t *to, const uint64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

static void add(struct engine_stats *sum, const struct engine_stats *one)
{
    add_counts(sum->packets, one->packets, REASONS);
    add_counts(sum->ended, one->ended, FLOW_END_RESOURCES + 1);
    add_counts(sum->segments, one->segments, SEGMENT_PROBE + 1);
    sum->accepted += one->accepted;
    sum->dropped += one->dropped;
    sum->opened += one->opened;
    sum->expired += one->expired;
    sum->late += one->late;
    sum->late_remembered += one->late_remembered;
    add_counts(sum->late_action, one->late_action, ACTED_RATE_LIMITED + 1);
    add_counts(sum->late_idle, one->late_idle, ENGINE_LATE_IDLE + 1);
    sum->late_idle_ms += one->late_idle_ms;
    sum->rate_limited += one->rate_limited;
    sum->flows += one->flows;
    sum->max_flows += one->max_flows;
    sum->peak_flows += one->peak_flows;
    sum->lingering += one->lingering;
    sum->memory += one->memory;
    if (one->policies > sum->policies)
        sum->policies = one->policies; /* the same ones in every engine, mostly */
    for (unsigned i = 0; i < FLOW_STATES; i++)
        sum->by_state[i] += one->by_state[i];
}

static void add_loop(struct record_status *status, struct loop *loop)
{
    struct loop_counters *c = &loop->counters;
    struct engine_stats one;

    pthread_mutex_lock(&loop->lock);
    engine_stats(loop->engine, &one);
    pthread_mutex_unlock(&loop->lock);
    add(&status->engine, &one);
    for (unsigned i = 0; i < REASONS; i++) {
        status->engine.packets[i] += c->elsewhere[i];
        status->engine.accepted += c->elsewhere[i];
    }
    status->engine.accepted -= c->elsewhere_dropped;
    status->engine.dropped += c->elsewhere_dropped;
    status->enobufs += c->enobufs;
    status->injected += c->injected;
    status->inject_failed += c->inject_failed;
    if (c->largest_batch > status->largest_batch)
        status->largest_batch = c->largest_batch;
    if (c->backlog_max > status->backlog_max)
        status->backlog_max = c->backlog_max;
}

void control_gather(const struct control *control, struct record_status *status, uint32_t *waiting)
{
    const struct worker *worker = control->worker;
    const struct options *options = worker->options;
    const struct policy *policy = worker->ruleset->policy;
    struct nfqueue_drops drops = {0};

    *status = (struct record_status){
        .version = IDLEWALL_VERSION,
        .profile = policy->profiles[policy->rules[policy->n_rules - 1].profile].name,
        .policy = options->policy,
        .metrics = options->metrics,
        .hook = options->plan.hook == RULES_FORWARD ? "forward" : "local",
        .queue_first = options->plan.queue_first,
        .queues = worker->n_loops,
        .uptime = live_monotonic() - worker->clock.mono_start,
        .reloads = worker->reloads,
        .reloads_failed = worker->reloads_failed,
        .clients = control->n_clients,
        .lost_events = control->lost_events,
        .rss_bytes = resident(),
    };

    nfqueue_proc_read(worker->proc, options->plan.queue_first, options->plan.queue_last, &drops);
    status->queue_dropped = drops.queue_full;
    status->user_dropped = drops.unsent;
    *waiting = drops.waiting;
    for (unsigned i = 0; i < worker->n_loops; i++)
        add_loop(status, &worker->loops[i]);
}

void control_status(struct control *control, struct client *client)
{
    const struct live_clock *live = &control->worker->clock;
    const struct record_clock clock = live_clock_record(live, live_clock_now(live));
    struct record_status status;
    uint32_t waiting;

    control_gather(control, &status, &waiting);
    control->text.len = 0;
    if (record_status(&control->text, client->request.output, &clock, &status) < 0 ||
        !client_data(client, control->text.data, control->text.len))
        control_out_of_memory(client);
    else
        client_end(client, 0);
}
