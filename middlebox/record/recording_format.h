/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_RECORDING_FORMAT_H
#define IDLEWALL_RECORDING_FORMAT_H

/* The figures of pcapng (draft-ietf-opsawg-pcapng) that recording.c writes and recording_read.c
 * reads. */

#include <stdint.h>

enum {
    PCAPNG_SECTION = 0x0A0D0D0A,
    PCAPNG_INTERFACE = 1,
    PCAPNG_PACKET = 6,
    /* For local use, which readers skip: custom blocks would be shown as packets, and numbered. */
    PCAPNG_OWN = (int)0x80001D1E,
    PCAPNG_ORDER = 0x1A2B3C4D,
    PCAPNG_LINKTYPE_RAW = 101,
    PCAPNG_OPT_END = 0,
    PCAPNG_OPT_COMMENT = 1,
    PCAPNG_OPT_CUSTOM = 2989, /* binary, may be copied to other files */
    PCAPNG_SHB_USERAPPL = 4,
    PCAPNG_IF_NAME = 2,
    PCAPNG_IF_TSRESOL = 9,
    PCAPNG_IF_TSOFFSET = 14,
    PCAPNG_EPB_QUEUE = 6,
    PCAPNG_EPB_VERDICT = 7,
    PCAPNG_VERDICT_TC =
        1, /* of the kinds of verdict the format knows, the one with accept and drop */
    PCAPNG_TC_OK = 0,
    PCAPNG_TC_SHOT = 2,
    RECORDING_PEN = 32473,        /* in options; no number of our own: the one of RFC 5612 */
    RECORDING_MAGIC = 0x69646C65, /* in blocks: they may be anybody's */
    RECORDING_BLOCK_MAX = 8 << 20,
};

struct recording_own { /* starts a block of our own; then len bytes */
    uint32_t magic, kind;
    uint32_t time_high, time_low;
    uint32_t len;
};

struct recording_option { /* a packet's custom option */
    uint32_t pen, mark;
    uint8_t checksum_ready, reason, zero[2];
};

#endif
