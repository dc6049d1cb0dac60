/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_REPLAY_H
#define IDLEWALL_REPLAY_H

/*
 * Captures through the engine, in capture time, as if that firewall had stood there. What the
 * firewall would have done changes nothing in the capture: the packets after it still come. Facts
 * of a flow are handed out when it is over; memory follows live flows.
 */

#include "middlebox/engine/engine.h"
#include "tools/replay/capture.h"

#include <stdatomic.h>

enum replay_outcome {
    REPLAY_FINE,    /* never silent for as long as its timeout */
    REPLAY_SAVED,   /* would be BROKEN without keepalive probes and their answers */
    REPLAY_BROKEN,  /* a packet came too late, and the firewall does not let such through */
    REPLAY_EXPIRED, /* silent for longer than its timeout when the capture ended, or before its
                       addresses were used again; nobody noticed in the capture */
    REPLAY_REFUSED, /* by a rule, or because the table was full */
};
#define REPLAY_OUTCOMES (REPLAY_REFUSED + 1)

struct replay_late {
    uint64_t
        number; /* of the packet, as the capture counts; with several captures: of its own one */
    uint32_t capture; /* which, from 0 */
    mtime_t time;
    mtime_t silence; /* before it */
    enum flow_side side;
    uint8_t tcp_flags;
    enum event_action action; /* what the firewall would have done to it */
};

/* A connection of the capture: one client port and server, from its SYN (or its first packet) until
 * it closed or the capture ended. It goes on over a break, so that a broken one counts once. Without
 * TCP nothing says that packets belong together but the entry itself: its end is theirs. */
struct replay_flow {
    struct flow
        flow; /* id: its first packet, counted over all captures. opened, last: capture time.
                 packets, bytes: all of the connection's, also late ones. state: at its end */
    enum replay_outcome outcome;
    bool midstream; /* ran already when the capture began, or at least before its first packet */
    bool retransmitted_syn; /* its SYN came again after the flow's timeout: no break */
    uint64_t first_number, last_number;
    mtime_t longest_idle, longest_idle_at; /* the longest silence between two packets of either side
                                              that would have refreshed it, and when it began */
    mtime_t longest_idle_payload; /* the same, of packets that are no keepalive probe or answer */
    mtime_t limit;                /* the timeout that was in force in the longest silence */
    struct replay_late late;      /* BROKEN: the first; number 0: none */
    uint64_t late_packets;
    enum flow_end end; /* why the firewall's entry went */
};

struct replay_totals {
    uint64_t flows, by_outcome[REPLAY_OUTCOMES], midstream;
    uint64_t packets, bytes;
    uint64_t peak_flows;
    double mean_flows; /* over the capture's time */
    mtime_t first, last;
    struct engine_stats engine;   /* sums over the shards */
    struct capture_stats capture; /* sums over the captures */
};

struct replay_options {
    struct policy *policy;
    unsigned threads; /* 0: as many as there are processors. More than one only where that changes
                         nothing: the policy's limits must not be reached */
    bool checksums;   /* judge them; default is not to: captures of a sender hold unfinished ones */
    /* Every connection, when it is over; in no particular order. One thread at a time. May be NULL.
     */
    void (*flow)(void *arg, const struct replay_flow *flow);
    void (*progress)(void *arg, const struct capture_stats *so_far); /* now and then; may be NULL */
    void *arg;
    const atomic_bool *stop; /* an interrupt: what was read so far is the result */
};

/* All paths as one capture, in time order. 0; or a negative errno: with *fault and *broken (an
 * index into paths) what could be read still is in *totals and was handed out. */
int replay_run(const char *const *paths, size_t n, const struct replay_options *options,
               struct replay_totals *totals, struct capture_fault *fault, size_t *broken);

const char *replay_outcome_name(enum replay_outcome outcome); /* "broken" */

#endif
