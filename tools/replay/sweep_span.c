/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/sweep_span.h"

#include "middlebox/engine/tcp_state.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Names, matches and all they own stay the base's. */
static struct policy *copy_with(const struct policy *base, enum policy_timeout timeout,
                                mtime_t value)
{
    struct policy *copy = malloc(sizeof(*copy));
    struct policy_profile *profiles = calloc(base->n_profiles, sizeof(*profiles));

    if (!copy || !profiles) {
        free(copy);
        free(profiles);
        return NULL;
    }
    /* All but its references, which other threads count at the same time. */
    memcpy(copy, base, offsetof(struct policy, references));
    memcpy(profiles, base->profiles, base->n_profiles * sizeof(*profiles));
    for (size_t i = 0; i < base->n_profiles; i++)
        profiles[i].timeout[timeout] = value;
    copy->profiles = profiles;
    copy->references = 1;
    copy->max_flows = INT32_MAX; /* whether it was reached shows in the peaks */
    return copy;
}

static void copy_free(struct policy *copy)
{
    if (!copy)
        return;
    free(copy->profiles);
    free(copy);
}

struct policy *spans_policy(struct spans *spans, size_t value)
{
    if (!spans->policies[value])
        spans->policies[value] =
            copy_with(spans->base, spans->sweep.timeout, spans->sweep.points[value].timeout);
    return spans->policies[value];
}

/* What a choice may come to although the value is longer. */
static mtime_t least_of(const struct policy_profile *profile)
{
    static const enum policy_timeout shorten[] = {TIMEOUT_TCP_MAX_RETRANS, TIMEOUT_TCP_CLOSE,
                                                  TIMEOUT_TCP_UNACKNOWLEDGED, TIMEOUT_TCP_NO_DATA};
    mtime_t least = MTIME_NEVER;

    for (size_t i = 0; i < sizeof(shorten) / sizeof(shorten[0]); i++)
        if (profile->timeout[shorten[i]] < least)
            least = profile->timeout[shorten[i]];
    return least;
}

int spans_init(struct spans *spans, struct policy *policy, const struct sweep *sweep)
{
    size_t n = policy->n_profiles * ENGINE_CHOICES;

    *spans = (struct spans){.sweep = *sweep, .least = sweep->points[0].timeout};
    spans->base = policy_ref(policy);
    spans->span = calloc(n, sizeof(struct span *));
    spans->policies = calloc(sweep->n, sizeof(struct policy *));
    spans->of_rule = calloc(policy->n_rules, sizeof(struct span **));
    if (!spans->span || !spans->policies || !spans->of_rule)
        return -ENOMEM;
    for (size_t i = 0; i < policy->n_rules; i++)
        spans->of_rule[i] = &spans->span[policy->rules[i].profile * ENGINE_CHOICES];
    for (size_t i = 0; i < policy->n_profiles; i++)
        if (least_of(&policy->profiles[i]) < spans->least)
            spans->least = least_of(&policy->profiles[i]);
    spans->policy = spans_policy(spans, sweep->n - 1);
    return spans->policy ? 0 : -ENOMEM;
}

void spans_finish(struct spans *spans)
{
    struct policy *base = (struct policy *)(uintptr_t)spans->base;

    for (size_t i = 0; base && spans->span && i < base->n_profiles * ENGINE_CHOICES; i++)
        free(spans->span[i]);
    for (size_t i = 0; spans->policies && i < spans->sweep.n; i++)
        copy_free(spans->policies[i]);
    free(spans->policies);
    free(spans->span);
    free(spans->of_rule);
    policy_unref(base);
    *spans = (struct spans){0};
}

static void fill(struct span *span, const struct policy_profile *profile, const struct sweep *sweep,
                 unsigned choice)
{
    struct policy_profile with = *profile;

    *span = (struct span){.lo = SWEEP_VALUES, .same = true};
    for (size_t v = 0; v < sweep->n; v++) {
        enum policy_timeout name;

        with.timeout[sweep->timeout] = sweep->points[v].timeout;
        name = engine_choice(&with, choice);
        span->idle[v] = with.timeout[name];
        if (name == sweep->timeout) {
            span->lo = span->lo < v ? span->lo : (uint16_t)v;
            span->hi = (uint16_t)(v + 1);
        }
        if (span->idle[v] != span->idle[0])
            span->same = false;
    }
    if (span->hi == 0)
        span->lo = 0;
}

const struct span *spans_make(struct spans *spans, unsigned rule, unsigned choice)
{
    const struct policy *policy = spans->base;
    struct span **span = &spans->of_rule[rule][choice];

    *span = malloc(sizeof(**span));
    if (*span)
        fill(*span, &policy->profiles[policy->rules[rule].profile], &spans->sweep, choice);
    return *span;
}

/* Which half it is cannot be foreseen: no branch hangs on it. */
size_t span_over(const struct span *span, mtime_t last, mtime_t now, size_t lo, size_t hi)
{
    const mtime_t *idle = span->idle + lo;
    mtime_t silent = now - last;
    size_t n = hi > lo ? hi - lo : 0;

    while (n > 0) {
        size_t half = n / 2, more = n - half;
        bool over = idle[half] <= silent;

        idle += over ? half + 1 : 0;
        n = over ? more - 1 : half;
    }
    return (size_t)(idle - span->idle);
}

/* A RST is followed by CLOSE, or it was let pass where a connection stood. */
static bool can_be(unsigned choice)
{
    unsigned state = choice & CHOICE_STATE;

    if (choice >= TCP_CHOICES)
        return choice < TCP_CHOICES + POLICY_TIMEOUTS;
    if (state == FLOW_NONE || state >= FLOW_UNREPLIED)
        return false;
    if (choice & (CHOICE_NO_DATA | CHOICE_NO_REPLY) && state != FLOW_ESTABLISHED)
        return false;
    return !(choice & CHOICE_RST) || state == FLOW_CLOSE || state == FLOW_ESTABLISHED;
}

bool spans_fall(const struct policy *policy, const struct sweep *sweep)
{
    struct span span;

    for (size_t i = 0; i < policy->n_profiles; i++)
        for (unsigned choice = 0; choice < ENGINE_CHOICES; choice++) {
            if (!can_be(choice))
                continue;
            fill(&span, &policy->profiles[i], sweep, choice);
            for (size_t v = 1; v < sweep->n; v++)
                if (span.idle[v] < span.idle[v - 1] ||
                    (v > span.lo && v + 1 < span.hi && span.idle[v] != sweep->points[v].timeout))
                    return true;
        }
    return false;
}
