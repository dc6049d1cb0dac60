/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_REPLAY_CONNECTION_H
#define IDLEWALL_REPLAY_CONNECTION_H

/*
 * What is known of connections, beside the engine's entries and beyond them: a connection goes on
 * when its entry was forgotten. One of these belongs to one engine, as its watch.
 */

#include "tools/replay/occupancy.h"
#include "tools/replay/replay.h"

/* Of a connection with an entry: in the engine's room for it. */
struct connection {
    uint64_t order; /* its first packet, over all captures */
    uint64_t last_number;
    mtime_t longest, longest_at; /* silence */
    mtime_t longest_payload;     /* without keepalives */
    mtime_t last_payload;        /* the latest that was no keepalive and refreshed */
    uint32_t isn;                /* its SYN's number */
    uint32_t story;              /* what is beyond its entry; 0: nothing */
    uint8_t limit; /* enum policy_timeout in the longest silence; POLICY_TIMEOUTS: no entry */
    uint8_t flags;
    uint16_t rule;
};
_Static_assert(sizeof(struct connection) == 64, "a cache line");

enum {
    CONNECTION_MIDSTREAM = 0x01,
    CONNECTION_SAVED = 0x02,
    CONNECTION_SYN = 0x04,      /* isn is known */
    CONNECTION_SYN_LATE = 0x08, /* replay_flow.retransmitted_syn */
    CONNECTION_SWAPPED = 0x10,  /* its entry has client and server the other way round */
};

/* Where a packet came from. */
struct connection_origin {
    uint64_t order, number;
    uint32_t capture;
};

struct connections {
    struct policy *policy;
    /* The batch that is being judged. */
    const struct packet *packets;
    const struct connection_origin *origins;
    struct engine *engine;
    mtime_t now; /* not after the packet being judged */
    bool many;   /* several captures: a packet's number is not its order */
    bool draining;
    struct story_book *book;
    struct occupancy_times opens, closes; /* entries, since they were last taken */
    uint64_t flows, midstream, by_outcome[REPLAY_OUTCOMES];
    void (*emit)(void *arg, const struct replay_flow *flow);
    void *arg;
    int error; /* -ENOMEM: figures are not to be trusted */
};

extern const struct engine_watch connections_watch; /* its arg: struct connections */

/* 0 or -ENOMEM. policy, emit, arg and many are the caller's to set before. */
int connections_init(struct connections *connections);
void connections_finish(struct connections *connections);
/* Hands out what is over by now. */
void connections_sweep(struct connections *connections, mtime_t now);
/* Hands out all that is left. */
void connections_drain(struct connections *connections);

#endif
