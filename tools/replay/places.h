/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PLACES_H
#define IDLEWALL_PLACES_H

/*
 * Captures of the same TCP connections from two places: what one end sent and the other never saw,
 * what arrived that nobody sent, and after how long a silence. From one place: resets that do not
 * look as if their supposed sender had sent them.
 *
 * The captures are read twice: for the clocks, and packet by packet side by side. What was seen at
 * both is let go at once; memory follows live connections and what is unmatched for the last
 * PLACES_WAIT.
 */

#include "tools/replay/capture.h"

#include <stdatomic.h>
#include <stdio.h>

#define PLACES_MAX 2
#define PLACES_WAIT (10 * MTIME_SEC) /* no packet is on its way for longer */
#define PLACES_SILENCE MTIME_SEC     /* less is a pause, for which no firewall forgets anything */
#define PLACES_LIVE 1000000          /* connections at once; the longest silent goes first */
#define PLACES_KEPT 65536            /* connections with something to tell */
#define PLACES_EVENTS 8              /* of each that are kept */
#define PLACES_SERVERS 65536         /* whose limits are told apart */

struct place {
    const char *name; /* "client" */
    const char **paths;
    size_t n;
};

enum places_outcome {
    PLACES_FINE,
    PLACES_LOSS,      /* some packets did not arrive, others did after them */
    PLACES_MADE,      /* packets arrived that nobody sent, none of which ends a connection */
    PLACES_FORGOTTEN, /* after a silence nothing came through any more, or a reset from nobody */
    PLACES_RESET,     /* by somebody between, in the midst of traffic */
    PLACES_CUT,       /* nothing came through any more, in the midst of traffic */
    PLACES_ODD,       /* one place: a reset that does not fit its sender */
};
#define PLACES_OUTCOMES (PLACES_ODD + 1)

enum places_event_kind {
    PLACES_EVENT_LOST,  /* the first packet after which nothing came through */
    PLACES_EVENT_RESET, /* that its supposed sender never sent */
    PLACES_EVENT_FIN,
    PLACES_EVENT_ICMP, /* by somebody between, or in the other end's name */
    PLACES_EVENT_MADE, /* any other packet that nobody sent */
};

struct places_event {
    enum places_event_kind kind;
    uint8_t place;    /* where it was seen */
    uint8_t side;     /* who sent it, or is said to; of ICMP: whose packet it quotes */
    uint8_t flags;    /* TCP's */
    uint8_t ttl;      /* or hop limit */
    uint8_t usual;    /* of that side's other packets there; 0: there were none */
    bool in_the_name; /* ICMP: of the other end, by its address */
    bool ttl_differs; /* a proof that it was made elsewhere */
    bool id_differs;  /* its IP id does not go on from its fellows' */
    bool beyond;      /* after the last packet of the other place's capture */
    uint8_t icmp_type, icmp_code, family;
    uint8_t from[16]; /* ICMP's source */
    uint16_t id, usual_id;
    uint32_t seq, ack;
    uint32_t capture; /* of the place's, from 0 */
    uint64_t number;
    mtime_t time;    /* by that capture's own clock */
    mtime_t common;  /* by the first place's */
    mtime_t silence; /* since the last packet that came through */
};

struct places_lost {
    uint64_t packets, bytes; /* did not arrive; bytes are payload */
    uint64_t uncaptured;     /* packets that must have arrived: their bytes were acknowledged */
    mtime_t first, last;     /* of the lost, by the first place's clock */
};

/* Ends are 0, the client, and 1, the server of the connection, wherever the places are. */
struct places_connection {
    uint8_t family;
    bool guessed; /* who opened it */
    bool translated;
    uint8_t addr[PLACES_MAX][2][16];
    uint16_t port[PLACES_MAX][2];
    enum places_outcome outcome;
    bool half_closed;
    mtime_t silence;                       /* FORGOTTEN: that was too long */
    mtime_t survived;                      /* the longest after which a packet came through */
    struct places_lost lost[2], beyond[2]; /* beyond: after the end of the other place's capture */
    uint64_t made[2];                      /* in the name of each end */
    uint64_t tail;                         /* packets sent since anything came through */
    uint64_t tail_beyond;                  /* of them after the end of the other place's capture */
    int8_t hops[2];  /* that its packets lost between the places; -1: unknown */
    uint8_t near[2]; /* the place that is nearer to each end */
    uint8_t n_events;
    uint64_t events_in_all;
    struct places_event events[PLACES_EVENTS];
};

