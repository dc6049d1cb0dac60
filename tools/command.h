/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_COMMAND_H
#define IDLEWALL_COMMAND_H

/* The subcommands of `idlewall`: one file each, one table of them in command.c. */

#include <getopt.h>
#include <jansson.h>
#include <stddef.h>

enum { DONE = 0, NO = 1, WRONG_USE = 2, COULD_NOT = 3 };

struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit status */
    const char *summary;
    const char *help; /* the whole answer to --help, with an example */
};
extern const struct command commands[];
extern const size_t command_count;

/* NULL: no such command. */
const struct command *command_find(const char *name);

/* One line to standard error: `idlewall NAME: what is wrong`. Returns WRONG_USE or COULD_NOT. */
int command_misused(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int command_failed(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * getopt_long() with the answers every command gives alike: prints the help for --help, a message
 * for what is unknown. Returns the option's code, -1 at the end, or COMMAND_OVER with *status to
 * return.
 */
#define COMMAND_OVER (-2)
int command_option(int argc, char **argv, const char *shorts, const struct option *longs,
                   int *status);
#define COMMAND_HELP                                                                               \
    {                                                                                              \
        "help", no_argument, NULL, 'h'                                                             \
    }

int list_run(int argc, char **argv);
int events_run(int argc, char **argv);
int wait_run(int argc, char **argv);
int act_run(int argc, char **argv);
int status_run(int argc, char **argv);
int reload_run(int argc, char **argv);
int check_run(int argc, char **argv);
int profile_run(int argc, char **argv);
int lab_run(int argc, char **argv);
int replay_command_run(int argc, char **argv);
int simulate_run(int argc, char **argv);
int align_run(int argc, char **argv);

extern const char list_help[], events_help[], wait_help[], expire_help[], forget_help[];
extern const char kill_help[], block_help[], unblock_help[], status_help[], reload_help[];
extern const char check_help[], profile_help[], lab_help[], simulate_help[], replay_help[];
extern const char align_help[];

#endif
