/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/limit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* As the tracker sees a socket's state from outside (middlebox/engine/tcp_state.c): the first FIN
 * is FIN_WAIT, its acknowledgement CLOSE_WAIT. */
static enum policy_timeout timeout_in(const struct policy_profile *profile, enum socket_state state)
{
    switch (state) {
    case SOCKET_FIN_WAIT_1:
        return profile->half_close == HALF_CLOSE_ONE_FIN ? TIMEOUT_TCP_FIN_WAIT
                                                         : TIMEOUT_TCP_ESTABLISHED;
    case SOCKET_FIN_WAIT_2:
    case SOCKET_CLOSE_WAIT:
        return profile->half_close == HALF_CLOSE_ONE_FIN ? TIMEOUT_TCP_CLOSE_WAIT
                                                         : TIMEOUT_TCP_ESTABLISHED;
    case SOCKET_GONE:
    case SOCKET_SYN_SENT:
    case SOCKET_SYN_RECV:
    case SOCKET_ESTABLISHED:
    case SOCKET_CLOSING:
    case SOCKET_LAST_ACK:
    case SOCKET_TIME_WAIT:
        break;
    }
    return TIMEOUT_TCP_ESTABLISHED;
}

static enum policy_origin origin(const struct hop *hop, unsigned setting)
{
    return hop->fact ? ORIGIN_SET : hop->profile.origin[setting];
}

struct limit limit_of(const struct hop *hop, enum socket_state state)
{
    const struct policy_profile *profile = &hop->profile;
    enum policy_timeout which = timeout_in(profile, state);

    return (struct limit){
        .hop = hop,
        .which = which,
        .timeout = profile->timeout[which],
        .origin = origin(hop, which),
        .absolute =
            profile->refresh == REFRESH_NONE ||
            (profile->refresh_in == REFRESH_IN_ESTABLISHED && which != TIMEOUT_TCP_ESTABLISHED),
        .payload = profile->refresh_by == REFRESH_BY_PAYLOAD,
        .left = MTIME_NEVER,
    };
}

struct limit limit_of_life(const struct hop *hop)
{
    return (struct limit){
        .hop = hop,
        .which = TIMEOUT_ACTIVE,
        .timeout = hop->profile.timeout[TIMEOUT_ACTIVE],
        .origin = origin(hop, TIMEOUT_ACTIVE),
        .absolute = true,
        .left = MTIME_NEVER,
    };
}

bool limit_adopts(const struct limit *limit)
{
    return limit->hop->profile.on_expiry == ON_EXPIRY_SILENT &&
           limit->hop->profile.on_late == ON_LATE_ADOPT &&
           limit->hop->profile.kind == KIND_FIREWALL && !limit->hop->behaviour_unknown;
}

/* Established connections only (middlebox/engine/dcd.c). */
bool limit_asks(const struct limit *limit)
{
    return limit->hop->profile.on_expiry == ON_EXPIRY_DCD && !limit->hop->behaviour_unknown &&
           limit->which == TIMEOUT_TCP_ESTABLISHED;
}

int hop_of_policy(struct hop *hop, const struct policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n_profiles; i++) {
        if (strcmp(policy->profiles[i].name, name) != 0)
            continue;
        *hop = (struct hop){.profile = policy->profiles[i]};
        snprintf(hop->name, sizeof(hop->name), "%s", name);
        return 0;
    }
    return -ENOENT;
}