struct places_clock {
    uint64_t packets; /* seen at both, on which it rests; 0: unknown */
    mtime_t origin;   /* by the first place's clock */
    mtime_t ahead;    /* the second place's clock, then */
    double drift;     /* seconds it gains in a second */
    mtime_t way;      /* least time from one place to the other and back; the error is half of it */
    mtime_t wanders;  /* what is left beside this line: jitter, and clocks that were set */
    bool one_way;     /* packets of one direction only: way is unknown */
};

/* How long may they be silent? Over established connections. */
struct places_limit {
    mtime_t survived;  /* 0: none was silent */
    mtime_t forgotten; /* the shortest that is longer than survived; 0: none */
    mtime_t shortest;  /* of all that were forgotten; 0: none */
    uint64_t sooner;   /* forgotten after a silence that others survived */
};

/* As the first place calls it. */
struct places_server {
    uint8_t family, addr[16];
    uint16_t port;
    uint64_t connections, forgotten; /* forgotten: half closed ones, too */
    struct places_limit limit;
};

struct places_totals {
    size_t n; /* places */
    struct places_clock clock;
    struct capture_stats capture[PLACES_MAX];
    mtime_t first[PLACES_MAX], last[PLACES_MAX]; /* by the first place's clock */
    uint64_t tcp[PLACES_MAX];                    /* packets */
    uint64_t other[PLACES_MAX];                  /* not TCP and no ICMP error about it */
    uint64_t duplicates[PLACES_MAX];             /* captured twice */
    uint64_t both, only[PLACES_MAX];             /* connections */
    uint64_t unlike;                             /* the same addresses, other sequence numbers */
    uint64_t translated, evicted;
    uint64_t matched; /* packets */
    uint64_t by_outcome[PLACES_OUTCOMES];
    uint64_t resets, fins, icmp, made;
    struct places_lost lost[PLACES_MAX]; /* that were sent at each place */
    struct places_lost beyond[PLACES_MAX];
    uint64_t uncaptured[PLACES_MAX]; /* not in the capture there, but they have been there */
    int hops[PLACES_MAX];            /* from each place to the other, of most; -1: unknown */
    struct places_limit limit;
    struct places_server *servers; /* the most often forgotten first */
    size_t n_servers;
    uint64_t no_server;             /* connections: of further servers */
    bool ended[PLACES_MAX];         /* what came after the last packet there is left out */
    bool relies[PLACES_MAX];        /* something told rests on that capture having gone on */
    struct places_connection *kept; /* with anything but FINE, in the order of their ends */
    size_t n_kept, room;
    uint64_t not_kept;
    int error; /* memory */
};

struct places_options {
    const struct place *places;
    size_t n; /* 1 or 2 */
    void (*fault)(void *arg, const char *path, int error, const struct capture_fault *fault);
    void (*progress)(void *arg, double done, uint64_t packets);
    void *arg;
    const atomic_bool *stop;
};

/* 0, -EBADMSG: a capture could not be read on (fault() was told; what could be is in *totals), or
 * another negative errno. *totals is to be finished in any case. */
int places_run(const struct places_options *options, struct places_totals *totals);
void places_totals_finish(struct places_totals *totals);

/* Something between them broke it. */
bool places_is_broken(const struct places_connection *connection);
const char *places_outcome_name(enum places_outcome outcome);
const char *places_event_name(enum places_event_kind kind);

/* `all`: every connection that is kept, and not the worst of them only. */
void places_text(FILE *to, const struct places_totals *totals, const struct place *places,
                 bool all);
void places_json(FILE *to, const struct places_totals *totals, const struct place *places);

#endif
