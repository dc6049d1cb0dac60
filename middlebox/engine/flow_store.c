/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/flow_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OPENED_BYTES (STORE_CHUNK * sizeof(mtime_t))
#define EXTRA_BYTES (STORE_CHUNK * sizeof(uint32_t))
#define COLD_BYTES (OPENED_BYTES + EXTRA_BYTES) /* mapped together */
#define SLOT_BYTES (sizeof(struct record) + sizeof(mtime_t) + sizeof(uint32_t))

static size_t beside_bytes(const struct flow_store *store)
{
    return (size_t)STORE_CHUNK * store->beside;
}

static uint32_t chunks_for(uint32_t limit)
{
    return (limit + STORE_CHUNK - 1) / STORE_CHUNK;
}

int flow_store_init(struct flow_store *store, uint32_t limit)
{
    *store = (struct flow_store){0};
    return flow_store_set_limit(store, limit);
}

int flow_store_set_limit(struct flow_store *store, uint32_t limit)
{
    uint32_t n = chunks_for(limit);

    if (limit == 0 || limit > INT32_MAX)
        return -EINVAL;
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
    pages_unmap(chunk->opened, COLD_BYTES);
    pages_unmap(chunk->beside, beside_bytes(store));
    store->memory -= chunk->fresh * (SLOT_BYTES + store->beside);
    *chunk = (struct store_chunk){0};
}

static bool chunk_map(struct flow_store *store, struct store_chunk *chunk)
{
    chunk->records = pages_map(PAGES_HUGE, chunk != store->chunks);
    chunk->opened = pages_map(COLD_BYTES, false);
    if (store->beside)
        chunk->beside = pages_map(beside_bytes(store), chunk != store->chunks);
    if (!chunk->records || !chunk->opened || (store->beside && !chunk->beside)) {
        chunk_unmap(store, chunk);
        return false;
    }
    chunk->extra = (uint32_t *)(chunk->opened + STORE_CHUNK);
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
    while (store->chunks[store->first_free].used == STORE_CHUNK)
        store->first_free++;
    chunk = &store->chunks[store->first_free];
    if (!chunk->records && !chunk_map(store, chunk))
        return STORE_NONE;

    if (chunk->free != STORE_NONE) {
        slot = chunk->free;
        chunk->free = chunk->records[slot].wheel_place;
    } else {
        slot = chunk->fresh++;
        store->memory += SLOT_BYTES + store->beside;
    }
    r = &chunk->records[slot];
    memset(r, 0, sizeof(*r));
    chunk->opened[slot] = 0;
    if (store->beside)
        memset(chunk->beside + slot * store->beside, 0, store->beside);
    r->flags = RECORD_USED;
    chunk->used++;
    store->used++;
    return store->first_free * STORE_CHUNK + slot;
}

void flow_store_give(struct flow_store *store, uint32_t slot)
{
    uint32_t n = slot / STORE_CHUNK;
    struct store_chunk *chunk = &store->chunks[n];
    struct record *r = flow_store_at(store, slot);

    r->flags = 0;
    r->wheel_place = chunk->free;
    chunk->free = slot % STORE_CHUNK;
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
    for (uint32_t n = from / STORE_CHUNK; n < store->n_chunks; n++) {
        const struct store_chunk *chunk = &store->chunks[n];
        uint32_t i = n == from / STORE_CHUNK ? from % STORE_CHUNK : 0;

        for (; i < chunk->fresh; i++)
            if (chunk->records[i].flags & RECORD_USED)
                return n * STORE_CHUNK + i;
    }
    return STORE_NONE;
}
