/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_OUTPUT_FILE_H
#define IDLEWALL_OUTPUT_FILE_H

/* A file that is there whole or not at all: it takes its name when it is complete. What is not a
 * regular file (a pipe, /dev/stdout) is written as it comes. */

#include <stdio.h>

struct output_file {
    FILE *to;
    const char *path; /* borrowed */
    char *temporary;  /* NULL: written directly */
};
/* 0 or a negative errno. */
int output_file_create(struct output_file *file, const char *path);
/* Closes it and gives it its name; on an error it is removed. 0 or a negative errno. */
int output_file_commit(struct output_file *file);
/* Removes it; nothing happens after a commit or where nothing was created. */
void output_file_drop(struct output_file *file);

#endif
