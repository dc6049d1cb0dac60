/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/checksum.h"

uint64_t checksum_add(uint64_t sum, const uint8_t *data, size_t size)
{
    size_t i;

    for (i = 0; i + 1 < size; i += 2)
        sum += (uint64_t)data[i] << 8 | data[i + 1];
    if (i < size)
        sum += (uint64_t)data[i] << 8;
    return sum;
}

uint64_t checksum_pseudo(uint8_t family, const uint8_t *src, const uint8_t *dst, uint8_t proto,
                         uint32_t size)
{
    size_t bytes = family == 4 ? 4 : 16;

    /* IPv4's has 16 bits of length, IPv6's 32: the same sum for what IPv4 can carry */
    return checksum_add(checksum_add(proto + (uint64_t)size, src, bytes), dst, bytes);
}

uint16_t checksum_fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}
