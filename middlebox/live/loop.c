/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/loop.h"
#include "middlebox/live/rules_text.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MOST_FAILURES 1000
#define LAST_STEPS 512 /* twice what the kernel's queue holds */
#define EXPIRE_BUDGET                                                                              \
    256 /* flows a step, so that a million that are due at once do not stall packets */

static unsigned classify(void *arg, const struct policy *policy, const struct flow *flow)
{
    const struct loop *loop = arg;

    (void)policy; /* the current one, as ruleset's: both change under one lock */
    return ruleset_classify(loop->ruleset, flow);
}

int outcome_init(struct outcome *out)
{
    *out = (struct outcome){.max_segments = LOOP_SEGMENTS, .max_events = LOOP_EVENTS};
    out->segments = calloc(LOOP_SEGMENTS, sizeof(struct segment));
    out->events = calloc(LOOP_EVENTS, sizeof(struct event));
    if (out->segments && out->events)
        return 0;
    outcome_finish(out);
    return -ENOMEM;
}

void outcome_finish(struct outcome *out)
{
    free(out->segments);
    free(out->events);
    *out = (struct outcome){0};
}

int loop_init(struct loop *loop, const struct loop_config *config)
{
    struct engine_config engine = {
        .start = 1, .linger = config->linger, .classify = classify, .arg = loop};
    int r;

    *loop = (struct loop){.clock = config->clock,
                          .all = config->all,
                          .n_all = config->n_all,
                          .inject = {-1, -1},
                          .ruleset = ruleset_ref(config->ruleset),
                          .wake = -1};
    pthread_mutex_init(&loop->lock, NULL);
    memcpy(engine.hash_secret, config->hash_secret, sizeof(engine.hash_secret));
    r = nfqueue_create(&loop->nfqueue, config->queue);
    if (r == 0)
        r = inject_init(&loop->inject);
    if (r == 0)
        r = outcome_init(&loop->out);
    if (r == 0)
        r = tap_init(&loop->tap, config->tap_wake);
    if (r == 0) {
        loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        r = loop->wake < 0 ? -errno : 0;
    }
    if (r == 0)
        r = engine_create(&loop->engine, &engine, config->ruleset->policy);
    if (r < 0)
        loop_finish(loop);
    return r;
}

void loop_finish(struct loop *loop)
{
    if (!loop->clock)
        return;
    loop_stop(loop);
    loop->engine = engine_destroy(loop->engine);
    loop->ruleset = ruleset_unref(loop->ruleset);
    loop->recording = recording_destroy(loop->recording);
    tap_finish(&loop->tap);
    outcome_finish(&loop->out);
    inject_finish(&loop->inject);
    loop->nfqueue = nfqueue_destroy(loop->nfqueue);
    if (loop->wake >= 0)
        close(loop->wake);
    pthread_mutex_destroy(&loop->lock);
    *loop = (struct loop){0};
}

uint64_t loop_flow_id(const struct loop *loop, uint64_t id)
{
    return id == 0 ? 0 : (id - 1) * loop->n_all + (uint64_t)(loop - loop->all) + 1;
}

void loop_tap(struct loop *loop, struct outcome *out)
{
    for (size_t i = 0; i < out->n_events; i++)
        out->events[i].flow.id = loop_flow_id(loop, out->events[i].flow.id);
    tap_put(&loop->tap, out->events, out->n_events);
    out->n_events = 0;
}

void loop_inject(struct loop *loop, struct inject *inject, struct outcome *out)
{
    size_t sent;

    if (out->n_segments == 0)
        return;
    sent = inject_send(inject, out->segments, out->n_segments);
    atomic_fetch_add_explicit(&loop->counters.injected, sent, memory_order_relaxed);
    atomic_fetch_add_explicit(&loop->counters.inject_failed, out->n_segments - sent,
                              memory_order_relaxed);
    out->n_segments = 0;
}

/* What of a batch the own engine judges: its first n packets, moved together. */
struct share {
    unsigned n;
    uint8_t at[NFQUEUE_BATCH]; /* which verdict of the batch is this one's */
    struct judgement judgement[NFQUEUE_BATCH];
};

static bool owns(struct loop *loop, const struct packet *packet, struct judgement *judgement)
{
    bool mine;

    pthread_mutex_lock(&loop->lock);
    mine = engine_owns(loop->engine, packet, judgement);
    pthread_mutex_unlock(&loop->lock);
    return mine;
}

/* An error sent by a router on the way has other addresses than the flow it is about, so the kernel
 * may have put it into another queue than the flow's. */
static bool judged_elsewhere(struct loop *loop, const struct packet *packet,
                             struct judgement *judgement)
{
    if (packet->kind != PACKET_ICMP_ERROR || loop->n_all == 1 || owns(loop, packet, judgement))
        return false;
    for (unsigned i = 0; i < loop->n_all; i++) {
        if (&loop->all[i] != loop && owns(&loop->all[i], packet, judgement))
            return true;
    }
    return false;
}

static void share_out(struct loop *loop, struct nfqueue_batch *batch, struct share *share,
                      mtime_t now)
{
    struct judgement judgement;

    share->n = 0;
    for (unsigned i = 0; i < batch->n; i++) {
        struct packet *p = &batch->packet[i];

        p->time = now;
        packet_decode(p);
        batch->drop[i] = false;
        if (p->mark & RULES_MARK)
            continue; /* our own, where the operator's rules did not leave it out */
        if (judged_elsewhere(loop, p, &judgement)) {
            batch->drop[i] = judgement.verdict == VERDICT_DROP;
            loop->counters.elsewhere[judgement.reason]++;
            loop->counters.elsewhere_dropped += batch->drop[i];
            continue;
        }
        share->at[share->n] = (uint8_t)i;
        if (share->n != i)
            batch->packet[share->n] = *p;
        share->n++;
    }
}

