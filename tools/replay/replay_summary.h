/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_REPLAY_SUMMARY_H
#define IDLEWALL_REPLAY_SUMMARY_H

/*
 * What a person reads after a replay, out of the flows as they are handed out: outcomes, the ten
 * that suffer most, servers, the keepalive that would have saved them. Summaries of disjoint
 * captures or of shards add up exactly (`replay merge`).
 */

#include "tools/replay/replay.h"

#include <stdio.h>

#define SUMMARY_WORST 10

struct summary; /* opaque */

struct summary *summary_create(void); /* NULL: no memory */
struct summary *summary_destroy(struct summary *summary);
/* 0 or -ENOMEM. */
int summary_add(struct summary *summary, const struct replay_flow *flow);
void summary_totals(struct summary *summary, const struct replay_totals *totals);
/* 0 or -ENOMEM. */
int summary_merge(struct summary *into, const struct summary *from);

void summary_text(FILE *to, const struct summary *summary);
/* One object a line, `type` "summary", "server", "worst"; reading them back gives the same summary.
 */
void summary_json(FILE *to, const struct summary *summary);
/* 0, -EINVAL (a line that is no such object; *line says which), -ENOMEM. */
int summary_read(FILE *from, struct summary *summary, unsigned long *line);

void replay_flow_text(FILE *to, const struct replay_flow *flow);
void replay_flow_json(FILE *to, const struct replay_flow *flow);
void replay_flow_csv(FILE *to, const struct replay_flow *flow); /* NULL: the heading */

#endif
