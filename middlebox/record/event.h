/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_EVENT_H
#define IDLEWALL_EVENT_H

/* What happened to a flow: a value. Pure header; the engine fills it, writers print it. */

#include "middlebox/record/flow.h"

enum event_kind {
    EVENT_NEW,
    EVENT_UPDATE,  /* the state changed */
    EVENT_EXPIRED, /* idle (or active) timeout: the flow is gone */
    EVENT_LATE,    /* a packet that needed a flow and found none */
    EVENT_ENDED,   /* gone for another reason: closed, killed, forgotten, evicted, replaced by a new
                      SYN */
};
#define EVENT_KINDS (EVENT_ENDED + 1)
#define EVENT_BIT(kind) (1u << (kind))

/* What was done about it. */
enum event_action {
    ACTED_NONE,
    ACTED_DROPPED,
    ACTED_RESET_SENDER,
    ACTED_RESET_CLIENT,
    ACTED_RESET_SERVER,
    ACTED_RESET_BOTH,
    ACTED_ICMP,
    ACTED_ADOPTED,
    ACTED_PROBED,       /* UPDATE: dead connection detection sent probes */
    ACTED_RATE_LIMITED, /* should have been answered, inject-rate forbade it */
};

struct event {
    enum event_kind kind;
    mtime_t time; /* engine time */
    struct flow
        flow; /* LATE, never seen or no longer remembered: id 0, client is the packet's sender */
    enum flow_end reason; /* EXPIRED, ENDED */
    enum event_action action;
    /* LATE */
    bool remembered;     /* flow is the one that was forgotten */
    enum flow_side side; /* LATE, UPDATE, NEW: who sent the packet */
    mtime_t expired_at;  /* engine time, if remembered */
    enum flow_end was;   /* why it had ended, if remembered */
    uint8_t tcp_flags;
    uint32_t seq, ack;
    uint32_t payload_len;
};

const char *event_kind_name(enum event_kind kind);       /* "expired"; NULL out of range */
const char *event_action_name(enum event_action action); /* "reset both" */
/* -1 or the kind of that name. */
int event_kind_parse(const char *name);

#endif
