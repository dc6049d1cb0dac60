/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_POLICY_FILE_H
#define IDLEWALL_POLICY_FILE_H

/*
 * The policy's text as a file of memory, so that who has no right to the path can read it. A
 * descriptor or a negative errno; -EFBIG above POLICY_TEXT_MAX. Never waits: a pipe that has
 * nothing to say is -EAGAIN.
 */
int policy_file_open(const char *path);

#endif
