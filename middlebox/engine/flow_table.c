/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/flow_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SEGMENT_BITS 15 /* a huge page */
#define SEGMENT_BUCKETS (1u << SEGMENT_BITS)
_Static_assert(SEGMENT_BUCKETS * sizeof(struct flow_bucket) == PAGES_HUGE, "a huge page");
#define FEWEST_BUCKETS 64
/* Mean entries a bucket: split above, merge below. Those that are not split yet hold up to twice as
 * many, and what is in an overflow bucket is found late: nobody asks for its memory ahead. */
#define SPLIT_LOAD 5
#define MERGE_LOAD 2

static struct flow_bucket *bucket_at(const struct flow_table *t, uint32_t n)
{
    return &t->segments[n >> SEGMENT_BITS][n & (SEGMENT_BUCKETS - 1)];
}

static struct flow_bucket *overflow_at(const struct flow_table *t, uint32_t number)
{
    return &t->overflow[(number - 1) >> SEGMENT_BITS][(number - 1) & (SEGMENT_BUCKETS - 1)];
}

static struct flow_bucket *overflow_of(const struct flow_table *t, const struct flow_bucket *b)
{
    return b->overflow ? overflow_at(t, b->overflow) : NULL;
}

/* Buckets below n_buckets - round are split already: one more bit of the hash counts for them. */
static uint32_t bucket_of(const struct flow_table *t, uint64_t hash)
{
    uint32_t n = (uint32_t)hash & (2 * t->round - 1);

    return n - (n < t->n_buckets ? 0 : t->round);
}

/* A bit for every entry of b with that tag. A loop would end at another place for every packet,
 * which no processor foresees. */
static inline unsigned tagged(const struct flow_bucket *b, uint8_t tag)
{
#ifdef __SSE2__
    __m128i tags = _mm_load_si128((const __m128i *)(const void *)b->tag);

    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_set1_epi8((char)tag))) &
           ((1u << BUCKET_ENTRIES) - 1);
#else
    unsigned found = 0;

    for (unsigned i = 0; i < BUCKET_ENTRIES; i++)
        found |= (unsigned)(b->tag[i] == tag) << i;
    return found;
#endif
}

static uint8_t tag_of(uint64_t hash)
{
    uint8_t tag = (uint8_t)(hash >> 56);

    return tag ? tag : 1;
}

static bool segment_at(struct flow_bucket ***segments, uint32_t *n_segments, uint32_t n)
{
    if (n >= *n_segments) {
        uint32_t grown = (n + 1) * 2;
        struct flow_bucket **s = realloc(*segments, grown * sizeof(struct flow_bucket *));
        if (!s)
            return false;
        memset(s + *n_segments, 0, (grown - *n_segments) * sizeof(struct flow_bucket *));
        *segments = s;
        *n_segments = grown;
    }
    if ((*segments)[n])
        return true;
    (*segments)[n] = pages_map(PAGES_HUGE, n > 0);
    return (*segments)[n];
}

static bool segment_ready(struct flow_table *t, uint32_t bucket)
{
    return segment_at(&t->segments, &t->n_segments, bucket >> SEGMENT_BITS);
}

static void segments_free(struct flow_bucket **segments, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        pages_unmap(segments[i], PAGES_HUGE);
    free(segments);
}

int flow_table_init(struct flow_table *t, uint32_t limit, const uint8_t secret[16])
{
    int r;

    memset(t, 0, sizeof(*t));
    memcpy(t->secret, secret, sizeof(t->secret));
    r = flow_store_init(&t->store, limit);
    if (r < 0)
        return r;
    t->n_buckets = t->round = FEWEST_BUCKETS;
    if (!segment_ready(t, 0)) {
        flow_table_finish(t);
        return -ENOMEM;
    }
    return 0;
}

void flow_table_finish(struct flow_table *t)
{
    segments_free(t->segments, t->n_segments);
    segments_free(t->overflow, t->n_overflow);
    flow_store_finish(&t->store);
    memset(t, 0, sizeof(*t));
}

void flow_table_expect_many(struct flow_table *t)
{
    pages_make_huge(t->segments[0], PAGES_HUGE);
    t->store.many = true;
}

int flow_table_set_limit(struct flow_table *t, uint32_t limit)
{
    return flow_store_set_limit(&t->store, limit);
}

void flow_table_prefetch_bucket(const struct flow_table *t, uint64_t hash)
{
    __builtin_prefetch(bucket_at(t, bucket_of(t, hash)));
    __asm__ volatile(""); /* see flow_store_prefetch() */
}

