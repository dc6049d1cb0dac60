/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_COUNT_H
#define IDLEWALL_COUNT_H

/* The tally while a story plays. */

#include "tools/simulate/connection.h"

int count_init(struct world *world); /* 0, -ENOMEM */
/* Samples whose time has come before now is played. */
void count_samples(struct world *world, mtime_t now);
/* An application got an error. */
void count_error(struct world *world, unsigned side, int error);
/* A connection is over, or the story is. */
void count_connection(struct world *world, const struct connection *c);
void count_finish(struct world *world);

#endif
