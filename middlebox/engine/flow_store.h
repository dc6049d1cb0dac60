/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_FLOW_STORE_H
#define IDLEWALL_FLOW_STORE_H

/*
 * Where flow records live: slots of 160 + 12 bytes in chunks that are mapped when needed and
 * given back when empty. A record never moves, so a slot number is a stable name for it and a walk
 * by slot meets every lasting flow once.
 */

#include "middlebox/engine/flow_key.h"
#include "middlebox/engine/pages.h"
#include "middlebox/engine/tcp_window.h"
#include "policy/mtime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RECORD_CLIENT_IS_1 = 0x01, /* the client is end 1 of the key */
    RECORD_REPLY = 0x02,       /* the server answered (IPS_SEEN_REPLY) */
    RECORD_ASSURED = 0x04,
    RECORD_GUESSED = 0x08,
    RECORD_BLOCKED_CLIENT = 0x10,
    RECORD_BLOCKED_SERVER = 0x20,
    RECORD_LINGER = 0x40, /* reset by us: not a flow any more, kept to answer its ends */
    RECORD_USED = 0x80,
};

/* 48 bits each: 281 TB, and packets for centuries. */
struct record_count {
    uint32_t packets_low;
    uint16_t packets_high;
    uint16_t bytes_high;
    uint32_t bytes_low;
};

/* The deadline was cut short: it does not say when that side was active. */
#define RECORD_NO_SIDE 2

/* What every packet touches: two and a half cache lines in one page. That they are in one page
 * counts for more than anything else: at a million flows each further page is another miss of the
 * TLB. */
struct record {
    struct flow_key key;
    mtime_t last;      /* the latest packet that refreshed */
    mtime_t deadline;  /* expired from then on */
    uint8_t state : 4; /* enum flow_state */
    uint8_t sides : 2; /* RECORD_LINGER: bit per flow_side that we answer; else, for refresh each:
                          the flow_side that was quiet for longer, or RECORD_NO_SIDE */
    uint8_t data : 1;  /* a TCP segment with payload was seen */
    uint8_t flags;
    uint16_t rule : 15;
    uint16_t has_extra : 1;     /* has an entry in the engine's pool of flow_extra */
    uint16_t policy;            /* slot of the engine's policies */
    uint16_t wheel_bucket : 10; /* with wheel_place: where the wheel keeps it */
    uint16_t timeout_name : 6;  /* enum policy_timeout in force */
    struct tcp_track tcp;       /* its id_high belongs to the record */
    uint32_t wheel_place;
    uint32_t id_low;              /* flow ids count up from 1 and never come twice: 48 bits */
    struct record_count count[2]; /* by flow_side */
    uint32_t longest_idle_ms;     /* saturates at 49 days */
    uint32_t mark;
};
_Static_assert(sizeof(struct record) == 160, "at 0 or 32 of a cache line: never four lines");

static inline void record_count_add(struct record_count *c, uint32_t bytes)
{
    if (__builtin_expect(++c->packets_low == 0, false))
        c->packets_high++;
    if (__builtin_expect(__builtin_add_overflow(c->bytes_low, bytes, &c->bytes_low), false))
        c->bytes_high++;
}

/* A slot: its chunk's number, and its place within. As many places are used as fill a huge page. */
#define STORE_BITS 14
#define STORE_PLACES (1u << STORE_BITS)
#define STORE_NONE UINT32_MAX
_Static_assert(PAGES_HUGE / sizeof(struct record) <= STORE_PLACES, "a place for every record");

struct store_chunk {
    uint8_t *records; /* each followed by what the front end has beside it; NULL: not mapped */
    mtime_t *opened;
    uint32_t *extra; /* number in the pool */
    uint32_t free; /* head of the free ones within, chained through wheel_place; STORE_NONE: none */
    uint32_t used;
    uint32_t fresh; /* from here on never used since mapping */
};

struct flow_store {
    struct store_chunk *chunks;
    uint32_t n_chunks;
    uint32_t first_free; /* no chunk below has a free slot */
    uint32_t used, limit;
    uint64_t memory;    /* bytes that were touched since they were mapped */
    uint32_t stride;    /* bytes from record to record */
    uint32_t per_chunk; /* places used */
    bool many;          /* the first chunk is a huge page as well */
};

/* 0 or -ENOMEM. Holds up to limit records (1 .. 2^31). */
int flow_store_init(struct flow_store *store, uint32_t limit);
/* Room behind every record, a multiple of 8, before the first is taken. 0, -ENOMEM, -EINVAL. What
 * is missing to half a cache line is left unused: an odd one would lie in a line more, every other
 * time. */
int flow_store_set_beside(struct flow_store *store, size_t bytes);
void flow_store_finish(struct flow_store *store);
/* Raises or lowers the limit (not below what is used). 0 or -ENOMEM. */
int flow_store_set_limit(struct flow_store *store, uint32_t limit);
/* A zeroed record with RECORD_USED set. STORE_NONE when full or out of memory. */
uint32_t flow_store_take(struct flow_store *store);
void flow_store_give(struct flow_store *store, uint32_t slot);

static inline struct record *flow_store_at(const struct flow_store *store, uint32_t slot)
{
    return (struct record *)(void *)(store->chunks[slot >> STORE_BITS].records +
                                     (size_t)(slot & (STORE_PLACES - 1)) * store->stride);
}

static inline void *flow_store_beside(const struct flow_store *store, uint32_t slot)
{
    return flow_store_at(store, slot) + 1;
}

static inline void flow_store_prefetch(const struct flow_store *store, const struct record *record)
{
    const char *r = (const char *)record;

    __builtin_prefetch(r);
    __builtin_prefetch(r + 64);
    __builtin_prefetch(r + 128);
    if (store->stride > sizeof(struct record))
        __builtin_prefetch(r + store->stride - 1);
    for (uint32_t i = 192; __builtin_expect(i + 64 < store->stride, false); i += 64)
        __builtin_prefetch(r + i);
    /* gcc 12 takes a function that only prefetches for one that does nothing, and drops it at -O3.
     */
    __asm__ volatile("");
}

static inline mtime_t *flow_store_opened(const struct flow_store *store, uint32_t slot)
{
    return &store->chunks[slot >> STORE_BITS].opened[slot & (STORE_PLACES - 1)];
}

static inline uint32_t *flow_store_extra(const struct flow_store *store, uint32_t slot)
{
    return &store->chunks[slot >> STORE_BITS].extra[slot & (STORE_PLACES - 1)];
}

/* The used slot at or after from, STORE_NONE at the end. */
uint32_t flow_store_next(const struct flow_store *store, uint32_t from);

static inline uint64_t record_id(const struct record *r)
{
    return (uint64_t)r->tcp.id_high << 32 | r->id_low;
}

#endif
