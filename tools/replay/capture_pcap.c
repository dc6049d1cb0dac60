/* SPDX-License-Identifier: GPL-2.0-or-later */
/* draft-ietf-opsawg-pcap: a header of 24 bytes, then records of 16 bytes and what was captured. */
#include "tools/replay/capture_private.h"

#define FILE_HEADER 24
#define RECORD_HEADER 16

/* Plain records of this machine's byte order, as far as they stand in the window: nearly all of
 * nearly every capture. */
static void fill_plain(struct capture *c, struct capture_batch *batch)
{
    enum link_kind link = c->interfaces[0].link;
    const uint8_t *at = c->window.at, *end = c->window.end;
    struct packet *p = batch->packets + batch->n;
    uint64_t number = c->stats.packets;
    mtime_t newest = c->newest;
    size_t n = batch->n;

    for (; n < batch->room && (size_t)(end - at) >= RECORD_HEADER; n++, p++) {
        uint32_t header[4]; /* seconds, their fraction, captured, on the wire */
        struct link_bytes bytes;
        mtime_t time;

        memcpy(header, at, sizeof(header));
        bytes = (struct link_bytes){at + RECORD_HEADER, header[2], header[3]};
        if (header[2] > header[3] || (size_t)(end - at) < RECORD_HEADER + (size_t)header[2] ||
            header[2] > CAPTURE_PACKET_MAX || !link_is_plain(link, &bytes))
            break;
        time = header[0] * MTIME_SEC + (mtime_t)(header[1] * c->nanoseconds);
        if (time < newest)
            c->stats.backwards++;
        else
            newest = time;
        p->time = time;
        p->data = bytes.data + LINK_ETHERNET_HEADER;
        p->caplen = bytes.caplen - LINK_ETHERNET_HEADER;
        p->len = bytes.len - LINK_ETHERNET_HEADER;
        p->mark = 0;
        p->checksum_ready = false;
        p->offloaded = true;
        batch->numbers[n] = ++number;
        c->latest = time;
        at += RECORD_HEADER + header[2];
    }
    c->stats.ip += number - c->stats.packets;
    c->stats.packets = number;
    c->newest = newest;
    c->window.at += at - c->window.at;
    batch->n = n;
}

static int fill(struct capture *c, struct capture_batch *batch)
{
    struct capture_window *w = &c->window;
    enum link_kind link = c->interfaces[0].link;

    while (batch->n < batch->room) {
        uint32_t caplen;
        struct link_bytes bytes;
        mtime_t time;
        int r;

        if (!c->swapped && w->skip == 0)
            fill_plain(c, batch);
        if (batch->n == batch->room)
            break;
        w->hold = batch->n > 0;
        r = capture_window_need(w, RECORD_HEADER);
        if (r == 0 && w->at == w->end)
            return 0;
        if (r <= 0)
            return capture_cut(c, r, "a packet's header");
        caplen = capture_u32(c, w->at + 8);
        if (caplen > CAPTURE_PACKET_MAX)
            return capture_fail(c, -EBADMSG, capture_window_offset(w),
                                "a packet of %u bytes; at most %u are possible", caplen,
                                CAPTURE_PACKET_MAX);
        r = capture_window_need(w, RECORD_HEADER + caplen);
        if (r <= 0)
            return capture_cut(c, r, "a packet");
        time = capture_u32(c, w->at) * MTIME_SEC +
               (mtime_t)(capture_u32(c, w->at + 4) * c->nanoseconds);
        bytes = (struct link_bytes){w->at + RECORD_HEADER, caplen, capture_u32(c, w->at + 12)};
        w->at += RECORD_HEADER + caplen;
        capture_record(c, batch, link, time, bytes);
    }
    return 1;
}

int capture_pcap_open(struct capture *c)
{
    struct capture_window *w = &c->window;
    struct capture_interface interface = {0};
    int r = capture_window_need(w, FILE_HEADER);

    if (r <= 0)
        return capture_cut(c, r, "the file's header");
    /* before 2.3 the two lengths stood the other way round, and nobody knows of such a file */
    if (capture_u16(c, w->at + 4) != 2 || capture_u16(c, w->at + 6) < 3)
        return capture_fail(c, -EBADMSG, 4, "pcap of version %u.%u, not 2.4",
                            capture_u16(c, w->at + 4), capture_u16(c, w->at + 6));
    /* above: how long the frame check sequence is */
    interface.link = link_kind(capture_u32(c, w->at + 20) & 0xffff);
    w->at += FILE_HEADER;
    c->fill = fill;
    r = capture_interface_add(c, &interface);
    return r < 0 ? capture_fail(c, r, FILE_HEADER, "out of memory") : 0;
}
