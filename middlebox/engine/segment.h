/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SEGMENT_H
#define IDLEWALL_SEGMENT_H

/* Packets the middlebox makes itself: whole IP packets, checksums filled, ready for a raw socket.
 */

#include "middlebox/engine/packet.h"

#define SEGMENT_MAX 256

enum segment_kind { SEGMENT_RESET, SEGMENT_ICMP, SEGMENT_PROBE };

struct segment {
    enum segment_kind kind;
    uint32_t mark;     /* of the packet it answers, or the flow's last */
    uint64_t flow_id;  /* 0: answers a packet without a flow */
    uint8_t to_client; /* 1: towards the flow's client, 0: its server (unknown flow: 1 towards the
                          packet's sender) */
    uint16_t len;
    uint8_t data[SEGMENT_MAX];
};

/* What a TCP segment of ours says. from is the end of key in whose name it is sent. */
struct segment_tcp {
    const struct flow_key *key;
    unsigned from;
    uint32_t seq, ack;
    uint16_t window;
    uint8_t flags;
    uint8_t payload_len; /* zero bytes; 0 or 1 */
    bool has_timestamp;
    uint32_t tsval, tsecr;
};
void segment_tcp(struct segment *out, const struct segment_tcp *tcp);

/* The reset RFC 9293 3.10.7.1 asks for in answer to p (which must be TCP without RST), in its
 * receiver's name. */
void segment_reset_for(struct segment *out, const struct packet *p);
/* The same in the form of field case 5: seq = SEG.ACK, ack = SEG.SEQ, as long as the probe it
 * echoes. */
void segment_reset_echo(struct segment *out, const struct packet *p);
/* "Communication administratively prohibited" (RFC 1812 5.2.7.1, RFC 4443 3.1), from p's
 * destination, quoting as much of p as was captured and fits. p must not itself be an ICMP error.
 */
void segment_icmp_prohibited(struct segment *out, const struct packet *p);

#endif
