/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_TEST_CAPTURE_IMAGE_H
#define IDLEWALL_TEST_CAPTURE_IMAGE_H

/* Captures made byte by byte, in either byte order. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct image {
    uint8_t *bytes;
    size_t n, room;
    bool big; /* endian */
};

static inline void image_bytes(struct image *i, const void *bytes, size_t n)
{
    if (i->n + n > i->room) {
        i->room = (i->n + n) * 2;
        i->bytes = realloc(i->bytes, i->room);
        if (!i->bytes)
            abort();
    }
    if (n > 0)
        memcpy(i->bytes + i->n, bytes, n);
    i->n += n;
}

static inline void image_uint(struct image *i, uint64_t v, unsigned size)
{
    uint8_t b[8];

    for (unsigned at = 0; at < size; at++)
        b[i->big ? size - 1 - at : at] = (uint8_t)(v >> 8 * at);
    image_bytes(i, b, size);
}

static inline void image_u16(struct image *i, uint32_t v)
{
    image_uint(i, v, 2);
}

static inline void image_u32(struct image *i, uint32_t v)
{
    image_uint(i, v, 4);
}

static inline void image_pcap(struct image *i, bool nanoseconds, uint32_t link)
{
    image_u32(i, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4);
    image_u16(i, 2);
    image_u16(i, 4);
    image_uint(i, 0, 8);
    image_u32(i, 262144);
    image_u32(i, link);
}

static inline void image_record(struct image *i, uint32_t seconds, uint32_t fraction,
                                const void *bytes, uint32_t caplen, uint32_t len)
{
    image_u32(i, seconds);
    image_u32(i, fraction);
    image_u32(i, caplen);
    image_u32(i, len);
    image_bytes(i, bytes, caplen);
}

static inline void image_block(struct image *i, uint32_t type, const void *body, uint32_t n)
{
    uint32_t padding = -n & 3, padded = n + padding;

    image_u32(i, type);
    image_u32(i, padded + 12);
    image_bytes(i, body, n);
    image_bytes(i, "\0\0\0", padding);
    image_u32(i, padded + 12);
}

static inline void image_body(struct image *i, uint32_t type, struct image *body)
{
    image_block(i, type, body->bytes, (uint32_t)body->n);
    free(body->bytes);
}

static inline void image_section(struct image *i, bool big)
{
    struct image body = {.big = big};

    i->big = big;
    image_u32(&body, 0x1a2b3c4d);
    image_u16(&body, 1);
    image_u16(&body, 0);
    image_uint(&body, UINT64_MAX, 8);
    image_body(i, 0x0a0d0d0a, &body);
}

/* resolution 6 and offset 0: what holds without the options */
static inline void image_interface(struct image *i, uint32_t link, uint32_t snaplen,
                                   uint8_t resolution, int64_t offset)
{
    struct image body = {.big = i->big};

    image_u16(&body, link);
    image_u16(&body, 0);
    image_u32(&body, snaplen);
    if (resolution != 6) {
        image_u16(&body, 9);
        image_u16(&body, 1);
        image_bytes(&body, (uint8_t[]){resolution, 0, 0, 0}, 4);
    }
    if (offset != 0) {
        image_u16(&body, 14);
        image_u16(&body, 8);
        image_uint(&body, (uint64_t)offset, 8);
    }
    if (body.n > 8)
        image_u32(&body, 0);
    image_body(i, 1, &body);
}

static inline void image_packet(struct image *i, uint32_t interface, uint64_t stamp,
                                const void *bytes, uint32_t caplen, uint32_t len)
{
    struct image body = {.big = i->big};

    image_u32(&body, interface);
    image_u32(&body, (uint32_t)(stamp >> 32));
    image_u32(&body, (uint32_t)stamp);
    image_u32(&body, caplen);
    image_u32(&body, len);
    image_bytes(&body, bytes, caplen);
    image_bytes(&body, "\0\0\0", -caplen & 3);
    image_u16(&body, 1); /* a comment */
    image_u16(&body, 2);
    image_bytes(&body, "hi\0\0", 4);
    image_u32(&body, 0);
    image_body(i, 6, &body);
}

/* Without a stamp: type 3. With the interface in 16 bits: type 2. */
static inline void image_simple(struct image *i, const void *bytes, uint32_t caplen, uint32_t len)
{
    struct image body = {.big = i->big};

    image_u32(&body, len);
    image_bytes(&body, bytes, caplen);
    image_body(i, 3, &body);
}

static inline void image_old(struct image *i, uint16_t interface, uint64_t stamp, const void *bytes,
                             uint32_t n)
{
    struct image body = {.big = i->big};

    image_u16(&body, interface);
    image_u16(&body, 0xffff);
    image_u32(&body, (uint32_t)(stamp >> 32));
    image_u32(&body, (uint32_t)stamp);
    image_u32(&body, n);
    image_u32(&body, n);
    image_bytes(&body, bytes, n);
    image_body(i, 2, &body);
}

/* 40 bytes of IPv4 and TCP, or of IPv6 and 20 of TCP. */
static const uint8_t image_ipv4[40] = {
    0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0,    0,    1, 10, 0, 0, 2,
    0x9c, 1, 5, 57, 0, 0, 0,    1, 0,  0, 0, 2, 80, 0x10, 0x20, 0, 0,  0, 0, 0,
};
static const uint8_t image_ipv6[60] = {
    0x60, 0, 0, 0,  0,    20, 6,   64,   0x20, 1, 0xd, 0xb8, 0,  0,    0,    0, 0, 0, 0, 0,
    0,    0, 0, 1,  0x20, 1,  0xd, 0xb8, 0,    0, 0,   0,    0,  0,    0,    0, 0, 0, 0, 2,
    0x9c, 1, 5, 57, 0,    0,  0,   1,    0,    0, 0,   2,    80, 0x10, 0x20, 0, 0, 0, 0, 0,
};

#endif
