/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_KEEPALIVE_H
#define IDLEWALL_KEEPALIVE_H

/* Keepalive probes recognised as they pass: zero or one byte, one below the next sequence number
 * (RFC 9293 3.8.4). */

#include "middlebox/engine/flow_extra.h"
#include "middlebox/engine/packet.h"

/* Is p, which is in window, a keepalive probe of the side dir? */
bool keepalive_is_probe(const struct tcp_track *track, unsigned dir, const struct packet *p);
/* p is a probe of dir. */
void keepalive_probe(struct flow_extra *extra, unsigned dir, const struct packet *p, mtime_t now);
/* p, not a probe, came from dir: does it answer the other side's? */
bool keepalive_answer(struct flow_extra *extra, const struct tcp_track *track, unsigned dir,
                      const struct packet *p);

#endif
