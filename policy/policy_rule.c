/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of policy_build.h that builds rules. */
#include "policy/policy_build.h"

#include "policy/filter.h"
#include "policy/filter_words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The profile a rule uses: the file's own come first, a shipped one is taken in at its first use.
 */
static unsigned resolve(struct policy_build *build, struct policy_word use)
{
    struct policy_named *named = policy_names_find(&build->profiles, use);
    struct policy_profile *room;
    int r;

    if (named)
        return (unsigned)named->index;
    room = policy_build_room(build, build->policy->profiles, build->policy->n_profiles,
                             &build->room_profiles, sizeof(*room));
    if (!room)
        return 0;
    build->policy->profiles = room;
    r = policy_build_shipped(&room[build->policy->n_profiles], use);
    if (r == -ENOENT) {
        policy_build_unknown_profile(build, use, "one defined in this file or shipped");
        return 0;
    }
    if (r == 0)
        r = policy_names_add(&build->profiles, use, build->policy->n_profiles++, &named);
    if (r < 0)
        build->faults.error = r;
    return (unsigned)build->policy->n_profiles - 1;
}

static void add_rule(struct policy_build *build, char *name, char *match, struct policy_does does)
{
    struct policy *policy = build->policy;
    struct policy_does *all =
        policy_build_room(build, build->does, policy->n_rules, &build->room_does, sizeof(*all));
    struct policy_rule *rules = policy_build_room(build, policy->rules, policy->n_rules,
                                                  &build->room_rules, sizeof(*rules));

    if (all)
        build->does = all;
    if (rules)
        policy->rules = rules;
    if (!all || !rules || policy->n_rules == POLICY_RULES_MAX) {
        free(name);
        free(match);
        return;
    }
    all[policy->n_rules] = does;
    rules[policy->n_rules++] =
        (struct policy_rule){.name = name, .match = match, .action = does.action};
}

static void check_match(struct policy_build *build, struct policy_at at, const char *match)
{
    struct filter *filter = NULL;
    char why[256];
    int r;

    if (build->filter_cost > POLICY_FILTER_COST_MAX) {
        policy_fault(
            &build->faults, at,
            "the filters up to here are too many and too long; allowed: fewer or shorter ones");
        return;
    }
    r = filter_compile(&filter, match, why, sizeof(why));
    if (r == 0)
        build->filter_cost += (uint64_t)filter_terms(filter) * filter_terms(filter);
    else if (r == -EINVAL)
        policy_fault(&build->faults, at, "%s", why);
    else
        build->faults.error = r;
    filter_destroy(filter);
}

void policy_build_rule(struct policy_build *build, struct policy_word name,
                       struct policy_word match, struct policy_does does)
{
    struct policy_named *first = NULL;
    char *text;
    int r;

    if (!policy_build_name_fits(build, name))
        return;
    if (name.len == 7 && memcmp(name.text, "default", 7) == 0)
        policy_fault(&build->faults, name.at,
                     "a rule cannot be called default; allowed: any other name");
    if (build->default_line > 0)
        policy_fault(&build->faults, name.at,
                     "rule %.*s after the default in line %u is never reached; allowed: before it",
                     POLICY_WORD_ARG(name), build->default_line);
    if (build->policy->n_rules == POLICY_RULES_MAX - 1)
        policy_fault(&build->faults, name.at,
                     "too many rules; allowed: at most %d, the default included", POLICY_RULES_MAX);
    if (build->policy->n_rules >= POLICY_RULES_MAX - 1)
        return;
    r = policy_names_add(&build->rules, name, build->policy->n_rules, &first);
    if (r == -EEXIST)
        policy_fault(&build->faults, name.at,
                     "rule %.*s is defined again, first in line %u; allowed: each name once",
                     POLICY_WORD_ARG(name), first->word.at.line);
    else if (r < 0)
        build->faults.error = r;
    text = policy_build_string(build, match);
    if (text)
        check_match(build, match.at, text);
    add_rule(build, policy_build_word(build, name), text, does);
}

void policy_build_default(struct policy_build *build, struct policy_word word,
                          struct policy_does does)
{
    if (build->default_line > 0) {
        policy_fault(&build->faults, word.at,
                     "default is given again, first in line %u; allowed: once",
                     build->default_line);
        return;
    }
    build->default_line = word.at.line;
    if (does.action != ACTION_USE)
        policy_fault(&build->faults, does.use.at,
                     "default cannot %.*s; allowed: use PROFILE (a rule with match \"\" can)",
                     POLICY_WORD_ARG(does.use));
    add_rule(build, policy_build_word(build, word), NULL, does);
}

void policy_build_default_faulty(struct policy_build *build, struct policy_word word)
{
    if (build->default_line == 0)
        build->default_line = word.at.line;
}

void policy_build_rules_complete(struct policy_build *build)
{
    struct policy *policy = build->policy;

    for (size_t i = 0; i < policy->n_rules && build->faults.error == 0; i++)
        if (build->does[i].action == ACTION_USE)
            policy->rules[i].profile = resolve(build, build->does[i].use);
    if (build->default_line == 0) {
        policy_fault(&build->faults, build->end,
                     "no default; allowed: default use PROFILE as the last rule");
        return;
    }
    for (size_t i = 0; i < policy->n_rules; i++)
        if (policy->rules[i].action != ACTION_USE)
            policy->rules[i].profile = policy->rules[policy->n_rules - 1].profile;
}
