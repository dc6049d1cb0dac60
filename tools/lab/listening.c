/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/listening.h"

#include "tools/command.h"
#include "tools/lab/child.h"

#include <stdio.h>
#include <sys/stat.h>

/* Is there a socket in this state in /proc/PID/net/NAME? Its lines are `0: LOCAL:PORT REMOTE:PORT
 * STATE ...`. */
static bool has_socket(pid_t pid, const char *name, unsigned wanted)
{
    char path[64], line[512];
    bool found = false;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid, name);
    file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof(line), file)) {
        unsigned state;

        found = sscanf(line, " %*[^:]: %*[^ ] %*[^ ] %x", &state) == 1 && state == wanted;
    }
    if (file)
        fclose(file);
    return found;
}

/* A new child is still where we are. */
static bool is_inside(pid_t pid, const struct space *space)
{
    struct stat here, there;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
    return stat(path, &here) == 0 && stat(space->path, &there) == 0 && here.st_ino == there.st_ino;
}

static bool is_listening(pid_t pid, const struct space *space)
{
    enum { LISTEN = 10, UNCONNECTED = 7 }; /* the kernel's TCP_LISTEN and TCP_CLOSE */

    if (!is_inside(pid, space))
        return false;
    return has_socket(pid, "tcp", LISTEN) || has_socket(pid, "tcp6", LISTEN) ||
           has_socket(pid, "udp", UNCONNECTED) || has_socket(pid, "udp6", UNCONNECTED);
}

int listening_wait(pid_t *server, const struct space *space)
{
    for (int i = 0; space->ours && i < 150; i++) {
        siginfo_t caught;
        int status;

        if (is_listening(*server, space))
            return DONE;
        if (child_wait(*server, 20 * MTIME_MSEC, &status, &caught)) {
            *server = 0;
            /* One that went to the background has done its part. */
            if (child_exit_status(status) == 0)
                return DONE;
            return command_failed("lab", "--server ended with status %d",
                                  child_exit_status(status));
        }
        if (caught.si_signo != 0)
            return 128 + caught.si_signo;
    }
    if (space->ours)
        command_failed("lab", "--server does not listen yet, going on");
    return DONE;
}
