/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the side world addresses are numbers: of the parted connection at end 0, of the value at end
 * 1. All else of a key is the connection's.
 */
#include "tools/replay/connection_private.h"
#include "tools/replay/sweep_private.h"

#include <string.h>

#define IS_VALUE 0x80000000u /* greater than any number: flow_key_init() keeps the ends */

static void put(uint8_t *addr, uint32_t n)
{
    for (unsigned i = 0; i < 4; i++)
        addr[i] = (uint8_t)(n >> (24 - 8 * i));
}

static uint32_t get(const uint8_t *addr)
{
    return (uint32_t)addr[0] << 24 | (uint32_t)addr[1] << 16 | (uint32_t)addr[2] << 8 | addr[3];
}

struct flow_key class_key(const struct parted *parted, unsigned world)
{
    struct flow_key key = parted->key;

    memset(key.addr, 0, sizeof(key.addr));
    put(key.addr[0], parted->number);
    put(key.addr[1], IS_VALUE | world);
    return key;
}

struct flow_key class_key_in(const struct sweep_shard *shard, const struct parted *parted,
                             const struct class *class)
{
    return class->world == shard->spans.sweep.n - 1 ? parted->key : class_key(parted, class->world);
}

unsigned class_end(const uint8_t *addr)
{
    return (get(addr) & IS_VALUE) != 0;
}

struct parted *class_of_addr(const struct sweep_shard *shard, const uint8_t addr[2][16],
                             struct class **class)
{
    unsigned value = class_end(addr[1]);
    struct parted *parted = shard->parted[get(addr[!value]) - 1];

    if (class)
        *class = parted_class(parted, get(addr[value]) & ~IS_VALUE);
    return parted;
}

void class_take_flow(struct flow *flow, const struct parted *parted, unsigned world)
{
    struct flow_key key;
    unsigned client = connections_key(flow, &key);

    key = class_key(parted, world);
    memcpy(flow->addr[FLOW_CLIENT], key.addr[client], sizeof(key.addr[client]));
    memcpy(flow->addr[FLOW_SERVER], key.addr[!client], sizeof(key.addr[client]));
}
