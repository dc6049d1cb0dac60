/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy of a script: real text for the real parser, with some lines changed. */
#include "tests/scripts/script.h"

#include "policy/policy_parse.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static bool starts_with_word(const char *line, const char *word)
{
    size_t n = strlen(word);

    line += strspn(line, " \t");
    return strncmp(line, word, n) == 0 && strchr(" \t\n", line[n]);
}

/* Takes out the first line that starts with word. */
static void remove_line(char *text, const char *word)
{
    for (char *at = text; *at;) {
        char *end = strchr(at, '\n');

        end = end ? end + 1 : at + strlen(at);
        if (starts_with_word(at, word)) {
            memmove(at, end, strlen(end) + 1);
            return;
        }
        at = end;
    }
}

static bool insert_line(struct script *s, size_t at, const char *line)
{
    size_t n = strlen(line), all = strlen(s->text);

    if (n + all + 2 > sizeof(s->text))
        return script_fault(s, "the policy is too long");
    memmove(s->text + at + n + 1, s->text + at, all - at + 1);
    memcpy(s->text + at, line, n);
    s->text[at + n] = '\n';
    return true;
}

/* In a profile: right behind the first `profile ... {`, which is the one that scripts test. */
bool script_policy_set(struct script *s, char **words, unsigned n, bool global)
{
    char line[256] = "";
    const char *profile = strstr(s->text, "profile ");
    size_t at = 0;

    if (n < 2)
        return script_fault(s, "a name and a value are missing");
    for (unsigned i = 0, used = 0; i < n && used < sizeof(line); i++)
        used += (unsigned)snprintf(line + used, sizeof(line) - used, "%s ", words[i]);
    remove_line(s->text, words[0]);
    if (global)
        return insert_line(s, 0, line);
    profile = strstr(s->text, "profile ");
    if (!profile || !strchr(profile, '\n'))
        return script_fault(s, "the policy has no profile");
    at = (size_t)(strchr(profile, '\n') + 1 - s->text);
    return insert_line(s, at, line);
}

/* Before the default, after the other rules. */
bool script_policy_rule(struct script *s, const char *line)
{
    char *at = s->text;

    while (*at && !starts_with_word(at, "default")) {
        at = strchr(at, '\n');
        if (!at)
            return script_fault(s, "the policy has no default");
        at++;
    }
    return insert_line(s, (size_t)(at - s->text), line);
}

static void on_fault(void *arg, const char *message)
{
    script_fault(arg, "the policy: %s", message);
}

struct policy *script_policy_make(struct script *s)
{
    struct script_policy *made = &s->policies[s->n_policies];
    struct policy *policy = NULL;
    char why[256];

    if (s->n_policies == SCRIPT_POLICIES) {
        script_fault(s, "too many policies");
        return NULL;
    }
    if (policy_parse(&policy, "policy", s->text, strlen(s->text), on_fault, s) < 0) {
        script_fault(s, "the policy is refused");
        return NULL;
    }
    if (s->forget_all)
        policy->late_memory_count = 0;
    made->policy = policy;
    made->filters = calloc(policy->n_rules, sizeof(struct filter *));
    s->n_policies++;
    for (size_t i = 0; i + 1 < policy->n_rules; i++)
        if (filter_compile(&made->filters[i], policy->rules[i].match, why, sizeof(why)) < 0) {
            script_fault(s, "%s", why);
            return NULL;
        }
    return policy;
}

unsigned script_classify(void *arg, const struct policy *policy, const struct flow *flow)
{
    struct script *s = arg;
    struct filter_tuple tuple = {
        .family = flow->family,
        .proto = flow->proto,
        .client_port = flow->port[FLOW_CLIENT],
        .server_port = flow->port[FLOW_SERVER],
    };
    unsigned rule = 0;

    memcpy(tuple.client, flow->addr[FLOW_CLIENT], 16);
    memcpy(tuple.server, flow->addr[FLOW_SERVER], 16);
    if (flow->proto == IPPROTO_ICMP || flow->proto == IPPROTO_ICMPV6)
        tuple.client_port = tuple.server_port = 0;
    for (unsigned i = 0; i < s->n_policies; i++) {
        if (s->policies[i].policy != policy)
            continue;
        while (rule + 1 < policy->n_rules && !filter_match(s->policies[i].filters[rule], &tuple))
            rule++;
        return rule;
    }
    abort(); /* a policy that the runner never gave it */
}

void script_policies_free(struct script *s)
{
    for (unsigned i = 0; i < s->n_policies; i++) {
        struct script_policy *made = &s->policies[i];

        for (size_t k = 0; made->filters && k + 1 < made->policy->n_rules; k++)
            filter_destroy(made->filters[k]);
        free(made->filters);
        policy_unref(made->policy);
    }
    s->n_policies = 0;
}
