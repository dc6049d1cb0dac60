/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/flow_key.h"

#include <assert.h>
#include <endian.h>

#define KEY_WORDS 5

static_assert(sizeof(struct flow_key) == KEY_WORDS * sizeof(uint64_t),
              "the hash reads whole words, and keys compare as bytes");

unsigned flow_key_init(struct flow_key *key, uint8_t family, uint8_t proto, const uint8_t *src,
                       uint16_t src_port, const uint8_t *dst, uint16_t dst_port, uint8_t type)
{
    size_t bytes = family == 4 ? 4 : 16;
    int order = memcmp(src, dst, bytes);
    unsigned from = order > 0 || (order == 0 && src_port > dst_port);

    memset(key, 0, sizeof(*key));
    memcpy(key->addr[from], src, bytes);
    memcpy(key->addr[!from], dst, bytes);
    key->port[from] = src_port;
    key->port[!from] = dst_port;
    key->proto = proto;
    key->family = family;
    key->type = type;
    return from;
}

static inline uint64_t rotl(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static inline void sip_absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v); /* SipHash-1-3: one round a word, three at the end */
    v[0] ^= word;
}

static inline uint64_t load_le64(const void *from)
{
    uint64_t word;

    memcpy(&word, from, sizeof(word));
    return le64toh(word);
}

static inline uint64_t load_le32(const void *from)
{
    uint32_t word;

    memcpy(&word, from, sizeof(word));
    return le32toh(word);
}

uint64_t flow_key_hash(const struct flow_key *key, const uint8_t secret[16])
{
    uint64_t k0 = load_le64(secret), k1 = load_le64(secret + 8);
    /* "somepseudorandomlygeneratedbytes", as the authors chose */
    uint64_t v[4] = {
        k0 ^ UINT64_C(0x736f6d6570736575),
        k1 ^ UINT64_C(0x646f72616e646f6d),
        k0 ^ UINT64_C(0x6c7967656e657261),
        k1 ^ UINT64_C(0x7465646279746573),
    };

    if (key->family == 4) {
        /* The rest is zero, which the last word's family says; it makes the length known as well.
         */
        sip_absorb(v, load_le32(key->addr[0]) | load_le32(key->addr[1]) << 32);
        sip_absorb(v, load_le64((const uint8_t *)key + (KEY_WORDS - 1) * sizeof(uint64_t)));
    } else {
        for (size_t i = 0; i < KEY_WORDS; i++)
            sip_absorb(v, load_le64((const uint8_t *)key + i * sizeof(uint64_t)));
        sip_absorb(v, (uint64_t)sizeof(*key) << 56); /* no bytes left, and the length */
    }
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
