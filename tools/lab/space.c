/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/space.h"

#include "tools/command.h"
#include "tools/lab/child.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DIRECTORY "/run/netns"

int space_create(struct space *space, const char *role)
{
    char *argv[] = {(char *)"ip", (char *)"netns", (char *)"add", space->name, NULL};
    struct child_spec spec = {
        .output = -1, .to_stderr = true, .own_group = true, .no_input = true, .argv = argv};
    int r;

    snprintf(space->name, sizeof(space->name), "idlewall-%d-%s", (int)getpid(), role);
    snprintf(space->path, sizeof(space->path), DIRECTORY "/%s", space->name);
    space->ours = true;
    r = child_run(&spec);
    if (r == 0)
        return DONE;
    if (r == 127)
        return command_failed("lab", "ip is missing (package iproute2)");
    return command_failed("lab", "no network namespace could be made: it takes CAP_SYS_ADMIN and "
                                 "CAP_NET_ADMIN, or user namespaces");
}

int space_open(struct space *space, const char *what)
{
    bool number = *what != '\0' && strspn(what, "0123456789") == strlen(what);
    struct stat ours, theirs;
    int len;

    if (number)
        len = snprintf(space->path, sizeof(space->path), "/proc/%s/ns/net", what);
    else
        len = snprintf(space->path, sizeof(space->path), "%s%s",
                       strchr(what, '/') ? "" : DIRECTORY "/", what);
    if (len >= (int)sizeof(space->path) || strlen(what) == 0)
        return command_misused("lab", "%s: no name of a network namespace", what);
    snprintf(space->name, sizeof(space->name), "%s", what);
    if (stat(space->path, &theirs) < 0)
        return command_failed("lab", "%s: %s (a name of `ip netns`, a path, or a pid is needed)",
                              space->path, strerror(errno));
    if (stat("/proc/self/ns/net", &ours) == 0 && ours.st_dev != theirs.st_dev)
        return command_failed("lab", "%s: not a network namespace", space->path);
    return DONE;
}

/* Sends a signal to every process in a namespace; true if there was any. */
static bool signal_all(const struct stat *space, int number)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    bool any = false;

    while (proc && (entry = readdir(proc))) {
        char path[300];
        struct stat netns;

        snprintf(path, sizeof(path), "/proc/%s/ns/net", entry->d_name);
        if (!isdigit((unsigned char)entry->d_name[0]) || stat(path, &netns) < 0 ||
            netns.st_ino != space->st_ino || netns.st_dev != space->st_dev)
            continue;
        any = true;
        kill((pid_t)atoi(entry->d_name), number);
    }
    if (proc)
        closedir(proc);
    return any;
}

static void end_processes(const char *path)
{
    struct stat space, own;

    /* A namespace file whose mount is gone is a plain file; our own namespace is never one of ours.
     */
    if (stat(path, &space) < 0 || stat("/proc/self/ns/net", &own) < 0 ||
        space.st_dev != own.st_dev || space.st_ino == own.st_ino)
        return;
    for (int tries = 0; tries < 100; tries++) {
        if (!signal_all(&space, tries == 0 ? SIGTERM : tries >= 40 ? SIGKILL : 0))
            return;
        nanosleep(&(struct timespec){.tv_nsec = 25 * MTIME_MSEC}, NULL);
    }
}

void space_remove(struct space *space)
{
    char *argv[] = {(char *)"ip", (char *)"netns", (char *)"del", space->name, NULL};
    struct child_spec spec = {
        .output = -1, .to_stderr = true, .own_group = true, .no_input = true, .argv = argv};

    if (!space->ours || access(space->path, F_OK) < 0)
        return;
    end_processes(space->path);
    child_run(&spec);
    space->ours = false;
}

int space_enter(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
        return -errno;
    close(fd);
    /* /sys shows the network of who mounted it. Where that is not allowed, the old one stays. */
    if (unshare(CLONE_NEWNS) == 0 && mount("", "/", NULL, MS_SLAVE | MS_REC, NULL) == 0)
        (void)!mount("lab", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    return 0;
}

int space_socket(const struct space *space, int domain, int type, int protocol)
{
    int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    int there = open(space->path, O_RDONLY | O_CLOEXEC);
    int fd;

    if (own < 0 || there < 0 || setns(there, CLONE_NEWNET) < 0) {
        fd = -errno;
    } else {
        fd = socket(domain, type, protocol);
        fd = fd < 0 ? -errno : fd;
        if (setns(own, CLONE_NEWNET) < 0)
            abort(); /* nothing may go on in the wrong namespace */
    }
    if (own >= 0)
        close(own);
    if (there >= 0)
        close(there);
    return fd;
}

void space_remove_leftovers(void)
{
    DIR *directory = opendir(DIRECTORY);
    const struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        struct space space = {.ours = true};
        int pid = 0;
        int len = 0;

        if (sscanf(entry->d_name, "idlewall-%d-%n", &pid, &len) != 1 || len == 0 || pid <= 0 ||
            strlen(entry->d_name) >= sizeof(space.name) ||
            (strcmp(entry->d_name + len, "client") != 0 &&
             strncmp(entry->d_name + len, "firewall", 8) != 0 &&
             strcmp(entry->d_name + len, "server") != 0) ||
            kill(pid, 0) == 0 || errno != ESRCH)
            continue;
        strcpy(space.name, entry->d_name);
        snprintf(space.path, sizeof(space.path), DIRECTORY "/%s", space.name);
        space_remove(&space);
    }
    if (directory)
        closedir(directory);
}
