/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/wire.h"

#include "middlebox/engine/checksum.h"

#include <netinet/in.h>
#include <string.h>

#define IPV4_HEADER 20
#define TCP_HEADER 20
#define ICMP_HEADER 8
#define TTL 64
#define TOS_ICMP_ERROR 0xc0 /* RFC 1812 4.3.2.5: precedence 6 */

static void put16(uint8_t *to, uint32_t v)
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
}

static void put32(uint8_t *to, uint32_t v)
{
    put16(to, v >> 16);
    put16(to + 2, v);
}

static uint32_t get16(const uint8_t *from)
{
    return (uint32_t)from[0] << 8 | from[1];
}

static uint32_t get32(const uint8_t *from)
{
    return get16(from) << 16 | get16(from + 2);
}

static bool has_sack(const struct tcp_segment *s)
{
    return s->sack[0] != s->sack[1];
}

static uint32_t options_length(const struct tcp_segment *s)
{
    uint32_t n = 0;

    if (s->flags & TCP_SYN) {
        n += s->mss ? 4 : 0;
        n += s->has_timestamp ? (s->sack_permitted ? 10 : 12) : 0;
        n += s->sack_permitted ? (s->has_timestamp ? 2 : 4) : 0;
        n += s->wscale != TCP_NO_WSCALE ? 4 : 0;
        return n;
    }
    return (s->has_timestamp ? 12u : 0) + (has_sack(s) ? 12 : 0);
}

static void put_timestamp(uint8_t *o, const struct tcp_segment *s)
{
    o[0] = 8;
    o[1] = 10;
    put32(o + 2, s->tsval);
    put32(o + 6, s->tsecr);
}

/* In the order and with the padding of the kernel's tcp_options_write(). */
static void put_options(uint8_t *o, const struct tcp_segment *s)
{
    bool syn = s->flags & TCP_SYN;

    if (syn && s->mss) {
        put32(o, 0x02040000 | s->mss);
        o += 4;
    }
    if (s->has_timestamp) {
        put16(o, syn && s->sack_permitted ? 0x0402 : 0x0101);
        put_timestamp(o + 2, s);
        o += 12;
    } else if (syn && s->sack_permitted) {
        put32(o, 0x01010402);
        o += 4;
    }
    if (syn && s->wscale != TCP_NO_WSCALE) {
        put32(o, 0x01030300 | s->wscale);
        o += 4;
    }
    if (!syn && has_sack(s)) {
        put32(o, 0x0101050a);
        put32(o + 4, s->sack[0]);
        put32(o + 8, s->sack[1]);
    }
}

static void put_ip(uint8_t *d, uint8_t tos, uint8_t proto, uint32_t src, uint32_t dst, uint32_t len,
                   bool checksum)
{
    d[0] = 0x45;
    d[1] = tos;
    put16(d + 2, len);
    put16(d + 4, 0);
    put16(d + 6, 0x4000); /* DF: with it the id may be 0 (RFC 6864 4.1) */
    d[8] = TTL;
    d[9] = proto;
    put16(d + 10, 0);
    put32(d + 12, src);
    put32(d + 16, dst);
    if (checksum)
        put16(d + 10, checksum_fold(checksum_add(0, d, IPV4_HEADER)));
}

static uint32_t address(wire_tuple tuple, unsigned side)
{
    return side == FLOW_CLIENT ? WIRE_CLIENTS | wire_client(tuple)
                               : WIRE_SERVERS | wire_server(tuple);
}

static uint32_t put_tcp(uint8_t *d, const struct tcp_segment *s, wire_tuple tuple, unsigned from,
                        uint16_t server_port, bool checksums)
{
    uint32_t header = TCP_HEADER + options_length(s);
    uint16_t port[2] = {wire_port(tuple), server_port};
    uint8_t *t = d + IPV4_HEADER;

    put_ip(d, 0, IPPROTO_TCP, address(tuple, from), address(tuple, !from),
           IPV4_HEADER + header + s->len, checksums);
    put16(t, port[from]);
    put16(t + 2, port[!from]);
    put32(t + 4, s->seq);
    put32(t + 8, s->flags & TCP_ACK ? s->ack : 0);
    t[12] = (uint8_t)(header / 4 << 4);
    t[13] = s->flags;
    put16(t + 14, s->window);
    put32(t + 16, 0);
    put_options(t + TCP_HEADER, s);
    if (checksums)
        put16(t + 16,
              checksum_fold(checksum_add(
                  checksum_pseudo(4, d + 12, d + 16, IPPROTO_TCP, header + s->len), t, header)));
    return IPV4_HEADER + header;
}

static uint32_t tcp_header_length(const struct tcp_segment *s)
{
    return IPV4_HEADER + TCP_HEADER + options_length(s);
}

uint32_t wire_length(const struct wire_packet *p)
{
    if (p->icmp)
        return IPV4_HEADER + ICMP_HEADER + tcp_header_length(&p->segment);
    return tcp_header_length(&p->segment) + p->segment.len;
}

