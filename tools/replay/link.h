/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_LINK_H
#define IDLEWALL_LINK_H

/* What stands before the IP header in a capture. Numbers: draft-ietf-opsawg-pcaplinktype,
 * www.tcpdump.org/linktypes.html. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum link_kind {
    LINK_UNKNOWN,
    LINK_ETHERNET,
    LINK_LOOPBACK, /* the address family, in the byte order of whoever captured */
    LINK_PPP,      /* with or without HDLC's address and control */
    LINK_PPPOE,
    LINK_CISCO_HDLC,
    LINK_COOKED,
    LINK_COOKED2,
    LINK_RAW,
};

enum link_result {
    LINK_IP,
    LINK_NOT_IP,
    LINK_BROKEN,
};

/* The bytes of a packet that are left: of `caplen` captured ones, `len` on the wire. */
struct link_bytes {
    const uint8_t *data;
    uint32_t caplen, len;
};

enum link_kind link_kind(uint32_t linktype);

/* Goes on to the IP header; behind LINK_IP the padding of the link layer is cut off as well. */
enum link_result link_strip_slow(enum link_kind kind, struct link_bytes *bytes);

/* Does this IP packet carry another one, as far as its first headers tell? */
bool link_is_tunnel_slow(const struct link_bytes *ip);

static inline uint16_t link_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

#define LINK_ETHERNET_HEADER 14

/* Nearly every packet there is: IPv4 and TCP directly in Ethernet, as long as it says. */
static inline bool link_is_plain(enum link_kind kind, const struct link_bytes *b)
{
    const uint8_t *ip = b->data + LINK_ETHERNET_HEADER;

    return kind == LINK_ETHERNET && b->caplen >= LINK_ETHERNET_HEADER + 20 &&
           link_be16(b->data + 12) == 0x0800 && ip[0] == 0x45 && ip[9] == 6 &&
           link_be16(ip + 2) == b->len - LINK_ETHERNET_HEADER;
}

static inline enum link_result link_strip(enum link_kind kind, struct link_bytes *b, bool *tunnel)
{
    enum link_result result;

    *tunnel = false;
    if (link_is_plain(kind, b)) {
        b->data += LINK_ETHERNET_HEADER;
        b->caplen -= LINK_ETHERNET_HEADER;
        b->len -= LINK_ETHERNET_HEADER;
        return LINK_IP;
    }
    result = link_strip_slow(kind, b);
    if (result == LINK_IP)
        *tunnel = link_is_tunnel_slow(b);
    return result;
}

#endif
