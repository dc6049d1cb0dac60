/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/directory.h"

#include "tools/command.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *parent(void)
{
    const char *tmp = getenv("TMPDIR");

    /* A socket's path is at most 107 bytes. */
    return tmp && *tmp == '/' && strlen(tmp) < 60 ? tmp : "/tmp";
}

int directory_create(char *path, size_t size)
{
    snprintf(path, size, "%s/idlewall-lab-%d-XXXXXX", parent(), (int)getpid());
    if (!mkdtemp(path)) {
        int r = command_failed("lab", "%s: %s", path, strerror(errno));

        path[0] = '\0';
        return r;
    }
    return DONE;
}

/* Real programs leave trees. Never through a link. */
static void remove_entry(int at, const char *name, int depth)
{
    const struct dirent *entry;
    DIR *directory;
    int fd;

    if (unlinkat(at, name, 0) == 0 || depth == 0)
        return;
    fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        return;
    while ((entry = readdir(directory)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_entry(dirfd(directory), entry->d_name, depth - 1);
    closedir(directory);
    unlinkat(at, name, AT_REMOVEDIR);
}

void directory_remove(const char *path)
{
    DIR *directory = *path != '\0' ? opendir(path) : NULL;
    const struct dirent *entry;

    if (!directory)
        return;
    while ((entry = readdir(directory)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_entry(dirfd(directory), entry->d_name, 8);
    closedir(directory);
    rmdir(path);
}

void directory_remove_leftovers(void)
{
    DIR *directory = opendir(parent());
    const struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        char path[PATH_MAX / 4];
        struct stat status;
        int pid = 0;

        if (sscanf(entry->d_name, "idlewall-lab-%d-", &pid) != 1 || pid <= 0 || kill(pid, 0) == 0 ||
            errno != ESRCH ||
            snprintf(path, sizeof(path), "%s/%s", parent(), entry->d_name) >= (int)sizeof(path))
            continue;
        /* Anybody may make such a name in /tmp: only a real directory of our own. */
        if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid())
            directory_remove(path);
    }
    if (directory)
        closedir(directory);
}
