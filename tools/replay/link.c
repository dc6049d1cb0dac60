/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/link.h"

#include <netinet/in.h>

enum {
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TYPE_VLAN = 0x8100,
    TYPE_QINQ = 0x88a8,
    TYPE_QINQ_OLD = 0x9100, /* before 802.1ad had a number */
    TYPE_PPPOE = 0x8864,
    TYPE_LENGTH_MAX = 1500, /* at most: IEEE 802.3's length */
    PPP_IPV4 = 0x0021,
    PPP_IPV6 = 0x0057,
};
#define VLAN_TAGS_MAX 8

enum link_kind link_kind(uint32_t linktype)
{
    switch (linktype) {
    case 1:
        return LINK_ETHERNET;
    case 0:   /* NULL */
    case 108: /* LOOP */
        return LINK_LOOPBACK;
    case 9:  /* PPP */
    case 50: /* PPP_HDLC */
        return LINK_PPP;
    case 51:
        return LINK_PPPOE;
    case 104:
        return LINK_CISCO_HDLC;
    case 113:
        return LINK_COOKED;
    case 276:
        return LINK_COOKED2;
    case 12: /* what DLT_RAW is on most systems, and on OpenBSD: some write it into the file */
    case 14:
    case 101: /* RAW */
    case 228: /* IPV4 */
    case 229: /* IPV6 */
        return LINK_RAW;
    default:
        return LINK_UNKNOWN;
    }
}

static bool skip(struct link_bytes *b, uint32_t n)
{
    if (b->caplen < n || b->len < n)
        return false;
    b->data += n;
    b->caplen -= n;
    b->len -= n;
    return true;
}

static enum link_result strip_ppp(struct link_bytes *b)
{
    uint16_t protocol;

    if (b->caplen >= 2 && link_be16(b->data) == 0xff03) /* RFC 1662 3.1; often left out */
        skip(b, 2);
    if (b->caplen < 1)
        return LINK_BROKEN;
    if (b->data[0] & 1) { /* compressed to one byte: RFC 1661 6.5 */
        protocol = b->data[0];
        skip(b, 1);
    } else {
        if (b->caplen < 2)
            return LINK_BROKEN;
        protocol = link_be16(b->data);
        skip(b, 2);
    }
    return protocol == PPP_IPV4 || protocol == PPP_IPV6 ? LINK_IP : LINK_NOT_IP;
}

/* RFC 2516 4: version and type, code (0: a session's data), session, length. */
static enum link_result strip_pppoe(struct link_bytes *b)
{
    uint32_t code;

    if (b->caplen < 6)
        return LINK_BROKEN;
    code = b->data[1];
    skip(b, 6);
    return code == 0 ? strip_ppp(b) : LINK_NOT_IP;
}

/* IEEE 802.2 with SNAP (RFC 1042); everything else behind a length is no IP. */
static enum link_result strip_snap(struct link_bytes *b)
{
    uint16_t type;

    if (b->caplen < 3)
        return LINK_BROKEN;
    if (memcmp(b->data, "\xaa\xaa\x03", 3) != 0)
        return LINK_NOT_IP;
    if (b->caplen < 8)
        return LINK_BROKEN;
    if (memcmp(b->data + 3, "\0\0\0", 3) != 0)
        return LINK_NOT_IP;
    type = link_be16(b->data + 6);
    skip(b, 8);
    return type == TYPE_IPV4 || type == TYPE_IPV6 ? LINK_IP : LINK_NOT_IP;
}

/* What follows an Ethernet type. */
static enum link_result strip_type(uint16_t type, struct link_bytes *b)
{
    for (unsigned tags = 0; tags < VLAN_TAGS_MAX; tags++) {
        switch (type) {
        case TYPE_IPV4:
        case TYPE_IPV6:
            return LINK_IP;
        case TYPE_VLAN:
        case TYPE_QINQ:
        case TYPE_QINQ_OLD:
            if (b->caplen < 4)
                return LINK_BROKEN;
            type = link_be16(b->data + 2);
            skip(b, 4);
            break;
        case TYPE_PPPOE:
            return strip_pppoe(b);
        default:
            return type <= TYPE_LENGTH_MAX ? strip_snap(b) : LINK_NOT_IP;
        }
    }
    return LINK_NOT_IP;
}

