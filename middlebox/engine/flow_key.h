/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_FLOW_KEY_H
#define IDLEWALL_FLOW_KEY_H

#include <stdbool.h>
#include <stddef.h>
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

__extension__ typedef unsigned __int128 flow_key_product;

static inline uint64_t flow_key_fold(uint64_t a, uint64_t b)
{
    flow_key_product product = (flow_key_product)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t flow_key_word(const struct flow_key *key, size_t n)
{
    uint64_t word;

    memcpy(&word, (const uint8_t *)key + n * sizeof(word), sizeof(word));
    return word;
}

/* A tenth of the work, by folded products as wyhash does: for keys out of files, whose maker knows
 * neither the secret nor how long anything took. */
static inline uint64_t flow_key_hash_quick(const struct flow_key *key, const uint8_t secret[16])
{
    uint64_t k[2], h, last = flow_key_word(key, 4);

    memcpy(k, secret, sizeof(k));
    k[0] ^= UINT64_C(0xa0761d6478bd642f); /* wyhash's: many bits, also where the secret has few */
    k[1] ^= UINT64_C(0xe7037ed1a0b428db);
    if (key->family == 4) {
        uint32_t a, b;

        memcpy(&a, key->addr[0], sizeof(a));
        memcpy(&b, key->addr[1], sizeof(b));
        h = (uint64_t)b << 32 | a;
    } else {
        h = flow_key_fold(flow_key_word(key, 0) ^ k[0], flow_key_word(key, 1) ^ k[1]);
        h = flow_key_fold(flow_key_word(key, 2) ^ h, flow_key_word(key, 3) ^ k[1]);
    }
    h = flow_key_fold(h ^ k[0], last ^ k[1]);
    return flow_key_fold(h ^ k[0], k[1]);
}

#endif
