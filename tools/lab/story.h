/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_STORY_H
#define IDLEWALL_STORY_H

/* `idlewall lab FILE|CASE`: a scenario played live, beside `idlewall lab ... COMMAND`. */

#include <stdbool.h>

/* Is it a story that this command line asks for? */
bool story_asked(int argc, char **argv);
/* Returns the exit status. */
int story_run(int argc, char **argv);

#endif
