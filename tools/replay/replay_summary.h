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
/* Servers that are kept apart: 25 MB. Of more, those go first that none of the connections broke
 * to, then those with the highest addresses; the totals stay exact. */
#define SUMMARY_SERVERS 131072

struct summary; /* opaque */

struct summary *summary_create(void); /* NULL: no memory */
struct summary *summary_destroy(struct summary *summary);
/* Which firewall it was, for the heading: a profile's name, a policy's path. 0 or -ENOMEM. */
int summary_set_policy(struct summary *summary, const char *name);
const char *summary_policy(const struct summary *summary); /* NULL: not said */
/* What replay_late.capture numbers; borrowed while flows are added. */
void summary_set_captures(struct summary *summary, const char *const *paths, size_t n);
/* 0 or -ENOMEM. */
int summary_add(struct summary *summary, const struct replay_flow *flow);
/* Once, at the end of a run. */
void summary_totals(struct summary *summary, const struct replay_totals *totals);
/* 0 or -ENOMEM. */
int summary_merge(struct summary *into, const struct summary *from);

void summary_text(FILE *to, const struct summary *summary);
/* One object a line, `type` "summary", "server", "worst"; reading them back gives the same summary.
 */
void summary_json(FILE *to, const struct summary *summary);
/* A table of the servers. */
void summary_csv(FILE *to, const struct summary *summary);
/* Adds what is read, objects of other types left out. 0, -EINVAL (a line that is no such object, no
 * summary at all, or one of another policy; *line says which, 0 the end), -ENOMEM. */
int summary_read(FILE *from, struct summary *summary, unsigned long *line);

/* NULL: the heading. */
void replay_flow_text(FILE *to, const struct replay_flow *flow);
void replay_flow_csv(FILE *to, const struct replay_flow *flow);
/* `type` "connection". */
void replay_flow_json(FILE *to, const struct replay_flow *flow);

#endif
