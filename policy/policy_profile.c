/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of policy_build.h that builds profiles. */
#include "policy/policy_build.h"
#include "policy/policy_setting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void profile_clear(struct policy_profile *profile)
{
    free(profile->name);
    free(profile->base);
    free(profile->product);
    for (size_t i = 0; i < POLICY_SETTINGS; i++)
        free(profile->source[i]);
    memset(profile, 0, sizeof(*profile));
}

static void inherit(struct policy_build *build, struct policy_word base)
{
    const struct policy_named *named = policy_names_find(&build->profiles, base);
    struct policy_profile shipped;
    int r;

    if (named && named->index < build->policy->n_profiles) {
        policy_setting_inherit(&build->open, &build->policy->profiles[named->index]);
        return;
    }
    r = build->shipped ? -ENOENT : policy_build_shipped(&shipped, base);
    if (r == 0) {
        policy_setting_inherit(&build->open, &shipped);
        profile_clear(&shipped);
    } else if (r == -ENOENT) {
        policy_build_unknown_profile(build, base, "one defined further up or shipped");
    } else {
        build->faults.error = r;
    }
}

void policy_build_open(struct policy_build *build, struct policy_at at,
                       const struct policy_word *name, const struct policy_word *base)
{
    struct policy_named *first;
    int r;

    profile_clear(&build->open); /* left from a faulty one */
    build->open_at = at;
    build->product_line = 0;
    memset(build->set_line, 0, sizeof(build->set_line));
    policy_setting_defaults(&build->open);
    if (base) {
        inherit(build, *base);
        build->open.base = policy_build_word(build, *base);
    }
    if (!name || !policy_build_name_fits(build, *name))
        return;
    r = policy_names_add(&build->profiles, *name, build->policy->n_profiles, &first);
    if (r == -EEXIST)
        policy_fault(&build->faults, name->at,
                     "profile %.*s is defined again, first in line %u; allowed: each name once",
                     POLICY_WORD_ARG(*name), first->word.at.line);
    else if (r < 0)
        build->faults.error = r;
    build->open.name = policy_build_word(build, *name);
}

static void setting_unknown(struct policy_build *build, struct policy_word word)
{
    char allowed[1024] = "";
    size_t used = 0;

    for (unsigned i = 0; i < POLICY_SETTINGS && used < sizeof(allowed); i++)
        used +=
            (size_t)snprintf(allowed + used, sizeof(allowed) - used, " %s", policy_setting_name(i));
    policy_fault(&build->faults, word.at, "unknown setting \"%.*s\"; allowed: product%s",
                 POLICY_WORD_ARG(word), allowed);
}

void policy_build_setting(struct policy_build *build, struct policy_word word,
                          struct policy_word value, struct policy_note note)
{
    unsigned setting = policy_setting_find(word);

    if (setting == POLICY_SETTINGS) {
        setting_unknown(build, word);
        return;
    }
    if (build->set_line[setting] > 0) {
        policy_fault(&build->faults, word.at,
                     "%s is set again, first in line %u; allowed: once in a profile",
                     policy_setting_name(setting), build->set_line[setting]);
        return;
    }
    build->set_line[setting] = word.at.line;
    policy_setting_assign(&build->open, setting, value, &build->faults);
    build->open.origin[setting] = note.unverified ? ORIGIN_UNVERIFIED : ORIGIN_SET;
    if (note.has_source)
        build->open.source[setting] = policy_build_string(build, note.source);
}

void policy_build_product(struct policy_build *build, struct policy_word word,
                          struct policy_word string)
{
    if (build->product_line > 0) {
        policy_fault(&build->faults, word.at,
                     "product is set again, first in line %u; allowed: once in a profile",
                     build->product_line);
        return;
    }
    build->product_line = word.at.line;
    build->open.product = policy_build_string(build, string);
}

void policy_build_close(struct policy_build *build)
{
    struct policy_profile *room =
        policy_build_room(build, build->policy->profiles, build->policy->n_profiles,
                          &build->room_profiles, sizeof(*room));

    if (room)
        build->policy->profiles = room;
    if (room && build->policy->n_profiles < POLICY_PROFILES_MAX) {
        room[build->policy->n_profiles++] = build->open;
        memset(&build->open, 0, sizeof(build->open));
        return;
    }
    if (room)
        policy_fault(&build->faults, build->open_at, "too many profiles; allowed: at most %d",
                     POLICY_PROFILES_MAX);
    profile_clear(&build->open);
}

void policy_build_unclosed(struct policy_build *build)
{
    policy_fault(&build->faults, build->open_at,
                 "profile without its end; allowed: a line with } after its settings");
    policy_build_close(build);
}

void policy_build_profiles_finish(struct policy_build *build)
{
    profile_clear(&build->open);
}
