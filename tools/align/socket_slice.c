/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/socket_parts.h"

#include <ctype.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct slice slice_word(struct slice *rest)
{
    struct slice word;

    while (rest->n > 0 && is_blank(*rest->at))
        *rest = slice_after(*rest, 1);
    word = (struct slice){rest->at, 0};
    while (word.n < rest->n && !is_blank(rest->at[word.n]))
        word.n++;
    *rest = slice_after(*rest, word.n);
    return word;
}

bool slice_is(struct slice s, const char *word)
{
    return s.n == strlen(word) && memcmp(s.at, word, s.n) == 0;
}

bool slice_starts(struct slice s, const char *with)
{
    size_t n = strlen(with);

    return s.n >= n && memcmp(s.at, with, n) == 0;
}

struct slice slice_after(struct slice s, size_t n)
{
    if (n > s.n)
        n = s.n;
    return (struct slice){s.at + n, s.n - n};
}

bool slice_number(struct slice *s, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    size_t n = 0;

    for (; n < s->n && isdigit((unsigned char)s->at[n]); n++) {
        unsigned digit = (unsigned)(s->at[n] - '0');

        if (digit > max || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (n == 0)
        return false;
    *s = slice_after(*s, n);
    *out = value;
    return true;
}

void slice_copy(struct slice s, char *to, size_t room)
{
    size_t n = s.n < room - 1 ? s.n : room - 1;

    for (size_t i = 0; i < n; i++)
        to[i] = s.at[i] >= ' ' && s.at[i] <= '~' ? s.at[i] : '?';
    to[n] = '\0';
}
