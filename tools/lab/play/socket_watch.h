/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SOCKET_WATCH_H
#define IDLEWALL_SOCKET_WATCH_H

/* The sockets of a host as sock_diag tells them (inet_diag with INET_DIAG_INFO), looked at every
 * few milliseconds. */

#include "tools/lab/space.h"
#include "tools/timeline/timeline.h"

struct socket_sight {
    int64_t wall_ns;         /* CLOCK_MONOTONIC, before the question */
    uint16_t client_port;    /* tells the connection */
    struct socket_view view; /* expires: on the same clock */
};
struct socket_watch {
    int fd; /* -1: not open */
    enum flow_side side;
    uint16_t server_port;
    uint32_t round;
    struct socket_sight *sights; /* only those that differ from the one before of the same socket */
    size_t n, room;
    struct socket_now *now; /* what is there, as last seen; opaque */
    size_t n_now, room_now;
};
/* 0 or a negative errno. */
int socket_watch_start(struct socket_watch *watch, const struct space *space, enum flow_side side,
                       uint16_t server_port);
/* One look. */
int socket_watch_take(struct socket_watch *watch);
void socket_watch_finish(struct socket_watch *watch);

#endif
