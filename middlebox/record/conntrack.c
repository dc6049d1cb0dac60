/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/line.h"
#include "middlebox/record/put.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* A line of `conntrack -L -o extended`, so that scripts written for that read ours. */

/* As nf_conntrack_proto_icmp.c's invmap, and its ICMPv6 twin: what answers a query. */
static unsigned reply_type(unsigned type)
{
    switch (type) {
    case 8:
        return 0;
    case 13:
        return 14;
    case 15:
        return 16;
    case 17:
        return 18;
    case 128:
        return 129;
    case 139:
        return 140;
    }
    return type;
}

static bool is_icmp(const struct flow *flow)
{
    return flow->proto == IPPROTO_ICMP || flow->proto == IPPROTO_ICMPV6;
}

static char *put_direction(char *p, const struct flow *flow, enum flow_side from)
{
    enum flow_side to = from == FLOW_CLIENT ? FLOW_SERVER : FLOW_CLIENT;

    p = put_address(put_text(p, "src="), flow->family, flow->addr[from]);
    p = put_address(put_text(p, " dst="), flow->family, flow->addr[to]);
    if (is_icmp(flow)) {
        unsigned type = from == FLOW_CLIENT ? flow->icmp_type : reply_type(flow->icmp_type);

        p = put_u64(put_text(p, " type="), type);
        p = put_u64(put_text(p, " code=0 id="), flow->port[from]);
    } else if (flow->port[from] != 0 || flow->port[to] != 0) {
        p = put_u64(put_text(p, " sport="), flow->port[from]);
        p = put_u64(put_text(p, " dport="), flow->port[to]);
    }
    p = put_u64(put_text(p, " packets="), flow->packets[from]);
    p = put_u64(put_text(p, " bytes="), flow->bytes[from]);
    return put_char(p, ' ');
}

/* `ipv4     2 tcp      6 `: libnetfilter_conntrack's "%-8s %u %-8s %u ". */
static char *put_protocols(char *p, const struct flow *flow)
{
    char *start = p;

    p = put_pad(put_text(p, flow->family == 4 ? "ipv4" : "ipv6"), start, 9);
    p = put_u64(p, flow->family == 4 ? AF_INET : AF_INET6);
    p = put_char(p, ' ');
    start = p;
    switch (flow->proto) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
    case IPPROTO_SCTP:
    case IPPROTO_GRE:
        p = put_proto(p, flow->proto);
        break;
    default:
        p = put_text(p, "unknown");
    }
    p = put_pad(p, start, 9);
    return put_char(put_u64(p, flow->proto), ' ');
}

char *conntrack_flow(char *p, const struct line *line)
{
    const struct flow *flow = line->flow;

    p = put_protocols(p, flow);
    /* conntrack knows no never: the most its 32 bits say. */
    p = put_u64(p, line->remaining / MTIME_SEC > UINT32_MAX
                       ? UINT32_MAX
                       : (uint64_t)(line->remaining / MTIME_SEC));
    p = put_char(p, ' ');
    if (flow->proto == IPPROTO_TCP)
        p = put_char(put_text(p, flow_state_name(flow->state)), ' ');
    p = put_direction(p, flow, FLOW_CLIENT);
    if (flow->packets[FLOW_SERVER] == 0)
        p = put_text(p, "[UNREPLIED] ");
    p = put_direction(p, flow, FLOW_SERVER);
    if (flow->assured && !is_icmp(flow))
        p = put_text(p, "[ASSURED] ");
    p = put_u64(put_text(p, "mark="), flow->mark);
    return put_text(p, " use=1\n");
}
