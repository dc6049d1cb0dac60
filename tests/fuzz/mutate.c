/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/mutate.h"

#include <string.h>

/* splitmix64 (Steele, Lea, Flood 2014): any seed will do */
static uint64_t next(struct mutator *m)
{
    uint64_t z = m->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static size_t below(struct mutator *m, size_t bound)
{
    return bound ? next(m) % bound : 0;
}

static const struct corpus_input *pick(struct mutator *m)
{
    return &m->corpus->inputs[below(m, m->corpus->n)];
}

/* Overwrites with a number that is often a limit, in 1, 2 or 4 bytes, either order. */
static void put_limit(struct mutator *m, uint8_t *data, size_t size)
{
    static const uint32_t limits[] = {0,     1,     2,     4,     7,        8,         16,
                                      20,    40,    64,    127,   128,      255,       256,
                                      32767, 32768, 65535, 65536, 1u << 31, UINT32_MAX};
    uint32_t v = limits[below(m, sizeof(limits) / sizeof(limits[0]))];
    size_t width = (size_t)1 << below(m, 3);
    int big = next(m) & 1;
    size_t at;

    if (size < width)
        return;
    at = below(m, size - width + 1);
    for (size_t i = 0; i < width; i++)
        data[at + i] = (uint8_t)(v >> 8 * (big ? width - 1 - i : i));
}

/* Copies a piece of from into data at `at`, moving the rest back. Returns the new size. */
static size_t insert(struct mutator *m, uint8_t *data, size_t size, const uint8_t *from,
                     size_t from_size)
{
    uint8_t piece[256];
    size_t start = below(m, from_size), at = below(m, size + 1), n;

    n = from_size - start;
    n = n ? 1 + below(m, n < sizeof(piece) ? n : sizeof(piece)) : 0;
    if (n > CORPUS_INPUT_MAX - size)
        return size;
    memcpy(piece, from + start, n); /* from may be data */
    memmove(data + at + n, data + at, size - at);
    memcpy(data + at, piece, n);
    return size + n;
}

static size_t cut_out(struct mutator *m, uint8_t *data, size_t size)
{
    size_t at = below(m, size), n;

    if (size == 0)
        return 0;
    n = 1 + below(m, size - at < 64 ? size - at : 64);
    memmove(data + at, data + at + n, size - at - n);
    return size - n;
}

static size_t change(struct mutator *m, uint8_t *data, size_t size)
{
    const struct corpus_input *other = pick(m);
    uint8_t byte = (uint8_t)next(m);

    switch (below(m, 9)) {
    case 0:
        if (size)
            data[below(m, size)] ^= (uint8_t)(1u << below(m, 8));
        return size;
    case 1:
        if (size)
            data[below(m, size)] = byte;
        return size;
    case 2:
        if (size)
            data[below(m, size)] += (uint8_t)(byte % 2 ? 1 : -1);
        return size;
    case 3:
    case 4:
        put_limit(m, data, size);
        return size;
    case 5:
        return insert(m, data, size, &byte, 1);
    case 6:
        return insert(m, data, size, other->data, other->size);
    case 7:
        return insert(m, data, size, data, size);
    default:
        return next(m) % 4 ? cut_out(m, data, size) : below(m, size + 1);
    }
}

size_t mutate(struct mutator *m, uint8_t *data)
{
    const struct corpus_input *from = pick(m);
    size_t size = from->size, changes = 1 + below(m, 6);

    memcpy(data, from->data, size);
    while (changes--)
        size = change(m, data, size);
    return size;
}
