/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_APPLICATION_PRIVATE_H
#define IDLEWALL_APPLICATION_PRIVATE_H

/* What application.c does with a socket by itself, and application_deed.c because the scenario says
 * so. */

#include "tools/simulate/application.h"

void application_tell(struct world *world, const struct connection *c, unsigned side,
                      struct timeline_app what);
/* A call returned an error: it does nothing more, but perhaps connects again. */
void application_fail(struct world *world, struct connection *c, unsigned side, enum app_call call,
                      int error);
/* close(), without a word. */
void application_let_go(struct world *world, struct connection *c, unsigned side);
/* The same, told. */
void application_close_it(struct world *world, struct connection *c, unsigned side);
/* write() */
void application_write_it(struct world *world, struct connection *c, unsigned side, uint32_t bytes,
                          enum packet_note note);
/* Reads until it would block. While it works on an answer it does not read. */
void application_read_all(struct world *world, struct connection *c, unsigned side);

#endif
