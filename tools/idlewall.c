/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/command.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static void usage(FILE *to)
{
    fputs("usage: idlewall COMMAND [ARGUMENT...]\n"
          "Shows and steers idlewalld, a firewall that forgets idle connections.\n\n",
          to);
    for (size_t i = 0; i < command_count; i++)
        fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].summary);
    fputs("\n`idlewall COMMAND --help` shows a command's options and an example.\n"
          "Exit status: 0 done, 1 the answer is no, 2 wrong use, 3 could not.\n",
          to);
}

int main(int argc, char **argv)
{
    const struct command *command;

    /* A reader that has seen enough is no fault: writes say EPIPE, and the command ends. */
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        usage(stderr);
        return WRONG_USE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("idlewall " IDLEWALL_VERSION);
        return DONE;
    }
    command = command_find(argv[1]);
    if (!command) {
        fprintf(stderr, "idlewall: no command %s; `idlewall --help` lists them\n", argv[1]);
        return WRONG_USE;
    }
    return command->run(argc - 1, argv + 1);
}
