/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_WATCH_H
#define IDLEWALL_WATCH_H

/* What the timeline is told. Without one these cost a comparison. */

#include "tools/simulate/connection.h"

struct watch_passage {
    enum passage passage;
    enum reason reason;
    bool silent_link;
};
void watch_packet_tell(struct world *world, const struct wire_packet *packet, unsigned place,
                       struct watch_passage passage);
/* Tells of the socket if it shows something else than last time. */
void watch_socket_tell(struct world *world, struct connection *c, unsigned side);
void watch_app_tell(struct world *world, unsigned side, uint32_t connection,
                    const struct timeline_app *app);
/* The same, if there is a timeline. */
#define watch_packet(world, ...)                                                                   \
    ((world)->timeline ? watch_packet_tell(world, __VA_ARGS__) : (void)0)
#define watch_socket(world, ...)                                                                   \
    ((world)->timeline ? watch_socket_tell(world, __VA_ARGS__) : (void)0)
#define watch_app(world, ...) ((world)->timeline ? watch_app_tell(world, __VA_ARGS__) : (void)0)

/* It is not there any more. */
void watch_socket_gone(struct world *world, const struct connection *c, unsigned side);
void watch_deed(struct world *world, const struct deed *deed);
/* Times become story time. */
void watch_flow(struct world *world, unsigned place, uint32_t connection, uint64_t ids,
                const struct event *event);

#endif
