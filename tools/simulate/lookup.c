/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/lookup.h"

#include <errno.h>
#include <stdlib.h>

#define CELLS_FIRST 64

void lookup_init(struct lookup *lookup)
{
    *lookup = (struct lookup){0};
}

void lookup_finish(struct lookup *lookup)
{
    free(lookup->cells);
    lookup_init(lookup);
}

/* Tuples are the story's own, not an attacker's: any hash that spreads neighbouring ports. */
static uint32_t home(const struct lookup *lookup, wire_tuple tuple)
{
    return (uint32_t)((tuple * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & lookup->mask;
}

static uint32_t place_of(const struct lookup *lookup, wire_tuple tuple)
{
    uint32_t i = home(lookup, tuple);

    while (lookup->cells[i].value != LOOKUP_NONE && lookup->cells[i].tuple != tuple)
        i = (i + 1) & lookup->mask;
    return i;
}

uint32_t lookup_find(const struct lookup *lookup, wire_tuple tuple)
{
    return lookup->cells ? lookup->cells[place_of(lookup, tuple)].value : LOOKUP_NONE;
}

static int grow(struct lookup *lookup)
{
    uint32_t size = lookup->cells ? lookup->mask + 1 : 0;
    uint32_t larger = size ? 2 * size : CELLS_FIRST;
    struct lookup_cell *old = lookup->cells;
    struct lookup_cell *cells = larger > size ? reallocarray(NULL, larger, sizeof(*cells)) : NULL;

    if (!cells)
        return -ENOMEM;
    for (uint32_t i = 0; i < larger; i++)
        cells[i].value = LOOKUP_NONE;
    lookup->cells = cells;
    lookup->mask = larger - 1;
    for (uint32_t i = 0; i < size; i++)
        if (old[i].value != LOOKUP_NONE)
            cells[place_of(lookup, old[i].tuple)] = old[i];
    free(old);
    return 0;
}

int lookup_put(struct lookup *lookup, wire_tuple tuple, uint32_t value)
{
    uint32_t i;

    if (!lookup->cells || lookup->n > lookup->mask / 2) {
        int r = grow(lookup);

        if (r < 0)
            return r;
    }
    i = place_of(lookup, tuple);
    lookup->n += lookup->cells[i].value == LOOKUP_NONE;
    lookup->cells[i] = (struct lookup_cell){tuple, value};
    return 0;
}

/* Knuth's Algorithm R (6.4): those behind the hole that it would hide move into it. */
void lookup_remove(struct lookup *lookup, wire_tuple tuple)
{
    uint32_t hole, i;

    if (!lookup->cells)
        return;
    hole = i = place_of(lookup, tuple);
    if (lookup->cells[hole].value == LOOKUP_NONE)
        return;
    lookup->n--;
    for (;;) {
        lookup->cells[hole].value = LOOKUP_NONE;
        for (;;) {
            i = (i + 1) & lookup->mask;
            if (lookup->cells[i].value == LOOKUP_NONE)
                return;
            /* Does it reach its place from its home without passing the hole? */
            if (((i - home(lookup, lookup->cells[i].tuple)) & lookup->mask) >=
                ((i - hole) & lookup->mask))
                break;
        }
        lookup->cells[hole] = lookup->cells[i];
        hole = i;
    }
}
