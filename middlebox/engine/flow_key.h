/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_FLOW_KEY_H
#define IDLEWALL_FLOW_KEY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * The identity of a flow, the same for both directions: end 0 is the smaller (address, port),
 * whoever opened the flow. A packet's side says which end sent it. Every byte is set, so keys
 * compare as bytes.
 */
struct flow_key {
    uint8_t addr[2][16]; /* network byte order; IPv4 in the first four bytes, then zeros */
    uint16_t port[2];    /* host byte order; an echo's id in both; 0 where the protocol has none */
    uint8_t proto;       /* IPPROTO_* */
    uint8_t family;      /* 4 or 6 */
    uint8_t type;        /* ICMP queries: the request's type; else 0 */
    uint8_t asker;       /* ICMP queries: the end that asks; the other's are flows of their own */
};

static inline bool flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/*
 * Fill a key from a packet's own source and destination; bytes is 4 or 16 by family. Returns the
 * end (0 or 1) that is the source.
 */
unsigned flow_key_init(struct flow_key *key, uint8_t family, uint8_t proto, const uint8_t *src,
                       uint16_t src_port, const uint8_t *dst, uint16_t dst_port, uint8_t type);

/* For an ICMP query, once the rest is set. A host that asks itself is end 0 either way. */
static inline void flow_key_set_asker(struct flow_key *key, unsigned end)
{
    key->asker = end && memcmp(key->addr[0], key->addr[1], sizeof(key->addr[0])) != 0;
}

/* SipHash-1-3 with a secret of 16 bytes, so that nobody outside can aim for collisions. */
uint64_t flow_key_hash(const struct flow_key *key, const uint8_t secret[16]);

#endif
