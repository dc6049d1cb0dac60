/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_FLOW_WORDS_H
#define IDLEWALL_FLOW_WORDS_H

/* A connection of a capture in words: what its texts and tables share. See put.h for how they
 * write. */

#include "tools/replay/replay.h"

/* `2026-01-01 00:06:01.000`, UTC. */
char *put_when(char *p, mtime_t time);
#define PUT_WHEN 32
/* 0, the limit of a connection without an entry: `-`. */
char *put_limit(char *p, mtime_t limit);
/* `server every 2min`, `client 3 seen, unanswered`: of both sides, joined by `, `; nothing if none
 * was seen. */
char *put_keepalives(char *p, const struct flow *flow);
/* What the firewall would have done to the late packet: `dropped`, `reset to its sender`. */
const char *replay_action_text(enum event_action action);

/* The timeout that broke it; 0: not known. */
mtime_t replay_flow_limit(const struct replay_flow *f);
/* Would any keepalive have kept it? Not where only payload counts, the whole life is limited, or
 * the table was full. */
bool replay_flow_keepalive_helps(const struct replay_flow *f);
/* The shortest time between the keepalives that one of its sides sent; 0: none, or unknown. */
mtime_t replay_flow_keepalive(const struct replay_flow *f);

#endif
