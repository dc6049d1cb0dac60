/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/flow_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COLD_BYTES(places) ((places) * (sizeof(mtime_t) + sizeof(uint32_t))) /* mapped together */

static size_t slot_bytes(const struct flow_store *store)
{
    return store->stride + COLD_BYTES(1);
}

int flow_store_init(struct flow_store *store, uint32_t limit)
{
    *store = (struct flow_store){.stride = sizeof(struct record),
                                 .per_chunk = PAGES_HUGE / sizeof(struct record)};
    return flow_store_set_limit(store, limit);
}

int flow_store_set_beside(struct flow_store *store, size_t bytes)
{
    size_t stride = (sizeof(struct record) + bytes + 31) / 32 * 32;

    if (bytes % 8 != 0 || stride > 4096)
        return -EINVAL;
    store->stride = (uint32_t)stride;
    store->per_chunk = (uint32_t)(PAGES_HUGE / stride);
    return flow_store_set_limit(store, store->limit);
}

int flow_store_set_limit(struct flow_store *store, uint32_t limit)
{
    /* Numbers end before memory does, where records are long. */
    uint64_t most = (uint64_t)(STORE_NONE >> STORE_BITS) * store->per_chunk - 1;
    uint32_t n;

    if (limit == 0 || limit > INT32_MAX)
        return -EINVAL;
    limit = limit < most ? limit : (uint32_t)most;
    n = limit / store->per_chunk + 1;
    if (n > store->n_chunks) {
        struct store_chunk *chunks = realloc(store->chunks, n * sizeof(*chunks));
        if (!chunks)
            return -ENOMEM;
        memset(chunks + store->n_chunks, 0, (n - store->n_chunks) * sizeof(*chunks));
        store->chunks = chunks;
        store->n_chunks = n;
    }
    store->limit = limit;
    return 0;
}

static void chunk_unmap(struct flow_store *store, struct store_chunk *chunk)
{
    pages_unmap(chunk->records, PAGES_HUGE);
    pages_unmap(chunk->opened, COLD_BYTES(store->per_chunk));
    store->memory -= chunk->fresh * slot_bytes(store);
    *chunk = (struct store_chunk){0};
}

static bool chunk_map(struct flow_store *store, struct store_chunk *chunk)
{
    chunk->records = pages_map(PAGES_HUGE, store->many || chunk != store->chunks);
    chunk->opened = pages_map(COLD_BYTES(store->per_chunk), false);
    if (!chunk->records || !chunk->opened) {
        chunk_unmap(store, chunk);
        return false;
    }
    chunk->extra = (uint32_t *)(chunk->opened + store->per_chunk);
    chunk->free = STORE_NONE;
    return true;
}

void flow_store_finish(struct flow_store *store)
{
    for (uint32_t i = 0; i < store->n_chunks; i++)
        chunk_unmap(store, &store->chunks[i]);
    free(store->chunks);
    *store = (struct flow_store){0};
}

uint32_t flow_store_take(struct flow_store *store)
{
    struct store_chunk *chunk;
    struct record *r;
    uint32_t slot;

    if (store->used >= store->limit)
        return STORE_NONE;
    /* The lowest chunk with room, so that those above can empty. */
    while (store->chunks[store->first_free].used == store->per_chunk)
        store->first_free++;
    chunk = &store->chunks[store->first_free];
    if (!chunk->records && !chunk_map(store, chunk))
        return STORE_NONE;

    if (chunk->free != STORE_NONE) {
        slot = store->first_free << STORE_BITS | chunk->free;
        r = flow_store_at(store, slot);
        chunk->free = r->wheel_place;
    } else {
        slot = store->first_free << STORE_BITS | chunk->fresh++;
        r = flow_store_at(store, slot);
        store->memory += slot_bytes(store);
    }
    memset(r, 0, store->stride);
    *flow_store_opened(store, slot) = 0;
    r->flags = RECORD_USED;
    chunk->used++;
    store->used++;
    return slot;
}

void flow_store_give(struct flow_store *store, uint32_t slot)
{
    uint32_t n = slot >> STORE_BITS;
    struct store_chunk *chunk = &store->chunks[n];
    struct record *r = flow_store_at(store, slot);

    r->flags = 0;
    r->wheel_place = chunk->free;
    chunk->free = slot & (STORE_PLACES - 1);
    chunk->used--;
    store->used--;
    if (n < store->first_free)
        store->first_free = n;
    /* Chunk 0 stays: a gateway with few flows would map and unmap it all day. */
    if (chunk->used == 0 && n > 0)
        chunk_unmap(store, chunk);
}

uint32_t flow_store_next(const struct flow_store *store, uint32_t from)
{
    for (uint32_t n = from >> STORE_BITS; n < store->n_chunks; from = ++n << STORE_BITS) {
        uint32_t end = n << STORE_BITS | store->chunks[n].fresh;

        for (; from < end; from++)
            if (flow_store_at(store, from)->flags & RECORD_USED)
                return from;
    }
    return STORE_NONE;
}
