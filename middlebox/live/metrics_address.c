/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/metrics_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 64

static const char what[] = "--metrics is ADDRESS:PORT, such as 127.0.0.1:9180 or [::1]:9180";

/* The host's part without brackets; false if it does not fit. */
static bool take_host(const char *text, const char *colon, char *host, size_t size, bool *v6)
{
    size_t len = (size_t)(colon - text);

    *v6 = text[0] == '[';
    if (*v6) {
        if (len < 2 || text[len - 1] != ']')
            return false;
        text++;
        len -= 2;
    }
    if (len >= size)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    return true;
}

static bool take_port(const char *text, in_port_t *port)
{
    char *end;
    unsigned long number;

    if (*text < '0' || *text > '9')
        return false;
    number = strtoul(text, &end, 10);
    *port = htons((uint16_t)number);
    return *end == '\0' && number > 0 && number <= UINT16_MAX;
}

const char *metrics_address_parse(union metrics_address *address, const char *text)
{
    static const char loopback[] =
        "--metrics takes loopback addresses only (127.0.0.0/8, ::1): nothing protects it";
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN];
    in_port_t port;
    bool v6;

    *address = (union metrics_address){0};
    if (!colon || !take_host(text, colon, host, sizeof(host), &v6) || !take_port(colon + 1, &port))
        return what;
    if (v6) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = port;
        if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) != 1)
            return what;
        return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr) ? NULL : loopback;
    }
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = port;
    if (inet_pton(AF_INET, host, &address->v4.sin_addr) != 1)
        return what;
    return ntohl(address->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET ? NULL : loopback;
}

int metrics_listen(const union metrics_address *address)
{
    const socklen_t len =
        address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    int r = 0;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, &address->any, len) < 0 || listen(fd, BACKLOG) < 0)
        r = -errno;
    if (r == 0)
        return fd;
    close(fd);
    return r;
}
