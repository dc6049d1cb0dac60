/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/ruleset.h"
#include "policy/policy_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compile(struct ruleset *ruleset, policy_fault_fn fault, void *arg)
{
    const struct policy *policy = ruleset->policy;
    char why[256], message[512];

    ruleset->filters = calloc(policy->n_rules, sizeof(struct filter *));
    if (!ruleset->filters)
        return -ENOMEM;
    for (size_t i = 0; i < policy->n_rules; i++) {
        int r;

        if (!policy->rules[i].match)
            continue;
        r = filter_compile(&ruleset->filters[i], policy->rules[i].match, why, sizeof(why));
        if (r == -EINVAL) {
            snprintf(message, sizeof(message), "rule %s: %s", policy->rules[i].name, why);
            fault(arg, message);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

static int print(struct ruleset *ruleset)
{
    FILE *to = open_memstream(&ruleset->text, &ruleset->text_len);

    if (!to)
        return -ENOMEM;
    policy_print(ruleset->policy, to);
    return fclose(to) == 0 ? 0 : -ENOMEM;
}

int ruleset_create(struct ruleset **out, struct policy *policy, policy_fault_fn fault, void *arg)
{
    struct ruleset *ruleset = calloc(1, sizeof(*ruleset));
    int r;

    *out = NULL;
    if (!ruleset) {
        policy_unref(policy);
        return -ENOMEM;
    }
    ruleset->references = 1;
    ruleset->policy = policy;
    r = compile(ruleset, fault, arg);
    if (r == 0)
        r = print(ruleset);
    if (r < 0)
        ruleset = ruleset_unref(ruleset);
    *out = ruleset;
    return r;
}

struct ruleset *ruleset_ref(struct ruleset *ruleset)
{
    __atomic_add_fetch(&ruleset->references, 1, __ATOMIC_RELAXED);
    return ruleset;
}

struct ruleset *ruleset_unref(struct ruleset *ruleset)
{
    if (!ruleset || __atomic_sub_fetch(&ruleset->references, 1, __ATOMIC_ACQ_REL) > 0)
        return NULL;
    if (ruleset->filters) {
        for (size_t i = 0; i < ruleset->policy->n_rules; i++)
            filter_destroy(ruleset->filters[i]);
        free(ruleset->filters);
    }
    free(ruleset->text);
    policy_unref(ruleset->policy);
    free(ruleset);
    return NULL;
}

void ruleset_tuple(struct filter_tuple *tuple, const struct flow *flow)
{
    *tuple = (struct filter_tuple){.family = flow->family,
                                   .proto = flow->proto,
                                   .client_port = flow->port[FLOW_CLIENT],
                                   .server_port = flow->port[FLOW_SERVER]};
    memcpy(tuple->client, flow->addr[FLOW_CLIENT], sizeof(tuple->client));
    memcpy(tuple->server, flow->addr[FLOW_SERVER], sizeof(tuple->server));
}

unsigned ruleset_classify(const struct ruleset *ruleset, const struct flow *flow)
{
    struct filter_tuple tuple;
    unsigned last = (unsigned)ruleset->policy->n_rules - 1;

    ruleset_tuple(&tuple, flow);
    for (unsigned i = 0; i < last; i++) {
        if (filter_match(ruleset->filters[i], &tuple))
            return i;
    }
    return last;
}

static bool equal(const struct ruleset *a, const struct ruleset *b)
{
    return a && a->text_len == b->text_len && memcmp(a->text, b->text, a->text_len) == 0;
}

struct ruleset *ruleset_shelf_pass(struct ruleset_shelf *shelf, struct ruleset *ruleset)
{
    unsigned at = 0;

    while (at < RULESET_SHELF - 1 && !equal(shelf->last[at], ruleset))
        at++;
    if (equal(shelf->last[at], ruleset)) {
        ruleset_unref(ruleset);
        ruleset = shelf->last[at];
    } else {
        ruleset_unref(shelf->last[at]);
    }
    memmove(&shelf->last[1], &shelf->last[0], at * sizeof(shelf->last[0]));
    shelf->last[0] = ruleset; /* the shelf's own reference */
    return ruleset_ref(ruleset);
}

void ruleset_shelf_finish(struct ruleset_shelf *shelf)
{
    for (unsigned i = 0; i < RULESET_SHELF; i++)
        shelf->last[i] = ruleset_unref(shelf->last[i]);
}
