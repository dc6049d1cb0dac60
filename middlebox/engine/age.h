/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_AGE_H
#define IDLEWALL_AGE_H

/*
 * Which flow was active longest ago, for `on-full evict-oldest`. The activity of flows only ever
 * moves forward, so a wheel serves as a radix heap (Ahuja et al. 1990): entries are lazy, and one
 * that turns out to be younger than it was filed goes back under its real time. Costs nothing a
 * packet, and 8 bytes a flow while it is in use.
 */

#include "middlebox/engine/flow_store.h"
#include "middlebox/engine/wheel.h"

struct age {
    struct wheel wheel;
    struct wheel_place *places; /* by slot; NULL: not in use */
    uint32_t n_places;
};

/* Files every flow of the store. 0 or -ENOMEM; then it is not in use. */
int age_start(struct age *age, const struct flow_store *store);
void age_finish(struct age *age); /* also when it is not in use */
static inline bool age_in_use(const struct age *age)
{
    return age->places;
}
/* A flow was opened, or is about to be freed. */
void age_add(struct age *age, const struct flow_store *store, uint32_t slot);
void age_remove(struct age *age, uint32_t slot);
/* The slot of the flow whose last activity is longest ago, STORE_NONE if there is none. It stays
 * filed. */
uint32_t age_oldest(struct age *age, const struct flow_store *store);

#endif
