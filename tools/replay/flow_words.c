/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/flow_words.h"

#include "middlebox/record/put.h"

#include <netinet/in.h>
#include <stdio.h>
#include <time.h>

char *put_when(char *p, mtime_t time)
{
    time_t s = (time_t)(time / MTIME_SEC);
    struct tm tm;

    if (time < 0 || time == MTIME_NEVER || !gmtime_r(&s, &tm))
        return put_char(p, '-');
    p += strftime(p, PUT_WHEN, "%Y-%m-%d %H:%M:%S.", &tm);
    return p + sprintf(p, "%03u", (unsigned)(time % MTIME_SEC / MTIME_MSEC));
}

char *put_limit(char *p, mtime_t limit)
{
    return limit > 0 ? put_duration(p, limit) : put_char(p, '-');
}

static char *put_keepalive(char *p, const char *start, const struct flow *flow, enum flow_side side)
{
    const struct flow_keepalive *k = &flow->keepalive[side];

    if (k->seen == 0)
        return p;
    if (p > start)
        p = put_text(p, ", ");
    p = put_char(put_text(p, flow_side_name(side)), ' ');
    if (k->interval > 0) {
        p = put_duration(put_text(p, "every "), k->interval);
        p = put_text(put_u64(put_text(p, " ("), k->seen), " seen)");
    } else {
        p = put_text(put_u64(p, k->seen), " seen");
    }
    return k->answered == 0 ? put_text(p, " unanswered") : p;
}

char *put_keepalives(char *p, const struct flow *flow)
{
    char *start = p;

    p = put_keepalive(p, start, flow, FLOW_CLIENT);
    return put_keepalive(p, start, flow, FLOW_SERVER);
}

const char *replay_action_text(enum event_action action)
{
    switch (action) {
    case ACTED_NONE:
        return "passed";
    case ACTED_DROPPED:
        return "dropped";
    case ACTED_RESET_SENDER:
        return "reset to its sender";
    case ACTED_RESET_CLIENT:
        return "reset to the client";
    case ACTED_RESET_SERVER:
        return "reset to the server";
    case ACTED_RESET_BOTH:
        return "reset to both";
    case ACTED_ICMP:
        return "ICMP error to its sender";
    case ACTED_ADOPTED:
        return "taken as a new flow";
    case ACTED_PROBED:
        return "probed both ends";
    case ACTED_RATE_LIMITED:
        return "dropped, too many to answer";
    }
    return "unknown";
}

static const struct policy_profile *profile_of(const struct replay_flow *f)
{
    const struct policy *policy = f->flow.policy;

    if (!policy || f->flow.rule >= policy->n_rules)
        return NULL;
    return &policy->profiles[policy->rules[f->flow.rule].profile];
}

/* The longest silence may be another one than the first that was too long, and even have been
 * without any entry: then what the entry last showed, then what the profile says. */
mtime_t replay_flow_limit(const struct replay_flow *f)
{
    const struct policy_profile *profile = profile_of(f);

    if (f->late.number == 0 || (f->limit > 0 && f->limit <= f->late.silence))
        return f->limit;
    if (f->flow.timeout > 0 && f->flow.timeout <= f->late.silence)
        return f->flow.timeout;
    return profile && f->flow.proto == IPPROTO_TCP ? profile->timeout[TIMEOUT_TCP_ESTABLISHED] : 0;
}

bool replay_flow_keepalive_helps(const struct replay_flow *f)
{
    const struct policy_profile *profile = profile_of(f);
    mtime_t limit = replay_flow_limit(f);

    if (f->flow.proto != IPPROTO_TCP || limit <= 0 || limit == MTIME_NEVER)
        return false;
    if (f->end == FLOW_END_ACTIVE || f->end == FLOW_END_RESOURCES)
        return false;
    return !profile ||
           (profile->refresh_by != REFRESH_BY_PAYLOAD && profile->refresh != REFRESH_NONE);
}

mtime_t replay_flow_keepalive(const struct replay_flow *f)
{
    mtime_t shortest = 0;

    for (unsigned side = 0; side < 2; side++) {
        mtime_t interval = f->flow.keepalive[side].interval;

        if (interval > 0 && (shortest == 0 || interval < shortest))
            shortest = interval;
    }
    return shortest;
}
