/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SLAB_H
#define IDLEWALL_SLAB_H

/* Items of one size, known by an index; they never move, and freed ones are used again first. */

#include <stddef.h>
#include <stdint.h>

#define SLAB_NONE UINT32_MAX
#define SLAB_BLOCK_BITS 8

struct slab {
    size_t size;
    char **blocks;
    size_t n_blocks, room_blocks;
    uint32_t used, end; /* living; one above the highest index ever in use */
    uint32_t free;      /* first of a list through the items' first four bytes */
};

void slab_init(struct slab *slab, size_t size);
void slab_finish(struct slab *slab);
uint32_t slab_take(struct slab *slab); /* contents undefined; SLAB_NONE without memory */
void slab_give(struct slab *slab, uint32_t index);
static inline void *slab_at(const struct slab *slab, uint32_t index)
{
    return slab->blocks[index >> SLAB_BLOCK_BITS] +
           slab->size * (index & ((1u << SLAB_BLOCK_BITS) - 1));
}

#endif
