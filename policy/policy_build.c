/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/policy_build.h"

#include "policy/filter.h"
#include "policy/filter_words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int policy_build_init(struct policy_build *build)
{
    memset(build, 0, sizeof(*build));
    build->policy = calloc(1, sizeof(*build->policy));
    if (!build->policy)
        return -ENOMEM;
    build->policy->max_flows = 1048576;
    build->policy->on_full = ON_FULL_DROP_NEW;
    build->policy->adopt_at_start = 300 * MTIME_SEC;
    build->policy->late_memory = 3600 * MTIME_SEC;
    build->policy->late_memory_count = 100000;
    build->policy->inject_rate = 10000;
    build->policy->references = 1;
    return 0;
}

void policy_build_finish(struct policy_build *build)
{
    policy_build_profiles_finish(build);
    policy_names_finish(&build->profiles);
    policy_names_finish(&build->rules);
    free(build->does);
    free(build->args);
    policy_unref(build->policy);
}

void *policy_build_room(struct policy_build *build, void *array, size_t n, size_t *room,
                        size_t size)
{
    size_t more = *room ? *room * 2 : 8;
    void *larger;

    if (n < *room)
        return array;
    larger = reallocarray(array, more, size);
    if (!larger)
        build->faults.error = -ENOMEM;
    else
        *room = more;
    return larger;
}

char *policy_build_word(struct policy_build *build, struct policy_word word)
{
    char *text = strndup(word.text, word.len);

    if (!text)
        build->faults.error = -ENOMEM;
    return text;
}

char *policy_build_string(struct policy_build *build, struct policy_word string)
{
    char *text = malloc(string.len), *to = text;

    if (!text) {
        build->faults.error = -ENOMEM;
        return NULL;
    }
    for (size_t i = 1; i + 1 < string.len; i++) {
        if (string.text[i] == '\\')
            i++;
        *to++ = string.text[i];
    }
    *to = '\0';
    return text;
}

bool policy_build_name_fits(struct policy_build *build, struct policy_word name)
{
    bool fits = name.len <= POLICY_NAME_MAX;

    for (size_t i = 0; i < name.len && fits; i++) {
        char c = name.text[i];
        bool alphanumeric =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        fits = alphanumeric || (i > 0 && (c == '-' || c == '_' || c == '.'));
    }
    if (!fits)
        policy_fault(&build->faults, name.at,
                     "\"%.*s\" cannot be a name; allowed: at most %d letters, digits, - _ and ., "
                     "the first a letter or digit",
                     POLICY_WORD_ARG(name), POLICY_NAME_MAX);
    return fits;
}

void policy_build_unknown_profile(struct policy_build *build, struct policy_word name,
                                  const char *allowed)
{
    char shipped[2048] = "";
    size_t used = 0;

    for (size_t i = 0; i < policy_shipped_count && used < sizeof(shipped); i++)
        used +=
            (size_t)snprintf(shipped + used, sizeof(shipped) - used, " %s", policy_shipped[i].name);
    policy_fault(&build->faults, name.at, "no profile \"%.*s\"; allowed: %s:%s",
                 POLICY_WORD_ARG(name), allowed, shipped);
}

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
    size_t room = build->room_rules;
    struct policy_does *all =
        policy_build_room(build, build->does, policy->n_rules, &room, sizeof(*all));
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

void policy_build_complete(struct policy_build *build)
{
    struct policy *policy = build->policy;

    if (build->shipped) {
        if (policy->n_profiles != 1 || policy->n_rules > 0)
            policy_fault(&build->faults, build->end, "a shipped profile is one profile");
        return;
    }
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
