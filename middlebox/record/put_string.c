/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"

#include <string.h>

/* How many bytes the UTF-8 sequence at s has; 0 if it is not one (RFC 3629 4). */
static size_t utf8(const unsigned char *s)
{
    size_t n = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

static char *put_escape(char *p, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";

    p = put_text(p, "\\u00");
    p = put_char(p, digits[c >> 4]);
    return put_char(p, digits[c & 15]);
}

char *put_json_string(char *p, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    if (!text)
        return put_text(p, "null");
    p = put_char(p, '"');
    while (*s != '\0') {
        size_t n = 1;

        if (*s == '"' || *s == '\\') {
            *p++ = '\\';
            *p++ = (char)*s;
        } else if (*s < 0x20 || *s == 0x7f) {
            p = put_escape(p, *s);
        } else if (*s < 0x80) {
            *p++ = (char)*s;
        } else if ((n = utf8(s)) > 0) {
            memcpy(p, s, n);
            p += n;
        } else {
            p = put_text(p, "\\ufffd");
            n = 1;
        }
        s += n;
    }
    return put_char(p, '"');
}

char *put_csv_string(char *p, const char *text)
{
    if (!text)
        return p;
    if (!strpbrk(text, ",\"\r\n"))
        return put_text(p, text);
    p = put_char(p, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            *p++ = '"';
        *p++ = *text;
    }
    return put_char(p, '"');
}

char *put_plain(char *p, const char *text)
{
    if (!text)
        return put_char(p, '-');
    for (; *text != '\0'; text++)
        *p++ = (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text;
    return p;
}
