/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/nfqueue_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int nfqueue_proc_open(void)
{
    int fd = open("/proc/net/netfilter/nfnetlink_queue", O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

bool nfqueue_proc_read(int fd, uint16_t first, uint16_t last, struct nfqueue_drops *drops)
{
    char text[65536];
    const char *line = text;
    size_t len = 0;
    bool found = false;

    *drops = (struct nfqueue_drops){0};
    if (fd < 0)
        return false;
    for (;;) { /* the file gives whole lines, a page at most a time */
        ssize_t n = pread(fd, text + len, sizeof(text) - 1 - len, (off_t)len);

        if (n <= 0)
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
    while (*line) {
        unsigned queue;
        uint32_t waiting;
        uint64_t full, unsent;

        /* number, port id, waiting, copy mode, copy range, dropped, user dropped, ... */
        if (sscanf(line, "%u %*d %" SCNu32 " %*d %*d %" SCNu64 " %" SCNu64, &queue, &waiting, &full,
                   &unsent) == 4 &&
            queue >= first && queue <= last) {
            drops->waiting += waiting;
            drops->queue_full += full;
            drops->unsent += unsent;
            found = true;
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return found;
}

bool nfqueue_is_bound(uint16_t queue)
{
    struct nfqueue_drops drops;
    int fd = nfqueue_proc_open();
    bool bound = nfqueue_proc_read(fd, queue, queue, &drops);

    if (fd >= 0)
        close(fd);
    return bound;
}
