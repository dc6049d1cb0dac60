/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_CELLS_H
#define IDLEWALL_CELLS_H

/*
 * How the cells of the survey are understood: for expect.c only. A cell that none of these tables
 * covers is a fault, and so is an entry that no cell answers to. Where something in a cell cannot
 * be checked, the entry says why.
 */

#include "tests/profiles/expect.h"

#define NEVER (MTIME_NEVER / MTIME_SEC)
#define END (-1)

static const struct {
    const char *row, *why;
} without[] = {
    {"aws-nat-instance",
     "its only behaviour is a FIN at expiry, by a machine that runs nf_conntrack: "
     "no figure"},
    {"aws-transit-gateway", "no idle timeout is documented"},
};

/* Rows with a range have a profile for each end that is named. */
static const struct {
    const char *row, *suffix[2];
} variants[] = {
    {"home-gateway-udp1", {"-min", "-median"}},
    {"home-gateway-udp23", {"-min", "-median"}},
    {"home-gateway-tcp1", {"-min", "-median"}},
};

/* What ends the connections of both its sides. */
static const char *const proxies[] = {
    "aws-alb",      "aws-classic-elb", "aws-nlb-tls", "envoy-http",        "envoy-tcp-proxy",
    "f5-bigip-tcp", "gcp-proxy-lb",    "haproxy-tcp", "istio-sidecar-tcp", "nginx-stream",
};

/* A number alone in a cell: in these scenes a flow lives for so many seconds. */
static const struct {
    enum column column;
    int scenes[4];
} plain[] = {
    {COLUMN_SYN_SENT, {SCENE_SYN_SENT, END}},
    {COLUMN_SYN_RECV, {SCENE_SYN_RECV, END}},
    {COLUMN_ESTABLISHED, {SCENE_ESTABLISHED, END}},
    /* And SCENE_CLOSE_WAIT where the table does not tell the two apart. */
    {COLUMN_HALF_CLOSED, {SCENE_FIN_WAIT, END}},
    {COLUMN_CLOSE_WAIT, {SCENE_CLOSE_WAIT, END}},
    {COLUMN_LAST_ACK, {SCENE_LAST_ACK, END}},
    {COLUMN_TIME_WAIT, {SCENE_TIME_WAIT, END}},
    {COLUMN_CLOSE_RESET, {SCENE_RESET, END}},
    {COLUMN_UDP_SINGLE, {SCENE_UDP_FIRST, SCENE_UDP_SINGLE, END}},
    {COLUMN_UDP_MULTIPLE, {SCENE_UDP_STREAM, END}},
    {COLUMN_ICMP, {SCENE_ICMP_FIRST, SCENE_ICMP_REPLIED, END}},
    {COLUMN_GENERIC, {SCENE_GENERIC_FIRST, SCENE_GENERIC_SINGLE, SCENE_GENERIC_REPLIED, END}},
};

