/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_MUTANT_H
#define IDLEWALL_MUTANT_H

/* Profiles with one thing changed, which the check must find. */

#include "tests/profiles/expect.h"

#include "policy/policy_parse.h"

/* The policy that uses that profile for everything; NULL if it is none. */
struct policy *mutant_parse(const char *text, size_t len, const char *name);
/* Does the survey say something about that setting of the profile? */
bool mutant_expected(const struct expect *expect, const struct policy_profile *profile,
                     unsigned setting);
/* True: for every such setting, its line changed makes measure() find a disagreement. */
bool mutants_are_found(const struct expect *expect, const struct policy_shipped *text,
                       const struct policy_profile *profile, char *why, size_t size);

#endif
