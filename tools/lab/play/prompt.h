/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PROMPT_H
#define IDLEWALL_PROMPT_H

/*
 * Real time priority for what plays a story: on a busy machine deeds, firewalls and applications
 * would be late by more than the timers that the story is about. What is not allowed is left out.
 */

#include <stdbool.h>
#include <sys/types.h>

/* All threads of this process; what it starts from now on has the same. false: back to normal. */
void prompt_self(bool on);
/* All threads of that process, and of those it has started. */
void prompt_tree(pid_t pid);

#endif