/* Cells that say more, or other, than a number alone. */
static const struct special {
    const char *row; /* NULL: any */
    unsigned variant;
    enum column column;
    const char *cell; /* the whole of it; in COLUMN_OTHER a part */
    struct {
        int scene;
        int64_t seconds;
    } is[4];
    const char *why; /* what of it is not checked, or is understood in a special way */
} specials[] = {
    {NULL,
     0,
     COLUMN_UDP_SINGLE,
     "60 first / 30 single",
     {{SCENE_UDP_FIRST, 60}, {SCENE_UDP_SINGLE, 30}, {END, 0}},
     NULL},
    {NULL,
     0,
     COLUMN_UDP_SINGLE,
     "30 first / 30 single",
     {{SCENE_UDP_FIRST, 30}, {SCENE_UDP_SINGLE, 30}, {END, 0}},
     NULL},
    {NULL,
     0,
     COLUMN_UDP_SINGLE,
     "60 (30 in v3 API)",
     {{SCENE_UDP_FIRST, 60}, {SCENE_UDP_SINGLE, 60}, {END, 0}},
     "the older API's default is meant"},
    {NULL, 0, COLUMN_UDP_MULTIPLE, "60 (30)", {{SCENE_UDP_STREAM, 60}, {END, 0}}, "as above"},
    {NULL,
     0,
     COLUMN_HALF_CLOSED,
     "30 (20 in v3 API)",
     {{SCENE_FIN_WAIT, 30}, {SCENE_CLOSE_WAIT, 30}, {END, 0}},
     "as above"},
    {NULL, 0, COLUMN_TIME_WAIT, "30 (20)", {{SCENE_TIME_WAIT, 30}, {END, 0}}, "as above"},
    {NULL, 0, COLUMN_CLOSE_RESET, "30 (20)", {{SCENE_RESET, 30}, {END, 0}}, "as above"},
    {NULL,
     0,
     COLUMN_ICMP,
     "20 first / 10 error",
     {{SCENE_ICMP_FIRST, 20}, {END, 0}},
     "an ICMP error changes no flow's time here"},
    {NULL, 0, COLUMN_ICMP, "20/10", {{SCENE_ICMP_FIRST, 20}, {END, 0}}, "as above"},
    {NULL, 0, COLUMN_ICMP, "6/6", {{SCENE_ICMP_FIRST, 6}, {END, 0}}, "as above"},
    {NULL,
     0,
     COLUMN_ICMP,
     "30 new / 300 established",
     {{SCENE_ICMP_FIRST, 30}, {SCENE_ICMP_REPLIED, 300}, {END, 0}},
     NULL},
    {NULL,
     0,
     COLUMN_GENERIC,
     "30 new / 300 established",
     {{SCENE_GENERIC_FIRST, 30},
      {SCENE_GENERIC_SINGLE, 30},
      {SCENE_GENERIC_REPLIED, 300},
      {END, 0}},
     NULL},
    {NULL,
     0,
     COLUMN_GENERIC,
     "60 first / 30 single / 60 multiple",
     {{SCENE_GENERIC_FIRST, 60}, {SCENE_GENERIC_SINGLE, 30}, {SCENE_GENERIC_REPLIED, 60}, {END, 0}},
     NULL},
    {NULL,
     0,
     COLUMN_GENERIC,
     "60/30/60",
     {{SCENE_GENERIC_FIRST, 60}, {SCENE_GENERIC_SINGLE, 30}, {SCENE_GENERIC_REPLIED, 60}, {END, 0}},
     NULL},
    {"netbsd-npf",
     0,
     COLUMN_ICMP,
     "30",
     {{SCENE_ICMP_FIRST, 30}, {SCENE_ICMP_REPLIED, 60}, {END, 0}},
     "state.generic.timeout is new 30, established 60"},
    {"netbsd-npf",
     0,
     COLUMN_GENERIC,
     "30",
     {{SCENE_GENERIC_FIRST, 30}, {SCENE_GENERIC_SINGLE, 30}, {SCENE_GENERIC_REPLIED, 60}, {END, 0}},
     "as above"},
    {"cisco-ftd",
     0,
     COLUMN_HALF_CLOSED,
     "600",
     {{SCENE_FIN_WAIT, 3600}, {SCENE_CLOSE_WAIT, 3600}, {SCENE_LAST_ACK, 600}, {END, 0}},
     "counts only when BOTH the FIN and the FIN-ACK were seen; before, the connection timeout"},
    {"juniper-srx",
     0,
     COLUMN_CLOSE_RESET,
     "10",
     {{SCENE_RESET, 1800}, {END, 0}},
     "rst-invalidate-session is OFF by default so a RST does not end the session"},
    {"juniper-srx",
     0,
     COLUMN_TIME_WAIT,
     "150",
     {{SCENE_LAST_ACK, 150}, {SCENE_TIME_WAIT, 150}, {END, 0}},
     "starts after BOTH FINs"},
    {"clavister-cos-stream",
     0,
     COLUMN_OTHER,
     "an established flow that never carried data gets only 60 s",
     {{SCENE_NO_DATA, 60}, {END, 0}},
     NULL},
    {"vmware-nsxt-lb-fast-tcp",
     0,
     COLUMN_OTHER,
     "close timeout 8 covers both FINs or a RST",
     {{SCENE_LAST_ACK, 8}, {SCENE_TIME_WAIT, 8}, {END, 0}},
     NULL},
    {NULL, 0, COLUMN_ESTABLISHED, "inf unless set", {{SCENE_ESTABLISHED, NEVER}, {END, 0}}, NULL},
    {"home-gateway-udp1",
     0,
     COLUMN_UDP_SINGLE,
     "min 30; median 90; mean 160; max about 690",
     {{SCENE_UDP_FIRST, 30}, {SCENE_UDP_SINGLE, 30}, {END, 0}},
     "a range: its minimum"},
    {"home-gateway-udp1",
     1,
     COLUMN_UDP_SINGLE,
     "min 30; median 90; mean 160; max about 690",
     {{SCENE_UDP_FIRST, 90}, {SCENE_UDP_SINGLE, 90}, {END, 0}},
     "a range: its median"},
    {"home-gateway-udp23",
     0,
     COLUMN_UDP_MULTIPLE,
     "UDP-2 min 54 median 180; UDP-3 median 181",
     {{SCENE_UDP_STREAM, 54}, {END, 0}},
     "a range: UDP-2's minimum"},
    {"home-gateway-udp23",
     1,
     COLUMN_UDP_MULTIPLE,
     "UDP-2 min 54 median 180; UDP-3 median 181",
     {{SCENE_UDP_STREAM, 180}, {END, 0}},
     "a range: UDP-2's median"},
    {"home-gateway-tcp1",
     0,
     COLUMN_ESTABLISHED,
     "min 239; median about 3600; seven devices over 86400",
     {{SCENE_ESTABLISHED, 239}, {END, 0}},
     "a range: its minimum"},
    {"home-gateway-tcp1",
     1,
     COLUMN_ESTABLISHED,
     "min 239; median about 3600; seven devices over 86400",
     {{SCENE_ESTABLISHED, 3600}, {END, 0}},
     "a range: its median"},
    {NULL,
     0,
     COLUMN_ESTABLISHED,
     "240 to over 1800",
     {{SCENE_ESTABLISHED, 240}, {END, 0}},
     "a range: its low end"},
};
static bool special_used[sizeof(specials) / sizeof(specials[0])];

