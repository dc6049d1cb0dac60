/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PLACES_CLOCK_H
#define IDLEWALL_PLACES_CLOCK_H

/*
 * How two clocks stand to each other, from packets that both captures hold. Each capture keeps
 * those whose contents hash lowest, so that both keep the same, of any length, without the other at
 * hand (a bottom-k sketch). Only what occurs once in a capture says when it passed.
 */

#include "tools/replay/places.h"

struct places_sketch; /* opaque */

struct places_sketch *places_sketch_create(void); /* NULL: no memory */
struct places_sketch *places_sketch_destroy(struct places_sketch *sketch);
void places_sketch_add(struct places_sketch *sketch, const struct packet *p, uint8_t ttl);

/* 0 (clock->packets is 0 where they hold nothing in common) or -ENOMEM. from: what
 * clock->ahead is told of. */
int places_clock_fit(struct places_clock *clock, mtime_t from, const struct places_sketch *first,
                     const struct places_sketch *second);
/* A time of the second place, by the first's clock. */
mtime_t places_clock_correct(const struct places_clock *clock, mtime_t time);

#endif
