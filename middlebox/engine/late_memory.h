/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_LATE_MEMORY_H
#define IDLEWALL_LATE_MEMORY_H

/* Flows that ended a while ago, so that a late packet can be reported with its story. For reports
 * only. */

#include "middlebox/engine/flow_store.h"
#include "policy/policy.h"

struct late_entry {
    struct flow_key key;
    struct policy *policy; /* a reference of this entry's own */
    uint64_t id;
    uint64_t hash; /* of key; set by late_memory_put() */
    mtime_t opened, last, timeout, ended;
    struct record_count count[2];
    uint32_t longest_idle_ms;
    uint32_t next; /* index + 1 in its chain */
    uint16_t rule;
    uint8_t state, flags, timeout_name, reason;
};

struct late_memory {
    struct late_entry *ring; /* allocated with the first entry, freed when all are outdated */
    uint32_t *chains;
    uint32_t mask;
    uint32_t count, oldest, used;
    mtime_t duration;
};

/* count may be 0: nothing is remembered. */
void late_memory_init(struct late_memory *memory, uint32_t count, mtime_t duration);
void late_memory_finish(struct late_memory *memory);
/* Forgets everything if count differs. */
void late_memory_configure(struct late_memory *memory, uint32_t count, mtime_t duration);

/* Copies entry and takes a policy reference; the oldest gives way; without memory nothing is kept.
 */
void late_memory_put(struct late_memory *memory, uint64_t hash, const struct late_entry *entry);
/* The youngest entry of that key that is not outdated, or NULL. Valid until the next put. */
const struct late_entry *late_memory_find(const struct late_memory *memory, uint64_t hash,
                                          const struct flow_key *key, mtime_t now);
/* Gives up some of what is outdated; call it now and then. */
void late_memory_purge(struct late_memory *memory, mtime_t now);
uint64_t late_memory_bytes(const struct late_memory *memory);

#endif
