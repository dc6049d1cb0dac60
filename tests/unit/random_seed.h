/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_RANDOM_SEED_H
#define IDLEWALL_RANDOM_SEED_H

/* Numbers for the randomised tests: another seed every run, printed, and SEED=N brings a run back.
 */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct random {
    uint64_t state;
};

static inline struct random random_start(const char *test)
{
    const char *given = getenv("SEED");
    struct timespec now;
    uint64_t seed;

    clock_gettime(CLOCK_REALTIME, &now);
    seed =
        given ? strtoull(given, NULL, 0) : (uint64_t)now.tv_sec * 1000003u ^ (uint64_t)now.tv_nsec;
    printf("# %s: SEED=%" PRIu64 "\n", test, seed);
    return (struct random){seed};
}

/* splitmix64 */
static inline uint64_t random_u64(struct random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Below n, which is not 0. */
static inline uint32_t random_below(struct random *r, uint32_t n)
{
    return (uint32_t)(random_u64(r) % n);
}

/* As often small as large: the number of bits is drawn first. */
static inline uint64_t random_any_size(struct random *r, unsigned bits)
{
    unsigned n = random_below(r, bits + 1);

    return n ? random_u64(r) >> (64 - n) : 0;
}

#endif
