/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/event.h"

#include <stddef.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const kinds[EVENT_KINDS] = {
    [EVENT_NEW] = "new",   [EVENT_UPDATE] = "update", [EVENT_EXPIRED] = "expired",
    [EVENT_LATE] = "late", [EVENT_ENDED] = "ended",
};

static const char *const actions[] = {
    [ACTED_NONE] = "none",
    [ACTED_DROPPED] = "dropped",
    [ACTED_RESET_SENDER] = "reset sender",
    [ACTED_RESET_CLIENT] = "reset client",
    [ACTED_RESET_SERVER] = "reset server",
    [ACTED_RESET_BOTH] = "reset both",
    [ACTED_ICMP] = "icmp",
    [ACTED_ADOPTED] = "adopted",
    [ACTED_PROBED] = "probed",
    [ACTED_RATE_LIMITED] = "rate limited",
};

const char *event_kind_name(enum event_kind kind)
{
    return (size_t)kind < COUNT(kinds) ? kinds[kind] : NULL;
}

const char *event_action_name(enum event_action action)
{
    return (size_t)action < COUNT(actions) ? actions[action] : NULL;
}

int event_kind_parse(const char *name)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (strcmp(kinds[i], name) == 0)
            return (int)i;
    return -1;
}
