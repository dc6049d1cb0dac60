/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/wiring.h"

#include "tools/command.h"
#include "tools/lab/child.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct side {
    const char *name; /* the firewall's interface towards it */
    const char *address, *address6;
    const char *gateway, *gateway6; /* the firewall's own, with their lengths */
    const char *far, *far6;         /* the other side's network */
    const char *via, *via6;
};

static const struct side client_side = {
    .name = "client",
    .address = WIRING_CLIENT "/24",
    .address6 = WIRING_CLIENT6 "/64",
    .gateway = "192.0.2.1/24",
    .gateway6 = "2001:db8:1::1/64",
    .far = "198.51.100.0/24",
    .far6 = "2001:db8:2::/64",
    .via = "192.0.2.1",
    .via6 = "2001:db8:1::1",
};
static const struct side server_side = {
    .name = "server",
    .address = WIRING_SERVER "/24",
    .address6 = WIRING_SERVER6 "/64",
    .gateway = "198.51.100.1/24",
    .gateway6 = "2001:db8:2::1/64",
    .far = "192.0.2.0/24",
    .far6 = "2001:db8:1::/64",
    .via = "198.51.100.1",
    .via6 = "2001:db8:2::1",
};

/* `ip` and the words, up to NULL, inside the namespace: its own -n takes names only, no paths. */
static int ip(const struct space *space, ...)
{
    char *argv[32] = {(char *)"ip"};
    struct child_spec spec = {.netns = space->path,
                              .output = -1,
                              .to_stderr = true,
                              .own_group = true, /* or an interrupt would look like a failure */
                              .no_input = true,
                              .argv = argv};
    size_t n = 1;
    va_list words;

    va_start(words, space);
    while (n < 31 && (argv[n] = va_arg(words, char *)))
        n++;
    va_end(words);
    if (child_run(&spec) == 0)
        return DONE;
    fprintf(stderr, "idlewall lab: in %s this failed:", space->name);
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, " %s", argv[i]);
    fputc('\n', stderr);
    return COULD_NOT;
}

/* The end's interface: unique, because the namespace may not be ours. */
static const char *device(char *buf, size_t size)
{
    snprintf(buf, size, "iw%d", (int)getpid());
    return buf;
}

/* Only a process inside sees the namespace's own sysctls. */
static int set_sysctl(const struct space *space, const char *format, const char *name,
                      const char *value)
{
    char path[128];
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        int fd;

        snprintf(path, sizeof(path), format, name);
        if (space_enter(space->path) < 0)
            _exit(1);
        fd = open(path, O_WRONLY);
        _exit(fd < 0 || write(fd, value, strlen(value)) < 0);
    }
    if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
        return DONE;
    return command_failed("lab", "in %s a sysctl cannot be set (net %s %s); is IPv6 disabled?",
                          space->name, name, value);
}

static int set_forwarding(const struct space *firewall)
{
    int r = set_sysctl(firewall, "/proc/sys/net/%s/ip_forward", "ipv4", "1");

    return r == DONE ? set_sysctl(firewall, "/proc/sys/net/%s/conf/all/forwarding", "ipv6", "1")
                     : r;
}

/* Detection of duplicate addresses holds neighbour discovery back for a second: a minute at
 * speed 60. */
static int set_up(const struct space *space, const char *dev)
{
    int r = set_sysctl(space, "/proc/sys/net/ipv6/conf/%s/accept_dad", dev, "0");

    return r == DONE ? ip(space, "link", "set", dev, "up", NULL) : r;
}

static int wire_end(const struct space *end, const struct side *side, const char *dev)
{
    const char *far = end->ours ? "default" : side->far;
    const char *far6 = end->ours ? "default" : side->far6;
    int r = DONE;

    if (end->ours)
        r = ip(end, "link", "set", "lo", "up", NULL);
    if (r == DONE)
        r = ip(end, "addr", "add", side->address, "dev", dev, NULL);
    if (r == DONE)
        r = ip(end, "addr", "add", side->address6, "dev", dev, "nodad", NULL);
    if (r == DONE)
        r = set_up(end, dev);
    if (r == DONE)
        r = ip(end, "route", "add", far, "via", side->via, "dev", dev, NULL);
    if (r == DONE)
        r = ip(end, "-6", "route", "add", far6, "via", side->via6, "dev", dev, NULL);
    return r;
}

static int wire(const struct space *firewall, const struct space *end, const struct side *side)
{
    char dev[16];
    int r;

    device(dev, sizeof(dev));
    r = ip(firewall, "link", "add", side->name, "type", "veth", "peer", "name", dev, "netns",
           end->ours ? end->name : end->path, NULL);
    if (r == DONE)
        r = ip(firewall, "addr", "add", side->gateway, "dev", side->name, NULL);
    if (r == DONE)
        r = ip(firewall, "addr", "add", side->gateway6, "dev", side->name, "nodad", NULL);
    if (r == DONE)
        r = set_up(firewall, side->name);
    return r == DONE ? wire_end(end, side, dev) : r;
}

int wiring_make(const struct space *client, const struct space *firewall,
                const struct space *server)
{
    int r = ip(firewall, "link", "set", "lo", "up", NULL);

    if (r == DONE)
        r = set_forwarding(firewall);
    if (r == DONE)
        r = wire(firewall, client, &client_side);
    if (r == DONE)
        r = wire(firewall, server, &server_side);
    return r;
}

void wiring_remove(const struct space *space)
{
    char dev[16];
    char *argv[] = {(char *)"ip", (char *)"link", (char *)"del", dev, NULL};
    struct child_spec spec = {
        .netns = space->path, .own_group = true, .no_input = true, .argv = argv};

    if (space->ours || space->path[0] == '\0')
        return;
    device(dev, sizeof(dev));
    /* It may not be there yet, and ip says so to nobody; addresses and routes go with it. */
    spec.output = open("/dev/null", O_WRONLY | O_CLOEXEC);
    child_run(&spec);
    if (spec.output >= 0)
        close(spec.output);
}
