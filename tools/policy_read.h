/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_POLICY_READ_H
#define IDLEWALL_POLICY_READ_H

#include "policy/policy_parse.h"

/* Reads and parses a policy; `-` is standard input. 0, -EINVAL (faults reported), or a negative
 * errno. `report` may be NULL. */
int policy_read(struct policy **out, const char *path, policy_fault_fn report, void *arg);

#endif
