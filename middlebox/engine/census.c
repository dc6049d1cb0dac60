/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/engine_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Kept up to date with every change of state, so that asking costs no walk through a million flows.
 */
int census_start(struct engine_policy *of, const struct policy *policy)
{
    of->by_profile = calloc(policy->n_profiles, sizeof(*of->by_profile));
    of->steady = steady_create(policy);
    of->choices = steady_choices(policy);
    if (of->by_profile && of->steady && of->choices)
        return 0;
    census_finish(of);
    return -ENOMEM;
}

void census_finish(struct engine_policy *of)
{
    free(of->by_profile);
    free(of->steady);
    free(of->choices);
    of->by_profile = NULL;
    of->steady = NULL;
    of->choices = NULL;
}

static bool any(const uint32_t *by_state)
{
    uint32_t all = 0;

    for (unsigned i = 0; i < FLOW_STATES; i++)
        all |= by_state[i];
    return all != 0;
}

size_t engine_census(const struct engine *e, uint64_t *cursor, struct engine_census *rows, size_t n)
{
    uint32_t at = (uint32_t)(*cursor >> 32), profile = (uint32_t)*cursor;
    size_t got = 0;

    for (; at < e->n_policies; at++, profile = 0) {
        const struct engine_policy *of = &e->policies[at];
        size_t profiles = of->policy && of->flows > 0 ? of->policy->n_profiles : 0;

        for (; profile < profiles && got < n; profile++) {
            if (!any(of->by_profile[profile]))
                continue;
            rows[got].policy = of->policy;
            rows[got].profile = profile;
            memcpy(rows[got++].by_state, of->by_profile[profile], sizeof(rows->by_state));
        }
        if (got == n)
            break;
    }
    *cursor = (uint64_t)at << 32 | profile;
    return got;
}

bool census_agrees(const struct engine *e)
{
    uint32_t sum[FLOW_STATES] = {0};

    for (uint32_t at = 0; at < e->n_policies; at++) {
        const struct engine_policy *of = &e->policies[at];

        for (size_t i = 0; of->policy && i < of->policy->n_profiles; i++)
            for (unsigned s = 0; s < FLOW_STATES; s++)
                sum[s] += of->by_profile[i][s];
    }
    return memcmp(sum, e->stats.by_state, sizeof(sum)) == 0;
}

/* Around the usual limits: a load balancer's minutes, AWS's 350 s, the 15 to 60 minutes of
 * firewalls, Linux's keepalive after two hours, days. */
const mtime_t engine_late_idle[ENGINE_LATE_IDLE] = {
    10 * MTIME_SEC,       30 * MTIME_SEC,        60 * MTIME_SEC,
    120 * MTIME_SEC,      240 * MTIME_SEC,       350 * MTIME_SEC,
    600 * MTIME_SEC,      900 * MTIME_SEC,       1800 * MTIME_SEC,
    3600 * MTIME_SEC,     2 * 3600 * MTIME_SEC,  4 * 3600 * MTIME_SEC,
    8 * 3600 * MTIME_SEC, 24 * 3600 * MTIME_SEC, 5 * 24 * 3600 * MTIME_SEC,
};

void census_late_idle(struct engine_stats *stats, mtime_t idle)
{
    unsigned i = 0;

    while (i < ENGINE_LATE_IDLE && idle > engine_late_idle[i])
        i++;
    stats->late_idle[i]++;
    stats->late_idle_ms += (uint64_t)(idle > 0 ? idle : 0) / MTIME_MSEC;
}
