/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_LAB_H
#define IDLEWALL_LAB_H

/* A lab: what was asked for, and what must be taken down again. */

#include "tools/lab/daemon.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct lab {
    /* asked for; the firewall in daemon */
    const char *server_command; /* for /bin/sh -c, beside COMMAND */
    const char *client_netns, *server_netns;
    bool shell;
    char **command; /* NULL-terminated; NULL with shell */

    /* made */
    struct space client, firewall, server;
    struct daemon daemon;
    pid_t server_pid, command_pid;
    char directory[PATH_MAX / 4]; /* private, for the daemon's files */
};

/* DONE, COMMAND_OVER with *status, or the status to exit with after a message. */
int lab_options(struct lab *lab, int argc, char **argv, int *status);

/* --speed: DONE, or WRONG_USE after a message. */
int lab_speed(unsigned *out, const char *text);
/* So that ip, iptables, nft and idlewalld are found. */
void lab_extend_path(void);

#endif
