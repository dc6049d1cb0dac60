/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/capture_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* pcapng does not say how many there may be; a file that goes on describing interfaces would fill
 * the memory. */
#define INTERFACES_MAX 65536

int capture_fail(struct capture *c, int err, uint64_t offset, const char *format, ...)
{
    va_list args;

    c->failed = err;
    c->fault.offset = offset;
    c->fault.packet = c->stats.packets;
    va_start(args, format);
    vsnprintf(c->fault.text, sizeof(c->fault.text), format, args);
    va_end(args);
    return err;
}

int capture_cut(struct capture *c, int r, const char *what)
{
    struct capture_window *w = &c->window;

    if (r == -EAGAIN)
        return r;
    if (r < 0)
        return capture_fail(c, r, w->offset, "%s", w->why);
    return capture_fail(c, -EBADMSG, w->offset, "the file ends in the middle of %s", what);
}

int capture_interface_add(struct capture *c, const struct capture_interface *interface)
{
    uint32_t n = c->n_interfaces;

    if (n == INTERFACES_MAX)
        return -E2BIG;
    if ((n & (n - 1)) == 0) { /* doubles at every power of two */
        size_t room = n ? n * 2 : 1;
        void *more = reallocarray(c->interfaces, room, sizeof(*c->interfaces));

        if (!more)
            return -ENOMEM;
        c->interfaces = more;
    }
    c->interfaces[n] = *interface;
    c->n_interfaces++;
    return 0;
}

static int recognize(struct capture *c)
{
    static const char neither[] = "is neither pcap nor pcapng";
    int r = capture_window_need(&c->window, 4);
    uint32_t magic;

    if (r < 0)
        return capture_cut(c, r, "");
    if (c->window.at == c->window.end)
        return capture_fail(c, -EBADMSG, 0, "is empty");
    if (r == 0)
        return capture_fail(c, -EBADMSG, 0, "%s", neither);
    memcpy(&magic, c->window.at, sizeof(magic));
    if (magic == 0x0a0d0d0a) /* a palindrome: the byte order comes later */
        return capture_ng_open(c);
    for (unsigned i = 0; i < 2; i++) {
        c->swapped = i == 1;
        c->nanoseconds = magic == 0xa1b2c3d4 ? 1000 : 1;
        if (magic == 0xa1b2c3d4 || magic == 0xa1b23c4d)
            return capture_pcap_open(c);
        magic = __builtin_bswap32(magic);
    }
    return capture_fail(c, -EBADMSG, 0, "%s", neither);
}

int capture_open(struct capture **out, const char *path, struct capture_fault *fault)
{
    struct capture *c = calloc(1, sizeof(*c));
    struct capture_source *source = NULL;
    const char *why = "";
    int r = -ENOMEM;

    *out = NULL;
    *fault = (struct capture_fault){.text = "out of memory"};
    if (!c)
        return r;
    r = capture_source_open(&source, path, &why);
    if (r < 0) {
        capture_fail(c, r, 0, "%s", why);
        goto out;
    }
    r = capture_window_init(&c->window, source);
    if (r < 0) {
        capture_fail(c, r, 0, "out of memory");
        goto out;
    }
    r = recognize(c);
out:
    *fault = c->fault;
    *out = r < 0 ? capture_close(c) : c;
    return r;
}

struct capture *capture_close(struct capture *c)
{
    if (!c)
        return NULL;
    capture_source_close(c->window.source);
    capture_window_finish(&c->window);
    free(c->interfaces);
    free(c);
    return NULL;
}

static void take_ahead(struct capture *c, struct capture_batch *batch)
{
    if (!c->ahead)
        return;
    c->ahead = false;
    batch->packets[0] = c->ahead_packet;
    batch->numbers[0] = c->ahead_number;
    batch->n = 1;
}

int capture_read(struct capture *c, struct capture_batch *batch, struct capture_fault *fault)
{
    int r = c->failed;

    batch->n = 0;
    c->window.lent[0] = c->window.lent[1] = false;
    take_ahead(c, batch);
    if (!r)
        r = c->fill(c, batch);
    c->window.lent[c->window.current] = true;
    if (batch->n > 0)
        return 1;
    if (r < 0)
        *fault = c->fault;
    return r;
}

bool capture_peek(struct capture *c, mtime_t *time)
{
    struct capture_batch one = {&c->ahead_packet, &c->ahead_number, 0, 1};

    if (!c->ahead) {
        if (c->failed || c->fill(c, &one) < 0 || one.n == 0)
            return false;
        c->ahead = true;
    }
    *time = c->ahead_packet.time;
    return true;
}

void capture_stats(const struct capture *c, struct capture_stats *out)
{
    *out = c->stats;
    out->bytes = capture_source_bytes(c->window.source);
    out->size = capture_source_size(c->window.source);
}
