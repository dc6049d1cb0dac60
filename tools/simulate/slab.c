/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/slab.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN 16

void slab_init(struct slab *slab, size_t size)
{
    *slab = (struct slab){.size = (size + ALIGN - 1) / ALIGN * ALIGN, .free = SLAB_NONE};
}

void slab_finish(struct slab *slab)
{
    for (size_t i = 0; i < slab->n_blocks; i++)
        free(slab->blocks[i]);
    free(slab->blocks);
    slab_init(slab, slab->size);
}

static int add_block(struct slab *slab)
{
    if (slab->n_blocks == slab->room_blocks) {
        size_t room = slab->room_blocks ? 2 * slab->room_blocks : 16;
        char **blocks = reallocarray(slab->blocks, room, sizeof(*blocks));

        if (!blocks)
            return -1;
        slab->blocks = blocks;
        slab->room_blocks = room;
    }
    slab->blocks[slab->n_blocks] = malloc(slab->size << SLAB_BLOCK_BITS);
    if (!slab->blocks[slab->n_blocks])
        return -1;
    slab->n_blocks++;
    return 0;
}

uint32_t slab_take(struct slab *slab)
{
    uint32_t index = slab->free;

    if (index != SLAB_NONE) {
        memcpy(&slab->free, slab_at(slab, index), sizeof(slab->free));
    } else {
        if (slab->end == SLAB_NONE)
            return SLAB_NONE;
        if (slab->end >> SLAB_BLOCK_BITS == slab->n_blocks && add_block(slab) < 0)
            return SLAB_NONE;
        index = slab->end++;
    }
    slab->used++;
    return index;
}

void slab_give(struct slab *slab, uint32_t index)
{
    memcpy(slab_at(slab, index), &slab->free, sizeof(slab->free));
    slab->free = index;
    slab->used--;
}
