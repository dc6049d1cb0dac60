/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ALIGN_ADVICE_H
#define IDLEWALL_ALIGN_ADVICE_H

/* What to set, once for each software, and what that or a longer limit costs. */

#include "tools/align/join.h"

struct advice {
    const struct template *software;
    enum flow_side side; /* whose software it is */
    bool here;           /* of the sockets that were looked at; else of their peers */
    enum template_part part;
    bool possible;      /* false: no figures fit, or it has no such setting */
    bool hopeless;      /* nothing that is sent helps: the limit is absolute */
    size_t n;           /* connections */
    char process[32];   /* of the first whose software is not known; "": none */
    struct limit limit; /* the tightest among them */
    mtime_t rtt;        /* the longest */
    struct figures figures;
    unsigned lost; /* probes that may be lost in a row: 2, or 1 where 2 do not fit */
};

struct advices {
    struct advice *items; /* owned */
    size_t n;
};
/* 0 or -ENOMEM. */
int advices_make(struct advices *advices, const struct join *join);
void advices_finish(struct advices *advices);

/* Not for the safe, and not where measuring the limit comes first. */
bool advice_is_needed(const struct row *row);
/* Whose settings are to be changed for a connection that is not safe, and of which software they
 * are. */
const struct template *advice_target(const struct row *row, enum flow_side *side);

/* Round figures that leave room for lost probes and lateness; false: none do. */
bool advice_choose(const struct template *software, enum template_part part, mtime_t limit,
                   mtime_t rtt, struct figures *figures, unsigned *lost);

/* How far a product lets its limit be raised, and by which setting. */
struct ceiling {
    mtime_t most;
    const char *setting; /* static */
};
/* NULL: not known; idlewalld itself can be given any. */
const struct ceiling *ceiling_of(const struct hop *hop);

/* What the remedies cost; < 0: not known. */
struct price {
    const struct hop *hop;
    size_t n;       /* connections that need it */
    size_t without; /* of these: no keepalive, however late */
    bool probes_no_help;
    double packets_now, packets; /* per second: probes and answers */
    mtime_t limit, raised;       /* the firewall's; raised: so that today's keepalive is safe;
                                    0: no limit would do */
    double arrivals;             /* connections per second that fall silent for good */
    double entries;              /* more in the table, on average: Little's law */
};
/* One for each hop that a connection fails at. arrivals: what the user says; < 0: from the table. 0
 * or -ENOMEM; *prices is the caller's to free. */
int prices_make(struct price **prices, size_t *n, const struct join *join,
                const struct advices *advices, double arrivals);

#endif
