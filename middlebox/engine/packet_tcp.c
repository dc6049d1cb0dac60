/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/packet_ip.h"

#define TCP_HEADER 20
#define WSCALE_MAX 14 /* RFC 7323 2.3 */

enum {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_WSCALE = 3,
    OPTION_SACK_PERMITTED = 4,
    OPTION_SACK = 5,
    OPTION_TIMESTAMP = 8,
};

/* The highest right edge, as tcp_sack() in the kernel's nf_conntrack_proto_tcp.c finds it. */
static void read_sack(struct packet *p, const uint8_t *blocks, uint32_t size)
{
    if (size == 0 || size % 8 != 0)
        return;
    for (uint32_t i = 0; i < size; i += 8) {
        uint32_t right = packet_be32(blocks + i + 4);

        if ((int32_t)(right - p->sack) > 0)
            p->sack = right;
    }
}

/* A known option with an unexpected length is skipped, as every receiver does. */
static void read_option(struct packet *p, const uint8_t *option, uint32_t size)
{
    switch (option[0]) {
    case OPTION_WSCALE:
        if (size == 3) {
            p->has_wscale = true;
            p->wscale = option[2] > WSCALE_MAX ? WSCALE_MAX : option[2];
        }
        break;
    case OPTION_SACK_PERMITTED:
        if (size == 2)
            p->sack_permitted = true;
        break;
    case OPTION_SACK:
        read_sack(p, option + 2, size - 2);
        break;
    case OPTION_TIMESTAMP:
        if (size == 10) {
            p->has_timestamp = true;
            p->tsval = packet_be32(option + 2);
            p->tsecr = packet_be32(option + 6);
        }
        break;
    default:
        break;
    }
}

static int read_options(struct packet *p, const uint8_t *options, uint32_t size)
{
    uint32_t at = 0;

    while (at < size && options[at] != OPTION_END) {
        uint32_t length;

        if (options[at] == OPTION_NOP) {
            at++;
            continue;
        }
        if (size - at < 2)
            return PACKET_MALFORMED;
        length = options[at + 1];
        if (length < 2 || length > size - at)
            return PACKET_MALFORMED;
        read_option(p, options + at, length);
        at += length;
    }
    return 0;
}

int packet_tcp(struct packet *p, const struct packet_ip *ip)
{
    const uint8_t *d = ip->data + ip->l4;
    uint32_t header;
    int fault = packet_ip_need(ip, ip->l4 + TCP_HEADER);

    if (fault)
        return fault;
    header = (d[12] >> 4) * 4u;
    if (header < TCP_HEADER)
        return PACKET_MALFORMED;
    fault = packet_ip_need(ip, ip->l4 + header);
    if (fault)
        return fault;

    p->kind = PACKET_TCP;
    p->payload_len = ip->end - ip->l4 - header;
    p->seq = packet_be32(d + 4);
    p->flags = d[13] & (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG);
    p->ack_field = packet_be32(d + 8);
    p->ack = p->flags & TCP_ACK ? p->ack_field : 0;
    p->sack = p->ack;
    p->window = packet_be16(d + 14);
    packet_set_key(p, ip, packet_be16(d), packet_be16(d + 2), 0);
    return read_options(p, d + TCP_HEADER, header - TCP_HEADER);
}
