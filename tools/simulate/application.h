/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_APPLICATION_H
#define IDLEWALL_APPLICATION_H

/*
 * What a program does with its socket: by default it sits in read(), takes what comes, closes after
 * end of file, and after an error does nothing more; struct behaviour says what else.
 */

#include "tools/simulate/connection.h"

void application_init(struct application *app);
/* Calls connect(). */
void application_connect(struct world *world, struct connection *c);
/* What TCP has to say, in the order of enum tcp_notice. */
void application_heed(struct world *world, struct connection *c, unsigned side, unsigned notices);
mtime_t application_due(const struct world *world, const struct connection *c, unsigned side);
void application_timer(struct world *world, struct connection *c, unsigned side);

/* Deeds of the scenario. */
void application_send(struct world *world, struct connection *c, unsigned side, uint32_t bytes,
                      enum packet_note note);
void application_close(struct world *world, struct connection *c, unsigned side);
void application_shutdown(struct world *world, struct connection *c, unsigned side);
void application_abort(struct world *world, struct connection *c, unsigned side);
void application_kill(struct world *world, struct connection *c, unsigned side);
void application_stop_reading(struct world *world, struct connection *c, unsigned side);
void application_read(struct world *world, struct connection *c, unsigned side);

#endif