uint32_t wire_encode(const struct wire_packet *p, uint16_t server_port, bool checksums,
                     uint8_t bytes[WIRE_MAX])
{
    uint8_t *t = bytes + IPV4_HEADER;
    uint32_t quote;

    if (!p->icmp)
        return put_tcp(bytes, &p->segment, p->tuple, p->from, server_port, checksums);
    put32(t, (uint32_t)p->icmp_type << 24 | (uint32_t)p->icmp_code << 16);
    put32(t + 4, 0);
    quote = put_tcp(t + ICMP_HEADER, &p->segment, p->tuple, !p->from, server_port, checksums);
    put_ip(bytes, TOS_ICMP_ERROR, IPPROTO_ICMP, p->icmp_from, address(p->tuple, !p->from),
           IPV4_HEADER + ICMP_HEADER + quote, checksums);
    if (checksums)
        put16(t + 2, checksum_fold(checksum_add(0, t, ICMP_HEADER + quote)));
    return IPV4_HEADER + ICMP_HEADER + quote;
}

/* Which side has this address, and its last byte; -1: nobody. */
static int owner(uint32_t addr, uint8_t *last)
{
    *last = (uint8_t)addr;
    if ((addr & ~UINT32_C(255)) == WIRE_CLIENTS)
        return FLOW_CLIENT;
    return (addr & ~UINT32_C(255)) == WIRE_SERVERS ? FLOW_SERVER : -1;
}

static void read_options(struct tcp_segment *s, const uint8_t *o, uint32_t size)
{
    s->wscale = TCP_NO_WSCALE;
    for (uint32_t at = 0; at < size && o[at] != 0; at += o[at] == 1 ? 1 : o[at + 1]) {
        if (o[at] == 1)
            continue;
        if (size - at < 2 || o[at + 1] < 2 || o[at + 1] > size - at)
            return;
        if (o[at] == 2 && o[at + 1] == 4)
            s->mss = (uint16_t)get16(o + at + 2);
        else if (o[at] == 3 && o[at + 1] == 3)
            s->wscale = o[at + 2];
        else if (o[at] == 4)
            s->sack_permitted = true;
        else if (o[at] == 5 && o[at + 1] >= 10) {
            s->sack[0] = get32(o + at + 2);
            s->sack[1] = get32(o + at + 6);
        } else if (o[at] == 8 && o[at + 1] == 10) {
            s->has_timestamp = true;
            s->tsval = get32(o + at + 2);
            s->tsecr = get32(o + at + 6);
        }
    }
}

/* from: who sent it. The bytes may end with the header. */
static bool read_tcp(struct wire_packet *p, uint16_t server_port, const uint8_t *d, uint32_t size,
                     unsigned *from)
{
    struct tcp_segment *s = &p->segment;
    const uint8_t *t = d + IPV4_HEADER;
    uint8_t last[2] = {0, 0}, src, dst;
    int source, target;
    uint32_t header, total;

    if (size < IPV4_HEADER + TCP_HEADER || d[0] != 0x45 || d[9] != IPPROTO_TCP)
        return false;
    source = owner(get32(d + 12), &src);
    target = owner(get32(d + 16), &dst);
    header = (t[12] >> 4) * 4u;
    total = get16(d + 2);
    if (source < 0 || target != !source || header < TCP_HEADER || size < IPV4_HEADER + header ||
        total < IPV4_HEADER + header)
        return false;
    *from = (unsigned)source;
    last[source] = src;
    last[target] = dst;
    if (get16(t + (source == FLOW_SERVER ? 0 : 2)) != server_port)
        return false;
    p->tuple = wire_tuple_of(last[FLOW_CLIENT], last[FLOW_SERVER],
                             (uint16_t)get16(t + (source == FLOW_SERVER ? 2 : 0)));
    *s = (struct tcp_segment){.seq = get32(t + 4),
                              .ack = get32(t + 8),
                              .len = total - IPV4_HEADER - header,
                              .flags = t[13],
                              .window = (uint16_t)get16(t + 14)};
    read_options(s, t + TCP_HEADER, header - TCP_HEADER);
    return true;
}

bool wire_decode(struct wire_packet *p, uint16_t server_port, const uint8_t *d, uint32_t len)
{
    const uint8_t *t = d + IPV4_HEADER;
    unsigned from;

    if (len < IPV4_HEADER + ICMP_HEADER || d[0] != 0x45)
        return false;
    p->icmp = d[9] == IPPROTO_ICMP;
    if (!p->icmp) {
        if (!read_tcp(p, server_port, d, len, &from))
            return false;
        p->from = (uint8_t)from;
        return true;
    }
    p->icmp_type = t[0];
    p->icmp_code = t[1];
    p->icmp_from = get32(d + 12);
    if (!read_tcp(p, server_port, t + ICMP_HEADER, len - IPV4_HEADER - ICMP_HEADER, &from))
        return false;
    p->from = !from;
    return true;
}
