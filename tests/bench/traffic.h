/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_BENCH_TRAFFIC_H
#define IDLEWALL_BENCH_TRAFFIC_H

/* TCP packets of many flows, made quickly: 192.0.2.1-254 port 1024-65535 towards 198.51.100.2 port
 * 5432. */

#include <stddef.h>
#include <stdint.h>

#define TRAFFIC_MOST_FLOWS (254u * 64512u)
#define TRAFFIC_PAYLOAD 64
#define TRAFFIC_BYTES (20 + 20 + TRAFFIC_PAYLOAD)

enum traffic_step { TRAFFIC_SYN, TRAFFIC_SYNACK, TRAFFIC_ACK, TRAFFIC_DATA };

/* Writes the packet of that flow and step, checksums right. Returns its length. */
size_t traffic_packet(uint8_t *to, uint32_t flow, enum traffic_step step);

/* xorshift64*: the flows' order is the same in every run. */
static inline uint64_t traffic_random(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(0x2545F4914F6CDD1D);
}

#endif
