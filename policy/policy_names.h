/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_POLICY_NAMES_H
#define IDLEWALL_POLICY_NAMES_H

/* Inside policy/ only: a set of names, each with where it was written first. */

#include "policy/policy_fault.h"

struct policy_names {
    void *root;
};

struct policy_named {
    struct policy_word word;
    size_t index;
};

/* The entry of that name, or NULL. */
struct policy_named *policy_names_find(const struct policy_names *names, struct policy_word word);
/* 0; -EEXIST with the earlier entry in *first; -ENOMEM. */
int policy_names_add(struct policy_names *names, struct policy_word word, size_t index,
                     struct policy_named **first);
void policy_names_finish(struct policy_names *names);

#endif
