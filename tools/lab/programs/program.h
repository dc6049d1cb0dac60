/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PROGRAM_H
#define IDLEWALL_PROGRAM_H

/*
 * Real servers and their clients, from Debian's packages: one shell script each (NAME.sh, compiled
 * in), called with one word and LAB_* in its environment:
 *   package   prints what to install; exit status 0 if it is
 *   server    becomes the server on LAB_SERVER:LAB_PORT, with the keepalive of LAB_KEEPALIVE (on,
 *             off, unset), LAB_IDLE, LAB_INTERVAL, LAB_COUNT (wall seconds); its files are in
 * LAB_DIR client    becomes a client of it, which takes lines from standard input and ends with
 * that line      prints what to say to the client so that it asks something of the server
 */

#include <stddef.h>

struct program {
    const char *name; /* of a software of software.h */
    const char *text; /* the script */
    size_t len;
};
extern const struct program program[];
extern const size_t program_count;

/* NULL: none of that name is known. */
const struct program *program_find(const char *name);
/* Is it installed? If not, `missing` says which packages to install. */
int program_installed(const struct program *wanted, char *missing, size_t size);

#endif
