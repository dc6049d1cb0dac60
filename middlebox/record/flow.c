/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/flow.h"

#include <stddef.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const states[FLOW_STATES] = {
    [FLOW_NONE] = "NONE",           [FLOW_SYN_SENT] = "SYN_SENT",
    [FLOW_SYN_RECV] = "SYN_RECV",   [FLOW_ESTABLISHED] = "ESTABLISHED",
    [FLOW_FIN_WAIT] = "FIN_WAIT",   [FLOW_CLOSE_WAIT] = "CLOSE_WAIT",
    [FLOW_LAST_ACK] = "LAST_ACK",   [FLOW_TIME_WAIT] = "TIME_WAIT",
    [FLOW_CLOSE] = "CLOSE",         [FLOW_SYN_SENT2] = "SYN_SENT2",
    [FLOW_UNREPLIED] = "UNREPLIED", [FLOW_REPLIED] = "REPLIED",
};

/* The words of RFC 5102 5.11.3, but for "none", which IPFIX does not have. */
static const char *const ends[] = {
    [FLOW_END_NONE] = "none",
    [FLOW_END_IDLE] = "idle timeout",
    [FLOW_END_ACTIVE] = "active timeout",
    [FLOW_END_DETECTED] = "end of flow detected",
    [FLOW_END_FORCED] = "forced end",
    [FLOW_END_RESOURCES] = "lack of resources",
};

static const char *const sides[] = {
    [FLOW_CLIENT] = "client",
    [FLOW_SERVER] = "server",
};

const char *flow_state_name(enum flow_state state)
{
    return (size_t)state < COUNT(states) ? states[state] : NULL;
}

const char *flow_end_name(enum flow_end end)
{
    return (size_t)end < COUNT(ends) ? ends[end] : NULL;
}

const char *flow_side_name(enum flow_side side)
{
    return (size_t)side < COUNT(sides) ? sides[side] : NULL;
}

int flow_state_parse(const char *name)
{
    for (size_t i = 0; i < COUNT(states); i++)
        if (strcmp(states[i], name) == 0)
            return (int)i;
    return -1;
}
