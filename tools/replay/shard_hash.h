/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SHARD_HASH_H
#define IDLEWALL_SHARD_HASH_H

/* Which shard a packet belongs to: by its pair of addresses, both ways alike, so that fragments go
 * with their first. An ICMP error goes with the packet that it quotes. */

#include "middlebox/engine/packet.h"

#include <netinet/in.h>

/* By decoding it, where its first bytes do not say enough. */
unsigned shard_of_any(const struct packet *p, unsigned shards);

static inline unsigned shard_mix(uint32_t both, unsigned shards)
{
    return (unsigned)((uint64_t)(both * UINT32_C(0x9e3779b1)) * shards >> 32);
}

static inline unsigned shard_of(const struct packet *p, unsigned shards)
{
    const uint8_t *d = p->data;
    uint32_t a, b;

    if (p->caplen < 20 || d[0] >> 4 != 4 || (d[9] != IPPROTO_TCP && d[9] != IPPROTO_UDP))
        return shard_of_any(p, shards);
    memcpy(&a, d + 12, 4);
    memcpy(&b, d + 16, 4);
    return shard_mix(a ^ b, shards);
}

#endif
