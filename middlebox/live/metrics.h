/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_METRICS_H
#define IDLEWALL_METRICS_H

/*
 * The counters over HTTP, for monitoring systems of this machine. Served by the control thread
 * between its other work, without ever waiting for a client: each has METRICS_PATIENCE for its
 * whole request, METRICS_MEMORY for its headers, and there are at most METRICS_CLIENTS of them.
 */

#include "middlebox/live/metrics_address.h"
#include "middlebox/live/metrics_text.h"

#include <stdint.h>

#define METRICS_CLIENTS 64
#define METRICS_MEMORY 8192
#define METRICS_PATIENCE (5 * MTIME_SEC)

struct metrics_server; /* opaque */

/* What is to be shown in that form; allocated, for free(); NULL without memory. */
typedef char *(*metrics_make)(void *arg, enum metrics_form form, size_t *len);

/* Takes over the listening socket, also on error. 0, -ENOMEM or -EIO. */
int metrics_create(struct metrics_server **out, int listener, metrics_make make, void *arg);
struct metrics_server *metrics_destroy(struct metrics_server *server);

/* To be polled for POLLIN; -1 without a server (NULL). */
int metrics_fd(const struct metrics_server *server);
/* In how many ms metrics_serve() is to be called although nothing came, if that is below *timeout.
 */
void metrics_timeout(const struct metrics_server *server, int *timeout);
/* Serves what can be served now. Takes NULL. */
void metrics_serve(struct metrics_server *server, int64_t now);

#endif
