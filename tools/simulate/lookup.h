/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_LOOKUP_H
#define IDLEWALL_LOOKUP_H

/* A host's sockets by their addresses and ports. */

#include "tools/simulate/wire.h"

#define LOOKUP_NONE UINT32_MAX

struct lookup_cell {
    wire_tuple tuple;
    uint32_t value; /* LOOKUP_NONE: free */
};
struct lookup {
    struct lookup_cell *cells;
    uint32_t n, mask; /* cells: mask + 1, a power of two; at most half are in use */
};

void lookup_init(struct lookup *lookup);
void lookup_finish(struct lookup *lookup);
uint32_t lookup_find(const struct lookup *lookup, wire_tuple tuple);     /* LOOKUP_NONE */
int lookup_put(struct lookup *lookup, wire_tuple tuple, uint32_t value); /* 0, -ENOMEM */
void lookup_remove(struct lookup *lookup, wire_tuple tuple);

#endif
