/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ALIGN_JOIN_H
#define IDLEWALL_ALIGN_JOIN_H

/* Sockets beside the limits on their way. */

#include "tools/align/path.h"
#include "tools/align/socket.h"
#include "tools/align/table.h"
#include "tools/align/template.h"
#include "tools/align/verdict.h"

struct row {
    const struct socket_fact *fact;     /* borrowed */
    const struct socket_fact *peer;     /* borrowed; NULL: nothing known of the other end */
    const struct table_flow *flow;      /* borrowed; NULL: not in the table */
    const struct template *software[2]; /* by flow_side; NULL: not known */
    const struct template *system[2];   /* by flow_side; NULL: Linux, where live sockets are from */
    bool proxied;                       /* a proxy ends it: the other end is the proxy */
    struct connection connection;
    struct limit *limits; /* owned */
    size_t n_limits;
    struct verdict verdict;
};

struct join {
    struct row *rows; /* owned; what is due first comes first, the safe ones last */
    size_t n;
    size_t inside;  /* left out: both ends on this host */
    size_t passing; /* left out: being opened or closed */
    size_t missing; /* left out: in no table, and no path is given */
    size_t filtered;
    const struct path *path;   /* borrowed */
    const struct table *table; /* borrowed; may be NULL */
};

struct filter;
/* Either of path and table may be empty; peers and filter may be NULL. 0 or -ENOMEM. */
int join_make(struct join *join, const struct socket_table *sockets,
              const struct socket_table *peers, const struct path *path, const struct table *table,
              const struct filter *filter);
void join_finish(struct join *join);
/* For those who fill in rows themselves. */
void join_sort(struct join *join);
/* The limits of a part of a path, and those of the table's flow; appended. 0 or -ENOMEM. */
int row_limits(struct row *row, const struct path *path, struct path_part part,
               const struct table *table, enum socket_state state);

#endif
