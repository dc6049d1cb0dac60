/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_LISTENER_H
#define IDLEWALL_LISTENER_H

/* The control socket's file: mode 0660, and its directory where that is missing. */

/* A listening descriptor, or -EADDRINUSE when a daemon already answers there, or another negative
 * errno. What a dead daemon left behind is replaced; what is not a socket is not touched (-EEXIST).
 */
int listener_open(const char *path);

#endif
