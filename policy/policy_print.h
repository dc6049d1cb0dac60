/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_POLICY_PRINT_H
#define IDLEWALL_POLICY_PRINT_H

#include "policy/policy.h"

#include <stdio.h>

/* Writes a policy in its own language: parsing the text gives an equal policy. */
void policy_print(const struct policy *policy, FILE *to);
/* One profile with every effective value, its origin and source as a comment. It reparses as well.
 */
void policy_print_profile(const struct policy_profile *profile, FILE *to);

#endif
