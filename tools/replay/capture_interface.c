/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/capture_interface.h"

#define OPTIONS_AT 16

enum {
    OPTION_END = 0,
    OPTION_TSRESOL = 9,
    OPTION_TSOFFSET = 14,
};

static const uint64_t power_of_ten[] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
};

/* Stamps of 64 bits times 10^9; gcc and clang have it wherever we run. */
__extension__ typedef __int128 wide_t;

static mtime_t clamp(wide_t ns)
{
    if (ns < 0)
        return 0;
    return ns >= MTIME_NEVER ? MTIME_NEVER - 1 : (mtime_t)ns;
}

mtime_t capture_interface_time_slow(const struct capture_interface *i, uint64_t stamp)
{
    wide_t ns = stamp;

    if (i->power_of_two) {
        ns = ns * MTIME_SEC >> i->resolution; /* of at most 127 */
    } else if (i->resolution <= 9) {
        ns *= power_of_ten[9 - i->resolution];
    } else {
        for (unsigned r = i->resolution; r > 9 && ns > 0; r--)
            ns /= 10;
    }
    return clamp(ns + (wide_t)i->offset * MTIME_SEC);
}

static void read_option(struct capture *c, struct capture_interface *i, uint16_t code,
                        const uint8_t *value, uint16_t length)
{
    uint64_t offset;

    if (code == OPTION_TSRESOL && length == 1) {
        i->power_of_two = value[0] & 0x80;
        i->resolution = value[0] & 0x7f;
    } else if (code == OPTION_TSOFFSET && length == 8) {
        memcpy(&offset, value, sizeof(offset));
        i->offset = (int64_t)(c->swapped ? __builtin_bswap64(offset) : offset);
    }
}

int capture_interface_read(struct capture *c, const uint8_t *block, uint32_t length)
{
    struct capture_interface i = {.resolution = 6};
    const uint8_t *p = block + OPTIONS_AT, *end = block + length - 4;

    i.link = link_kind(capture_u16(c, block + 8));
    i.snaplen = capture_u32(c, block + 12);
    while (end - p >= 4) {
        uint16_t code = capture_u16(c, p), size = capture_u16(c, p + 2);
        uint32_t padded = (size + 3u) & ~3u;

        p += 4;
        if (code == OPTION_END)
            break;
        if (padded > (uint32_t)(end - p))
            return -EBADMSG;
        read_option(c, &i, code, p, size);
        p += padded;
    }
    if (!i.power_of_two && i.resolution <= 9) {
        i.multiply = power_of_ten[9 - i.resolution];
        i.safe = (uint64_t)MTIME_NEVER / i.multiply;
    }
    return capture_interface_add(c, &i);
}
