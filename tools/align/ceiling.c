/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far a product's idle limit can be raised, and by which setting; from min_configurable and
 * max_configurable of tests/profiles/firewalls.tsv, which names the documents. MTIME_NEVER:
 * no maximum is known. */
#include "tools/align/advice.h"

#include <string.h>

#define SEC(n) ((mtime_t)(n)*MTIME_SEC)

static const struct {
    const char *profile;
    struct ceiling ceiling;
} ceilings[] = {
    {"aws-nat-gateway", {SEC(350), "it is fixed"}},
    {"aws-nlb-tls", {SEC(350), "it is fixed"}},
    {"aws-nlb-tcp", {SEC(6000), "tcp.idle_timeout.seconds of the listener"}},
    {"aws-gwlb", {SEC(6000), "tcp.idle_timeout.seconds of the listener"}},
    {"aws-network-firewall", {SEC(6000), "TcpIdleTimeoutSeconds of the firewall policy"}},
    {"aws-alb", {SEC(4000), "idle_timeout.timeout_seconds of the load balancer"}},
    {"aws-classic-elb", {SEC(4000), "idle timeout of the load balancer"}},
    {"aws-ec2-sg-nitro-v6", {SEC(432000), "TcpEstablishedTimeout of the network interface"}},
    {"azure-load-balancer", {SEC(6000), "idleTimeoutInMinutes of the rule"}},
    {"azure-load-balancer-tcpreset", {SEC(6000), "idleTimeoutInMinutes of the rule"}},
    {"azure-nat-gateway", {SEC(7200), "idleTimeoutInMinutes of the gateway"}},
    {"azure-aks-outbound", {SEC(7200), "idleTimeoutInMinutes of the cluster"}},
    {"azure-default-outbound-snat", {SEC(240), "it is fixed"}},
    {"azure-firewall-north-south", {SEC(900), "by a request to its support"}},
    {"azure-firewall-east-west", {SEC(300), "it is fixed"}},
    {"gcp-vpc-firewall", {SEC(600), "it is fixed"}},
    {"gcp-internal-passthrough-lb", {SEC(57600), "connection tracking's idle timeout"}},
    {"gcp-external-passthrough-nlb", {SEC(57600), "connection tracking's idle timeout"}},
    {"alibaba-slb", {SEC(900), "idle timeout of the listener"}},
    {"cisco-asa", {SEC(4294800), "timeout conn, or set connection timeout idle in a class"}},
    {"cisco-ftd", {SEC(4294800), "timeout conn"}},
    {"sonicwall", {SEC(59940), "TCP inactivity timeout of the access rule, in minutes"}},
    {"fortinet-fortigate", {MTIME_NEVER, "session-ttl"}},
    {"linux-nf-conntrack", {MTIME_NEVER, "net.netfilter.nf_conntrack_tcp_timeout_established"}},
    {"linux-ipvs", {MTIME_NEVER, "ipvsadm --set TCP TCPFIN UDP, in seconds"}},
    {"paloalto-panos", {SEC(15999999), "timeout of the session or the application"}},
};

const struct ceiling *ceiling_of(const struct hop *hop)
{
    if (hop->fact)
        return NULL;
    for (size_t i = 0; i < sizeof(ceilings) / sizeof(ceilings[0]); i++)
        if (strcmp(ceilings[i].profile, hop->name) == 0)
            return &ceilings[i].ceiling;
    return NULL;
}
