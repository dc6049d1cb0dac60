/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_CAPTURE_PRIVATE_H
#define IDLEWALL_CAPTURE_PRIVATE_H

#include "tools/replay/capture.h"
#include "tools/replay/capture_window.h"
#include "tools/replay/link.h"

/* As libpcap's MAXIMUM_SNAPLEN: larger packets are no packets. */
#define CAPTURE_PACKET_MAX 262144

struct capture_interface {
    enum link_kind link;
    uint32_t snaplen; /* 0: none */
    bool power_of_two;
    uint8_t resolution; /* stamps count 10^-r or 2^-r seconds */
    uint64_t multiply;  /* of the former, when it is no finer than ours: to nanoseconds */
    uint64_t safe;      /* below it that does not overflow */
    int64_t offset;     /* seconds */
};

struct capture {
    struct capture_window window;
    /* 1: the batch is full. 0: the end. -EAGAIN: what more there is must be fetched, after the
     * batch was used. Another negative errno: capture_fail() was told. */
    int (*fill)(struct capture *c, struct capture_batch *batch);
    bool swapped;         /* other byte order than this machine's */
    uint64_t nanoseconds; /* pcap: that one stamp counts */
    uint32_t trailer;     /* pcapng: the length that must stand behind a skipped block; 0: none */
    struct capture_interface *interfaces;
    uint32_t n_interfaces;
    mtime_t newest;
    mtime_t latest; /* the last record's, for those without a stamp */
    struct capture_stats stats;

    /* capture_peek() went one further */
    bool ahead;
    struct packet ahead_packet;
    uint64_t ahead_number;

    int failed;
    struct capture_fault fault;
};

int capture_pcap_open(struct capture *c);
int capture_ng_open(struct capture *c);
int capture_interface_add(struct capture *c, const struct capture_interface *interface);

/* A capture that cannot be read on, at `offset`. Returns err. */
__attribute__((format(printf, 4, 5))) int capture_fail(struct capture *c, int err, uint64_t offset,
                                                       const char *format, ...);

/* Of capture_window_need() that did not give 1, before something that begins at w->at. */
int capture_cut(struct capture *c, int r, const char *what);

static inline uint16_t capture_u16(const struct capture *c, const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof(v));
    return c->swapped ? __builtin_bswap16(v) : v;
}

static inline uint32_t capture_u32(const struct capture *c, const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return c->swapped ? __builtin_bswap32(v) : v;
}

static inline void capture_put(struct capture *c, struct capture_batch *batch, mtime_t time,
                               const struct link_bytes *bytes)
{
    struct packet *p = &batch->packets[batch->n];

    p->time = time;
    p->data = bytes->data;
    p->caplen = bytes->caplen;
    p->len = bytes->len;
    p->mark = 0;
    p->checksum_ready = false;
    p->offloaded = true;
    batch->numbers[batch->n] = c->stats.packets;
    batch->n++;
    c->stats.ip++;
}

/* One record: counted, and handed out where it is IP. */
static inline void capture_record(struct capture *c, struct capture_batch *batch,
                                  enum link_kind link, mtime_t time, struct link_bytes bytes)
{
    bool tunnel;

    c->stats.packets++;
    c->latest = time;
    if (time < c->newest)
        c->stats.backwards++;
    else
        c->newest = time;
    if (bytes.len < bytes.caplen)
        bytes.len = bytes.caplen;
    if (link == LINK_UNKNOWN) {
        c->stats.unknown_link++;
        return;
    }
    switch (link_strip(link, &bytes, &tunnel)) {
    case LINK_IP:
        c->stats.tunnels += tunnel;
        capture_put(c, batch, time, &bytes);
        break;
    case LINK_NOT_IP:
        c->stats.not_ip++;
        break;
    case LINK_BROKEN:
        c->stats.link_broken++;
        break;
    }
}

#endif
