/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_FLOW_TABLE_H
#define IDLEWALL_FLOW_TABLE_H

/*
 * Key to record. A linear hash table (Litwin 1980): it grows and shrinks by one bucket at a time,
 * so no packet ever waits for a rehash. A bucket is one cache line of twelve (tag, slot) pairs;
 * records are in a flow_store.
 */

#include "middlebox/engine/flow_store.h"

#define BUCKET_ENTRIES 12

struct flow_bucket {
    uint32_t slot[BUCKET_ENTRIES];
    uint8_t tag[BUCKET_ENTRIES]; /* 0: empty; the used ones come first */
    uint32_t overflow;           /* number + 1 of an overflow bucket, 0: none */
};
_Static_assert(sizeof(struct flow_bucket) == 64, "one cache line");
_Static_assert(offsetof(struct flow_bucket, tag) == 48, "the tags are compared as one vector");

struct flow_table {
    struct flow_store store;
    uint8_t secret[16];
    bool quick;                    /* flow_key_hash_quick(); to be set before anything is in */
    struct flow_bucket **segments; /* of the buckets, SEGMENT_BUCKETS each */
    uint32_t n_segments;
    uint32_t n_buckets;            /* in use */
    uint32_t round;                /* power of two: round <= n_buckets <= 2 * round */
    struct flow_bucket **overflow; /* SEGMENT_BUCKETS each as well */
    uint32_t n_overflow;
    uint32_t overflow_used;
    uint32_t overflow_free; /* number + 1 */
    uint32_t removals;      /* since some time: what was found before the last may be gone */
};

int flow_table_init(struct flow_table *table, uint32_t limit, const uint8_t secret[16]);
void flow_table_finish(struct flow_table *table);
/* Before anything is in: the first records and buckets are to be in huge pages as well. */
void flow_table_expect_many(struct flow_table *table);
int flow_table_set_limit(struct flow_table *table, uint32_t limit);

static inline uint64_t flow_table_hash(const struct flow_table *table, const struct flow_key *key)
{
    return table->quick ? flow_key_hash_quick(key, table->secret)
                        : flow_key_hash(key, table->secret);
}

/* For batches: first ask for the buckets of hashes, some packets later for the records that tags in
 * them point at. */
struct flow_guess {
    uint64_t hash;
    struct record *r;  /* the right one in nearly all cases; NULL: there is hardly any */
    uint32_t slot;     /* r's */
    uint32_t removals; /* the table's: r may be gone once it has other ones */
};
void flow_table_prefetch_bucket(const struct flow_table *table, uint64_t hash);
void flow_table_guess(const struct flow_table *table, struct flow_guess *guesses, size_t n);

/* The slot, or STORE_NONE. */
uint32_t flow_table_find(const struct flow_table *table, const struct flow_key *key, uint64_t hash);
/* key must not be in the table. STORE_NONE when full or out of memory. */
uint32_t flow_table_insert(struct flow_table *table, const struct flow_key *key, uint64_t hash);
void flow_table_remove(struct flow_table *table, uint32_t slot);

uint64_t flow_table_memory(const struct flow_table *table);
/* NULL, or which invariant does not hold. */
const char *flow_table_check(const struct flow_table *table);

#endif
