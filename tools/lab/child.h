/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_CHILD_H
#define IDLEWALL_CHILD_H

/*
 * Child processes of the lab, and the signals that end it. Signals are blocked and taken by
 * waiting, so that nothing happens between two steps that the clean-up would not know of.
 */

#include "policy/mtime.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Blocks SIGINT, SIGTERM, SIGHUP and SIGCHLD. Children get the mask from before. */
void child_init(void);

struct child_spec {
    const char *netns; /* path of a network namespace to enter, or NULL */
    int output;        /* becomes standard output and error; -1: those of the lab */
    bool to_stderr;    /* standard output goes to standard error */
    bool no_errors;    /* standard error goes nowhere */
    bool own_group;    /* a process group of its own: what the terminal sends does not reach it */
    bool no_input;     /* standard input is empty */
    char *const *argv;
};
/* Runs a program from PATH. The child ends when the lab does, however that happens. A program that
 * cannot be run: a message from the child, and exit status 127, or 126. The pid, or a negative
 * errno. */
pid_t child_start(const struct child_spec *spec);

/* Waits up to so long (MTIME_NEVER: for ever). True when pid has ended, with its status as of
 * waitpid(); false when the time is over or *caught is a signal that should end the lab. Signals
 * from the terminal go to the whole group anyway: *from_terminal. */
bool child_wait(pid_t pid, mtime_t timeout, int *status, siginfo_t *caught);
/* Has SIGINT, SIGTERM or SIGHUP come? Takes it. */
bool child_interrupted(siginfo_t *caught);

/* SIGTERM, and after two seconds SIGKILL; *pid becomes 0. Takes 0. Returns the status as of
 * waitpid(). */
int child_end(pid_t *pid, bool group);

/* The same to its end: returns its exit status; 128 + signal; or a negative errno. */
int child_run(const struct child_spec *spec);
/* What a shell would call this status of waitpid(). */
int child_exit_status(int status);

#endif
