/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/policy_equal.h"

#include "policy/policy_setting.h"

#include <string.h>

static bool text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool profile_equal(const struct policy_profile *a, const struct policy_profile *b)
{
    for (unsigned i = 0; i < POLICY_SETTINGS; i++)
        if (!policy_setting_equal(a, b, i) || a->origin[i] != b->origin[i] ||
            !text_equal(a->source[i], b->source[i]))
            return false;
    return text_equal(a->name, b->name) && text_equal(a->base, b->base) &&
           text_equal(a->product, b->product);
}

static bool rule_equal(const struct policy_rule *a, const struct policy_rule *b)
{
    return text_equal(a->name, b->name) && text_equal(a->match, b->match) &&
           a->action == b->action && a->profile == b->profile;
}

static bool globals_equal(const struct policy *a, const struct policy *b)
{
    return a->max_flows == b->max_flows && a->on_full == b->on_full &&
           a->fail_closed == b->fail_closed && a->adopt_at_start == b->adopt_at_start &&
           a->late_memory == b->late_memory && a->late_memory_count == b->late_memory_count &&
           a->inject_rate == b->inject_rate && a->adaptive_start == b->adaptive_start &&
           a->adaptive_end == b->adaptive_end;
}

bool policy_equal(const struct policy *a, const struct policy *b)
{
    if (!globals_equal(a, b) || a->n_server_ports != b->n_server_ports ||
        a->n_profiles != b->n_profiles || a->n_rules != b->n_rules)
        return false;
    for (size_t i = 0; i < a->n_server_ports; i++)
        if (a->server_ports[i] != b->server_ports[i])
            return false;
    for (size_t i = 0; i < a->n_profiles; i++)
        if (!profile_equal(&a->profiles[i], &b->profiles[i]))
            return false;
    for (size_t i = 0; i < a->n_rules; i++)
        if (!rule_equal(&a->rules[i], &b->rules[i]))
            return false;
    return true;
}
