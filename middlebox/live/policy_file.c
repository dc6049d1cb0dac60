/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/policy_file.h"
#include "policy/policy_parse.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static int copy(int from, int to)
{
    char buf[65536];
    size_t total = 0;

    for (;;) {
        ssize_t n = read(from, buf, sizeof(buf));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        total += (size_t)n;
        if (total > POLICY_TEXT_MAX)
            return -EFBIG;
        if (write(to, buf, (size_t)n) != n)
            return -EIO;
    }
}

int policy_file_open(const char *path)
{
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int to, r;

    if (from < 0)
        return -errno;
    to = memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    r = to < 0 ? -errno : copy(from, to);
    close(from);
    /* The receiver maps it: it must not change under his hands. */
    if (r == 0 &&
        fcntl(to, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        r = -errno;
    if (r < 0 && to >= 0)
        close(to);
    return r < 0 ? r : to;
}
