/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* As open() would make it; mkstemp() makes files for their owner only. */
static void give_mode(int fd, const struct stat *old)
{
    mode_t mask = umask(0);

    umask(mask);
    /* A file system without modes refuses, and needs none. */
    if (fchmod(fd, old ? old->st_mode & 07777 : 0666 & ~mask) < 0)
        return;
}

int output_file_create(struct output_file *file, const char *path)
{
    struct stat old;
    bool there = stat(path, &old) == 0;
    int fd;

    *file = (struct output_file){.path = path};
    if (there && !S_ISREG(old.st_mode)) {
        file->to = fopen(path, "we");
        return file->to ? 0 : -errno;
    }
    if (there && access(path, W_OK) < 0)
        return -errno;
    if (asprintf(&file->temporary, "%s.XXXXXX", path) < 0) {
        file->temporary = NULL;
        return -ENOMEM;
    }
    fd = mkostemp(file->temporary, O_CLOEXEC);
    if (fd < 0) {
        int r = -errno;

        free(file->temporary);
        file->temporary = NULL;
        return r;
    }
    give_mode(fd, there ? &old : NULL);
    file->to = fdopen(fd, "w");
    if (!file->to) {
        close(fd);
        output_file_drop(file);
        return -ENOMEM;
    }
    return 0;
}

int output_file_commit(struct output_file *file)
{
    int r = ferror(file->to) ? -EIO : 0;

    if (fflush(file->to) != 0 && errno != 0)
        r = -errno;
    if (fclose(file->to) != 0 && r == 0)
        r = -errno;
    file->to = NULL;
    if (r == 0 && file->temporary && rename(file->temporary, file->path) < 0)
        r = -errno;
    if (r == 0) {
        free(file->temporary);
        file->temporary = NULL;
    }
    output_file_drop(file);
    return r;
}

void output_file_drop(struct output_file *file)
{
    if (file->to)
        fclose(file->to);
    if (file->temporary)
        unlink(file->temporary);
    free(file->temporary);
    file->to = NULL;
    file->temporary = NULL;
}
