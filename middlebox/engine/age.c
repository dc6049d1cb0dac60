/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/age.h"

#include <errno.h>
#include <stdlib.h>

int age_start(struct age *age, const struct flow_store *store)
{
    age->n_places = store->n_chunks << STORE_BITS;
    age->places = calloc(age->n_places, sizeof(*age->places));
    if (!age->places)
        return -ENOMEM;
    wheel_init(&age->wheel, 0);
    for (uint32_t i = 0; i < age->n_places; i++)
        age->places[i].bucket = WHEEL_NOWHERE;
    for (uint32_t slot = flow_store_next(store, 0); slot != STORE_NONE;
         slot = flow_store_next(store, slot + 1))
        age_add(age, store, slot);
    return 0;
}

void age_finish(struct age *age)
{
    if (!age->places)
        return;
    wheel_finish(&age->wheel);
    free(age->places);
    *age = (struct age){0};
}

/* Without memory it is not filed, and not found as the oldest; nothing else depends on it. */
void age_add(struct age *age, const struct flow_store *store, uint32_t slot)
{
    if (!age->places || slot >= age->n_places)
        return;
    if (wheel_add(&age->wheel, flow_store_at(store, slot)->last, slot, &age->places[slot]) < 0)
        age->places[slot].bucket = WHEEL_NOWHERE;
}

void age_remove(struct age *age, uint32_t slot)
{
    struct wheel_place place;
    uint32_t moved;

    if (!age->places || slot >= age->n_places || age->places[slot].bucket == WHEEL_NOWHERE)
        return;
    place = age->places[slot];
    age->places[slot].bucket = WHEEL_NOWHERE;
    moved = wheel_remove(&age->wheel, place);
    if (moved != WHEEL_NO_ID)
        age->places[moved] = place;
}

uint32_t age_oldest(struct age *age, const struct flow_store *store)
{
    for (;;) {
        mtime_t when, last;
        uint32_t slot;

        if (!wheel_next(&age->wheel, &when))
            return STORE_NONE;
        slot = wheel_pop(&age->wheel, when);
        if (slot == WHEEL_NO_ID)
            return STORE_NONE;
        age->places[slot].bucket = WHEEL_NOWHERE;
        last = flow_store_at(store, slot)->last;
        age_add(age, store, slot);
        /* All others are filed at or after the wheel's time. */
        if (last <= age->wheel.now)
            return slot;
    }
}
