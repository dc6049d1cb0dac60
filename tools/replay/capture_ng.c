/* SPDX-License-Identifier: GPL-2.0-or-later */
/* draft-ietf-opsawg-pcapng: blocks of a type, their length, a body, and the length again. */
#include "tools/replay/capture_interface.h"

#define BLOCK_HEADER 8
#define BLOCK_MIN 12
/* As libpcap. Only what holds a packet or an interface has to fit into the window. */
#define BLOCK_MAX (16 * 1024 * 1024)
#define BYTE_ORDER_MAGIC 0x1a2b3c4d

enum {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET_OLD = 2, /* "obsolete", but old files hold them */
    BLOCK_PACKET_SIMPLE = 3,
    BLOCK_PACKET = 6,
    BLOCK_SECTION = 0x0a0d0d0a,
};

/* Type, length, magic, version; a section's length is not needed, and often unknown. */
#define SECTION_MIN 28
#define INTERFACE_MIN 20
/* header until the packet's first byte, and the length behind it */
#define PACKET_HEADER 28
#define PACKET_MIN (PACKET_HEADER + 4)
#define SIMPLE_HEADER 12
#define SIMPLE_MIN (SIMPLE_HEADER + 4)

static int fail_here(struct capture *c, const char *text)
{
    return capture_fail(c, -EBADMSG, capture_window_offset(&c->window), "%s", text);
}

/* Enough of a block that every later section's byte order is known before its length is read. */
static int begin_section(struct capture *c)
{
    struct capture_window *w = &c->window;
    int r = capture_window_need(w, SECTION_MIN);
    uint32_t magic;

    if (r <= 0)
        return capture_cut(c, r, "a section's header");
    memcpy(&magic, w->at + 8, sizeof(magic));
    if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC))
        return fail_here(c, "a section without a byte order");
    c->swapped = magic != BYTE_ORDER_MAGIC;
    /* 1.2 is 1.0 with a mistake in the number: section 4.1 */
    if (capture_u16(c, w->at + 12) != 1)
        return capture_fail(c, -EBADMSG, capture_window_offset(w), "pcapng of version %u, not 1",
                            capture_u16(c, w->at + 12));
    c->n_interfaces = 0;
    return 1;
}

static uint32_t block_min(uint32_t type)
{
    switch (type) {
    case BLOCK_SECTION:
        return SECTION_MIN;
    case BLOCK_INTERFACE:
        return INTERFACE_MIN;
    case BLOCK_PACKET:
    case BLOCK_PACKET_OLD:
        return PACKET_MIN;
    case BLOCK_PACKET_SIMPLE:
        return SIMPLE_MIN;
    default:
        return BLOCK_MIN;
    }
}

static int check_length(struct capture *c, uint32_t type, uint32_t length)
{
    uint64_t offset = capture_window_offset(&c->window);

    if (length < block_min(type) || length % 4 != 0)
        return capture_fail(c, -EBADMSG, offset, "a block of type %u cannot have %u bytes", type,
                            length);
    if (length > BLOCK_MAX || (block_min(type) > BLOCK_MIN && length > CAPTURE_WINDOW_MAX))
        return capture_fail(c, -EBADMSG, offset, "a block of type %u with %u bytes is too long",
                            type, length);
    return 1;
}

/* All of a block at w->at. */
static int need_block(struct capture *c, uint32_t length)
{
    struct capture_window *w = &c->window;
    int r = capture_window_need(w, length);

    if (r <= 0)
        return capture_cut(c, r, "a block");
    if (capture_u32(c, w->at + length - 4) != length)
        return fail_here(c, "a block's two lengths differ");
    return 1;
}

static int read_interface(struct capture *c, uint32_t length)
{
    int r = capture_interface_read(c, c->window.at, length);

    if (r == -ENOMEM)
        return capture_fail(c, r, capture_window_offset(&c->window), "out of memory");
    if (r == -E2BIG)
        return fail_here(c, "too many interfaces in one section");
    return r < 0 ? fail_here(c, "an interface's options are longer than its block") : 1;
}

