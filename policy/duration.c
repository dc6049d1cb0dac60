/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/duration.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct unit {
    const char *name;
    mtime_t length;
} units[] = {
    {"d", 86400 * MTIME_SEC}, {"h", 3600 * MTIME_SEC}, {"min", 60 * MTIME_SEC}, {"s", MTIME_SEC},
    {"ms", MTIME_MSEC},       {"us", INT64_C(1000)},   {"ns", INT64_C(1)},
};
#define UNITS (sizeof(units) / sizeof(units[0]))

static const char not_a_duration[] =
    "not a duration; allowed: 350s, 2h4min, 500ms, 1d, a number of seconds, or never";
static const char too_long[] = "more than 292 years; allowed: at most 292 years, or never";
static const char too_fine[] = "finer than a nanosecond; allowed: whole nanoseconds";

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A number with decimals as whole and part in billionths; NULL and *why on failure. */
static const char *number(const char *at, uint64_t *whole, uint64_t *billionths, const char **why)
{
    uint64_t scale = MTIME_SEC;

    *why = not_a_duration;
    if (!is_digit(*at))
        return NULL;
    for (*whole = 0; is_digit(*at); at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (*whole > (INT64_MAX - digit) / 10) {
            *why = too_long;
            return NULL;
        }
        *whole = *whole * 10 + digit;
    }
    *billionths = 0;
    if (*at != '.')
        return at;
    if (!is_digit(*++at))
        return NULL;
    for (; is_digit(*at); at++) {
        scale /= 10;
        if (scale == 0 && *at != '0') {
            *why = too_fine;
            return NULL;
        }
        *billionths += (uint64_t)(*at - '0') * scale;
    }
    return at;
}

static size_t unit_find(const char *at, size_t len)
{
    size_t i;

    for (i = 0; i < UNITS; i++)
        if (strlen(units[i].name) == len && memcmp(units[i].name, at, len) == 0)
            break;
    return i;
}

/* Adds number times unit to *sum; NULL, or why it does not fit. */
static const char *add(mtime_t *sum, uint64_t whole, uint64_t billionths, mtime_t unit)
{
    mtime_t total, part;

    if (unit >= MTIME_SEC) {
        part = (mtime_t)billionths * (unit / MTIME_SEC);
    } else {
        part = (mtime_t)billionths * unit;
        if (part % MTIME_SEC != 0)
            return too_fine;
        part /= MTIME_SEC;
    }
    if (__builtin_mul_overflow((mtime_t)whole, unit, &total) ||
        __builtin_add_overflow(total, part, &total) || __builtin_add_overflow(total, *sum, sum) ||
        *sum == MTIME_NEVER)
        return too_long;
    return NULL;
}

int duration_parse(const char *text, mtime_t *out, const char **why)
{
    uint64_t whole, billionths;
    const char *at = text;
    size_t first = 0; /* units before this one are out of order */
    mtime_t sum = 0;

    if (strcmp(text, "never") == 0) {
        *out = MTIME_NEVER;
        return 0;
    }
    do {
        size_t len = 0, unit;

        at = number(at, &whole, &billionths, why);
        if (!at)
            return -EINVAL;
        while (at[len] >= 'a' && at[len] <= 'z')
            len++;
        if (len == 0 && *at == '\0' && first > 0) {
            *why = "the last number has no unit; allowed: d h min s ms us ns";
            return -EINVAL;
        }
        unit = len == 0 && *at == '\0' ? 3 : unit_find(at, len);
        if (unit == UNITS) {
            *why = len == 1 && *at == 'm'
                       ? "m is ambiguous; allowed: min for minutes, ms for milliseconds"
                   : len > 0 ? "unknown unit; allowed: d h min s ms us ns"
                             : not_a_duration;
            return -EINVAL;
        }
        if (unit < first) {
            *why = "unit out of order or repeated; allowed: each once, in the order d h min s ms "
                   "us ns";
            return -EINVAL;
        }
        *why = add(&sum, whole, billionths, units[unit].length);
        if (*why)
            return -EINVAL;
        first = unit + 1;
        at += len;
    } while (*at != '\0');
    if (sum == 0) {
        *why = "must be above 0; allowed: a positive duration, or never";
        return -EINVAL;
    }
    *out = sum;
    return 0;
}

char *duration_format(mtime_t duration, char *buf, size_t size)
{
    size_t used = 0;

    if (size == 0)
        return buf;
    buf[0] = '\0';
    if (duration == MTIME_NEVER || duration <= 0) {
        snprintf(buf, size, "%s", duration <= 0 ? "0s" : "never");
        return buf;
    }
    /* 350s and 90s are what people call these; 2h4min and 15min5s as well. */
    if (duration < 600 * MTIME_SEC && duration % MTIME_SEC == 0 &&
        duration % (60 * MTIME_SEC) != 0) {
        snprintf(buf, size, "%llds", (long long)(duration / MTIME_SEC));
        return buf;
    }
    for (size_t i = 0; i < UNITS && used < size; i++) {
        mtime_t n = duration / units[i].length;

        if (n > 0)
            used +=
                (size_t)snprintf(buf + used, size - used, "%lld%s", (long long)n, units[i].name);
        duration %= units[i].length;
    }
    return buf;
}
