/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_WIRE_H
#define IDLEWALL_WIRE_H

/* Packets of a few flows, without checksums (as if hardware were to fill them in), and a policy
 * without a parser. */

#include "middlebox/engine/engine.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define WIRE_MAX 256
#define WIRE_FLOWS 8

struct wire {
    uint8_t data[WIRE_MAX];
    uint32_t len;
};

static inline void wire_put16(uint8_t *to, uint32_t v)
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
}

static inline void wire_put32(uint8_t *to, uint32_t v)
{
    wire_put16(to, v >> 16);
    wire_put16(to + 2, v);
}

/* Odd flows are IPv6. */
static inline uint32_t wire_ip(struct wire *w, unsigned flow, unsigned side, uint8_t proto,
                               uint32_t len)
{
    uint8_t *d = w->data;

    memset(w, 0, sizeof(*w));
    if (flow & 1) {
        d[0] = 0x60;
        wire_put16(d + 4, len);
        d[6] = proto;
        d[7] = 64;
        wire_put32(d + 8, 0x20010db8);
        wire_put32(d + 24, 0x20010db8);
        d[23] = side ? 2 : (uint8_t)(10 + flow);
        d[39] = side ? (uint8_t)(10 + flow) : 2;
        w->len = 40 + len;
        return 40;
    }
    d[0] = 0x45;
    wire_put16(d + 2, 20 + len);
    d[8] = 64;
    d[9] = proto;
    wire_put32(d + 12, side ? 0xc6336402 : 0xc0000200 + flow);
    wire_put32(d + 16, side ? 0xc0000200 + flow : 0xc6336402);
    w->len = 20 + len;
    return 20;
}

static inline void wire_tcp(struct wire *w, unsigned flow, unsigned side, uint8_t flags,
                            uint32_t seq, uint32_t ack, uint16_t window, uint32_t len)
{
    uint8_t *t = w->data + wire_ip(w, flow, side, IPPROTO_TCP, 20 + len);

    wire_put16(t + (side ? 2 : 0), 40000 + flow);
    wire_put16(t + (side ? 0 : 2), 5432);
    wire_put32(t + 4, seq);
    wire_put32(t + 8, ack);
    t[12] = 0x50;
    t[13] = flags;
    wire_put16(t + 14, window);
}

static inline void wire_udp(struct wire *w, unsigned flow, unsigned side, uint32_t len)
{
    uint8_t *t = w->data + wire_ip(w, flow, side, IPPROTO_UDP, 8 + len);

    wire_put16(t + (side ? 2 : 0), 40000 + flow);
    wire_put16(t + (side ? 0 : 2), 53);
    wire_put16(t + 4, 8 + len);
}

static inline void wire_echo(struct wire *w, unsigned flow, unsigned side, bool reply)
{
    uint8_t proto = flow & 1 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    uint8_t *t = w->data + wire_ip(w, flow, side, proto, 16);

    t[0] = flow & 1 ? (reply ? 129 : 128) : (reply ? 0 : 8);
    wire_put16(t + 4, 7);
}

/* About a segment of the other side. */
static inline void wire_unreachable(struct wire *w, unsigned flow, unsigned side, uint32_t seq)
{
    struct wire quoted;
    uint8_t *t;

    wire_tcp(&quoted, flow, !side, TCP_ACK, seq, 0, 0, 0);
    t = w->data + wire_ip(w, flow, side, flow & 1 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, 8 + quoted.len);
    t[0] = flow & 1 ? 1 : 3;
    memcpy(t + 8, quoted.data, quoted.len);
}

/* A piece of an IPv4 packet: the first one is its head, a later one is taken for its tail. */
static inline void wire_fragment(struct wire *w, uint16_t id, uint16_t offset, bool more)
{
    wire_put16(w->data + 4, id);
    wire_put16(w->data + 6, offset / 8u | (more ? 0x2000u : 0));
}

static inline struct packet wire_packet(const struct wire *w, mtime_t time)
{
    struct packet p = {.time = time, .data = w->data, .caplen = w->len, .len = w->len, .mark = 3};

    packet_decode(&p);
    return p;
}

static inline bool wire_knows(const struct flow_key *key)
{
    for (unsigned flow = 0; flow < WIRE_FLOWS; flow++) {
        struct wire w;
        struct packet p;

        wire_tcp(&w, flow, 0, TCP_SYN, 0, 0, 0, 0);
        p = wire_packet(&w, 0);
        if (memcmp(p.key.addr, key->addr, sizeof(key->addr)) == 0 && p.key.family == key->family)
            return true;
    }
    return false;
}

/* Rule 0 is for clients whose port is 40000 or 40003, the default for all others. */
static inline unsigned wire_classify(void *arg, const struct policy *policy,
                                     const struct flow *flow)
{
    (void)arg;
    if (policy->n_rules > 1 && flow->port[FLOW_CLIENT] % 8 % 3 == 0)
        return 0;
    return (unsigned)policy->n_rules - 1;
}

/* Two profiles (0 and 1), rule 0 and the default. All timeouts are set to something. */
static inline struct policy *wire_policy(void)
{
    struct policy *p = calloc(1, sizeof(*p));

    if (!p)
        abort();
    p->references = 1;
    p->max_flows = 1000;
    p->late_memory = 3600 * MTIME_SEC;
    p->late_memory_count = 100;
    p->n_profiles = 2;
    p->profiles = calloc(2, sizeof(*p->profiles));
    p->n_rules = 2;
    p->rules = calloc(2, sizeof(*p->rules));
    if (!p->profiles || !p->rules)
        abort();
    for (unsigned i = 0; i < 2; i++) {
        p->rules[i].action = ACTION_USE;
        p->rules[i].profile = i;
        for (unsigned t = 0; t < POLICY_TIMEOUTS; t++)
            p->profiles[i].timeout[t] = (10 + (mtime_t)t * 3 + i * 7) * MTIME_SEC;
        for (unsigned t = TIMEOUT_UDP_FIRST; t < POLICY_TIMEOUTS; t++)
            p->profiles[i].timeout[t] = 0;
        p->profiles[i].timeout[TIMEOUT_TCP_NO_DATA] = MTIME_NEVER;
        p->profiles[i].timeout[TIMEOUT_TCP_ESTABLISHED] = 300 * MTIME_SEC;
        p->profiles[i].timeout[TIMEOUT_ACTIVE] = MTIME_NEVER;
        p->profiles[i].max_retrans = 3;
        p->profiles[i].dcd_interval = 15 * MTIME_SEC;
        p->profiles[i].dcd_count = 3;
    }
    return p;
}

#endif
