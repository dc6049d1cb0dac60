/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PATH_H
#define IDLEWALL_PATH_H

/* The links, and packets on them. */

#include "tools/simulate/wire.h"

struct world;

/* Codes of ICMP type 3 (RFC 792, RFC 1812 5.2.7.1). */
#define ICMP_UNREACHABLE_TYPE 3
#define ICMP_HOST_UNREACHABLE 1
#define ICMP_PROHIBITED 13

struct path_link {
    uint32_t sent[2];   /* by side, so far */
    uint32_t listed[2]; /* how many of the scenario's n-th are behind us */
    uint32_t lose[2];   /* so many more get lost */
};

/* A packet to fill in; NULL without memory. It ends with path_send() or path_end(). */
struct wire_packet *path_packet(struct world *world, uint32_t *index);
void path_end(struct world *world, uint32_t index);
/* Onto the link from place, in its direction. */
void path_send(struct world *world, uint32_t index, unsigned place);
/* It came to the place it was sent to. */
void path_arrival(struct world *world, uint32_t index);
/* From place, an ICMP error to the sender of that packet, where one may be sent. */
void path_answer_icmp(struct world *world, const struct wire_packet *packet, unsigned place,
                      uint8_t code);
/* An ICMP error from a host's own packet filter: it has come over no link. */
bool path_is_own(struct world *world, const struct wire_packet *packet, unsigned place);
void path_lose(struct world *world, unsigned place, bool both, unsigned side, uint32_t number);
/* The link next to the place on the way of side's packets. */
unsigned path_link_after(const struct world *world, unsigned place, unsigned side);

#endif
