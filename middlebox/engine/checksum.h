/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_CHECKSUM_H
#define IDLEWALL_CHECKSUM_H

/* The Internet checksum (RFC 1071): sums are added up, then folded. */

#include <stddef.h>
#include <stdint.h>

/* Adds bytes to a sum; all pieces but the last must have an even length. */
uint64_t checksum_add(uint64_t sum, const uint8_t *data, size_t size);

/* The sum of the pseudo-header (RFC 9293 3.1, RFC 8200 8.1); family is 4 or 6, size the
 * transport's. */
uint64_t checksum_pseudo(uint8_t family, const uint8_t *src, const uint8_t *dst, uint8_t proto,
                         uint32_t size);

/* What goes into the header. Over bytes that hold a right checksum already it gives 0. */
uint16_t checksum_fold(uint64_t sum);

#endif
