/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/traffic.h"

#include "middlebox/engine/packet.h"

#include <string.h>

static void put16(uint8_t *to, uint32_t v)
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
}

static void put32(uint8_t *to, uint32_t v)
{
    put16(to, v >> 16);
    put16(to + 2, v);
}

static uint32_t sum(const uint8_t *data, size_t len, uint32_t s)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        s += (uint32_t)data[i] << 8 | data[i + 1];
    return s;
}

static uint16_t fold(uint32_t s)
{
    s = (s >> 16) + (s & 0xffff);
    s += s >> 16;
    return (uint16_t)~s;
}

size_t traffic_packet(uint8_t *to, uint32_t flow, enum traffic_step step)
{
    static const uint8_t flags[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK, TCP_ACK | TCP_PSH};
    uint32_t payload = step == TRAFFIC_DATA ? TRAFFIC_PAYLOAD : 0, len = 40 + payload;
    uint8_t client[4] = {192, 0, 2, (uint8_t)(1 + flow / 64512)}, server[4] = {198, 51, 100, 2};
    uint32_t port = 1024 + flow % 64512;
    uint8_t *tcp = to + 20;
    int back = step == TRAFFIC_SYNACK;

    memset(to, 0, len);
    to[0] = 0x45;
    put16(to + 2, len);
    to[8] = 64;
    to[9] = 6;
    memcpy(to + 12, back ? server : client, 4);
    memcpy(to + 16, back ? client : server, 4);
    put16(to + 10, fold(sum(to, 20, 0)));
    put16(tcp, back ? 5432 : port);
    put16(tcp + 2, back ? port : 5432);
    put32(tcp + 4, back ? 500000 : step == TRAFFIC_SYN ? 100000 : 100001);
    put32(tcp + 8, back ? 100001 : step == TRAFFIC_SYN ? 0 : 500001);
    tcp[12] = 5 << 4;
    tcp[13] = flags[step];
    put16(tcp + 14, 65535);
    put16(tcp + 16, fold(sum(tcp, len - 20, sum(to + 12, 8, 6 + len - 20))));
    return len;
}
