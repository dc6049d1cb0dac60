/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_WHEEL_H
#define IDLEWALL_WHEEL_H

/*
 * When to look at which flow again. A hierarchical timing wheel (Varghese and Lauck 1987), pulled:
 * it holds ids by time, exact to the nanosecond, and is told what time it is. Entries are lazy:
 * refreshing a flow does not touch the wheel; when the old time comes the owner puts the id back
 * for the new one.
 *
 * Buckets are chains of small arrays, an entry knows its place, so taking one out costs the same
 * whatever the bucket holds, and a million entries in one bucket cost eight bytes of reading each.
 */

#include "policy/mtime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHEEL_LEVELS 11 /* of 6 bits: all 63 bits of time */
#define WHEEL_BUCKETS (WHEEL_LEVELS * 64)
#define WHEEL_BLOCK 62

/* Where an entry is; kept by the owner, changed by the wheel through wheel_moved. */
struct wheel_place {
    uint16_t bucket; /* WHEEL_NOWHERE: not in the wheel */
    uint32_t at;
};
#define WHEEL_NOWHERE 1023 /* fits ten bits */
#define WHEEL_NO_ID UINT32_MAX

struct wheel_block {
    uint32_t ids[WHEEL_BLOCK];
    uint32_t next; /* the block before it in the bucket, number + 1; 0: none */
    uint32_t used;
};
_Static_assert(sizeof(struct wheel_block) == 256, "four cache lines");

struct wheel {
    mtime_t now;
    uint64_t occupied[WHEEL_LEVELS];
    uint16_t entered;             /* bucket that is being emptied, or was */
    uint32_t head[WHEEL_BUCKETS]; /* number + 1 of the newest block, the only one not full */
    struct wheel_block **slabs;
    uint32_t n_slabs, slab_cap;
    uint32_t fresh; /* blocks ever handed out */
    uint32_t free;  /* number + 1 */
    uint32_t count;
};

void wheel_init(struct wheel *wheel, mtime_t now);
void wheel_finish(struct wheel *wheel);

/* when may be past (it is due at once) and not MTIME_NEVER. 0 or -ENOMEM. */
int wheel_add(struct wheel *wheel, mtime_t when, uint32_t id, struct wheel_place *place);
/* Takes out the entry at place. If another entry had to move into its place, returns that one's id
 * (the owner must give it place), else WHEEL_NO_ID. */
uint32_t wheel_remove(struct wheel *wheel, struct wheel_place place);
/* The next entry to look at by now: it is out of the wheel then. WHEEL_NO_ID: none; the wheel's
 * time is now. */
uint32_t wheel_pop(struct wheel *wheel, mtime_t now);
/* The id kept at place, for checks; WHEEL_NO_ID if there is no such place. */
uint32_t wheel_id_at(const struct wheel *wheel, struct wheel_place place);
/* The moment at which wheel_pop() will bring the entries of that bucket: not later than they asked
 * for. */
mtime_t wheel_start(const struct wheel *wheel, uint16_t bucket);
/* A few entries that wheel_pop() will bring after the current one, to prefetch. */
size_t wheel_peek(const struct wheel *wheel, uint32_t *ids, size_t n);
/* False if empty. *when: no entry is due before. */
bool wheel_next(const struct wheel *wheel, mtime_t *when);

uint64_t wheel_memory(const struct wheel *wheel);
/* NULL, or which invariant does not hold. */
const char *wheel_check(const struct wheel *wheel);

#endif
