/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/wheel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLAB_BITS 10 /* blocks a slab: 256 KiB */
#define SLAB_BLOCKS (1u << SLAB_BITS)

static struct wheel_block *block_at(const struct wheel *w, uint32_t number)
{
    return &w->slabs[(number - 1) >> SLAB_BITS][(number - 1) & (SLAB_BLOCKS - 1)];
}

void wheel_init(struct wheel *w, mtime_t now)
{
    memset(w, 0, sizeof(*w));
    w->now = now;
}

static void slabs_free(struct wheel *w)
{
    for (uint32_t i = 0; i < w->n_slabs; i++)
        free(w->slabs[i]);
    free(w->slabs);
    w->slabs = NULL;
    w->n_slabs = w->slab_cap = w->fresh = w->free = 0;
}

void wheel_finish(struct wheel *w)
{
    slabs_free(w);
    wheel_init(w, 0);
}

static bool slab_add(struct wheel *w)
{
    if (w->n_slabs == w->slab_cap) {
        uint32_t cap = w->slab_cap ? 2 * w->slab_cap : 4;
        struct wheel_block **slabs = realloc(w->slabs, cap * sizeof(struct wheel_block *));
        if (!slabs)
            return false;
        w->slabs = slabs;
        w->slab_cap = cap;
    }
    w->slabs[w->n_slabs] = aligned_alloc(64, SLAB_BLOCKS * sizeof(struct wheel_block));
    if (!w->slabs[w->n_slabs])
        return false;
    w->n_slabs++;
    return true;
}

static uint32_t block_take(struct wheel *w, uint32_t next)
{
    uint32_t number = w->free;

    if (number) {
        w->free = block_at(w, number)->next;
    } else {
        if (w->fresh == w->n_slabs * SLAB_BLOCKS && !slab_add(w))
            return 0;
        number = ++w->fresh;
    }
    block_at(w, number)->next = next;
    block_at(w, number)->used = 0;
    return number;
}

static void block_give(struct wheel *w, unsigned bucket)
{
    uint32_t number = w->head[bucket];
    struct wheel_block *b = block_at(w, number);

    w->head[bucket] = b->next;
    if (!b->next)
        w->occupied[bucket / 64] &= ~(UINT64_C(1) << bucket % 64);
    b->next = w->free;
    w->free = number;
}

/* The level is that of the highest digit in which when differs from now: all entries of a level
 * come before those of the next, and an entry taken out of the bucket that now has reached always
 * belongs to a lower level. */
static unsigned bucket_for(const struct wheel *w, mtime_t when)
{
    uint64_t differs = (uint64_t)when ^ (uint64_t)w->now;
    unsigned level = differs ? (63 - (unsigned)__builtin_clzll(differs)) / 6 : 0;

    return level * 64 + ((uint64_t)when >> 6 * level & 63);
}

int wheel_add(struct wheel *w, mtime_t when, uint32_t id, struct wheel_place *place)
{
    unsigned bucket = bucket_for(w, when < w->now ? w->now : when);
    uint32_t number = w->head[bucket];
    struct wheel_block *b;

    if (!number || block_at(w, number)->used == WHEEL_BLOCK) {
        number = block_take(w, number);
        if (!number)
            return -ENOMEM;
        w->head[bucket] = number;
        w->occupied[bucket / 64] |= UINT64_C(1) << bucket % 64;
    }
    b = block_at(w, number);
    *place = (struct wheel_place){.bucket = (uint16_t)bucket, .at = number << 6 | b->used};
    b->ids[b->used++] = id;
    w->count++;
    return 0;
}

static uint32_t bucket_pop(struct wheel *w, unsigned bucket)
{
    struct wheel_block *b = block_at(w, w->head[bucket]);
    uint32_t id = b->ids[--b->used];

    if (b->used == 0)
        block_give(w, bucket);
    /* An empty wheel keeps one slab at most, so that a flood's memory comes back. */
    if (--w->count == 0 && w->n_slabs > 1)
        slabs_free(w);
    return id;
}

