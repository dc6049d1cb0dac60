/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_TALLY_H
#define IDLEWALL_TALLY_H

/* What one run comes to in figures: the rows of an experiment's table, and the curves of its plot.
 */

#include "tools/scenario/scenario.h"

/* Counted every scenario->sample. */
struct tally_sample {
    mtime_t t;
    uint32_t sockets[2]; /* not gone, by flow_side */
    uint32_t leaked[2];  /* ESTABLISHED or CLOSE_WAIT, and the peer's socket is gone */
    uint32_t flows[SCENARIO_FIREWALLS];
    uint64_t packets; /* sent by hosts and firewalls, so far */
};

struct tally_firewall {
    uint64_t opened, expired, late, resets;
    uint32_t flows_peak, flows_end;
    double flows_mean; /* over the story's time */
};

struct tally {
    mtime_t played;       /* story time */
    uint64_t connections; /* opened by clients, reconnects included */
    uint64_t completed;   /* both applications saw an orderly end */
    uint64_t broken; /* an application got an error, gave up, or one end is left alone at the end */
    uint64_t packets[2]; /* sent by each host */
    uint64_t probes[2], retransmits[2];
    uint32_t sockets_peak[2], sockets_end[2], leaked_end[2];
    double sockets_mean[2];
    mtime_t noticed[2]; /* first error each side's application got; MTIME_NEVER */
    int error[2];       /* that error */
    struct tally_firewall firewall[SCENARIO_FIREWALLS];
    size_t n_firewalls;
    struct tally_sample *samples; /* owned */
    size_t n_samples;
};
void tally_finish(struct tally *tally);

#endif
