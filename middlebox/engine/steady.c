/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/steady.h"

#include <stdlib.h>

static struct steady steady_for(const struct policy_profile *profile)
{
    struct steady s = {
        .applies = profile->on_expiry != ON_EXPIRY_DCD && profile->refresh == REFRESH_BOTH &&
                   profile->refresh_by == REFRESH_BY_ANY &&
                   profile->timeout[TIMEOUT_ACTIVE] == MTIME_NEVER,
        .max_retrans = profile->max_retrans,
    };

    s.any_state = s.applies && profile->refresh_in != REFRESH_IN_ESTABLISHED;
    for (unsigned i = 0; i < STEADY_KINDS; i++) {
        unsigned choice = (unsigned)FLOW_ESTABLISHED | (i & STEADY_UNACKED ? CHOICE_UNACKED : 0) |
                          (i & STEADY_NO_DATA ? CHOICE_NO_DATA : 0) |
                          (i & STEADY_RETRANS ? CHOICE_RETRANS : 0);
        enum policy_timeout name = tcp_choice_timeout(choice, profile);

        s.kinds[i] = (struct steady_kind){profile->timeout[name], (uint16_t)choice, name & 63};
    }
    return s;
}

struct steady *steady_create(const struct policy *policy)
{
    struct steady *by_rule = calloc(policy->n_rules, sizeof(*by_rule));

    for (size_t i = 0; by_rule && i < policy->n_rules; i++)
        by_rule[i] = steady_for(&policy->profiles[policy->rules[i].profile]);
    return by_rule;
}

uint8_t (*steady_choices(const struct policy *policy))[TCP_CHOICES]
{
    uint8_t(*by_profile)[TCP_CHOICES] = malloc(policy->n_profiles * sizeof(*by_profile));

    for (size_t i = 0; by_profile && i < policy->n_profiles; i++)
        for (unsigned choice = 0; choice < TCP_CHOICES; choice++)
            by_profile[i][choice] = (uint8_t)tcp_choice_timeout(choice, &policy->profiles[i]);
    return by_profile;
}