static int read_packet(struct capture *c, struct capture_batch *batch, uint32_t type,
                       uint32_t length)
{
    const uint8_t *at = c->window.at;
    uint32_t index = type == BLOCK_PACKET ? capture_u32(c, at + 8) : capture_u16(c, at + 8);
    uint64_t stamp = (uint64_t)capture_u32(c, at + 12) << 32 | capture_u32(c, at + 16);
    struct link_bytes bytes = {at + PACKET_HEADER, capture_u32(c, at + 20),
                               capture_u32(c, at + 24)};
    const struct capture_interface *interface = c->interfaces + index;

    if (index >= c->n_interfaces)
        return fail_here(c, "a packet of an interface that was not described");
    if (bytes.caplen > CAPTURE_PACKET_MAX || bytes.caplen > length - PACKET_MIN)
        return capture_fail(c, -EBADMSG, capture_window_offset(&c->window),
                            "a packet of %u bytes in a block of %u", bytes.caplen, length);
    capture_record(c, batch, interface->link, capture_interface_time(interface, stamp), bytes);
    return 1;
}

/* It has no stamp: as late as the packet before it. */
static int read_simple(struct capture *c, struct capture_batch *batch, uint32_t length)
{
    const uint8_t *at = c->window.at;
    const struct capture_interface *interface = c->interfaces;
    struct link_bytes bytes = {at + SIMPLE_HEADER, length - SIMPLE_MIN, capture_u32(c, at + 8)};

    if (c->n_interfaces == 0)
        return fail_here(c, "a packet of an interface that was not described");
    if (interface->snaplen && bytes.caplen > interface->snaplen)
        bytes.caplen = interface->snaplen;
    if (bytes.caplen > bytes.len)
        bytes.caplen = bytes.len;
    if (bytes.caplen > CAPTURE_PACKET_MAX)
        return fail_here(c, "a simple packet block is too long");
    capture_record(c, batch, interface->link, c->latest, bytes);
    return 1;
}

/* Of a block that need not be understood: custom ones, names, statistics, secrets. */
static int skip_block(struct capture *c, uint32_t length)
{
    c->window.at += BLOCK_HEADER;
    c->window.skip = length - BLOCK_MIN;
    c->trailer = length;
    return 1;
}

static int read_block(struct capture *c, struct capture_batch *batch, uint32_t type,
                      uint32_t length)
{
    int r;

    if (block_min(type) == BLOCK_MIN)
        return skip_block(c, length);
    r = need_block(c, length);
    if (r <= 0)
        return r;
    switch (type) {
    case BLOCK_INTERFACE:
        r = read_interface(c, length);
        break;
    case BLOCK_PACKET:
    case BLOCK_PACKET_OLD:
        r = read_packet(c, batch, type, length);
        break;
    case BLOCK_PACKET_SIMPLE:
        r = read_simple(c, batch, length);
        break;
    }
    if (r > 0)
        c->window.at += length;
    return r;
}

/* The length behind a block that was skipped. */
static int read_trailer(struct capture *c)
{
    int r = capture_window_need(&c->window, 4);

    if (r <= 0)
        return capture_cut(c, r, "a block");
    if (capture_u32(c, c->window.at) != c->trailer)
        return fail_here(c, "a block's two lengths differ");
    c->window.at += 4;
    c->trailer = 0;
    return 1;
}

static int fill(struct capture *c, struct capture_batch *batch)
{
    struct capture_window *w = &c->window;

    while (batch->n < batch->room) {
        uint32_t type, length;
        int r = 1;

        w->hold = batch->n > 0;
        if (c->trailer)
            r = read_trailer(c);
        if (r <= 0)
            return r;
        r = capture_window_need(w, BLOCK_HEADER);
        if (r == 0 && w->at == w->end)
            return 0;
        if (r <= 0)
            return capture_cut(c, r, "a block's header");
        type = capture_u32(c, w->at);
        if (type == BLOCK_SECTION) {
            r = begin_section(c);
            if (r <= 0)
                return r;
        }
        length = capture_u32(c, w->at + 4);
        r = check_length(c, type, length);
        if (r > 0)
            r = read_block(c, batch, type, length);
        if (r <= 0)
            return r;
    }
    return 1;
}

int capture_ng_open(struct capture *c)
{
    int r = begin_section(c);

    c->fill = fill;
    return r < 0 ? r : 0;
}
