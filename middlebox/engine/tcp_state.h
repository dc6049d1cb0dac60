/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_TCP_STATE_H
#define IDLEWALL_TCP_STATE_H

/*
 * Which state a segment leads to: Linux's tcp_conntracks table and nf_conntrack_tcp_packet()
 * (nf_conntrack_proto_tcp.c). Knows states only: how long each may last is the policy's affair.
 */

#include "middlebox/engine/tcp_window.h"
#include "middlebox/record/flow.h"
#include "policy/policy.h"

enum tcp_outcome {
    TCP_REFRESH, /* in window: accept, restart the idle time */
    TCP_IGNORE,  /* may be valid, we may be out of sync: accept, change nothing */
    TCP_KEEP,    /* a SYN again before any answer: accept, the timeout runs on */
    TCP_INVALID, /* out of window, or impossible here */
    TCP_DOUBT,   /* invalid, but both ends seem to be closing: do not wait for long */
    TCP_REOPEN,  /* a new connection on a closed flow's ports: forget the flow, open another */
    TCP_GONE,    /* reset before any answer: accept and forget */
};

/* What the flow knows beside the track. */
struct tcp_flow {
    struct tcp_track *track;
    enum flow_state state;
    bool reply;   /* the server had answered before this segment (IPS_SEEN_REPLY) */
    bool assured; /* may become true */
    bool data;    /* payload was seen, this segment's included */
};

enum tcp_kind tcp_kind_of(uint8_t flags);
/* FIN|SYN and their like: nothing a TCP sends (tcp_valid_flags). */
bool tcp_flags_valid(uint8_t flags);

/* The state a first segment opens a flow in, FLOW_NONE if it cannot. */
enum flow_state tcp_state_open(const struct packet *p);

/* dir: 0 from the client, 1 from the server. Changes f; f->state is the new state. */
enum tcp_outcome tcp_state_segment(struct tcp_flow *f, unsigned dir, const struct packet *p);

/* All that says which timeout runs after a segment, but for how long the timeouts are: the state
 * and CHOICE_ bits. Of the profile only max-retrans is looked at. */
enum {
    CHOICE_STATE = 0x00f,
    CHOICE_RETRANS = 0x010, /* the same segment again and again */
    CHOICE_RST = 0x020,
    CHOICE_UNACKED = 0x040,
    CHOICE_ZERO_WINDOW = 0x080,
    CHOICE_NO_DATA = 0x100,
    CHOICE_NO_REPLY = 0x200,
};
#define TCP_CHOICES 0x400
unsigned tcp_state_choice(const struct tcp_flow *f, const struct policy_profile *profile,
                          enum tcp_kind kind);
/* Which timeout runs after a segment that refreshed. */
enum policy_timeout tcp_choice_timeout(unsigned choice, const struct policy_profile *profile);

#endif
