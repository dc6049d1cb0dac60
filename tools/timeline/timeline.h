/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_TIMELINE_H
#define IDLEWALL_TIMELINE_H

/*
 * What was seen while a scenario played: one list of events in time order, made by the simulator or
 * by the lab, and read by everything that shows or judges it (text, JSON, ladder, captures,
 * expectations, outcome). Values; the timeline owns what its events point to.
 */

#include "middlebox/engine/engine.h"
#include "middlebox/record/event.h"
#include "tools/scenario/scenario.h"

/* A socket as `ss -toi` would show it. */
struct socket_view {
    enum socket_state state;
    enum socket_timer timer;
    mtime_t expires;             /* point in time the timer shows as its end; it may fire later */
    uint8_t retransmits, probes; /* the second and third figure of netstat's timer */
    uint32_t send_queue, receive_queue; /* bytes */
    bool orphaned;                      /* no process holds it */
};

enum passage {
    PASSAGE_SENT,      /* by a host */
    PASSAGE_FORWARDED, /* by a firewall */
    PASSAGE_INJECTED,  /* made by a firewall itself */
    PASSAGE_DROPPED,   /* by a firewall; reason says why */
    PASSAGE_LOST, /* on the link after place (towards the server: link `place`; towards the client:
                     link `place - 1`), at a blocked host, or at a host that is down */
    PASSAGE_RECEIVED, /* by a host's TCP */
};

struct timeline_packet {
    uint64_t id; /* the same at every place it passes; never 0 */
    enum passage passage;
    enum flow_side from; /* in whose name: the packet's direction */
    bool tcp;            /* else an ICMP error, which quotes what came from the other side */
    uint8_t icmp_type, icmp_code;
    uint8_t flags;
    uint32_t seq, ack;         /* as on the wire */
    uint32_t rel_seq, rel_ack; /* as tcpdump shows them: 0 is the SYN */
    uint32_t len;              /* payload */
    uint32_t window;           /* scaled */
    enum packet_note note;
    uint8_t nth;        /* NOTE_PROBE, RETRANSMIT, WINDOW_PROBE: which one in a row, from 1 */
    enum reason reason; /* DROPPED, FORWARDED by a firewall */
    bool silent_link; /* LOST: the link or its far host was down; else a loss or block asked for */
    const uint8_t *data; /* the headers from IP on, checksums right for zeros as payload; or NULL */
    uint16_t caplen;
    uint32_t wire_len;
};

enum app_act {
    APP_CONNECT, /* called */
    APP_CONNECTED,
    APP_ACCEPTED,
    APP_SEND,         /* bytes */
    APP_READ,         /* bytes */
    APP_EOF,          /* read returned 0 */
    APP_ERROR,        /* error, call: what returned it */
    APP_CLOSE,        /* it closed */
    APP_READ_TIMEOUT, /* its own, not TCP's */
    APP_HEARTBEAT_TIMEOUT,
    APP_IDLE_CLOSE,
    APP_ENDED, /* killed */
    APP_EXITED, /* live, a real program: bytes is its exit status */
};
enum app_call { CALL_NONE, CALL_CONNECT, CALL_READ, CALL_WRITE, CALL_POLL };

struct timeline_app {
    enum app_act act;
    enum app_call call;
    uint32_t bytes;
    int error; /* errno */
};

enum timeline_kind {
    TIMELINE_DEED,   /* the scenario did something */
    TIMELINE_PACKET, /* a packet at a place */
    TIMELINE_SOCKET, /* a socket's state or timer is another than before */
    TIMELINE_APP,    /* what an application did or saw */
    TIMELINE_FLOW,   /* of a firewall's table */
};

struct timeline_event {
    mtime_t t;
    enum timeline_kind kind;
    uint8_t place;       /* see scenario.h */
    uint32_t connection; /* which one of the story, from 1; 0: none */
    union {
        const struct deed *deed; /* of the scenario */
        struct timeline_packet packet;
        struct socket_view socket;
        struct timeline_app app;
        struct event flow; /* times are story times; its flow.policy is the scenario firewall's */
    };
};

struct timeline {
    const struct scenario *scenario; /* borrowed: outlives the timeline */
    struct timeline_event *events;
    size_t n_events, room_events;
    mtime_t end;           /* when it ended: `until` */
    bool live;             /* made by the lab */
    uint64_t wall_ns;      /* Unix time of story time 0; virtual: 0 */
    unsigned speed;        /* live: story seconds a wall second; 0 counts as 1 */
    size_t dropped_events; /* beyond TIMELINE_EVENTS_MAX */
    struct pool *pool;     /* of packet bytes; opaque */
};
#define TIMELINE_EVENTS_MAX 2000000

int timeline_create(struct timeline **out, const struct scenario *scenario);
struct timeline *timeline_destroy(struct timeline *timeline);
/* Copies, packet.data's bytes included. Events come in time order. 0 or -ENOMEM. */
int timeline_add(struct timeline *timeline, const struct timeline_event *event);

/* The latest view of that connection's socket at place at time t (events at t included); false:
 * there was none. */
bool timeline_socket_at(const struct timeline *timeline, unsigned place, uint32_t connection,
                        mtime_t t, struct socket_view *out);
uint32_t timeline_connections(const struct timeline *timeline); /* the highest number */

const char *app_act_name(enum app_act act);
const char *app_call_name(enum app_call call); /* "read" */

#endif
