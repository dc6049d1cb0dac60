/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_BENCH_SUBJECT_H
#define IDLEWALL_BENCH_SUBJECT_H

/* The engine that is measured: aws-nat-gateway for all, with flows already open. */

#include "middlebox/engine/engine.h"

#define SUBJECT_BATCH 64

struct subject {
    struct engine *engine;
    struct outcome out;
    struct judgement judgements[SUBJECT_BATCH];
    struct segment segments[SUBJECT_BATCH];
    struct event events[SUBJECT_BATCH];
};

/* 0 or a negative errno. Opens flows 0 .. n-1 by their handshakes at engine time 1 s. */
int subject_init(struct subject *s, uint32_t flows);
void subject_finish(struct subject *s);
/* Judges; returns how many of the n (at most SUBJECT_BATCH) were dropped. */
unsigned subject_judge(struct subject *s, const struct packet *packets, unsigned n);
/* Bytes a flow that the engine's tables hold, without what it remembers of ended flows. */
double subject_bytes_a_flow(const struct subject *s);

#endif