void flow_table_guess(const struct flow_table *t, struct flow_guess *guesses, size_t n)
{
    for (struct flow_guess *g = guesses; g < guesses + n; g++) {
        const struct flow_bucket *b = bucket_at(t, bucket_of(t, g->hash));

        g->removals = t->removals;
        g->r = NULL;
        for (unsigned found = tagged(b, tag_of(g->hash)); __builtin_expect(found, true);
             found &= found - 1) {
            g->slot = b->slot[__builtin_ctz(found)];
            g->r = flow_store_at(&t->store, g->slot);
            flow_store_prefetch(&t->store, g->r);
            if (__builtin_expect(!(found & (found - 1)), true))
                break;
        }
    }
}

uint32_t flow_table_find(const struct flow_table *t, const struct flow_key *key, uint64_t hash)
{
    const struct flow_bucket *b = bucket_at(t, bucket_of(t, hash));
    uint8_t tag = tag_of(hash);

    for (; b; b = overflow_of(t, b))
        for (unsigned found = tagged(b, tag); found; found &= found - 1) {
            uint32_t slot = b->slot[__builtin_ctz(found)];

            if (flow_key_equal(&flow_store_at(&t->store, slot)->key, key))
                return slot;
        }
    return STORE_NONE;
}

static bool overflow_take(struct flow_table *t, uint32_t *number)
{
    if (t->overflow_free) {
        *number = t->overflow_free;
        t->overflow_free = overflow_at(t, *number)->overflow;
    } else {
        if (!segment_at(&t->overflow, &t->n_overflow, t->overflow_used >> SEGMENT_BITS))
            return false;
        *number = ++t->overflow_used;
    }
    memset(overflow_at(t, *number), 0, sizeof(struct flow_bucket));
    return true;
}

static bool bucket_put(struct flow_table *t, uint32_t n, uint8_t tag, uint32_t slot)
{
    struct flow_bucket *b = bucket_at(t, n);
    uint32_t number;

    for (;;) {
        for (unsigned i = 0; i < BUCKET_ENTRIES; i++) {
            if (b->tag[i])
                continue;
            b->tag[i] = tag;
            b->slot[i] = slot;
            return true;
        }
        if (b->overflow) {
            b = overflow_of(t, b);
            continue;
        }
        if (!overflow_take(t, &number))
            return false;
        b->overflow = number;
        b = overflow_at(t, number);
    }
}

/* Takes entry i of b out, which is in the chain from head: the chain's last entry fills the hole,
 * an emptied overflow bucket is given back. */
static void bucket_cut(struct flow_table *t, struct flow_bucket *head, struct flow_bucket *b,
                       unsigned i)
{
    struct flow_bucket *before = NULL, *last = head;
    unsigned j = 0;

    while (last->overflow) {
        before = last;
        last = overflow_of(t, last);
    }
    while (j + 1 < BUCKET_ENTRIES && last->tag[j + 1])
        j++;
    b->tag[i] = last->tag[j];
    b->slot[i] = last->slot[j];
    last->tag[j] = 0;
    if (j == 0 && before) {
        uint32_t number = before->overflow;
        before->overflow = 0;
        last->overflow = t->overflow_free;
        t->overflow_free = number;
    }
}

/* Moves what belongs to bucket `to` out of bucket `from`: all of it, or what its hash says, for
 * which the records have to be read. False if memory ran out: nothing is lost then. */
static bool bucket_move(struct flow_table *t, uint32_t from, uint32_t to, bool all)
{
    struct flow_bucket *head = bucket_at(t, from), *b = head;

    while (b) {
        for (unsigned i = 0; i < BUCKET_ENTRIES && b->tag[i];) {
            uint32_t slot = b->slot[i];

            if (!all &&
                bucket_of(t, flow_table_hash(t, &flow_store_at(&t->store, slot)->key)) != to) {
                i++;
                continue;
            }
            if (!bucket_put(t, to, b->tag[i], slot))
                return false;
            bucket_cut(t, head, b, i);
        }
        if (!b->tag[0] && b != head) /* emptied and given back: it was the chain's last */
            break;
        b = overflow_of(t, b);
    }
    return true;
}

/* What the next split will read: the records of its bucket, and the bucket of the one after it. */
static void prefetch_split(const struct flow_table *t)
{
    const struct flow_bucket *b = bucket_at(t, t->n_buckets & (t->round - 1));

    for (unsigned i = 0; i < BUCKET_ENTRIES && b->tag[i]; i++)
        __builtin_prefetch(flow_store_at(&t->store, b->slot[i]));
    __builtin_prefetch(bucket_at(t, (t->n_buckets + 1) & (t->round - 1)));
}

