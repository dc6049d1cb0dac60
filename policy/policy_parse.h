/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_POLICY_PARSE_H
#define IDLEWALL_POLICY_PARSE_H

#include "policy/policy.h"

#include <stddef.h>

/* Called once per fault, with the whole line `NAME:LINE:COLUMN: what is wrong, what is allowed`. */
typedef void (*policy_fault_fn)(void *arg, const char *message);

/*
 * Parse a policy. `name` is what faults call the text. Reports all faults it can in one run.
 * Returns 0 and a policy with one reference, -EINVAL when there were faults (each reported),
 * -ENOMEM. The text may hold any bytes, NUL included; more than POLICY_TEXT_MAX of them is one
 * fault.
 */
#define POLICY_TEXT_MAX ((size_t)4 << 20)
int policy_parse(struct policy **out, const char *name, const char *text, size_t len,
                 policy_fault_fn fault, void *arg);

/* The policy of `--profile NAME`: everything default, that shipped profile for all flows.
 * 0, -ENOENT when no such profile is shipped, -ENOMEM. */
int policy_from_profile(struct policy **out, const char *profile);

/* The shipped profiles (compiled in), in alphabetical order. */
struct policy_shipped {
    const char *name;
    const char *text; /* the .conf file */
    size_t len;
};
extern const struct policy_shipped policy_shipped[];
extern const size_t policy_shipped_count;
/* NULL if no such profile is shipped. */
const struct policy_shipped *policy_shipped_find(const char *name, size_t len);

#endif
