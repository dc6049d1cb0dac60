/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_RANDOM_H
#define IDLEWALL_RANDOM_H

/* splitmix64 (Steele, Lea, Flood 2014): one word of state, any seed. */

#include "tools/scenario/scenario.h"

static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* 0 <= x < 1 */
static inline double random_unit(uint64_t *state)
{
    return (double)(random_next(state) >> 11) * 0x1p-53;
}

/* from <= x <= to */
static inline uint32_t random_between(uint64_t *state, uint32_t from, uint32_t to)
{
    return from + (uint32_t)(((random_next(state) >> 32) * ((uint64_t)to - from + 1)) >> 32);
}

/* Never negative; at most SCENARIO_UNTIL_MAX. */
mtime_t random_drawn(uint64_t *state, const struct distribution *distribution);

#endif
