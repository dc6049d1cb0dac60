/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/packet.h"

#include "middlebox/engine/packet_ip.h"

#include <netinet/in.h>

#define UDP_HEADER 8
#define PLAIN_IP 20u
#define PLAIN_TCP 20u

#define WORDS 32u

/* In pieces that compilers write as stores: a "rep stos" of the whole takes longer than all the
 * rest of decoding. */
static inline void clear(struct packet *p)
{
    uint8_t *words = (uint8_t *)p + WORDS;

    _Static_assert(offsetof(struct packet, side) == WORDS - 1 && sizeof(*p) == 4 * WORDS,
                   "kind and side end the first of four");
    p->kind = (enum packet_kind)0;
    p->side = 0;
    memset(words, 0, WORDS);
    memset(words + WORDS, 0, WORDS);
    memset(words + 2 * WORDS, 0, WORDS);
}

void packet_set_key(struct packet *p, const struct packet_ip *ip, uint16_t src_port,
                    uint16_t dst_port, uint8_t type)
{
    p->side = (uint8_t)flow_key_init(&p->key, ip->family, ip->proto, ip->src, src_port, ip->dst,
                                     dst_port, type);
}

static int decode_udp(struct packet *p, const struct packet_ip *ip)
{
    const uint8_t *d = ip->data + ip->l4;
    uint32_t room = ip->end - ip->l4, length;
    int fault = packet_ip_need(ip, ip->l4 + UDP_HEADER);

    if (fault)
        return fault;
    length = packet_be16(d + 4);
    if (ip->fragmented || (length == 0 && room > 65535)) /* the whole's length; RFC 2675 4 */
        length = room;
    if (length < UDP_HEADER || length > room)
        return PACKET_MALFORMED;
    p->kind = PACKET_UDP;
    p->payload_len = length - UDP_HEADER;
    packet_set_key(p, ip, packet_be16(d), packet_be16(d + 2), 0);
    return 0;
}

static int decode_other(struct packet *p, const struct packet_ip *ip, enum packet_kind kind)
{
    p->kind = kind;
    p->payload_len = ip->end - ip->l4;
    packet_set_key(p, ip, 0, 0, 0);
    return 0;
}

static int decode_transport(struct packet *p, const struct packet_ip *ip)
{
    p->l4_offset = ip->l4;
    if (ip->fragmented) {
        p->fragment_id = ip->id;
        p->fragment_start = ip->start;
        p->fragment_end = ip->stop;
        p->more_fragments = ip->start == 0;
    }
    if (ip->start > 0)
        return decode_other(p, ip, PACKET_FRAGMENT);
    if (ip->proto == IPPROTO_TCP)
        return packet_tcp(p, ip);
    if (ip->proto == IPPROTO_UDP)
        return decode_udp(p, ip);
    if (ip->proto == (ip->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
        return packet_icmp(p, ip);
    return decode_other(p, ip, PACKET_GENERIC);
}

/* What nearly all packets are: IPv4 without options, whole, TCP with nothing but timestamps. False:
 * it is something else, or not in order. */
static bool decode_plain(struct packet *p)
{
    static const uint8_t timestamps[4] = {1, 1, 8, 10}; /* RFC 7323, appendix A */
    const uint8_t *d = p->data, *tcp = d + PLAIN_IP;
    uint32_t cap = p->caplen < p->len ? p->caplen : p->len, total, header;
    uint32_t ports, from;
    bool stamped;

    if (cap < PLAIN_IP + PLAIN_TCP || d[0] != 0x45 || d[9] != IPPROTO_TCP || d[6] & 0x3f || d[7])
        return false;
    total = packet_be16(d + 2);
    header = (tcp[12] >> 4) * 4u;
    stamped = header == PLAIN_TCP + 12;
    if (total > p->len || total < PLAIN_IP + header || cap < PLAIN_IP + header ||
        (header != PLAIN_TCP && !(stamped && memcmp(tcp + PLAIN_TCP, timestamps, 4) == 0)))
        return false;

    clear(p);
    p->kind = PACKET_TCP;
    p->l4_offset = PLAIN_IP;
    p->payload_len = total - PLAIN_IP - header;
    p->seq = packet_be32(tcp + 4);
    p->flags = tcp[13] & (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG);
    p->ack_field = packet_be32(tcp + 8);
    p->ack = p->sack = p->flags & TCP_ACK ? p->ack_field : 0;
    p->window = packet_be16(tcp + 14);
    p->has_timestamp = stamped;
    if (stamped) {
        p->tsval = packet_be32(tcp + 24);
        p->tsecr = packet_be32(tcp + 28);
    }
    /* As flow_key_init(): the smaller (address, port) is end 0. By arithmetic: which of them sent
     * it no processor foresees. */
    ports = packet_be32(tcp);
    from = ((uint64_t)packet_be32(d + 12) << 16 | ports >> 16) >
           ((uint64_t)packet_be32(d + 16) << 16 | (ports & 0xffff));
    p->side = (uint8_t)from;
    memcpy(p->key.addr[0], d + 12 + 4 * from, 4);
    memcpy(p->key.addr[1], d + 16 - 4 * from, 4);
    p->key.port[0] = (uint16_t)(ports >> (16 - 16 * from));
    p->key.port[1] = (uint16_t)(ports >> 16 * from);
    p->key.proto = IPPROTO_TCP;
    p->key.family = 4;
    return true;
}

void packet_decode(struct packet *p)
{
    if (!decode_plain(p))
        packet_decode_any(p);
}

void packet_decode_any(struct packet *p)
{
    struct packet_ip ip = {
        .data = p->data,
        .cap = p->caplen < p->len ? p->caplen : p->len,
        .end = p->len,
        .offloaded = p->offloaded,
    };
    int fault;

    clear(p);
    fault = packet_ip_parse(&ip);
    if (!fault)
        fault = decode_transport(p, &ip);
    /* RFC 1858 3.2.1, RFC 7112 5: what is judged must be in the first fragment. A need that reached
     * beyond its end came back as MALFORMED already. */
    if (fault) {
        clear(p);
        p->kind = (enum packet_kind)fault;
    }
}
