/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_CAPTURE_H
#define IDLEWALL_CAPTURE_H

/*
 * A capture, read once from front to back: pcap and pcapng, either byte order, micro- or
 * nanoseconds, plain, gzip or zstd, from a file or a pipe. The link layer is taken off; what is not
 * IP is counted and left out. Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 */

#include "middlebox/engine/packet.h"

struct capture; /* opaque */

/* Why a capture could not be read on, and where. */
struct capture_fault {
    char text[160];  /* "" : none */
    uint64_t offset; /* bytes into the (decompressed) file */
    uint64_t packet; /* the last that was read; 0: none */
};

struct capture_stats {
    uint64_t bytes;        /* of the file as it lies on disk, read so far */
    uint64_t size;         /* of the whole file; 0: a pipe */
    uint64_t packets;      /* records, whatever they hold */
    uint64_t ip;           /* of them handed out */
    uint64_t not_ip;       /* ARP, STP, ... */
    uint64_t link_broken;  /* too short for their own link layer */
    uint64_t unknown_link; /* of interfaces whose link type is not known */
    uint64_t tunnels;      /* IP in IP, GRE, VXLAN ...: handed out as the outer packet */
    uint64_t backwards;    /* stamps earlier than one before */
};

/* Packets as they are handed out, side by side. The caller owns the arrays. */
struct capture_batch {
    struct packet *packets; /* time (ns since 1970), data, caplen, len, mark and checksum_ready (0),
                               offloaded (1) are set, the rest is for packet_decode(). data is
                               borrowed until the next capture_read() */
    uint64_t *numbers;      /* counted from 1 over all records, as tshark and tcpdump -# do */
    size_t n, room;
};

/* 0, or a negative errno with *fault filled in. "-" is standard input. */
int capture_open(struct capture **out, const char *path, struct capture_fault *fault);
struct capture *capture_close(struct capture *capture); /* takes NULL; returns NULL */

/* 1: there are packets (batch->n > 0). 0: the end. Negative errno: the capture is broken or cannot
 * be read here, *fault says where; what came before was handed out. */
int capture_read(struct capture *capture, struct capture_batch *batch, struct capture_fault *fault);

/* Where the next read will go on: the first stamp not handed out yet, for a merge in time order.
 * False at the end. */
bool capture_peek(struct capture *capture, mtime_t *time);

void capture_stats(const struct capture *capture, struct capture_stats *out);

#endif