uint32_t wheel_remove(struct wheel *w, struct wheel_place place)
{
    uint32_t number = place.at >> 6, i = place.at & 63;
    struct wheel_block *head = block_at(w, w->head[place.bucket]);
    bool is_last = number == w->head[place.bucket] && i == head->used - 1;
    uint32_t moved;

    if (!is_last)
        block_at(w, number)->ids[i] = head->ids[head->used - 1];
    moved = bucket_pop(w, place.bucket);
    return is_last ? WHEEL_NO_ID : moved;
}

uint32_t wheel_id_at(const struct wheel *w, struct wheel_place place)
{
    uint32_t number = place.at >> 6, i = place.at & 63;

    if (place.bucket >= WHEEL_BUCKETS || number == 0 || number > w->fresh ||
        i >= block_at(w, number)->used)
        return WHEEL_NO_ID;
    return block_at(w, number)->ids[i];
}

mtime_t wheel_start(const struct wheel *w, uint16_t bucket)
{
    unsigned level = bucket / 64, above = 6 * (level + 1);
    uint64_t upper = above < 64 ? (uint64_t)w->now >> above << above : 0;

    return (mtime_t)(upper | (uint64_t)(bucket % 64) << 6 * level);
}

static bool first_bucket(const struct wheel *w, unsigned *bucket, mtime_t *start)
{
    /* The bucket that time has entered goes first, until it is empty: what its owner put off has
     * gone to lower levels, and may be due later than what is still in it. */
    *bucket = w->entered;
    *start = wheel_start(w, w->entered);
    if (w->head[w->entered] && *start <= w->now)
        return true;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        if (!w->occupied[level])
            continue;
        *bucket = level * 64 + (unsigned)__builtin_ctzll(w->occupied[level]);
        *start = wheel_start(w, (uint16_t)*bucket);
        return true;
    }
    return false;
}

uint32_t wheel_pop(struct wheel *w, mtime_t now)
{
    unsigned bucket;
    mtime_t start;

    if (first_bucket(w, &bucket, &start) && start <= now) {
        if (start > w->now)
            w->now = start;
        w->entered = (uint16_t)bucket;
        return bucket_pop(w, bucket);
    }
    if (now > w->now)
        w->now = now;
    return WHEEL_NO_ID;
}

size_t wheel_peek(const struct wheel *w, uint32_t *ids, size_t n)
{
    unsigned bucket;
    mtime_t start;
    size_t k = 0;

    if (!first_bucket(w, &bucket, &start))
        return 0;
    const struct wheel_block *b = block_at(w, w->head[bucket]);
    while (k < n && k < b->used) {
        ids[k] = b->ids[b->used - 1 - k];
        k++;
    }
    return k;
}

bool wheel_next(const struct wheel *w, mtime_t *when)
{
    unsigned bucket;

    if (!first_bucket(w, &bucket, when))
        return false;
    if (*when < w->now)
        *when = w->now;
    return true;
}

uint64_t wheel_memory(const struct wheel *w)
{
    return (uint64_t)w->n_slabs * SLAB_BLOCKS * sizeof(struct wheel_block);
}

const char *wheel_check(const struct wheel *w)
{
    uint32_t count = 0;

    for (unsigned bucket = 0; bucket < WHEEL_BUCKETS; bucket++) {
        unsigned level = bucket / 64, digit = (uint64_t)w->now >> 6 * level & 63;

        if (!w->head[bucket] != !(w->occupied[level] >> bucket % 64 & 1))
            return "a bucket and the bitmap disagree";
        if (w->head[bucket] && bucket % 64 < digit)
            return "a bucket that time has passed is not empty";
        for (uint32_t n = w->head[bucket]; n; n = block_at(w, n)->next) {
            if (block_at(w, n)->used == 0 ||
                (n != w->head[bucket] && block_at(w, n)->used != WHEEL_BLOCK))
                return "a block within a bucket is not full";
            count += block_at(w, n)->used;
        }
    }
    return count == w->count ? NULL : "the wheel has lost count";
}
