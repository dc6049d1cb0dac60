/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_RULESET_H
#define IDLEWALL_RULESET_H

/* A policy with its rules' filters compiled, and the few last ones for when they come back. */

#include "middlebox/record/flow.h"
#include "policy/filter.h"
#include "policy/policy_parse.h"

struct ruleset {
    struct policy *policy;
    struct filter **filters; /* one a rule; NULL for the default */
    char *text;              /* the policy as policy_print() writes it: equal text, equal policy */
    size_t text_len;
    unsigned references;
};

/* Takes over policy's reference, also on error. 0, -EINVAL (a rule's filter, said through fault),
 * -ENOMEM. */
int ruleset_create(struct ruleset **out, struct policy *policy, policy_fault_fn fault, void *arg);
struct ruleset *ruleset_ref(struct ruleset *ruleset);
struct ruleset *ruleset_unref(struct ruleset *ruleset);
/* First match wins; the last rule is the default. */
unsigned ruleset_classify(const struct ruleset *ruleset, const struct flow *flow);

void ruleset_tuple(struct filter_tuple *tuple, const struct flow *flow);

/*
 * Flows keep the policy they were opened under, so every policy that differs costs memory until its
 * last flow is gone. Files that alternate (a test switching limits, say) must not pile them up: a
 * text that was seen among the last few gives the same ruleset again.
 */
#define RULESET_SHELF 8
struct ruleset_shelf {
    struct ruleset *last[RULESET_SHELF]; /* newest first */
};
/* Takes over the reference to ruleset and returns one to it or to its equal from the shelf. */
struct ruleset *ruleset_shelf_pass(struct ruleset_shelf *shelf, struct ruleset *ruleset);
void ruleset_shelf_finish(struct ruleset_shelf *shelf);

#endif