static void split_one(struct flow_table *t)
{
    uint32_t to = t->n_buckets;

    if (!segment_ready(t, to))
        return; /* goes on with longer chains; tries again at the next insertion */
    t->n_buckets++;
    if (t->n_buckets > 2 * t->round)
        t->round *= 2;
    /* Should memory fail half-way, entries would be in the wrong bucket: take the step back. */
    if (!bucket_move(t, to & (t->round - 1), to, false)) {
        t->n_buckets--;
        if (t->n_buckets < t->round)
            t->round /= 2;
        bucket_move(t, to, bucket_of(t, to), true);
    }
    prefetch_split(t);
}

/* Once the table is small again its chains are short: the overflow buckets of the flood go. */
static void overflow_shrink(struct flow_table *t)
{
    if (t->store.used || !t->n_overflow)
        return;
    segments_free(t->overflow, t->n_overflow);
    t->overflow = NULL;
    t->n_overflow = t->overflow_used = t->overflow_free = 0;
}

static void merge_one(struct flow_table *t)
{
    uint32_t from = t->n_buckets - 1, round = t->round;

    t->n_buckets--;
    if (t->n_buckets < t->round)
        t->round /= 2;
    if (!bucket_move(t, from, bucket_of(t, from), true)) {
        t->n_buckets++;
        t->round = round;
        bucket_move(t, bucket_of(t, from) & (round - 1), from, false);
        return;
    }
    if ((from & (SEGMENT_BUCKETS - 1)) == 0 && from) {
        pages_unmap(t->segments[from >> SEGMENT_BITS], PAGES_HUGE);
        t->segments[from >> SEGMENT_BITS] = NULL;
    }
}

uint32_t flow_table_insert(struct flow_table *t, const struct flow_key *key, uint64_t hash)
{
    uint32_t slot = flow_store_take(&t->store);

    if (slot == STORE_NONE)
        return STORE_NONE;
    flow_store_at(&t->store, slot)->key = *key;
    if (!bucket_put(t, bucket_of(t, hash), tag_of(hash), slot)) {
        flow_store_give(&t->store, slot);
        return STORE_NONE;
    }
    if (t->store.used > (uint64_t)t->n_buckets * SPLIT_LOAD)
        split_one(t);
    return slot;
}

void flow_table_remove(struct flow_table *t, uint32_t slot)
{
    uint64_t hash = flow_table_hash(t, &flow_store_at(&t->store, slot)->key);
    struct flow_bucket *head = bucket_at(t, bucket_of(t, hash));

    t->removals++;
    for (struct flow_bucket *b = head; b; b = overflow_of(t, b)) {
        for (unsigned i = 0; i < BUCKET_ENTRIES && b->tag[i]; i++) {
            if (b->slot[i] != slot)
                continue;
            bucket_cut(t, head, b, i);
            flow_store_give(&t->store, slot);
            if (t->n_buckets > FEWEST_BUCKETS &&
                t->store.used < (uint64_t)t->n_buckets * MERGE_LOAD)
                merge_one(t);
            overflow_shrink(t);
            return;
        }
    }
}

uint64_t flow_table_memory(const struct flow_table *t)
{
    return t->store.memory +
           ((uint64_t)t->n_buckets + t->overflow_used) * sizeof(struct flow_bucket);
}

const char *flow_table_check(const struct flow_table *t)
{
    uint64_t entries = 0;

    for (uint32_t n = 0; n < t->n_buckets; n++) {
        for (const struct flow_bucket *b = bucket_at(t, n); b; b = overflow_of(t, b)) {
            unsigned i = 0;

            for (; i < BUCKET_ENTRIES && b->tag[i]; i++, entries++) {
                const struct record *r = flow_store_at(&t->store, b->slot[i]);
                uint64_t hash = flow_table_hash(t, &r->key);

                if (!(r->flags & RECORD_USED))
                    return "the index names a free slot";
                if (bucket_of(t, hash) != n || tag_of(hash) != b->tag[i])
                    return "an entry is in the wrong bucket";
                if (flow_table_find(t, &r->key, hash) != b->slot[i])
                    return "a key is in the table twice";
            }
            if (i < BUCKET_ENTRIES && b->overflow)
                return "an overflow bucket behind one that is not full";
            if (i == 0 && b != bucket_at(t, n))
                return "an empty overflow bucket in a chain";
        }
    }
    if (entries != t->store.used)
        return "the index and the store disagree on how many flows there are";
    return NULL;
}
