/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/segment.h"

#include "middlebox/engine/checksum.h"
#include "middlebox/engine/packet_ip.h"

#include <assert.h>
#include <netinet/in.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER 20
#define TIMESTAMP_OPTION 12 /* with two NOPs before it (RFC 7323, appendix A) */
#define ICMP_HEADER 8
#define TTL 64
#define TOS_ICMP_ERROR 0xc0 /* RFC 1812 4.3.2.5: precedence 6 */

static void put16(uint8_t *to, uint16_t v)
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
}

static void put32(uint8_t *to, uint32_t v)
{
    put16(to, (uint16_t)(v >> 16));
    put16(to + 2, (uint16_t)v);
}

static uint32_t header_size(uint8_t family)
{
    return family == 4 ? IPV4_HEADER : IPV6_HEADER;
}

/* The IP header before size bytes of transport; out->data is zero. */
static void put_ip(struct segment *out, uint8_t family, uint8_t tos, uint8_t proto,
                   const uint8_t *src, const uint8_t *dst, uint32_t size)
{
    uint8_t *d = out->data;

    out->len = (uint16_t)(header_size(family) + size);
    if (family == 4) {
        d[0] = 0x45;
        d[1] = tos;
        put16(d + 2, out->len);
        put16(d + 6, 0x4000); /* DF: with it the id may be 0 (RFC 6864 4.1) */
        d[8] = TTL;
        d[9] = proto;
        memcpy(d + 12, src, 4);
        memcpy(d + 16, dst, 4);
        put16(d + 10, checksum_fold(checksum_add(0, d, IPV4_HEADER)));
        return;
    }
    d[0] = (uint8_t)(0x60 | tos >> 4);
    d[1] = (uint8_t)(tos << 4);
    put16(d + 4, (uint16_t)size);
    d[6] = proto;
    d[7] = TTL;
    memcpy(d + 8, src, 16);
    memcpy(d + 24, dst, 16);
}

void segment_tcp(struct segment *out, const struct segment_tcp *tcp)
{
    const struct flow_key *key = tcp->key;
    const uint8_t *src = key->addr[tcp->from], *dst = key->addr[!tcp->from];
    uint32_t header = TCP_HEADER + (tcp->has_timestamp ? TIMESTAMP_OPTION : 0);
    uint32_t size = header + tcp->payload_len;
    uint8_t *t = out->data + header_size(key->family);

    assert(tcp->payload_len <= 1);
    *out = (struct segment){.kind = tcp->flags & TCP_RST ? SEGMENT_RESET : SEGMENT_PROBE};
    put_ip(out, key->family, 0, IPPROTO_TCP, src, dst, size);
    put16(t, key->port[tcp->from]);
    put16(t + 2, key->port[!tcp->from]);
    put32(t + 4, tcp->seq);
    put32(t + 8, tcp->flags & TCP_ACK ? tcp->ack : 0);
    t[12] = (uint8_t)(header / 4 << 4);
    t[13] = tcp->flags;
    put16(t + 14, tcp->window);
    if (tcp->has_timestamp) {
        put32(t + 20, 0x0101080a);
        put32(t + 24, tcp->tsval);
        put32(t + 28, tcp->tsecr);
    }
    put16(t + 16, checksum_fold(checksum_add(
                      checksum_pseudo(key->family, src, dst, IPPROTO_TCP, size), t, size)));
}

/* What both resets have in common; the answer goes back to p's sender. */
static void put_reset(struct segment *out, const struct packet *p, struct segment_tcp tcp)
{
    tcp.key = &p->key;
    tcp.from = !p->side;
    tcp.flags |= TCP_RST;
    segment_tcp(out, &tcp);
    out->mark = p->mark;
    out->to_client = 1;
}

void segment_reset_for(struct segment *out, const struct packet *p)
{
    uint32_t length = p->payload_len + !!(p->flags & TCP_SYN) + !!(p->flags & TCP_FIN);

    if (p->flags & TCP_ACK)
        put_reset(out, p, (struct segment_tcp){.seq = p->ack});
    else
        put_reset(out, p, (struct segment_tcp){.ack = p->seq + length, .flags = TCP_ACK});
}

void segment_reset_echo(struct segment *out, const struct packet *p)
{
    if (!(p->flags & TCP_ACK)) { /* nothing to echo */
        segment_reset_for(out, p);
        return;
    }
    put_reset(
        out, p,
        (struct segment_tcp){
            .seq = p->ack, .ack = p->seq, .flags = TCP_ACK, .payload_len = p->payload_len > 0});
}

/* RFC 1122 3.2.2, RFC 4443 2.4 (e): what no ICMP error may answer. */
static bool answerable(const struct packet *p, const uint8_t *src, const uint8_t *dst)
{
    static const uint8_t none[16];

    switch (p->kind) {
    case PACKET_TCP:
    case PACKET_UDP:
    case PACKET_ECHO:
        break;
    case PACKET_GENERIC: /* an ICMP type we do not know may be an error */
        if (p->key.proto == IPPROTO_ICMP || p->key.proto == IPPROTO_ICMPV6)
            return false;
        break;
    case PACKET_ICMP_ERROR:
    case PACKET_ICMP_OTHER:
    case PACKET_FRAGMENT:
    case PACKET_TRUNCATED:
    case PACKET_MALFORMED:
        return false;
    }
    if (p->key.family == 6)
        return src[0] != 0xff && dst[0] != 0xff && memcmp(src, none, 16) != 0;
    /* 0/8 is "this network"; from 224/4 on: multicast, reserved, broadcast. 240/4 is in use as
     * unicast. */
    if (src[0] == 0 || src[0] >> 4 == 14 || dst[0] >> 4 == 14)
        return false;
    return packet_be32(src) != 0xffffffff && packet_be32(dst) != 0xffffffff;
}

/* The captured bytes of p without link-layer padding behind them. */
static uint32_t captured(const struct packet *p)
{
    uint32_t total =
        p->key.family == 4 ? packet_be16(p->data + 2) : packet_be16(p->data + 4) + IPV6_HEADER;

    if (total > (p->key.family == 4 ? 0 : IPV6_HEADER) && total < p->caplen)
        return total;
    return p->caplen;
}

void segment_icmp_prohibited(struct segment *out, const struct packet *p)
{
    uint8_t family = p->key.family;
    const uint8_t *src, *dst;
    uint32_t header = header_size(family) + ICMP_HEADER, quote;
    uint64_t sum = 0;
    uint8_t *t = out->data + header_size(family);

    *out = (struct segment){.kind = SEGMENT_ICMP, .mark = p->mark, .to_client = 1};
    src = p->data + (family == 4 ? 12 : 8);
    dst = p->data + (family == 4 ? 16 : 24);
    if (!answerable(p, src, dst))
        return;
    quote = captured(p);
    if (quote > SEGMENT_MAX - header)
        quote = SEGMENT_MAX - header;
    t[0] = family == 4 ? 3 : 1; /* destination unreachable */
    t[1] = family == 4 ? 13 : 1;
    memcpy(t + ICMP_HEADER, p->data, quote);
    put_ip(out, family, TOS_ICMP_ERROR, family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, dst, src,
           ICMP_HEADER + quote);
    if (family == 6)
        sum = checksum_pseudo(6, dst, src, IPPROTO_ICMPV6, ICMP_HEADER + quote);
    put16(t + 2, checksum_fold(checksum_add(sum, t, ICMP_HEADER + quote)));
}
