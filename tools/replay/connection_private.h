/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_REPLAY_CONNECTION_PRIVATE_H
#define IDLEWALL_REPLAY_CONNECTION_PRIVATE_H

/* connection.c takes facts in, connection_end.c hands them out. */

#include "tools/replay/story.h"

/* Its key but for an ICMP query's asker; returns which end the client is. */
unsigned connections_key(const struct flow *flow, struct flow_key *key);
/* A connection that never had an entry, as a flow. */
struct flow connections_sketch(const struct connections *cs, const struct packet *p,
                               const struct engine_stray *stray);
/* Its entry is gone, the connection is not: its story, with all there is. NULL without memory. */
struct story *connections_detach(struct connections *cs, struct connection *c,
                                 const struct flow *flow, enum flow_end reason);
/* It is over. */
void connections_finish_entry(struct connections *cs, const struct connection *c,
                              const struct flow *flow, enum flow_end reason);
void connections_finish_story(struct connections *cs, struct story *s);

#endif
