/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/checksum.h"
#include "middlebox/engine/packet_ip.h"

#include <netinet/in.h>

/* Was it sent along a route that is not over yet? Then its pseudo-header names the last stop (RFC
 * 8200 8.1), which is not the destination seen here. packet_decode() has checked these lengths. */
static bool on_route(const struct packet *p)
{
    uint8_t proto = p->data[6];
    uint32_t at = 40;

    while (at < p->l4_offset) {
        const uint8_t *d = p->data + at;

        if (proto == IPPROTO_ROUTING && d[3] > 0)
            return true;
        if (proto == IPPROTO_FRAGMENT)
            at += 8;
        else if (proto == IPPROTO_AH)
            at += (d[1] + 2u) * 4;
        else
            at += (d[1] + 1u) * 8;
        proto = d[0];
    }
    return false;
}

static bool transport_ok(const struct packet *p, uint8_t proto, uint32_t size)
{
    const uint8_t *transport = p->data + p->l4_offset;
    uint8_t family = p->data[0] >> 4;
    uint64_t sum = 0;

    if (p->fragment_end || p->l4_offset + (uint64_t)size > p->caplen)
        return true;
    if (family == 6 && on_route(p))
        return true;
    if (proto != IPPROTO_ICMP) {
        const uint8_t *src = p->data + (family == 4 ? 12 : 8);

        sum = checksum_pseudo(family, src, src + (family == 4 ? 4 : 16), proto, size);
    }
    return checksum_fold(checksum_add(sum, transport, size)) == 0;
}

bool packet_checksum_ok(const struct packet *p)
{
    bool v4;

    if (!p->checksum_ready || p->kind == PACKET_TRUNCATED || p->kind == PACKET_MALFORMED)
        return true;
    v4 = p->data[0] >> 4 == 4;
    if (v4 && checksum_fold(checksum_add(0, p->data, (p->data[0] & 15) * 4u)) != 0)
        return false;

    switch (p->kind) {
    case PACKET_TCP:
        return transport_ok(p, IPPROTO_TCP,
                            (p->data[p->l4_offset + 12] >> 4) * 4u + p->payload_len);
    case PACKET_UDP:
        /* 0: not computed. In IPv6 the receiver decides; middleboxes let it pass (RFC 6936 5). */
        return packet_be16(p->data + p->l4_offset + 6) == 0 ||
               transport_ok(p, IPPROTO_UDP, 8 + p->payload_len);
    case PACKET_ECHO:
    case PACKET_ICMP_ERROR:
    case PACKET_ICMP_OTHER:
        return transport_ok(p, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, 8 + p->payload_len);
    case PACKET_GENERIC:
    case PACKET_FRAGMENT:
    case PACKET_TRUNCATED:
    case PACKET_MALFORMED:
        return true;
    }
    return true;
}
