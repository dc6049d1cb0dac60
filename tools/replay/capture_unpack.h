/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_CAPTURE_UNPACK_H
#define IDLEWALL_CAPTURE_UNPACK_H

/* gzip and zstd, one after another as often as they come (`cat a.gz b.gz`). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture_unpack; /* opaque */

/* By their first bytes; *out stays NULL when they are neither. 0 or -ENOMEM. */
int capture_unpack_create(struct capture_unpack **out, const uint8_t *magic, size_t n);
struct capture_unpack *capture_unpack_destroy(struct capture_unpack *unpack); /* takes NULL */

/* *took and *made: the room there is, then how much of it was used. Nothing to take: no more will
 * come. 0, or a negative errno and why. */
int capture_unpack_some(struct capture_unpack *unpack, const uint8_t *from, size_t *took,
                        uint8_t *to, size_t *made, const char **why);

bool capture_unpack_whole(const struct capture_unpack *unpack); /* may it end here? */

#endif
