/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/socket_parts.h"

#include <arpa/inet.h>

/* The forms of inet_addr_print() of ss, by its versions, and of netstat: a scope stands inside or
 * behind the brackets, which older ones leave out. */
static bool unwrap(struct slice s, char text[INET6_ADDRSTRLEN])
{
    const char *scope;

    if (slice_starts(s, "[")) {
        const char *end = memchr(s.at, ']', s.n);

        if (!end || (end + 1 < s.at + s.n && end[1] != '%'))
            return false;
        s = (struct slice){s.at + 1, (size_t)(end - s.at) - 1};
    }
    scope = memchr(s.at, '%', s.n);
    if (scope)
        s.n = (size_t)(scope - s.at);
    if (s.n == 0 || s.n >= INET6_ADDRSTRLEN || memchr(s.at, '\0', s.n))
        return false;
    memcpy(text, s.at, s.n);
    text[s.n] = '\0';
    return true;
}

static bool read_port(struct slice s, uint16_t *port)
{
    uint64_t value = 0;

    if (!slice_is(s, "*") && (!slice_number(&s, UINT16_MAX, &value) || s.n > 0))
        return false;
    *port = (uint16_t)value;
    return true;
}

bool socket_address(struct slice s, uint8_t *family, uint8_t address[16], uint16_t *port)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const char *colon = s.n > 0 ? memrchr(s.at, ':', s.n) : NULL;
    char text[INET6_ADDRSTRLEN];

    memset(address, 0, 16);
    if (!colon || !read_port(slice_after(s, (size_t)(colon - s.at) + 1), port) ||
        !unwrap((struct slice){s.at, (size_t)(colon - s.at)}, text))
        return false;
    *family = 4;
    if (inet_pton(AF_INET, text, address) == 1)
        return true;
    *family = 6;
    if (strcmp(text, "*") == 0)
        return true;
    if (inet_pton(AF_INET6, text, address) != 1)
        return false;
    if (memcmp(address, mapped, sizeof(mapped)) == 0) {
        *family = 4;
        memmove(address, address + 12, 4);
        memset(address + 4, 0, 12);
    }
    return true;
}