/* A header of fixed size with an Ethernet type in it. */
static enum link_result strip_header(struct link_bytes *b, uint32_t size, uint32_t type_at)
{
    uint16_t type;

    if (b->caplen < size)
        return LINK_BROKEN;
    type = link_be16(b->data + type_at);
    return skip(b, size) ? strip_type(type, b) : LINK_BROKEN;
}

/* Only AF_INET is 2 everywhere. AF_INET6: Linux, NetBSD and OpenBSD, FreeBSD, macOS. */
static enum link_result strip_loopback(struct link_bytes *b)
{
    uint32_t family;

    if (b->caplen < 4)
        return LINK_BROKEN;
    family = (uint32_t)b->data[0] | b->data[3]; /* either byte order: the rest is zero */
    if (b->data[1] || b->data[2] || (b->data[0] && b->data[3]))
        family = 0;
    skip(b, 4);
    return family == 2 || family == 10 || family == 24 || family == 28 || family == 30
               ? LINK_IP
               : LINK_NOT_IP;
}

static enum link_result strip_raw(const struct link_bytes *b)
{
    if (b->caplen == 0)
        return LINK_BROKEN;
    return b->data[0] >> 4 == 4 || b->data[0] >> 4 == 6 ? LINK_IP : LINK_NOT_IP;
}

static enum link_result strip(enum link_kind kind, struct link_bytes *b)
{
    switch (kind) {
    case LINK_UNKNOWN:
        return LINK_NOT_IP;
    case LINK_ETHERNET:
        return strip_header(b, LINK_ETHERNET_HEADER, 12);
    case LINK_LOOPBACK:
        return strip_loopback(b);
    case LINK_PPP:
        return strip_ppp(b);
    case LINK_PPPOE:
        return strip_pppoe(b);
    case LINK_CISCO_HDLC: /* address, control, Ethernet type */
        return strip_header(b, 4, 2);
    case LINK_COOKED: /* linktypes/LINKTYPE_LINUX_SLL: the protocol is last */
        return strip_header(b, 16, 14);
    case LINK_COOKED2: /* linktypes/LINKTYPE_LINUX_SLL2: the protocol is first */
        return strip_header(b, 20, 0);
    case LINK_RAW:
        return strip_raw(b);
    }
    return LINK_NOT_IP;
}

/* Ethernet pads to 60 bytes, and some captures hold the frame check sequence. */
static void cut_padding(struct link_bytes *b)
{
    uint32_t total;

    if (b->caplen >= 4 && b->data[0] >> 4 == 4)
        total = link_be16(b->data + 2);
    else if (b->caplen >= 6 && b->data[0] >> 4 == 6)
        total = link_be16(b->data + 4) ? link_be16(b->data + 4) + 40u : 0;
    else
        return;
    if (total == 0 || total >= b->len) /* 0: too large for the field */
        return;
    b->len = total;
    if (b->caplen > total)
        b->caplen = total;
}

enum link_result link_strip_slow(enum link_kind kind, struct link_bytes *b)
{
    enum link_result result = strip(kind, b);

    if (result == LINK_IP)
        cut_padding(b);
    return result;
}

/* IANA's numbers: VXLAN, what Linux used before, Geneve, GTP-U. */
static bool tunnel_port(uint16_t port)
{
    return port == 4789 || port == 8472 || port == 6081 || port == 2152;
}

bool link_is_tunnel_slow(const struct link_bytes *ip)
{
    const uint8_t *d = ip->data;
    uint32_t l4;
    uint8_t protocol;

    if (ip->caplen >= 20 && d[0] >> 4 == 4) {
        protocol = d[9];
        l4 = (d[0] & 15u) * 4;
        if (link_be16(d + 6) & 0x1fff) /* a later fragment has no ports */
            l4 = UINT16_MAX;
    } else if (ip->caplen >= 40 && d[0] >> 4 == 6) {
        protocol = d[6];
        l4 = 40;
    } else {
        return false;
    }
    if (protocol == IPPROTO_UDP)
        return ip->caplen >= l4 + 4 && tunnel_port(link_be16(d + l4 + 2));
    return protocol == IPPROTO_IPIP || protocol == IPPROTO_IPV6 || protocol == IPPROTO_GRE;
}
