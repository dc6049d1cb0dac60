/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"

#include <netinet/in.h>
#include <string.h>

static char *put_ipv4(char *p, const uint8_t *address)
{
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            *p++ = '.';
        p = put_u64(p, address[i]);
    }
    return p;
}

static char *put_hex(char *p, unsigned group)
{
    static const char digits[] = "0123456789abcdef";
    int shift = 12;

    while (shift > 0 && group >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *p++ = digits[group >> shift & 15];
    return p;
}

/* The longest run of zero groups, the first of equals; one group alone is not shortened (RFC
 * 5952 4.2). */
static int zero_run(const unsigned *group, int *length)
{
    int best = -1;

    *length = 1;
    for (int i = 0; i < 8; i++) {
        int n = 0;

        while (i + n < 8 && group[i + n] == 0)
            n++;
        if (n > *length) {
            *length = n;
            best = i;
        }
        i += n;
    }
    return best;
}

static char *put_ipv6(char *p, const uint8_t *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned group[8];
    int run, length;

    if (memcmp(address, mapped, sizeof(mapped)) == 0)
        return put_ipv4(put_text(p, "::ffff:"), address + sizeof(mapped));
    for (int i = 0; i < 8; i++)
        group[i] = (unsigned)address[2 * i] << 8 | address[2 * i + 1];
    run = zero_run(group, &length);
    for (int i = 0; i < 8; i++) {
        if (i == run) {
            p = put_text(p, "::");
            i += length - 1;
            continue;
        }
        if (i > 0 && p[-1] != ':')
            *p++ = ':';
        p = put_hex(p, group[i]);
    }
    return p;
}

char *put_address(char *p, uint8_t family, const uint8_t *address)
{
    return family == 4 ? put_ipv4(p, address) : put_ipv6(p, address);
}

char *put_proto(char *p, uint8_t proto)
{
    switch (proto) {
    case IPPROTO_TCP:
        return put_text(p, "tcp");
    case IPPROTO_UDP:
        return put_text(p, "udp");
    case IPPROTO_ICMP:
        return put_text(p, "icmp");
    case IPPROTO_ICMPV6:
        return put_text(p, "icmpv6");
    case IPPROTO_SCTP:
        return put_text(p, "sctp");
    case IPPROTO_GRE:
        return put_text(p, "gre");
    case IPPROTO_ESP:
        return put_text(p, "esp");
    case IPPROTO_AH:
        return put_text(p, "ah");
    }
    return put_u64(p, proto);
}

char *put_end(char *p, const struct flow *flow, enum flow_side side)
{
    if (flow->port[FLOW_CLIENT] == 0 && flow->port[FLOW_SERVER] == 0)
        return put_address(p, flow->family, flow->addr[side]);
    if (flow->family != 4)
        p = put_char(p, '[');
    p = put_address(p, flow->family, flow->addr[side]);
    p = put_text(p, flow->family == 4 ? ":" : "]:");
    return put_u64(p, flow->port[side]);
}
