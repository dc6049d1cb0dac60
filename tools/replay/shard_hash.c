/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/shard_hash.h"

unsigned shard_of_any(const struct packet *p, unsigned shards)
{
    struct packet decoded = {
        .data = p->data, .caplen = p->caplen, .len = p->len, .offloaded = true};
    uint32_t both = 0;

    packet_decode(&decoded); /* of nonsense the key is zero: any will do */
    for (unsigned i = 0; i < 16; i += 4) {
        uint32_t a, b;

        memcpy(&a, decoded.key.addr[0] + i, 4);
        memcpy(&b, decoded.key.addr[1] + i, 4);
        both ^= a ^ b;
    }
    return shard_mix(both, shards);
}
