/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ALIGN_PATH_H
#define IDLEWALL_ALIGN_PATH_H

/* The middleboxes between client and server, in that order. A proxy ends connections: the path has
 * a part on each of its sides, and each connection knows only its own. */

#include "tools/align/limit.h"

struct path {
    struct hop *hops; /* owned */
    size_t n;
    struct policy **policies; /* owned, each a reference: the hops' texts */
    size_t n_policies;
};
void path_finish(struct path *path);

/*
 * `aws-nlb-tcp,linux-ipvs,cisco-asa=30min,10min`: profiles of `own` (may be NULL) or shipped ones,
 * each with another idle limit where `=D` says so; a duration alone is a firewall that drops
 * silently and what is late. 0; -EINVAL with a message in why; -ENOMEM.
 */
int path_parse(struct path *path, const char *text, struct policy *own, char *why, size_t why_size);

/* Hops first .. first + n - 1, the proxies at its ends among them. */
struct path_part {
    size_t first, n;
};
/* Of the connection of that client or server. process: who holds the socket; a proxy's own sockets
 * belong to the other side of it. May be NULL or empty. */
struct path_part path_part_of(const struct path *path, enum flow_side side, const char *process);

#endif
