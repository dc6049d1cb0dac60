/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/policy_names.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    const struct policy_word *left = &((const struct policy_named *)a)->word;
    const struct policy_word *right = &((const struct policy_named *)b)->word;

    if (left->len != right->len)
        return left->len < right->len ? -1 : 1;
    return memcmp(left->text, right->text, left->len);
}

struct policy_named *policy_names_find(const struct policy_names *names, struct policy_word word)
{
    struct policy_named wanted = {.word = word};
    struct policy_named **found = tfind(&wanted, &names->root, compare);

    return found ? *found : NULL;
}

int policy_names_add(struct policy_names *names, struct policy_word word, size_t index,
                     struct policy_named **first)
{
    struct policy_named *named, **found;

    *first = policy_names_find(names, word);
    if (*first)
        return -EEXIST;
    named = malloc(sizeof(*named));
    if (!named)
        return -ENOMEM;
    *named = (struct policy_named){.word = word, .index = index};
    found = tsearch(named, &names->root, compare);
    if (!found) {
        free(named);
        return -ENOMEM;
    }
    return 0;
}

void policy_names_finish(struct policy_names *names)
{
    tdestroy(names->root, free);
    names->root = NULL;
}
