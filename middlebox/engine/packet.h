/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PACKET_H
#define IDLEWALL_PACKET_H

/* Bytes from the wire, from the IP header on, into what the tracker needs. Nothing is allocated or
 * kept. */

#include "middlebox/engine/flow_key.h"
#include "policy/mtime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum packet_kind {
    PACKET_TCP,
    PACKET_UDP,
    PACKET_ECHO,       /* ICMP and ICMPv6 queries with an id: echo, timestamp, information, mask */
    PACKET_ICMP_ERROR, /* quotes a packet: key and side are the quoted packet's */
    PACKET_GENERIC,    /* any other protocol: addresses only */
    PACKET_ICMP_OTHER, /* neighbour discovery, MLD, router messages: no flow, always passes */
    PACKET_FRAGMENT,   /* not the first one: fate of the first */
    PACKET_TRUNCATED,  /* shorter than its own headers say, as captured */
    PACKET_MALFORMED,  /* lengths, versions or options that contradict each other */
} __attribute__((packed));
#define PACKET_KINDS (PACKET_MALFORMED + 1)

enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
};

struct packet {
    /* set by the front end before packet_decode() */
    mtime_t time;
    const uint8_t *data; /* IP header first; borrowed until the engine has consumed the packet */
    uint32_t caplen;     /* bytes at data */
    uint32_t len;        /* bytes on the wire (a GSO packet counts whole); >= caplen */
    uint32_t mark;       /* the firewall mark; injected answers copy it */
    bool checksum_ready; /* false: the checksum is still to be filled in by hardware, do not judge
                            it */
    bool offloaded; /* captured on a host whose network card cuts packets up: an IPv4 total length
                       of 0 means all there is */

    /* set by packet_decode() */
    enum packet_kind kind;
    uint8_t side; /* which end of key sent it (of an ICMP error: sent the quoted packet) */
    uint32_t fragment_id;
    uint32_t fragment_start, fragment_end; /* of the whole, in bytes; 0 in a packet that is whole */
    struct flow_key key;
    uint32_t l4_offset;   /* where the transport header starts */
    uint32_t payload_len; /* transport payload on the wire; the engine counts len */

    /* PACKET_TCP; of PACKET_ICMP_ERROR only seq, when icmp_quotes_tcp */
    uint32_t seq;
    uint32_t ack;       /* 0 unless TCP_ACK */
    uint32_t ack_field; /* what stands there, also without TCP_ACK: the kernel's tracker reads it of
                           a RST */
    uint32_t sack;      /* highest right edge of the SACK blocks, or ack when there are none */
    uint32_t tsval, tsecr;
    uint16_t window; /* unscaled */
    uint8_t flags;
    uint8_t wscale; /* of the option, at most 14 */
    bool has_wscale;
    bool sack_permitted;
    bool has_timestamp;

    bool is_reply;        /* PACKET_ECHO */
    bool icmp_quotes_tcp; /* PACKET_ICMP_ERROR */
    bool more_fragments;  /* a first fragment */
};
_Static_assert(sizeof(struct packet) == 128, "two cache lines");

/* Decodes p->data. The kind tells what became of it; on TRUNCATED and MALFORMED the rest is zero.
 */
void packet_decode(struct packet *p);

/* Are the IPv4 header checksum and the transport's right, as far as the captured bytes cover them?
 * True where there is nothing to judge. After packet_decode(). */
bool packet_checksum_ok(const struct packet *p);

#endif