/* A full disk ends the recording, not the traffic. */
static void check_recording(struct loop *loop, int r)
{
    if (r == 0)
        return;
    loop->recording_error = r;
    loop->recording = recording_destroy(loop->recording);
}

static void judge(struct loop *loop, const struct packet *packets, struct share *share)
{
    unsigned done = 0;

    while (done < share->n) {
        size_t n;

        loop->out.judgements = share->judgement + done;
        n = engine_packets(loop->engine, packets + done, share->n - done, &loop->out);
        done += (unsigned)n;
        loop_tap(loop, &loop->out);
        if (done < share->n)
            loop_inject(loop, &loop->inject, &loop->out);
    }
    if (loop->recording && share->n > 0)
        check_recording(loop,
                        recording_packets(loop->recording, packets, share->judgement, share->n));
}

static void count_batch(struct loop *loop, const struct nfqueue_batch *batch)
{
    struct loop_counters *c = &loop->counters;

    if (batch->n > atomic_load_explicit(&c->largest_batch, memory_order_relaxed))
        atomic_store_explicit(&c->largest_batch, batch->n, memory_order_relaxed);
    if (batch->stamp) {
        int64_t late = live_wall() - batch->stamp;

        if (late > atomic_load_explicit(&c->backlog_max, memory_order_relaxed))
            atomic_store_explicit(&c->backlog_max, late, memory_order_relaxed);
    }
}

/* A queue that only gives errors is gone (the kernel's side was taken down): better to end, and
 * leave the traffic to `fail`, than to spin. The parent sees to the rules. */
static void heed(struct loop *loop, int r)
{
    if (r >= 0 || r == -ENOBUFS) {
        loop->failures = 0;
    } else if (++loop->failures == MOST_FAILURES) {
        fprintf(stderr, "idlewalld: reading the queue: %s\n", strerror(-r));
        _exit(3);
    }
}

/* One batch and one portion of expiries. False if there was nothing to do until *when. */
static bool step(struct loop *loop, struct nfqueue_batch *batch, struct share *share, mtime_t *when)
{
    int r = nfqueue_receive(loop->nfqueue, batch);
    mtime_t now = live_clock_now(loop->clock);
    bool more;

    if (r == -ENOBUFS)
        atomic_fetch_add_explicit(&loop->counters.enobufs, 1, memory_order_relaxed);
    heed(loop, r);
    share_out(loop, batch, share, now);
    pthread_mutex_lock(&loop->lock);
    judge(loop, batch->packet, share);
    more = engine_advance(loop->engine, now, EXPIRE_BUDGET, &loop->out);
    loop_tap(loop, &loop->out);
    if (!engine_next_deadline(loop->engine, when))
        *when = MTIME_NEVER;
    pthread_mutex_unlock(&loop->lock);
    for (unsigned i = 0; i < share->n; i++)
        batch->drop[share->at[i]] = share->judgement[i].verdict == VERDICT_DROP;
    if (batch->n > 0) {
        nfqueue_verdicts(loop->nfqueue, batch);
        count_batch(loop, batch);
    }
    loop_inject(loop, &loop->inject, &loop->out);
    return more || batch->n > 0 || r < 0;
}

static void flush_recording(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    if (loop->recording)
        check_recording(loop, recording_flush(loop->recording));
    pthread_mutex_unlock(&loop->lock);
}

static void rest(struct loop *loop, mtime_t when)
{
    struct pollfd fds[2] = {{.fd = nfqueue_fd(loop->nfqueue), .events = POLLIN},
                            {.fd = loop->wake, .events = POLLIN}};
    struct timespec wait = live_clock_until(loop->clock, when);
    eventfd_t ignored;

    if (ppoll(fds, 2, when == MTIME_NEVER ? NULL : &wait, NULL) > 0 && fds[1].revents)
        eventfd_read(loop->wake, &ignored);
}

static void *run(void *arg)
{
    struct loop *loop = arg;
    struct nfqueue_batch batch;
    struct share share;
    unsigned last = 0;
    mtime_t when;

    /* Whatever keeps coming, the end comes. */
    while (!loop->stop || last++ < LAST_STEPS) {
        if (step(loop, &batch, &share, &when))
            continue;
        if (loop->stop)
            break;
        flush_recording(loop);
        rest(loop, when);
    }
    return NULL;
}

int loop_start(struct loop *loop)
{
    int r = pthread_create(&loop->thread, NULL, run, loop);

    loop->running = r == 0;
    return -r;
}

void loop_stop(struct loop *loop)
{
    if (!loop->running)
        return;
    loop->stop = true;
    loop_poke(loop);
    pthread_join(loop->thread, NULL);
    loop->running = false;
}

void loop_poke(struct loop *loop)
{
    eventfd_write(loop->wake, 1);
}

int loop_set_ruleset(struct loop *loop, struct ruleset *ruleset)
{
    mtime_t now = live_clock_now(loop->clock);
    int r = 0;

    pthread_mutex_lock(&loop->lock);
    if (loop->ruleset != ruleset)
        r = engine_set_policy(loop->engine, ruleset->policy);
    if (r == 0 && loop->ruleset != ruleset) {
        ruleset_unref(loop->ruleset);
        loop->ruleset = ruleset_ref(ruleset);
        if (loop->recording)
            recording_policy(loop->recording, now, ruleset->text, ruleset->text_len);
    }
    pthread_mutex_unlock(&loop->lock);
    return r;
}
