/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/path.h"

#include "policy/duration.h"
#include "policy/policy_parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A firewall of which only the limit is said: the kind that this is about. */
static const char plain[] = "profile firewall { on-late drop }\ndefault use firewall\n";

void path_finish(struct path *path)
{
    for (size_t i = 0; i < path->n_policies; i++)
        policy_unref(path->policies[i]);
    free(path->policies);
    free(path->hops);
    *path = (struct path){0};
}

static int keep(struct path *path, struct policy *policy)
{
    struct policy **more =
        reallocarray(path->policies, path->n_policies + 1, sizeof(struct policy *));

    if (!more) {
        policy_unref(policy);
        return -ENOMEM;
    }
    path->policies = more;
    path->policies[path->n_policies++] = policy;
    return 0;
}

static int shipped(struct path *path, struct hop *hop, const char *name)
{
    struct policy *policy;
    int r = policy_from_profile(&policy, name);

    if (r == 0)
        r = keep(path, policy);
    if (r < 0)
        return r;
    return hop_of_policy(hop, policy, name);
}

static int only_a_limit(struct path *path, struct hop *hop, mtime_t limit)
{
    struct policy *policy;
    int r = policy_parse(&policy, "path", plain, sizeof(plain) - 1, NULL, NULL);

    if (r == 0)
        r = keep(path, policy);
    if (r == 0)
        r = hop_of_policy(hop, policy, "firewall");
    if (r < 0)
        return r;
    hop->profile.timeout[TIMEOUT_TCP_ESTABLISHED] = limit;
    for (unsigned i = 0; i < POLICY_SETTINGS; i++)
        hop->profile.origin[i] = ORIGIN_SET;
    return 0;
}

/* name is cut off at `=`. */
static int hop_parse(struct path *path, struct hop *hop, char *name, struct policy *own, char *why,
                     size_t why_size)
{
    char *value = strchr(name, '=');
    mtime_t limit = 0;
    const char *fault = "";
    int r;

    if (value)
        *value++ = '\0';
    if (value && duration_parse(value, &limit, &fault) < 0) {
        snprintf(why, why_size, "%s=%s: %s", name, value, fault);
        return -EINVAL;
    }
    r = own ? hop_of_policy(hop, own, name) : -ENOENT;
    if (r == -ENOENT && !value && duration_parse(name, &limit, &fault) == 0)
        return only_a_limit(path, hop, limit);
    if (r == -ENOENT)
        r = shipped(path, hop, name);
    if (r == -ENOENT) {
        snprintf(why, why_size,
                 "no profile %s; `idlewall profile list` shows them, and a duration alone (30min) "
                 "is a firewall of that limit",
                 *name ? name : "without a name");
        return -EINVAL;
    }
    if (r == 0 && value) {
        hop->profile.timeout[TIMEOUT_TCP_ESTABLISHED] = limit;
        hop->profile.origin[TIMEOUT_TCP_ESTABLISHED] = ORIGIN_SET;
    }
    return r;
}

int path_parse(struct path *path, const char *text, struct policy *own, char *why, size_t why_size)
{
    char *copy = strdup(text), *rest = copy, *name;
    int r = copy ? 0 : -ENOMEM;

    *path = (struct path){0};
    if (r == 0 && own)
        r = keep(path, policy_ref(own));
    while (r == 0 && (name = strsep(&rest, ","))) {
        struct hop *more = reallocarray(path->hops, path->n + 1, sizeof(*more));

        if (!more) {
            r = -ENOMEM;
            break;
        }
        path->hops = more;
        r = hop_parse(path, &more[path->n], name, own, why, why_size);
        path->n += r == 0;
    }
    free(copy);
    if (r < 0)
        path_finish(path);
    return r;
}

/* `haproxy` is the program of the profile haproxy-tcp. */
static bool is_program_of(const struct hop *hop, const char *process)
{
    size_t n = process ? strlen(process) : 0;

    return n > 0 && strncmp(hop->name, process, n) == 0 &&
           (hop->name[n] == '-' || hop->name[n] == '\0');
}

static bool is_proxy(const struct path *path, size_t i)
{
    return path->hops[i].profile.kind == KIND_PROXY;
}

struct path_part path_part_of(const struct path *path, enum flow_side side, const char *process)
{
    size_t own = 0, first = 0, end = path->n;

    /* Who sits in a proxy holds the inner end of one of its two connections. */
    while (own < path->n && !(is_proxy(path, own) && is_program_of(&path->hops[own], process)))
        own++;
    if (side == FLOW_CLIENT) {
        size_t i = own < path->n ? own + 1 : 0;

        first = own < path->n ? own : 0;
        while (i < path->n && !is_proxy(path, i))
            i++;
        end = i < path->n ? i + 1 : path->n;
    } else {
        size_t i = own < path->n ? own : path->n;

        end = own < path->n ? own + 1 : path->n;
        while (i > 0 && !is_proxy(path, i - 1))
            i--;
        first = i > 0 ? i - 1 : 0;
    }
    return (struct path_part){first, end - first};
}
