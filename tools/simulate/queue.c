/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/queue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define CHILDREN 4
#define ROOM_FIRST 256
#define LANE_FIRST 64

void queue_init(struct queue *queue)
{
    *queue = (struct queue){0};
}

void queue_finish(struct queue *queue)
{
    free(queue->heap);
    for (unsigned i = 0; i < QUEUE_LANES; i++)
        free(queue->lane[i].ring);
    queue_init(queue);
}

static inline bool before(const struct queue_entry *a, const struct queue_entry *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static int grow(struct queue *queue)
{
    size_t room = queue->room ? 2 * queue->room : ROOM_FIRST;
    struct queue_entry *heap = reallocarray(queue->heap, room, sizeof(*heap));

    if (!heap)
        return -ENOMEM;
    queue->heap = heap;
    queue->room = room;
    return 0;
}

int queue_push(struct queue *queue, mtime_t at, uint32_t kind, uint32_t index)
{
    struct queue_entry entry = {at, queue->order, kind, index};
    size_t i = queue->n;

    if (queue->n == queue->room) {
        int r = grow(queue);

        if (r < 0)
            return r;
    }
    queue->order++;
    queue->n++;
    while (i > 0) {
        size_t parent = (i - 1) / CHILDREN;

        if (!before(&entry, &queue->heap[parent]))
            break;
        queue->heap[i] = queue->heap[parent];
        i = parent;
    }
    queue->heap[i] = entry;
    return 0;
}

static int grow_lane(struct queue_lane *lane)
{
    uint32_t room = lane->ring ? 2 * (lane->mask + 1) : LANE_FIRST;
    struct queue_entry *ring = reallocarray(NULL, room, sizeof(*ring));

    if (!ring)
        return -ENOMEM;
    for (uint32_t i = 0; i < lane->n; i++)
        ring[i] = lane->ring[(lane->first + i) & lane->mask];
    free(lane->ring);
    *lane = (struct queue_lane){.ring = ring, .n = lane->n, .mask = room - 1};
    return 0;
}

int queue_append(struct queue *queue, unsigned which, mtime_t at, uint32_t kind, uint32_t index)
{
    struct queue_lane *lane = &queue->lane[which];
    int r = 0;

    if (!lane->ring || lane->n > lane->mask)
        r = grow_lane(lane);
    if (r < 0)
        return r;
    assert(lane->n == 0 || lane->ring[(lane->first + lane->n - 1) & lane->mask].at <= at);
    lane->ring[(lane->first + lane->n++) & lane->mask] =
        (struct queue_entry){at, queue->order++, kind, index};
    if (which >= queue->n_lanes)
        queue->n_lanes = which + 1;
    return 0;
}

/* The lane with the next entry, if it comes before all of the heap; else NULL. */
static struct queue_lane *first_lane(const struct queue *queue)
{
    const struct queue_entry *least = queue->n ? &queue->heap[0] : NULL;
    const struct queue_lane *found = NULL;

    for (unsigned i = 0; i < queue->n_lanes; i++) {
        const struct queue_lane *lane = &queue->lane[i];

        if (lane->n == 0 || (least && !before(&lane->ring[lane->first], least)))
            continue;
        least = &lane->ring[lane->first];
        found = lane;
    }
    return (struct queue_lane *)found;
}

const struct queue_entry *queue_top(const struct queue *queue)
{
    const struct queue_lane *lane = first_lane(queue);

    if (lane)
        return &lane->ring[lane->first];
    return queue->n ? &queue->heap[0] : NULL;
}

static size_t least_child(const struct queue *queue, size_t first)
{
    size_t end = first + CHILDREN < queue->n ? first + CHILDREN : queue->n, least = first;

    for (size_t i = first + 1; i < end; i++)
        if (before(&queue->heap[i], &queue->heap[least]))
            least = i;
    return least;
}

static void remove_top(struct queue *queue)
{
    struct queue_entry last = queue->heap[--queue->n];
    size_t i = 0;

    for (;;) {
        size_t child = CHILDREN * i + 1;

        if (child >= queue->n)
            break;
        child = least_child(queue, child);
        if (!before(&queue->heap[child], &last))
            break;
        queue->heap[i] = queue->heap[child];
        i = child;
    }
    if (queue->n > 0)
        queue->heap[i] = last;
}

bool queue_pop(struct queue *queue, mtime_t by, struct queue_entry *out)
{
    struct queue_lane *lane = first_lane(queue);

    if (lane) {
        *out = lane->ring[lane->first];
        if (out->at > by)
            return false;
        lane->first = (lane->first + 1) & lane->mask;
        lane->n--;
        return true;
    }
    if (queue->n == 0 || queue->heap[0].at > by)
        return false;
    *out = queue->heap[0];
    remove_top(queue);
    return true;
}

int wake_need(struct wake *wake, struct queue *queue, mtime_t due, uint32_t kind, uint32_t index)
{
    unsigned i = 1;
    int r;

    if (due >= wake->at[0])
        return 0;
    r = queue_push(queue, due, kind, index);
    if (r < 0)
        return r;
    /* Without room the second is forgotten: of all its entry lies there for the shortest time. */
    while (i < WAKE_LEVELS - 1 && wake->at[i] != MTIME_NEVER)
        i++;
    if (wake->at[i] != MTIME_NEVER)
        i = 1;
    for (; i > 0; i--)
        wake->at[i] = wake->at[i - 1];
    wake->at[0] = due;
    return 0;
}

bool wake_take(struct wake *wake, mtime_t at)
{
    if (at != wake->at[0])
        return false;
    for (unsigned i = 0; i + 1 < WAKE_LEVELS; i++)
        wake->at[i] = wake->at[i + 1];
    wake->at[WAKE_LEVELS - 1] = MTIME_NEVER;
    return true;
}
