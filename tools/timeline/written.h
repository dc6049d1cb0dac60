/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_WRITTEN_H
#define IDLEWALL_WRITTEN_H

#include <errno.h>
#include <stdio.h>

/* What became of all that was written: 0 or a negative errno. What is still in the buffer is
 * written now, since only then a full disk shows. */
static inline int written_status(FILE *to)
{
    errno = 0;
    if (fflush(to) == 0 && !ferror(to))
        return 0;
    return errno ? -errno : -EIO;
}

#endif
