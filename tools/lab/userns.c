/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/command.h"
#include "tools/lab/space.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = write(fd, text, strlen(text));
    close(fd);
    return n < 0 ? -EPERM : 0;
}

static int map_self(uid_t uid, gid_t gid)
{
    char map[64];
    int r;

    /* A kernel before 3.19 has no setgroups file and needs none. */
    r = write_file("/proc/self/setgroups", "deny");
    if (r < 0 && r != -ENOENT)
        return r;
    snprintf(map, sizeof(map), "0 %u 1", uid);
    r = write_file("/proc/self/uid_map", map);
    if (r < 0)
        return r;
    snprintf(map, sizeof(map), "0 %u 1", gid);
    return write_file("/proc/self/gid_map", map);
}

int space_without_root(void)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int r = 0;

    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0)
        r = -errno;
    else
        r = map_self(uid, gid);
    if (r < 0)
        return command_failed(
            "lab",
            "not root, and no user namespace (%s). Run it as root, or allow them: sysctl "
            "kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0, "
            "kernel.apparmor_restrict_unprivileged_userns=0, whichever exists",
            strerror(-r));
    /* `ip netns` keeps its names in /run, and iptables its lock. */
    if (mount("", "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 ||
        mount("lab", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
        return command_failed("lab", "/run: %s", strerror(errno));
    return DONE;
}
