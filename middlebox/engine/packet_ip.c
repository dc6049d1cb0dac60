/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/packet_ip.h"

#include <netinet/in.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define FRAGMENT_HEADER 8
/* RFC 8200 4.1 has seven in its recommended order; more than this many is somebody's attack. */
#define EXTENSIONS_MAX 16

static uint32_t lower(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Cuts link-layer padding off. Of a quotation the length only counts where it is possible: some
 * systems have written it in the wrong byte order. */
static int set_end(struct packet_ip *ip, uint32_t header, uint32_t total)
{
    if (total < header || total > ip->end)
        return ip->quoted ? 0 : PACKET_MALFORMED;
    ip->end = total;
    ip->cap = lower(ip->cap, total);
    return 0;
}

/* The bytes from `from` on are a piece of a larger packet. */
static int set_fragment(struct packet_ip *ip, uint32_t from, uint32_t offset, bool more)
{
    uint32_t bytes = ip->end - from;

    ip->fragmented = true;
    ip->more = more;
    ip->start = offset;
    ip->stop = offset + bytes;
    if (ip->quoted)
        return 0;
    /* RFC 8200 4.5; the kernel's ip_frag_queue() asks the same of IPv4 */
    if (bytes == 0 || (more && bytes % 8 != 0) || offset + bytes > 65535)
        return PACKET_MALFORMED;
    /* RFC 1858 3.2.2: it would overwrite the flags that were judged in the first fragment */
    if (offset == 8 && ip->proto == IPPROTO_TCP)
        return PACKET_MALFORMED;
    return 0;
}

static int parse_v4(struct packet_ip *ip)
{
    const uint8_t *d = ip->data;
    uint32_t header, total, offset;
    int fault = packet_ip_need(ip, IPV4_HEADER);

    if (fault)
        return fault;
    header = (d[0] & 15) * 4u;
    if (header < IPV4_HEADER)
        return PACKET_MALFORMED;
    total = packet_be16(d + 2);
    /* Linux "BIG TCP" does not fit the field; other systems leave all segments to the card, which
     * fills in the lengths of what it makes of them. */
    if (total == 0 && (ip->offloaded || ip->end > 65535))
        total = ip->end;
    fault = set_end(ip, header, total);
    if (!fault)
        fault = packet_ip_need(ip, header);
    if (fault)
        return fault;

    ip->src = d + 12;
    ip->dst = d + 16;
    ip->proto = d[9];
    ip->hops = d[8];
    ip->l4 = header;
    ip->id = packet_be16(d + 4);
    offset = (packet_be16(d + 6) & 0x1fffu) * 8;
    if (offset || d[6] & 0x20)
        return set_fragment(ip, header, offset, d[6] & 0x20);
    return 0;
}

static int parse_v6_fragment(struct packet_ip *ip)
{
    const uint8_t *d = ip->data + ip->l4;
    uint32_t offset = packet_be16(d + 2) & 0xfff8u;

    ip->proto = d[0];
    ip->id = packet_be32(d + 4);
    ip->l4 += FRAGMENT_HEADER;
    if (offset || d[3] & 1)
        return set_fragment(ip, ip->l4, offset, d[3] & 1);
    return 0;
}

/* One extension header at l4: moves on to the next. */
static int skip_extension(struct packet_ip *ip)
{
    const uint8_t *d = ip->data + ip->l4;
    uint32_t size;
    int fault = packet_ip_need(ip, ip->l4 + 8);

    if (fault)
        return fault;
    if (ip->proto == IPPROTO_AH) {
        size = (d[1] + 2u) * 4;
        if (size < 12) /* RFC 4302 2.2: less than its own fixed part */
            return PACKET_MALFORMED;
    } else {
        size = (d[1] + 1u) * 8;
    }
    fault = packet_ip_need(ip, ip->l4 + size);
    if (fault)
        return fault;
    ip->proto = d[0];
    ip->l4 += size;
    return 0;
}

static int skip_extensions(struct packet_ip *ip)
{
    bool had_fragment_header = false;
    int fault;

    for (unsigned n = 0; n < EXTENSIONS_MAX; n++) {
        switch (ip->proto) {
        case IPPROTO_HOPOPTS:
            if (n > 0) /* RFC 8200 4.1: directly after the IPv6 header only */
                return PACKET_MALFORMED;
            fault = skip_extension(ip);
            break;
        case IPPROTO_ROUTING:
        case IPPROTO_DSTOPTS:
        case IPPROTO_AH:
            fault = skip_extension(ip);
            break;
        case IPPROTO_FRAGMENT:
            if (had_fragment_header)
                return PACKET_MALFORMED;
            had_fragment_header = true;
            fault = packet_ip_need(ip, ip->l4 + FRAGMENT_HEADER);
            if (!fault)
                fault = parse_v6_fragment(ip);
            break;
        default:
            return 0;
        }
        if (fault || ip->start > 0)
            return fault;
    }
    return PACKET_MALFORMED;
}

static int parse_v6(struct packet_ip *ip)
{
    const uint8_t *d = ip->data;
    uint32_t payload;
    int fault = packet_ip_need(ip, IPV6_HEADER);

    if (fault)
        return fault;
    payload = packet_be16(d + 4);
    if (payload == 0 && (ip->quoted || ip->end > IPV6_HEADER + 65535))
        payload = ip->end - IPV6_HEADER; /* RFC 2675, and Linux "BIG TCP" without the option */
    fault = set_end(ip, IPV6_HEADER, IPV6_HEADER + payload);
    if (fault)
        return fault;

    ip->src = d + 8;
    ip->dst = d + 24;
    ip->proto = d[6];
    ip->hops = d[7];
    ip->l4 = IPV6_HEADER;
    return skip_extensions(ip);
}

int packet_ip_parse(struct packet_ip *ip)
{
    int fault = packet_ip_need(ip, 1);

    if (fault)
        return fault;
    ip->family = ip->data[0] >> 4;
    if (ip->family == 4)
        return parse_v4(ip);
    if (ip->family == 6)
        return parse_v6(ip);
    return PACKET_MALFORMED;
}
