/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ALIGN_TABLE_H
#define IDLEWALL_ALIGN_TABLE_H

/* A firewall's flows, as `idlewall list -o json` shows them, and what else it tells. */

#include "tools/align/limit.h"

#include <stdio.h>

struct table_keepalive {
    uint32_t seen;
    mtime_t interval; /* between two of which the first was answered; 0: not known */
};

struct table_flow {
    uint8_t family; /* 4 or 6 */
    uint8_t addr[2][16];
    uint16_t port[2]; /* by flow_side */
    enum policy_timeout which;
    mtime_t timeout, left, idle, age, longest_idle;
    struct table_keepalive keepalive[2];
    size_t hop; /* index */
};

struct table {
    struct table_flow *flows; /* owned; those of TCP, by addresses */
    size_t n, room;
    struct hop **hops; /* owned, each too: limits point at them */
    size_t n_hops;
    struct policy **policies; /* owned, each a reference */
    size_t n_policies;
    unsigned *bad_lines; /* owned */
    size_t n_bad, room_bad;
    double speed; /* the firewall's time runs so many times as fast: divided away in flows */
    char *policy; /* owned; the file its policy came from; NULL: not known */
    double opened, idled; /* flows per second opened, and ended by idle timeout; < 0: not known */
};
void table_init(struct table *table);
void table_finish(struct table *table);

/* One object a line, flows and `status`; in whichever order, status first counts. Lines that could
 * not be read are noted. 0 or a negative errno. */
int table_read(struct table *table, FILE *from);
/* After the last table_read(). Finds what the profiles do: in `own` (may be NULL), then among the
 * shipped; sorts. 0 or -ENOMEM. */
int table_complete(struct table *table, struct policy *own);

/* Either way round; *side: which end is the first address. NULL: not in the table. */
const struct table_flow *table_find(const struct table *table, uint8_t family,
                                    const uint8_t address[16], uint16_t port,
                                    const uint8_t peer[16], uint16_t peer_port,
                                    enum flow_side *side);
/* How it limits a connection in that state. */
struct limit table_limit(const struct table *table, const struct table_flow *flow,
                         enum socket_state state);

/* Connections per second that stay idle for as long as that and longer: from the counters, else
 * from the ages in the table. < 0: not known. */
double table_arrivals(const struct table *table, const struct hop *hop, mtime_t timeout);

#endif
