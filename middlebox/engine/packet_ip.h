/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PACKET_IP_H
#define IDLEWALL_PACKET_IP_H

/* The IP layer of one packet, or of one that an ICMP error quotes. Between the packet_*.c files
 * only. */

#include "middlebox/engine/packet.h"

struct packet_ip {
    /* in */
    const uint8_t *data;
    uint32_t cap; /* bytes that may be read */
    uint32_t end; /* bytes on the wire; packet_ip_parse() lowers both to where the IP packet ends */
    bool offloaded; /* as packet.offloaded */
    bool quoted;    /* cut short by who quoted it, its lengths are not to be trusted */
    /* out */
    const uint8_t *src, *dst;
    uint8_t family;
    uint8_t proto; /* of the transport header at l4 */
    uint8_t hops;  /* TTL or hop limit */
    uint32_t l4;
    bool fragmented; /* and not by an "atomic" fragment header (RFC 6946) */
    bool more;
    uint32_t id;
    uint32_t start, stop; /* which bytes of the whole this fragment carries */
};

/* 0, or PACKET_TRUNCATED or PACKET_MALFORMED. */
int packet_ip_parse(struct packet_ip *ip);

/* The same for whether the first `need` bytes can be read. */
static inline int packet_ip_need(const struct packet_ip *ip, uint32_t need)
{
    if (need <= ip->cap)
        return 0;
    return need <= ip->end ? PACKET_TRUNCATED : PACKET_MALFORMED;
}

static inline uint16_t packet_be16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t packet_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* packet_decode() without its short cut, with the same result. */
void packet_decode_any(struct packet *p);

/* Fills key and side. */
void packet_set_key(struct packet *p, const struct packet_ip *ip, uint16_t src_port,
                    uint16_t dst_port, uint8_t type);

/* Each: 0 and p->kind set, or PACKET_TRUNCATED or PACKET_MALFORMED. */
int packet_tcp(struct packet *p, const struct packet_ip *ip);
int packet_icmp(struct packet *p, const struct packet_ip *ip);

#endif
