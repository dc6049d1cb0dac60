/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_HOST_H
#define IDLEWALL_HOST_H

/* A host: its address, its sockets, and what becomes of packets that reach it. */

#include "tools/simulate/lookup.h"

/* Last bytes of the addresses that hosts may have. */
#define HOST_FIRST_ADDRESS 2
#define HOST_LAST_ADDRESS 254

struct world;
struct connection;

struct host {
    struct world *world;
    struct tcp_host tcp;
    struct tcp_options options; /* that its application asks for, on sockets to come too */
    struct behaviour behaviour;
    uint32_t piece;       /* bytes that make a request or an answer; 0: whatever one read gives */
    struct lookup lookup; /* tuple -> connection */
    uint8_t side;
    uint8_t place;
    uint8_t address;                    /* last byte, of new sockets; those before it may be gone */
    uint8_t first_address, n_addresses; /* a workload's clients have several at once */
    bool up, link_up, unreachable;
    bool runs;       /* its application: a server listens */
    bool blocked[2]; /* by sender: between its link and its TCP */
    bool prohibited[2];
    uint16_t ports_from, ports_to; /* ephemeral */
    uint32_t next_tuple;
    uint32_t current; /* the connection that deeds are about; SLAB_NONE: gone */
    uint32_t current_number;
    bool held; /* that one is gone, and the application still holds it: the error it will get */
    int held_error;
    /* counted */
    uint32_t sockets, leaked, sockets_peak;
    double sockets_area; /* sockets times nanoseconds */
    mtime_t area_until;
    uint64_t packets, probes, retransmits;
};

int host_init(struct host *host, struct world *world, unsigned side);
void host_finish(struct host *host);
/* A free pair of address and port for a new connection to the server. False: none left. */
bool host_choose_tuple(struct world *world, wire_tuple *tuple);
/* Is the tuple's address of this side still the host's? */
bool host_has_address(const struct host *host, wire_tuple tuple);
/* A packet reached its place. */
void host_arrival(struct world *world, struct host *host, uint32_t index);
/* Its sockets are one more or less. */
void host_count(struct host *host, mtime_t now, int more);

/* What a host draws when it starts. */
void host_draw(struct host *host);

/* host_fault.c */
void host_crash(struct world *world, struct host *host);
void host_reboot(struct world *world, struct host *host);
void host_link_up(struct host *host, bool new_address);
/* The process dies: its kernel closes what it held. */
void host_kill(struct world *world, struct host *host);

#endif
