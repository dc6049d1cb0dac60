/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_POLICY_EQUAL_H
#define IDLEWALL_POLICY_EQUAL_H

#include "policy/policy.h"

/* Everything but the reference counts: values, origins, sources, names and order. */
bool policy_equal(const struct policy *a, const struct policy *b);

#endif
