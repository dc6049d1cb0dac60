/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/policy_build.h"

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
    if (policy_build_default_ports(build->policy) == 0)
        return 0;
    build->policy = policy_unref(build->policy);
    return -ENOMEM;
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
    policy_fault(&build->faults, name.at,
                 "no profile \"%.*s\"; allowed: %s (idlewall profile list)", POLICY_WORD_ARG(name),
                 allowed);
}

void policy_build_complete(struct policy_build *build)
{
    struct policy *policy = build->policy;

    if (build->shipped) {
        if (policy->n_profiles != 1 || policy->n_rules > 0)
            policy_fault(&build->faults, build->end, "a shipped profile is one profile");
        return;
    }
    policy_build_check_globals(build);
    policy_build_rules_complete(build);
}
