/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_FLOW_EXTRA_H
#define IDLEWALL_FLOW_EXTRA_H

/*
 * What only some flows have: keepalives seen, and the state of dead connection detection. Most
 * flows need none of it, so it is kept aside; a flow with record.has_extra names its entry by
 * number.
 */

#include "middlebox/engine/flow_store.h"
#include "middlebox/record/flow.h"

struct flow_extra {
    struct flow_keepalive keepalive[2]; /* by the flow_side that probes */
    bool awaited[2];                    /* that side's probe has no answer yet */
    /* Dead connection detection (dcd.c). */
    uint32_t tsval[2]; /* RFC 7323: the latest each side sent */
    bool has_timestamp[2];
    uint8_t dcd_sent;     /* rounds of probes since the idle limit; 0: not probing */
    uint8_t dcd_answered; /* bit per flow_side */
    mtime_t dcd_next;     /* when the next round is due */
    mtime_t dcd_wait;     /* how long inject-rate held the probes up: so much longer they have */
};

struct extra_pool {
    struct flow_extra **chunks;
    uint32_t n_chunks;
    uint32_t fresh; /* entries ever handed out */
    uint32_t used;
    uint32_t *free; /* stack of numbers given back */
    uint32_t n_free;
};

void extra_pool_finish(struct extra_pool *pool);
/* The number of a zeroed entry, or 0 without memory. */
uint32_t extra_pool_take(struct extra_pool *pool);
void extra_pool_give(struct extra_pool *pool, uint32_t number);
struct flow_extra *extra_pool_at(const struct extra_pool *pool, uint32_t number);
uint64_t extra_pool_memory(const struct extra_pool *pool);

#endif
