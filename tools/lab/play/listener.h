/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PLAY_LISTENER_H
#define IDLEWALL_PLAY_LISTENER_H

/* What a firewall says of its flows while the story plays: its events, from before the first packet
 * on (docs/control.md). */

#include <stddef.h>

struct play_listener {
    int fd;       /* -1: none */
    char *events; /* owned; JSON, an object a line, not NUL-terminated */
    size_t len, room;
};

/* Takes one with fd -1; adds to its events. Returns when the firewall listens to us: what passes
 * from now on is told. 0 or a negative errno. */
int play_listener_start(struct play_listener *listener, const char *control);
/* All that has been said. 0, also when the firewall has gone, or a negative errno. */
int play_listener_take(struct play_listener *listener);
void play_listener_stop(struct play_listener *listener); /* what was heard stays */
void play_listener_finish(struct play_listener *listener);

#endif
