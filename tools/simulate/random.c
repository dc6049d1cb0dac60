/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/random.h"

#include <math.h>

static const double two_pi = 6.283185307179586;

/* 0 < x <= 1, so that its logarithm is finite. */
static double positive(uint64_t *state)
{
    return 1 - random_unit(state);
}

/* Box and Muller 1958; the second of the pair is not kept. */
static double normal(uint64_t *state)
{
    double radius = sqrt(-2 * log(positive(state)));

    return radius * cos(two_pi * random_unit(state));
}

mtime_t random_drawn(uint64_t *state, const struct distribution *d)
{
    double x = (double)d->a;

    switch (d->spread) {
    case SPREAD_FIXED:
        return d->a;
    case SPREAD_UNIFORM:
        x += random_unit(state) * (double)(d->b - d->a);
        break;
    case SPREAD_EXPONENTIAL:
        x *= -log(positive(state));
        break;
    case SPREAD_LOGNORMAL:
        x *= exp(d->shape * normal(state));
        break;
    case SPREAD_PARETO:
        x *= pow(positive(state), -1 / d->shape);
        break;
    }
    if (!(x < (double)SCENARIO_UNTIL_MAX))
        return SCENARIO_UNTIL_MAX;
    return x > 0 ? (mtime_t)x : 0;
}
