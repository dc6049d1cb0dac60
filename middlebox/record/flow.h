/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_FLOW_H
#define IDLEWALL_FLOW_H

/* One flow as the engine shows it: a value, copied out. Pure header; the engine fills it, writers
 * print it. */

#include "policy/mtime.h"
#include "policy/policy.h"

#include <stdbool.h>
#include <stdint.h>

/* The names and order are Linux conntrack's (enum tcp_conntrack); then the states without TCP. */
enum flow_state {
    FLOW_NONE,
    FLOW_SYN_SENT,
    FLOW_SYN_RECV,
    FLOW_ESTABLISHED,
    FLOW_FIN_WAIT,
    FLOW_CLOSE_WAIT,
    FLOW_LAST_ACK,
    FLOW_TIME_WAIT,
    FLOW_CLOSE,
    FLOW_SYN_SENT2,
    FLOW_UNREPLIED,
    FLOW_REPLIED,
};
#define FLOW_STATES (FLOW_REPLIED + 1)

enum flow_side { FLOW_CLIENT, FLOW_SERVER };

/* IPFIX flowEndReason (IANA element 136). */
enum flow_end {
    FLOW_END_NONE = 0,
    FLOW_END_IDLE = 1,
    FLOW_END_ACTIVE = 2,
    FLOW_END_DETECTED = 3,
    FLOW_END_FORCED = 4,
    FLOW_END_RESOURCES = 5,
};

/* Keepalive probes that one side sent, as they passed. */
struct flow_keepalive {
    uint32_t seen, answered;
    mtime_t last;     /* engine time */
    mtime_t interval; /* between the last two of which the first was answered: the idle time; 0:
                         unknown */
    uint8_t length;   /* bytes in the last: 0 or 1 */
};

struct flow {
    uint64_t id;    /* unique while the daemon runs, never 0 */
    uint8_t family; /* 4 or 6 */
    uint8_t proto;  /* IPPROTO_* */
    uint8_t icmp_type;
    uint8_t addr[2][16]; /* by flow_side; network byte order, IPv4 in the first four bytes */
    uint16_t port[2];    /* by flow_side; host byte order; ICMP: the id in both */
    enum flow_state state;
    enum policy_timeout timeout_name;   /* which of the profile's timeouts is running */
    mtime_t opened;                     /* engine time */
    mtime_t last;                       /* last packet that refreshed */
    mtime_t timeout;                    /* the duration now in force, MTIME_NEVER possible */
    mtime_t deadline;                   /* when it expires unless refreshed, MTIME_NEVER possible */
    mtime_t longest_idle;               /* between two packets that refreshed */
    uint64_t packets[2], bytes[2];      /* by the flow_side that sent them; IP bytes */
    bool assured;                       /* both sides were seen */
    bool guessed;                       /* picked up mid-stream: who is client was inferred */
    bool blocked[2];                    /* packets sent by that side are dropped */
    bool probing;                       /* dead connection detection waits for answers */
    struct flow_keepalive keepalive[2]; /* by the flow_side that probes */
    uint16_t rule;
    uint32_t mark;               /* of the last packet */
    const struct policy *policy; /* that it was opened under; borrowed until the next engine call */
};

const char *flow_state_name(enum flow_state state); /* "ESTABLISHED"; NULL out of range */
const char *flow_end_name(enum flow_end end);       /* "idle timeout" */
const char *flow_side_name(enum flow_side side);    /* "client" */
/* -1 or the state of that name. */
int flow_state_parse(const char *name);

#endif
