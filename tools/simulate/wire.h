/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SIMULATE_WIRE_H
#define IDLEWALL_SIMULATE_WIRE_H

/*
 * A packet on its way, and the bytes a capture of it would show: IPv4, TCP with options, ICMP
 * errors. Payload is only counted: the bytes end with the headers. Addresses are from the
 * documentation ranges: clients 192.0.2.0/24, firewalls 203.0.113.0/24, servers 198.51.100.0/24.
 */

#include "tools/simulate/tcp.h"

#define WIRE_CLIENTS UINT32_C(0xc0000200)
#define WIRE_SERVERS UINT32_C(0xc6336400)
#define WIRE_ROUTERS UINT32_C(0xcb007100)

/* Both ends of a connection: the last byte of either address, and the client's port. The server's
 * port is the scenario's. */
typedef uint32_t wire_tuple;
static inline wire_tuple wire_tuple_of(uint8_t client, uint8_t server, uint16_t port)
{
    return (uint32_t)client << 24 | (uint32_t)server << 16 | port;
}
static inline uint8_t wire_client(wire_tuple tuple)
{
    return (uint8_t)(tuple >> 24);
}
static inline uint8_t wire_server(wire_tuple tuple)
{
    return (uint8_t)(tuple >> 16);
}
static inline uint16_t wire_port(wire_tuple tuple)
{
    return (uint16_t)tuple;
}

struct wire_packet {
    struct tcp_segment segment; /* ICMP: the one it quotes, which came from the other side */
    uint64_t id;
    wire_tuple tuple;
    uint32_t connection; /* of the story; 0: none */
    uint8_t from;        /* enum flow_side: its direction */
    uint8_t place;       /* where it arrives next */
    uint8_t shift;       /* of the window, for the timeline */
    bool isn_known[2];
    uint32_t isn[2]; /* by flow_side, for the timeline's relative numbers */
    bool icmp;
    uint8_t icmp_type, icmp_code;
    uint32_t icmp_from; /* address of the router that sends the error */
};

/* IPv4 20, ICMP 8, and a quoted IPv4 and TCP header of at most 60 each. */
#define WIRE_MAX 148

/* How long the packet is on the wire, payload included. */
uint32_t wire_length(const struct wire_packet *packet);
/* Writes the headers; returns how many bytes. Checksums are right, for zeros as payload, if asked
 * for, else 0. */
uint32_t wire_encode(const struct wire_packet *packet, uint16_t server_port, bool checksums,
                     uint8_t bytes[WIRE_MAX]);
/* Fills segment, tuple, from and the ICMP fields from bytes that the engine made. False: not one of
 * this story's packets. */
bool wire_decode(struct wire_packet *packet, uint16_t server_port, const uint8_t *bytes,
                 uint32_t len);

#endif
