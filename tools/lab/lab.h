/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_LAB_H
#define IDLEWALL_LAB_H

/* A lab: what was asked for, and what must be taken down again. */

#include "tools/lab/space.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct lab {
    /* asked for */
    const char *profile, *policy; /* one of them */
    const char *record;
    const char *server_command; /* for /bin/sh -c, beside COMMAND */
    const char *client_netns, *server_netns;
    unsigned speed;
    bool shell;
    char **command; /* NULL-terminated; NULL with shell */

    /* made */
    struct space client, firewall, server;
    pid_t daemon, server_pid, command_pid;
    bool daemon_ready;
    char made_policy[PATH_MAX / 2]; /* what --profile means in a lab; empty: not made */
    char directory[PATH_MAX / 4];   /* private, for the next two */
    char control[PATH_MAX / 2], log[PATH_MAX / 2];
};

/* DONE, COMMAND_OVER with *status, or the status to exit with after a message. */
int lab_options(struct lab *lab, int argc, char **argv, int *status);

#endif
