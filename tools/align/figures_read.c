/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/socket_parts.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool option(int fd, int level, int name, int *value)
{
    socklen_t len = sizeof(*value);

    *value = 0;
    return getsockopt(fd, level, name, value, &len) == 0 && len == sizeof(*value);
}

static void read_options(struct socket_fact *fact, int fd)
{
    int on, idle, interval, count, timeout;

    if (!option(fd, SOL_SOCKET, SO_KEEPALIVE, &on) ||
        !option(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle) ||
        !option(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval) ||
        !option(fd, IPPROTO_TCP, TCP_KEEPCNT, &count) ||
        !option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout))
        return;
    fact->keepalive = on ? KEEPALIVE_ON : KEEPALIVE_OFF;
    fact->figures = FIGURES_READ;
    fact->idle.low = fact->idle.high = idle * MTIME_SEC;
    fact->interval.low = fact->interval.high = interval * MTIME_SEC;
    fact->count = (unsigned)count;
    fact->user_timeout = (mtime_t)(unsigned)timeout * MTIME_MSEC;
}

void figures_read(struct socket_fact *fact, int pidfd, int fd)
{
    /* Needs PTRACE_MODE_ATTACH_REALCREDS (pidfd_getfd(2)). A copy, closed at once: the connection
     * ends only with its last descriptor, and shutdown(), which would end it, is never called. */
    int copy = pidfd_getfd(pidfd, fd, 0);
    struct stat what;

    if (copy < 0)
        return;
    /* The number may mean something else by now. */
    if (fstat(copy, &what) == 0 && S_ISSOCK(what.st_mode) && what.st_ino == fact->inode)
        read_options(fact, copy);
    close(copy);
}

static bool sysctl_read(const char *path, unsigned *value)
{
    FILE *file = fopen(path, "re");
    bool ok = file && fscanf(file, "%u", value) == 1;

    if (file)
        fclose(file);
    return ok;
}

void figures_default(struct socket_table *table)
{
    unsigned idle, interval, count;

    if (!sysctl_read("/proc/sys/net/ipv4/tcp_keepalive_time", &idle) ||
        !sysctl_read("/proc/sys/net/ipv4/tcp_keepalive_intvl", &interval) ||
        !sysctl_read("/proc/sys/net/ipv4/tcp_keepalive_probes", &count))
        return;
    for (size_t i = 0; i < table->n; i++) {
        struct socket_fact *fact = &table->sockets[i];
        mtime_t longer = (idle > interval ? idle : interval) * MTIME_SEC;

        if (fact->figures != FIGURES_INFERRED || fact->idle.low > longer ||
            fact->idle.high < idle * MTIME_SEC || fact->interval.low > interval * MTIME_SEC)
            continue;
        fact->figures = FIGURES_DEFAULT;
        fact->at_least = fact->idle.low;
        fact->idle.low = fact->idle.high = idle * MTIME_SEC;
        fact->interval.low = fact->interval.high = interval * MTIME_SEC;
        fact->count = count;
    }
}