/* The default is meant where a cell names several: the first. */
static const struct ending {
    const char *row; /* NULL: any */
    const char *cell;
    enum expect_expiry expiry;
    enum expect_late late;
    const char *why;
} endings[] = {
    {"linux-nf-conntrack-nat-late-inbound", "silent+rst-on-late-packet", EXPIRY_SILENT,
     LATE_RESET_OUTSIDE, "the row is about the packet from the outside"},
    {NULL, "silent+loose", EXPIRY_SILENT, LATE_LOOSE, NULL},
    {NULL, "silent+drop-late", EXPIRY_SILENT, LATE_DROP, NULL},
    {NULL, "silent+rst-on-late-packet", EXPIRY_SILENT, LATE_RESET, NULL},
    {NULL, "silent+rst-on-late-packet (only to the inside)", EXPIRY_SILENT, LATE_RESET_INSIDE,
     NULL},
    {NULL, "silent+rst-on-late-packet (one way, to the sender, either side)", EXPIRY_SILENT,
     LATE_RESET, NULL},
    {NULL, "silent", EXPIRY_SILENT, LATE_UNSAID, "nothing is said of late packets"},
    {NULL, "silent (some carriers RST)", EXPIRY_SILENT, LATE_UNSAID, "most do not"},
    {NULL, "silent (flow may be re-hashed to another appliance)", EXPIRY_SILENT, LATE_UNSAID,
     "there is one firewall here"},
    {NULL, "silent (next packet may be sent to another backend)", EXPIRY_SILENT, LATE_UNSAID,
     "there is one server here"},
    {NULL, "silent, then midstream-policy", EXPIRY_SILENT, LATE_UNSAID,
     "whose default is not said"},
    {NULL, "silent+drop-late (remote task: hangs) / rst-on-late-packet (same host)", EXPIRY_SILENT,
     LATE_DROP, "between hosts; on one host the peer itself answers"},
    {NULL, "silent+drop-late (block-policy drop) or rst-on-late-packet (block-policy return)",
     EXPIRY_SILENT, LATE_DROP, NULL},
    {NULL, "silent+drop-late (default) or rst-both-at-expiry ('idle ... reset')", EXPIRY_SILENT,
     LATE_DROP, NULL},
    {NULL,
     "silent+drop-late (default) / rst-both-at-expiry (policy timeout-send-rst enable) / "
     "rst-on-late-packet (reset-sessionless-tcp enable) / loose (tcp-session-without-syn enable)",
     EXPIRY_SILENT, LATE_DROP, NULL},
    {NULL, "silent+drop-late (default) or rst-both-at-expiry (kernel option)", EXPIRY_SILENT,
     LATE_DROP, NULL},
    {NULL, "silent+drop-late (traffic is judged by the rules again, implied deny ingress)",
     EXPIRY_SILENT, LATE_DROP, NULL},
    {NULL, "silent + drop-late | reject(rst) | continue per stream exception policy", EXPIRY_SILENT,
     LATE_DROP, NULL},
    {NULL, "rst-both-at-expiry", EXPIRY_RESETS, LATE_UNSAID, NULL},
    {NULL, "close-both at expiry", EXPIRY_RESETS, LATE_UNSAID,
     "a proxy closes both its connections; whether by FIN or RST is not verified"},
    {NULL, "close(fin)-both at expiry", EXPIRY_RESETS, LATE_UNSAID, "as above"},
    {NULL, "close(fin)-both at expiry (HTTP 408 to a waiting client)", EXPIRY_RESETS, LATE_UNSAID,
     "as above"},
    {NULL, "probe-first then silent+drop-late", EXPIRY_PROBES, LATE_DROP, NULL},
    {NULL, "probe-first (both ends must answer) then silent", EXPIRY_PROBES, LATE_UNSAID, NULL},
    {NULL, "probe-first then silent", EXPIRY_PROBES, LATE_UNSAID, NULL},
    {NULL, "probe-first then silent (+icmp for unknown inbound)", EXPIRY_PROBES, LATE_UNSAID,
     "on-late icmp would answer the inside too"},
    {NULL, "-", EXPIRY_UNSAID, LATE_UNSAID, NULL},
};
static bool ending_used[sizeof(endings) / sizeof(endings[0])];

