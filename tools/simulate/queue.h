/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_QUEUE_H
#define IDLEWALL_QUEUE_H

/*
 * What is to happen when: a heap of four children a node, and beside it lanes for what comes in the
 * order of its time anyway, as packets on a link of constant delay do: most of all there is. Equal
 * times come out as they went in, whichever way.
 */

#include "policy/mtime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_entry {
    mtime_t at;
    uint64_t order;
    uint32_t kind, index; /* the caller's */
};

#define QUEUE_LANES 9 /* a scenario's links */

struct queue_lane {
    struct queue_entry *ring;
    uint32_t first, n, mask; /* ring: mask + 1 entries, a power of two */
};

struct queue {
    struct queue_entry *heap;
    size_t n, room; /* of the heap */
    uint64_t order;
    unsigned n_lanes; /* one above the highest that was in use */
    struct queue_lane lane[QUEUE_LANES];
};

void queue_init(struct queue *queue);
void queue_finish(struct queue *queue);
int queue_push(struct queue *queue, mtime_t at, uint32_t kind, uint32_t index); /* 0, -ENOMEM */
/* The same for what is not before anything that is in the lane. */
int queue_append(struct queue *queue, unsigned lane, mtime_t at, uint32_t kind, uint32_t index);
/* The next, or NULL; valid until the next call. */
const struct queue_entry *queue_top(const struct queue *queue);
/* The next, if it is not later than `by`. */
bool queue_pop(struct queue *queue, mtime_t by, struct queue_entry *out);

/*
 * Something that has one moment at which it must be looked at, which moves with every packet. Most
 * moves are towards later: then nothing is done, and the look that comes too early asks for the
 * next one. An earlier moment keeps the later ones in mind (a delayed ACK before a retransmission
 * before a request before a keepalive), so that entries do not pile up.
 */
#define WAKE_LEVELS 4
struct wake {
    mtime_t at[WAKE_LEVELS]; /* what stands in the queue, ascending; MTIME_NEVER: nothing */
};
static inline void wake_init(struct wake *wake)
{
    for (unsigned i = 0; i < WAKE_LEVELS; i++)
        wake->at[i] = MTIME_NEVER;
}
int wake_need(struct wake *wake, struct queue *queue, mtime_t due, uint32_t kind, uint32_t index);
/* Was the entry that came out at that time still meant? */
bool wake_take(struct wake *wake, mtime_t at);

#endif
