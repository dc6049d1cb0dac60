/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/policy_print.h"

#include "policy/duration.h"
#include "policy/policy_setting.h"

#include <inttypes.h>

static void print_string(const char *text, FILE *to)
{
    putc('"', to);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', to);
        putc(*text, to);
    }
    putc('"', to);
}

static void print_setting(const struct policy_profile *profile, unsigned setting, FILE *to)
{
    char buf[POLICY_SETTING_TEXT];

    fprintf(to, "    %-18s %s", policy_setting_name(setting),
            policy_setting_text(profile, setting, buf));
    if (profile->origin[setting] == ORIGIN_UNVERIFIED)
        fputs(" unverified", to);
    if (profile->source[setting]) {
        fputs(" source ", to);
        print_string(profile->source[setting], to);
    }
}

static void print_head(const struct policy_profile *profile, bool from, FILE *to)
{
    fprintf(to, "profile %s", profile->name);
    if (from && profile->base)
        fprintf(to, " from %s", profile->base);
    fputs(" {\n", to);
    if (profile->product) {
        fprintf(to, "    %-18s ", "product");
        print_string(profile->product, to);
        putc('\n', to);
    }
}

/* Without a base a blank is what Linux does; but Linux's own extra limits are not assumed of
 * others. */
static void print_assumed(const struct policy_profile *profile, unsigned setting, FILE *to)
{
    if (profile->base)
        fprintf(to, " # assumed, as %s", profile->base);
    else if (setting < POLICY_TIMEOUTS && profile->timeout[setting] == MTIME_NEVER)
        fputs(" # assumed: no such limit", to);
    else
        fputs(" # assumed, as Linux", to);
}

void policy_print_profile(const struct policy_profile *profile, FILE *to)
{
    print_head(profile, false, to);
    for (unsigned i = 0; i < POLICY_SETTINGS; i++) {
        print_setting(profile, i, to);
        if (profile->origin[i] == ORIGIN_ASSUMED)
            print_assumed(profile, i, to);
        putc('\n', to);
    }
    fputs("}\n", to);
}

/* Only what the profile itself says: the rest comes from its base again. */
static void print_own(const struct policy_profile *profile, FILE *to)
{
    print_head(profile, true, to);
    for (unsigned i = 0; i < POLICY_SETTINGS; i++) {
        if (profile->origin[i] != ORIGIN_ASSUMED) {
            print_setting(profile, i, to);
            putc('\n', to);
        }
    }
    fputs("}\n", to);
}

static void print_globals(const struct policy *policy, FILE *to)
{
    char buf[DURATION_TEXT];

    fprintf(to, "max-flows %" PRIu32 "\n", policy->max_flows);
    fprintf(to, "on-full %s\n", policy_on_full_name(policy->on_full));
    fprintf(to, "fail %s\n", policy->fail_closed ? "closed" : "open");
    fprintf(to, "adopt-at-start %s\n",
            policy->adopt_at_start ? duration_format(policy->adopt_at_start, buf, sizeof(buf))
                                   : "none");
    fprintf(to, "late-memory %s %" PRIu32 "\n",
            duration_format(policy->late_memory, buf, sizeof(buf)), policy->late_memory_count);
    fprintf(to, "inject-rate %" PRIu32 "\n", policy->inject_rate);
    if (policy->adaptive_start)
        fprintf(to, "adaptive-start %" PRIu32 "\nadaptive-end %" PRIu32 "\n",
                policy->adaptive_start, policy->adaptive_end);
    if (policy->n_server_ports > 0) {
        fputs("server-ports", to);
        for (size_t i = 0; i < policy->n_server_ports; i++)
            fprintf(to, " %u", policy->server_ports[i]);
        putc('\n', to);
    }
}

static void print_rule(const struct policy *policy, const struct policy_rule *rule, FILE *to)
{
    if (rule->match) {
        fprintf(to, "rule %s match ", rule->name);
        print_string(rule->match, to);
    } else {
        fputs("default", to);
    }
    switch (rule->action) {
    case ACTION_USE:
        fprintf(to, " use %s\n", policy->profiles[rule->profile].name);
        return;
    case ACTION_DROP:
        fputs(" drop\n", to);
        return;
    case ACTION_REJECT:
        fputs(" reject\n", to);
        return;
    }
}

void policy_print(const struct policy *policy, FILE *to)
{
    print_globals(policy, to);
    for (size_t i = 0; i < policy->n_profiles; i++)
        print_own(&policy->profiles[i], to);
    for (size_t i = 0; i < policy->n_rules; i++)
        print_rule(policy, &policy->rules[i], to);
}
