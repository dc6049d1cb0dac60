/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/flow_extra.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BITS 9
#define CHUNK (1u << CHUNK_BITS)

void extra_pool_finish(struct extra_pool *pool)
{
    for (uint32_t i = 0; i < pool->n_chunks; i++)
        free(pool->chunks[i]);
    free(pool->chunks);
    free(pool->free);
    *pool = (struct extra_pool){0};
}

struct flow_extra *extra_pool_at(const struct extra_pool *pool, uint32_t number)
{
    return &pool->chunks[(number - 1) >> CHUNK_BITS][(number - 1) & (CHUNK - 1)];
}

/* Room for every number on the stack is made here, so that giving back cannot fail. */
static bool chunk_add(struct extra_pool *pool)
{
    struct flow_extra **chunks = realloc(pool->chunks, (pool->n_chunks + 1) * sizeof(*chunks));
    uint32_t *stack;

    if (!chunks)
        return false;
    pool->chunks = chunks;
    stack = realloc(pool->free, (pool->n_chunks + 1) * CHUNK * sizeof(*stack));
    if (!stack)
        return false;
    pool->free = stack;
    pool->chunks[pool->n_chunks] = calloc(CHUNK, sizeof(struct flow_extra));
    if (!pool->chunks[pool->n_chunks])
        return false;
    pool->n_chunks++;
    return true;
}

uint32_t extra_pool_take(struct extra_pool *pool)
{
    uint32_t number;

    if (pool->n_free) {
        number = pool->free[--pool->n_free];
    } else {
        if (pool->fresh == pool->n_chunks * CHUNK && !chunk_add(pool))
            return 0;
        number = ++pool->fresh;
    }
    pool->used++;
    *extra_pool_at(pool, number) = (struct flow_extra){0};
    return number;
}

void extra_pool_give(struct extra_pool *pool, uint32_t number)
{
    if (--pool->used == 0) {
        extra_pool_finish(pool);
        return;
    }
    pool->free[pool->n_free++] = number;
}

uint64_t extra_pool_memory(const struct extra_pool *pool)
{
    return (uint64_t)pool->n_chunks * CHUNK * (sizeof(struct flow_extra) + sizeof(uint32_t));
}
