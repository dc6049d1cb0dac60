/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_CONNECTION_H
#define IDLEWALL_CONNECTION_H

/*
 * One connection of the story: what both applications know of it, and its two sockets, each of
 * which lives in a slab of its own, so that one left alone costs half. Gone when both sockets are
 * and no application wants to connect again.
 */

#include "tools/simulate/queue.h"
#include "tools/simulate/slab.h"
#include "tools/simulate/wire.h"

struct world;

/* A notice that waits until the step that gave it is over; handled in this order. */
enum {
    NOTICE_CONNECTED = 1 << TCP_CONNECTED,
    NOTICE_ACCEPTED = 1 << TCP_ACCEPTED,
    NOTICE_READABLE = 1 << TCP_READABLE,
    NOTICE_EOF = 1 << TCP_EOF,
    NOTICE_WRITABLE = 1 << TCP_WRITABLE,
    NOTICE_ERROR = 1 << TCP_ERROR,
    NOTICE_GONE = 1 << TCP_GONE,
};

/* One end's program, as far as this connection goes. */
struct application {
    mtime_t last_sent;    /* or connected */
    mtime_t last_heard;   /* payload read, or connected */
    mtime_t last_payload; /* read or sent, heartbeats too */
    mtime_t waits_since;  /* for an answer; MTIME_NEVER: for none */
    mtime_t answer_at;    /* it works on an answer; MTIME_NEVER: on none */
    mtime_t act_at;       /* connects again, or the workload's next request or close; MTIME_NEVER */
    uint32_t unsent;      /* asked to be sent before it was connected */
    uint32_t got;         /* of the piece that it waits for */
    int pending;          /* error that no call has returned yet, of a socket that is gone */
    bool open;            /* holds the socket */
    bool connected;
    bool reading;
    bool eof;     /* read returned 0 */
    bool closed;  /* in order: by itself, or after EOF */
    bool trouble; /* error, or gave up */
};

enum {
    SOCKET_NEVER,    /* not yet, or not at all */
    SOCKET_THERE,    /* TCP has it */
    SOCKET_ENDED,    /* gone */
    SOCKET_VANISHED, /* gone without a word, and so is its host for whoever still talks to it */
};

struct connection {
    uint32_t next_free; /* the slab's */
    uint32_t index;
    uint32_t number; /* in the story, from 1 */
    wire_tuple tuple;
    uint32_t isn[2]; /* by flow_side */
    uint32_t socket[2];
    struct wake wake;
    struct application app[2];
    uint64_t random; /* workload: this client's own stream */
    uint32_t requests;
    uint32_t answers;    /* bare ACKs in a row, of both, without a pause */
    mtime_t answered_at; /* the last of them */
    uint16_t notices[2];
    int error[2]; /* with NOTICE_ERROR */
    uint8_t stands[2];
    bool isn_known[2];
    bool leaked[2];
    bool settling;
    bool workload;
    bool begun;        /* connect() was called */
    uint8_t wscale[2]; /* offered in the SYN; TCP_NO_WSCALE */
};

struct socket_slot {
    uint32_t next_free;
    uint32_t connection;
    uint8_t side;
    /* the TCP socket follows, then with a timeline what was last told of it */
};
#define SOCKET_OFFSET 16

static inline struct socket_slot *connection_slot_of(struct tcp *tcp)
{
    return (struct socket_slot *)(void *)((char *)tcp - SOCKET_OFFSET);
}
struct tcp *connection_tcp(const struct world *world, const struct connection *c, unsigned side);
struct socket_view *connection_shown(const struct world *world, const struct connection *c,
                                     unsigned side);
struct connection *connection_at(const struct world *world, uint32_t index);
bool connection_living(const struct connection *c);

/* NULL without memory (the world knows). number 0: the next. */
struct connection *connection_create(struct world *world, uint32_t number);
/* Gives a side its socket, findable by the tuple. NULL without memory. */
struct tcp *connection_open(struct world *world, struct connection *c, unsigned side);
/* The socket is gone: freed, not findable, counted. silent: as SOCKET_VANISHED. */
void connection_drop(struct world *world, struct connection *c, unsigned side, bool silent);
/* After every step: notices handled, changes told, timers queued; freed if nothing is left of it.
 */
void connection_settle(struct world *world, struct connection *c);
/* Its queue entry came out: whatever is due is done. */
void connection_wake(struct world *world, uint32_t index, mtime_t at);
/* The story is over: counts what is left. */
void connection_finish_all(struct world *world);

#endif
