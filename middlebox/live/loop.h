/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_LOOP_H
#define IDLEWALL_LOOP_H

/*
 * One queue, its engine and the thread that serves them. The lock is taken once a batch and is free
 * of others except while the control thread works on this engine.
 */

#include "middlebox/engine/engine.h"
#include "middlebox/live/clock.h"
#include "middlebox/live/inject.h"
#include "middlebox/live/nfqueue.h"
#include "middlebox/live/ruleset.h"
#include "middlebox/live/tap.h"
#include "middlebox/record/recording.h"

#include <pthread.h>
#include <stdatomic.h>

#define LOOP_SEGMENTS 256
#define LOOP_EVENTS 256

struct loop_counters {
    _Atomic uint64_t enobufs, injected, inject_failed;
    _Atomic uint32_t largest_batch;
    _Atomic int64_t backlog_max; /* wall time, ns */
    /* Judged by another queue's engine, whose own counters leave them out. */
    _Atomic uint64_t elsewhere[REASONS], elsewhere_dropped;
};

struct loop {
    const struct live_clock *clock;
    struct nfqueue *nfqueue;
    struct inject inject;
    struct loop *all; /* every queue's */
    unsigned n_all;

    pthread_mutex_t lock; /* for engine, ruleset, recording */
    struct engine *engine;
    struct ruleset *ruleset;     /* of the engine's current policy */
    struct recording *recording; /* or NULL; owned */
    _Atomic int recording_error; /* why it ended early: a negative errno */

    struct tap tap;
    struct outcome out; /* the thread's own */
    struct loop_counters counters;
    pthread_t thread;
    bool running;
    int wake; /* eventfd: look at the deadline again, or at stop */
    _Atomic bool stop;
    unsigned failures; /* of receiving, in a row */
};

struct loop_config {
    const struct live_clock *clock;
    struct loop *all;
    unsigned n_all;
    uint16_t queue;
    struct ruleset *ruleset; /* the loop takes a reference of its own */
    const uint8_t *hash_secret;
    mtime_t linger;
    int tap_wake;
};
/* Binds the queue and makes the engine; the thread comes later, when privileges are gone. 0 or a
 * negative errno. */
int loop_init(struct loop *loop, const struct loop_config *config);
void loop_finish(struct loop *loop); /* also of a loop that is all zeros */
int loop_start(struct loop *loop);
/* Judges what the kernel still holds, then ends the thread. */
void loop_stop(struct loop *loop);

int outcome_init(struct outcome *out);
void outcome_finish(struct outcome *out);
/* With the lock held: events go to the tap; they must not outlive the next call of the engine. */
void loop_tap(struct loop *loop, struct outcome *out);
/* Sends what is to be injected, and counts. */
void loop_inject(struct loop *loop, struct inject *inject, struct outcome *out);

/* A flow's number as people see it: unique among all engines. */
uint64_t loop_flow_id(const struct loop *loop, uint64_t id);

/* For the control thread. */
void loop_poke(struct loop *loop);
int loop_set_ruleset(struct loop *loop, struct ruleset *ruleset);

#endif