/* What refreshes, by the beginning of the cell; the rest of it explains. */
static const struct refresher {
    const char *begins;
    enum expect_refresh tcp, udp;
    const char *why;
} refreshers[] = {
    {"any packet for TCP; a UDP keepalive refreshes only its own direction", REFRESH_IS_BOTH,
     REFRESH_IS_EACH, NULL},
    {"any packet", REFRESH_IS_BOTH, REFRESH_IS_BOTH, NULL},
    {"any in-window packet in either direction", REFRESH_IS_BOTH, REFRESH_IS_BOTH, NULL},
    {"as linux-nf-conntrack", REFRESH_IS_BOTH, REFRESH_IS_BOTH, NULL},
    {"each matching packet", REFRESH_IS_BOTH, REFRESH_IS_BOTH, NULL},
    {"each packet which matches", REFRESH_IS_BOTH, REFRESH_IS_BOTH, NULL},
    {"interval of packets shorter than the timeout", REFRESH_IS_BOTH, REFRESH_IS_BOTH, NULL},
    {"refresh-direction both|outgoing|incoming", REFRESH_IS_BOTH, REFRESH_IS_BOTH, "default both"},
    {"keepalives from client or target reset it", REFRESH_IS_BOTH, REFRESH_IS_UNSAID, NULL},
    {"keepalives reset it", REFRESH_IS_BOTH, REFRESH_IS_UNSAID, NULL},
    {"keepalives count, but must carry no data", REFRESH_IS_BOTH, REFRESH_IS_UNSAID,
     "that it sends its own every 20 s then is not modelled"},
    {"ESTABLISHED lifetime is renewed only after a new ACK was seen in BOTH", REFRESH_IS_EACH,
     REFRESH_IS_UNSAID, "of UDP nothing is said"},
    {"TWO idle counters per flow, one per direction", REFRESH_IS_EACH, REFRESH_IS_EACH, NULL},
    {"two counters, closed if either reaches 0; UDP is refreshed only by the side that opened it",
     REFRESH_IS_EACH, REFRESH_IS_CLIENT, NULL},
    {"handshake, closing and time-wait timers are ABSOLUTE", REFRESH_IS_IN_ESTABLISHED,
     REFRESH_IS_BOTH, NULL},
    {"data on the side", REFRESH_IS_PAYLOAD, REFRESH_IS_UNSAID, NULL},
    {"TCP keepalives do NOT reset it", REFRESH_IS_PAYLOAD, REFRESH_IS_UNSAID, NULL},
    {"data sent or received", REFRESH_IS_PAYLOAD, REFRESH_IS_UNSAID, NULL},
    {"data only", REFRESH_IS_PAYLOAD, REFRESH_IS_UNSAID, NULL},
    {"bytes on the upstream or downstream connection", REFRESH_IS_PAYLOAD, REFRESH_IS_UNSAID, NULL},
    {"as envoy-tcp-proxy", REFRESH_IS_PAYLOAD, REFRESH_IS_UNSAID, NULL},
    {"streams on the connection", REFRESH_IS_PAYLOAD, REFRESH_IS_UNSAID,
     "streams are not modelled, but a keepalive probe is none"},
    {"successive reads or writes of data", REFRESH_IS_PAYLOAD, REFRESH_IS_UNSAID, NULL},
    {"outbound packets MUST refresh", REFRESH_IS_UNSAID, REFRESH_IS_CLIENT, NULL},
    {"UdpInboundRefresh False", REFRESH_IS_UNSAID, REFRESH_IS_CLIENT, NULL},
    {"DCD answers reset the idle timer", REFRESH_IS_UNSAID, REFRESH_IS_UNSAID,
     "checked with the probes"},
    {"'Send keep alives' ENABLED by default", REFRESH_IS_UNSAID, REFRESH_IS_UNSAID,
     "checked with the probes"},
    {"per link", REFRESH_IS_UNSAID, REFRESH_IS_UNSAID, "whose packets is not said"},
    {"return traffic lengthens the binding on many devices", REFRESH_IS_UNSAID, REFRESH_IS_UNSAID,
     "by how much is not said"},
    {"-", REFRESH_IS_UNSAID, REFRESH_IS_UNSAID, NULL},
};
static bool refresher_used[sizeof(refreshers) / sizeof(refreshers[0])];

static const struct expect_probes probes[] = {
    {"freebsd-ipfw", true, 5, 4, 20, COLUMN_OTHER,
     "during the last 20 s of lifetime, every 5 s, it emits a zero-length ACK with seq-1 to each "
     "side"},
    {"cisco-asa-dcd", true, 15, 5, 0, COLUMN_OTHER,
     "at idle expiry probes both hosts; retry interval 15 s after each unanswered probe; max "
     "retries 5"},
    {"gta-gnatbox", false, 300, 1, 0, COLUMN_REFRESH, "or 5 minutes of silence closes it"},
    {"jool-nat64", false, 240, 1, 0, COLUMN_OTHER,
     "a probe packet is sent; no answer within 240 removes it"},
    {"rfc6146-nat64", false, 240, 1, 0, COLUMN_OTHER, "then probe and TCP_TRANS 4 min"},
};

#endif
