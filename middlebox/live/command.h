/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_COMMAND_H
#define IDLEWALL_COMMAND_H

/* Runs another program, without a shell, and waits for it. */

#include <stddef.h>

struct command_output {
    char *out, *err; /* owned, NUL-terminated; never NULL after success of command_run() */
    size_t out_len;
    int status; /* exit status; 128 + signal if it was killed */
};

/*
 * argv[0] is looked for in the system's own directories only, whatever PATH says. input (may be
 * NULL) becomes its standard input. 0, -ENOENT when there is no such program, or another negative
 * errno.
 */
int command_run(struct command_output *output, const char *const argv[], const char *input,
                size_t input_len);
void command_output_finish(struct command_output *output);

#endif
