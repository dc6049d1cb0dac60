/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"

#include <string.h>

static const char pairs[201] = "0001020304050607080910111213141516171819"
                               "2021222324252627282930313233343536373839"
                               "4041424344454647484950515253545556575859"
                               "6061626364656667686970717273747576777879"
                               "8081828384858687888990919293949596979899";

char *put_text(char *p, const char *text)
{
    size_t len = text ? strlen(text) : 0;

    memcpy(p, text ? text : "", len);
    return p + len;
}

char *put_char(char *p, char c)
{
    *p = c;
    return p + 1;
}

char *put_u64(char *p, uint64_t value)
{
    char digits[20];
    char *at = digits + sizeof(digits);
    size_t len;

    while (value >= 100) {
        at -= 2;
        memcpy(at, pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        memcpy(at, pairs + 2 * value, 2);
    } else {
        *--at = (char)('0' + value);
    }
    len = (size_t)(digits + sizeof(digits) - at);
    memcpy(p, at, len);
    return p + len;
}

char *put_pad(char *p, const char *start, size_t width)
{
    do
        *p++ = ' ';
    while ((size_t)(p - start) < width);
    return p;
}

char *put_right(char *p, char *start, size_t width)
{
    size_t len = (size_t)(p - start);

    if (len < width) {
        memmove(start + width - len, start, len);
        memset(start, ' ', width - len);
        p = start + width;
    }
    return put_char(p, ' ');
}

char *put_seconds(char *p, mtime_t time)
{
    uint64_t magnitude = time < 0 ? -(uint64_t)time : (uint64_t)time;
    uint64_t part = magnitude % (uint64_t)MTIME_SEC;

    if (time == MTIME_NEVER)
        return put_text(p, "null");
    if (time < 0)
        p = put_char(p, '-');
    p = put_u64(p, magnitude / (uint64_t)MTIME_SEC);
    if (part == 0)
        return p;
    p = put_char(p, '.');
    for (uint64_t scale = (uint64_t)MTIME_SEC / 10; part > 0; scale /= 10) {
        p = put_char(p, (char)('0' + part / scale));
        part %= scale;
    }
    return p;
}

char *put_millis(char *p, mtime_t time)
{
    unsigned part;

    if (time == MTIME_NEVER)
        return put_text(p, "never");
    if (time < 0)
        time = 0;
    p = put_u64(p, (uint64_t)(time / MTIME_SEC));
    part = (unsigned)(time % MTIME_SEC / MTIME_MSEC);
    p = put_char(p, '.');
    p = put_char(p, (char)('0' + part / 100));
    memcpy(p, pairs + 2 * (part % 100), 2);
    return p + 2;
}

static char *put_units(char *p, uint64_t high, const char *high_unit, uint64_t low,
                       const char *low_unit)
{
    p = put_text(put_u64(p, high), high_unit);
    return low == 0 ? p : put_text(put_u64(p, low), low_unit);
}

char *put_duration(char *p, mtime_t duration)
{
    uint64_t s = (uint64_t)(duration / MTIME_SEC);
    uint64_t tenth = (uint64_t)(duration % MTIME_SEC / (MTIME_SEC / 10));

    if (duration == MTIME_NEVER)
        return put_text(p, "never");
    if (duration < MTIME_MSEC)
        return put_text(p, "0s");
    if (duration < MTIME_SEC)
        return put_text(put_u64(p, (uint64_t)(duration / MTIME_MSEC)), "ms");
    if (s >= 86400)
        return put_units(p, s / 86400, "d", s % 86400 / 3600, "h");
    if (s >= 3600)
        return put_units(p, s / 3600, "h", s % 3600 / 60, "min");
    /* Limits below ten minutes are spoken of in seconds: 350s, but 2min. */
    if (s >= 600 || (s >= 60 && duration % (60 * MTIME_SEC) == 0))
        return put_units(p, s / 60, "min", s % 60, "s");
    p = put_u64(p, s);
    if (tenth > 0 && s < 60)
        p = put_char(put_char(p, '.'), (char)('0' + tenth));
    return put_char(p, 's');
}

char *put_amount(char *p, uint64_t value)
{
    static const char units[] = "KMGTPE";
    uint64_t tenths = 0;
    int unit = -1;

    /* Below 10000 whole, so that packet counts of a session are exact. */
    for (; value >= (unit < 0 ? 10000 : 1000); unit++) {
        tenths = value / 100 % 10;
        value /= 1000;
    }
    p = put_u64(p, value);
    if (unit < 0)
        return p;
    if (value < 100 && tenths > 0)
        p = put_char(put_char(p, '.'), (char)('0' + tenths));
    return put_char(p, units[unit]);
}
