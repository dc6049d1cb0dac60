/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/socket_parts.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <unistd.h>

struct owner {
    struct socket_fact **by_inode; /* owned */
    size_t n;
    bool closed; /* some process would not show its descriptors */
    struct socket_table *listening;
    /* The process that is looked at. */
    int proc, pid, pidfd; /* pidfd: -1 not opened */
    bool described, systemd, instance;
    char process[32], container[64];
};

static int compare_inodes(const void *a, const void *b)
{
    const struct socket_fact *left = *(struct socket_fact *const *)a;
    const struct socket_fact *right = *(struct socket_fact *const *)b;

    return (left->inode > right->inode) - (left->inode < right->inode);
}

static void collect(struct owner *owner, struct socket_table *table)
{
    for (size_t i = 0; i < table->n; i++)
        if (table->sockets[i].inode != 0)
            owner->by_inode[owner->n++] = &table->sockets[i];
}

/* A small file of the process; 0: not there (any more). */
static size_t read_file(const struct owner *owner, const char *name, char *text, size_t room)
{
    char path[64];
    ssize_t n = -1;
    int fd;

    snprintf(path, sizeof(path), "%d/%s", owner->pid, name);
    fd = openat(owner->proc, path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, text, room);
        close(fd);
    }
    return n > 0 ? (size_t)n : 0;
}

/* Only of a process that has one of the sockets. */
static void describe(struct owner *owner)
{
    char text[4096];
    struct slice rest = {text, read_file(owner, "comm", text, sizeof(text))};

    if (rest.n > 0 && rest.at[rest.n - 1] == '\n')
        rest.n--;
    slice_copy(rest, owner->process, sizeof(owner->process));
    owner->systemd = strcmp(owner->process, "systemd") == 0;
    owner->container[0] = '\0';
    owner->instance = false;
    /* Lines `NUMBER:CONTROLLERS:PATH`, of cgroup 2 one: `0::PATH`. */
    rest = (struct slice){text, read_file(owner, "cgroup", text, sizeof(text))};
    while (rest.n > 0) {
        const char *end = memchr(rest.at, '\n', rest.n);
        struct slice line = {rest.at, end ? (size_t)(end - rest.at) : rest.n};

        if (owner->container[0] == '\0')
            owner_container(line, owner->container, sizeof(owner->container));
        owner->instance = owner->instance || owner_is_instance(line);
        rest = slice_after(rest, line.n + 1);
    }
    owner->described = true;
}

static bool is_listening(const struct owner *owner, const struct socket_fact *fact)
{
    return owner->listening->n > 0 && fact >= owner->listening->sockets &&
           fact < owner->listening->sockets + owner->listening->n;
}

static void own(struct owner *owner, struct socket_fact *fact, int fd)
{
    if (!owner->described)
        describe(owner);
    if (fact->pid == 0) {
        fact->pid = owner->pid;
        memcpy(fact->process, owner->process, sizeof(fact->process));
        memcpy(fact->container, owner->container, sizeof(fact->container));
    }
    /* A socket unit: systemd keeps what listens, or made the service for this connection. */
    if (is_listening(owner, fact)) {
        fact->systemd_socket = fact->systemd_socket || owner->systemd;
        return;
    }
    fact->systemd_socket = fact->systemd_socket || owner->instance;
    if (fact->figures == FIGURES_READ)
        return;
    if (owner->pidfd < 0)
        owner->pidfd = pidfd_open(owner->pid, 0);
    if (owner->pidfd >= 0)
        figures_read(fact, owner->pidfd, fd);
}

static void look_at_descriptor(struct owner *owner, int directory, const char *name)
{
    char link[64];
    ssize_t n = readlinkat(directory, name, link, sizeof(link) - 1);
    struct socket_fact wanted = {0}, *key = &wanted, **at, **end = owner->by_inode + owner->n;

    if (n < 0)
        return;
    link[n] = '\0';
    if (sscanf(link, "socket:[%" SCNu64 "]", &wanted.inode) != 1)
        return;
    at = bsearch(&key, owner->by_inode, owner->n, sizeof(*at), compare_inodes);
    while (at && at > owner->by_inode && at[-1]->inode == wanted.inode)
        at--;
    for (; at && at < end && (*at)->inode == wanted.inode; at++)
        own(owner, *at, atoi(name));
}

static void look_at_process(struct owner *owner, const char *pid)
{
    char path[64];
    DIR *descriptors = NULL;
    struct dirent *entry;
    int fd;

    snprintf(path, sizeof(path), "%.16s/fd", pid);
    fd = openat(owner->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        descriptors = fdopendir(fd);
    if (!descriptors) {
        owner->closed = owner->closed || errno == EACCES || errno == EPERM;
        if (fd >= 0)
            close(fd);
        return;
    }
    owner->pid = atoi(pid);
    owner->pidfd = -1;
    owner->described = false;
    while ((entry = readdir(descriptors)))
        if (isdigit((unsigned char)entry->d_name[0]))
            look_at_descriptor(owner, fd, entry->d_name);
    if (owner->pidfd >= 0)
        close(owner->pidfd);
    closedir(descriptors);
}

/* Where /proc hides processes, none is closed. Some of the kernel's own sockets have no owner for
 * root, either. */
static bool is_partial(const struct owner *owner, const struct socket_table *table)
{
    bool missing = false;

    for (size_t i = 0; i < table->n; i++)
        missing = missing || (table->sockets[i].inode != 0 && table->sockets[i].pid == 0);
    return missing && (owner->closed || geteuid() != 0);
}

int owner_find(struct socket_table *table, struct socket_table *listening)
{
    struct owner owner = {.listening = listening};
    DIR *processes = opendir("/proc");
    struct dirent *entry;

    owner.by_inode = calloc(table->n + listening->n + 1, sizeof(struct socket_fact *));
    if (!owner.by_inode) {
        if (processes)
            closedir(processes);
        return -ENOMEM;
    }
    collect(&owner, table);
    collect(&owner, listening);
    qsort(owner.by_inode, owner.n, sizeof(*owner.by_inode), compare_inodes);
    if (processes) {
        owner.proc = dirfd(processes);
        while ((entry = readdir(processes)))
            if (isdigit((unsigned char)entry->d_name[0]))
                look_at_process(&owner, entry->d_name);
        closedir(processes);
    }
    table->partial = is_partial(&owner, table);
    free(owner.by_inode);
    return 0;
}
