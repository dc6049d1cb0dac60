/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/packet_ip.h"

#include <netinet/in.h>

#define ICMP_HEADER 8
#define QUOTE_MIN 8 /* of the transport header: RFC 792 promises no more */

enum icmp_class { CLASS_REQUEST, CLASS_REPLY, CLASS_ERROR, CLASS_LINK, CLASS_UNKNOWN };

static enum icmp_class classify_v4(uint8_t type, uint8_t *request)
{
    switch (type) {
    case 8:  /* echo */
    case 13: /* timestamp */
    case 15: /* information */
    case 17: /* address mask */
        *request = type;
        return CLASS_REQUEST;
    case 0:
        *request = 8;
        return CLASS_REPLY;
    case 14:
    case 16:
    case 18:
        *request = type - 1;
        return CLASS_REPLY;
    case 3:  /* destination unreachable */
    case 4:  /* source quench */
    case 5:  /* redirect: quotes as the others do, and the kernel's conntrack counts it with them */
    case 11: /* time exceeded */
    case 12: /* parameter problem */
        return CLASS_ERROR;
    case 9: /* router advertisement, solicitation */
    case 10:
        return CLASS_LINK;
    default:
        return CLASS_UNKNOWN;
    }
}

static enum icmp_class classify_v6(uint8_t type, uint8_t *request)
{
    if (type < 128) /* RFC 4443 2.1: all of these are errors, also those not defined yet */
        return CLASS_ERROR;
    if (type == 128 || type == 129) {
        *request = 128;
        return type == 128 ? CLASS_REQUEST : CLASS_REPLY;
    }
    /* MLD, neighbour discovery, MLDv2 and inverse discovery, SEND, multicast routers */
    if ((type >= 130 && type <= 137) || (type >= 141 && type <= 143) ||
        (type >= 148 && type <= 149) || (type >= 151 && type <= 153))
        return CLASS_LINK;
    return CLASS_UNKNOWN;
}

static enum icmp_class classify(const struct packet_ip *ip, uint8_t *request)
{
    uint8_t type = ip->data[ip->l4];
    enum icmp_class class;

    *request = 0;
    class = ip->family == 4 ? classify_v4(type, request) : classify_v6(type, request);
    /* These are for one link and are sent with a hop limit of 1 or 255 (RFC 4861 7.1, RFC 3810 5).
     * One that came over a router is something else in disguise: the rules judge it. */
    if (class == CLASS_LINK && ip->hops != 1 && ip->hops != 255)
        return CLASS_UNKNOWN;
    return class;
}

/* Key and side of the quoted packet; one that cannot belong to a flow gets a key that no flow has.
 */
static int quoted_key(struct packet *p, const struct packet_ip *quote)
{
    const uint8_t *d = quote->data + quote->l4;
    uint8_t request;
    int fault;

    if (quote->start > 0) {
        packet_set_key(p, quote, 0, 0, 0);
        return 0;
    }
    if (quote->proto == IPPROTO_TCP || quote->proto == IPPROTO_UDP) {
        fault = packet_ip_need(quote, quote->l4 + QUOTE_MIN);
        if (fault)
            return fault;
        packet_set_key(p, quote, packet_be16(d), packet_be16(d + 2), 0);
        p->icmp_quotes_tcp = quote->proto == IPPROTO_TCP;
        p->seq = p->icmp_quotes_tcp ? packet_be32(d + 4) : 0;
        return 0;
    }
    if (quote->proto == (quote->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)) {
        enum icmp_class class;
        uint16_t id;

        fault = packet_ip_need(quote, quote->l4 + QUOTE_MIN);
        if (fault)
            return fault;
        class = classify(quote, &request);
        id = class == CLASS_REQUEST || class == CLASS_REPLY ? packet_be16(d + 4) : 0;
        packet_set_key(p, quote, id, id, request);
        if (request)
            flow_key_set_asker(&p->key, class == CLASS_REPLY ? !p->side : p->side);
        return 0;
    }
    packet_set_key(p, quote, 0, 0, 0);
    return 0;
}

static int decode_error(struct packet *p, const struct packet_ip *ip)
{
    uint32_t from = ip->l4 + ICMP_HEADER;
    struct packet_ip quote = {
        .data = ip->data + from,
        .cap = ip->cap - from,
        .end = ip->end - from,
        .quoted = true,
    };
    int fault = packet_ip_parse(&quote);

    if (fault)
        return fault;
    /* It goes to the sender of what it quotes, else it is forged (the kernel's
     * nf_conntrack_inet_error()). */
    if (quote.family != ip->family || memcmp(quote.src, ip->dst, ip->family == 4 ? 4 : 16) != 0)
        return PACKET_MALFORMED;
    p->kind = PACKET_ICMP_ERROR;
    return quoted_key(p, &quote);
}

int packet_icmp(struct packet *p, const struct packet_ip *ip)
{
    const uint8_t *d = ip->data + ip->l4;
    enum icmp_class class;
    uint8_t request;
    uint16_t id;
    int fault = packet_ip_need(ip, ip->l4 + ICMP_HEADER);

    if (fault)
        return fault;
    p->payload_len = ip->end - ip->l4 - ICMP_HEADER;
    class = classify(ip, &request);
    switch (class) {
    case CLASS_REQUEST:
    case CLASS_REPLY:
        id = packet_be16(d + 4);
        p->kind = PACKET_ECHO;
        p->is_reply = class == CLASS_REPLY;
        packet_set_key(p, ip, id, id, request);
        flow_key_set_asker(&p->key, p->is_reply ? !p->side : p->side);
        return 0;
    case CLASS_ERROR:
        return decode_error(p, ip);
    case CLASS_LINK:
        p->kind = PACKET_ICMP_OTHER;
        packet_set_key(p, ip, 0, 0, 0);
        return 0;
    case CLASS_UNKNOWN:
        p->kind = PACKET_GENERIC;
        packet_set_key(p, ip, 0, 0, 0);
        return 0;
    }
    return PACKET_MALFORMED;
}
