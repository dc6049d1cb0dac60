/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/sweep_private.h"

void set_add(struct value_set *set, size_t lo, size_t hi)
{
    for (size_t v = lo; v < hi;) {
        size_t next = (v / 64 + 1) * 64;
        uint64_t word = UINT64_MAX << v % 64;

        if (next > hi)
            word &= ~(UINT64_MAX << hi % 64);
        set->bits[v / 64] |= word;
        v = next;
    }
}

/* The first value from v on that is in it, or is not. */
static size_t seek(const struct value_set *set, size_t v, bool in)
{
    while (v < SWEEP_VALUES) {
        uint64_t word = (in ? set->bits[v / 64] : ~set->bits[v / 64]) >> v % 64;

        if (word != 0)
            return v + (size_t)__builtin_ctzll(word);
        v = (v / 64 + 1) * 64;
    }
    return SWEEP_VALUES;
}

bool set_next(const struct value_set *set, size_t *lo, size_t *hi)
{
    *lo = seek(set, *hi, true);
    *hi = seek(set, *lo, false);
    return *lo < SWEEP_VALUES;
}

size_t set_first(const struct value_set *set)
{
    return seek(set, 0, true);
}

size_t set_greatest(const struct value_set *set)
{
    for (size_t i = SWEEP_WORDS; i-- > 0;)
        if (set->bits[i] != 0)
            return i * 64 + 63 - (size_t)__builtin_clzll(set->bits[i]);
    return 0;
}
