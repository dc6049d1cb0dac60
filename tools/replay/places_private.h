/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PLACES_PRIVATE_H
#define IDLEWALL_PLACES_PRIVATE_H

#include "tools/replay/places.h"
#include "tools/replay/places_match.h"

/* What most have, as long as it is more than half (Boyer and Moore 1981). */
struct most {
    int16_t value;
    uint32_t count;
};
static inline void most_add(struct most *most, int value)
{
    if (most->count == 0)
        most->value = (int16_t)value;
    if (most->value == value)
        most->count += most->count < UINT32_MAX;
    else
        most->count--;
}

/* IP ids of one end at one place. */
struct ids {
    uint16_t last;
    uint32_t n, zero, near; /* near: a little above the one before */
};

struct places_side {
    bool known;    /* last is */
    int64_t last;  /* the newest sequence number that was seen, not wrapped */
    int64_t acked; /* of this side's, by the other */
    bool acked_any;
    bool has_isn;
    uint32_t isn;
    bool closed; /* a FIN of it was seen */
    bool fin_passed;
    struct most hops; /* TTL at the first place less that at the second */
    double ways;      /* sum of the times to the second place */
    uint64_t n_ways;
    struct most ttl[PLACES_MAX];
    struct ids ids[PLACES_MAX];
    struct seen_list list[PLACES_MAX];
    struct ranges ranges[PLACES_MAX];
    uint64_t identity[PLACES_MAX]; /* of the last packet, to know one that was captured twice */
    uint32_t seq[PLACES_MAX], ack[PLACES_MAX];
    uint8_t flags[PLACES_MAX];
    mtime_t time[PLACES_MAX];
    struct places_lost lost, beyond; /* beyond: after the other place's last packet */
    uint64_t last_lost;              /* number of the packet: pieces of one count once */
    uint64_t made, uncaptured_here;
};

struct places_half {
    struct places_half *next; /* of the same bucket */
    struct places_conn *conn;
    struct flow_key key;
    bool used, hashed;
    uint8_t flip; /* which of the key's ends is side 0 */
};

#define PLACES_TRACES 8

struct places_conn {
    struct places_conn *before, *after; /* by their last packets */
    struct places_half half[PLACES_MAX];
    struct places_side side[2];
    uint8_t client; /* side that opened it */
    uint8_t doubt;  /* how that is known: 0: by a SYN, 1: by the ports, 2: it spoke first */
    bool closing, steady, unlike;
    uint64_t passed; /* packets that came through */
    mtime_t last_passed, last_seen;
    mtime_t survived;
    uint64_t tail, tail_beyond; /* sent since anything came through */
    struct seen first;          /* of the tail */
    struct seen *arrived;       /* from nobody, or at one place: resets; the first ones */
    uint32_t n_arrived;
    uint64_t arrived_in_all;
    uint32_t traces[PLACES_TRACES]; /* + 1: slots of places_run.traces */
    uint8_t n_traces;
};

/* A packet of a connection that was seen at one place only so far: translated addresses are found
 * by it. */
struct places_trace {
    uint64_t mark; /* 0: free */
    mtime_t time;
    struct places_conn *conn;
    uint8_t place, side;
};
#define PLACES_TRACE_SLOTS 65536

struct places_queue {
    struct places_conn *first, *last;
    size_t n;
};

struct places_servers {
    struct places_server *slots; /* family 0: free */
    size_t room, n;
};

struct places_track {
    struct places_totals *totals;
    struct places_servers servers;
    const struct places_clock *clock;
    size_t n_places;
    struct places_half **buckets;
    size_t n_buckets, n_hashed;
    uint8_t secret[16];
    struct places_queue live, closing;
    struct places_trace *traces;
    mtime_t now;
    uint64_t way_votes[2];    /* clients near the first place, near the second */
    mtime_t ends[PLACES_MAX]; /* by the first place's clock */
    mtime_t begins[PLACES_MAX];
    mtime_t
        slack; /* that a packet may be seen before the one place's first, and still be on its way */
    uint64_t hop_votes[PLACES_MAX][256];
    int error;
};

/* places_table.c: connections by addresses, at each place. */
int places_table_init(struct places_track *t);
void places_table_finish(struct places_track *t);
/* The connection of p, seen at that place, and its side; made if there was none. NULL: no memory.
 * An ICMP error, or a reset, makes none. */
struct places_conn *places_table_take(struct places_track *t, const struct packet *p,
                                      unsigned place, unsigned *side);
/* It had a packet just now. */
void places_table_touch(struct places_track *t, struct places_conn *c);
/* Nothing more is expected of it. */
void places_table_closing(struct places_track *t, struct places_conn *c);
void places_table_remove(struct places_track *t, struct places_conn *c);
/* Looks for the same connection under other addresses, after `seen` was added to it. What it
 * returns is the connection that seen's is part of now. */
struct places_conn *places_table_link(struct places_track *t, struct places_conn *c,
                                      const struct packet *p, unsigned place, unsigned side);

/* places_track.c: packet by packet. */
void places_track_packet(struct places_track *t, const struct packet *p, unsigned place,
                         uint32_t capture, uint64_t number);
/* Again, for a connection of which the other half was found under another address. */
void places_track_match(struct places_track *t, struct places_conn *c, struct seen *seen);
uint32_t places_track_length(const struct packet *p); /* in sequence numbers */
int64_t places_unwrap(const struct places_side *s, uint32_t seq);

/* places_servers.c: the limit of all, and of each server. */
int places_servers_add(struct places_track *t, const struct places_connection *k);
/* Once all that was survived is known. */
void places_servers_forgot(struct places_track *t, const struct places_connection *k);
/* Hands them over to the totals. */
int places_servers_end(struct places_track *t);

/* places_judge.c: what is left. */
/* The place nearer to this side. */
unsigned places_near(const struct places_track *t, const struct places_conn *c, unsigned side);
void places_judge_expire(struct places_track *t, struct places_conn *c, bool all);
/* The last word on it; frees it. */
void places_judge_end(struct places_track *t, struct places_conn *c);
/* The last word on all. */
void places_judge_totals(struct places_track *t);

#endif
