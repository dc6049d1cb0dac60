/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_GATEWAY_H
#define IDLEWALL_GATEWAY_H

/* A firewall on the path: the engine, its rules' filters, and what it sends by itself. */

#include "middlebox/engine/engine.h"
#include "policy/filter.h"
#include "tools/simulate/queue.h"
#include "tools/simulate/wire.h"
#include "tools/timeline/tally.h"

struct world;

/* One that inject-rate holds up, or that is at work. */
struct gateway_command {
    struct engine_command command;
    struct gateway_command *next;
};

struct gateway {
    struct world *world;
    struct policy *policy; /* the scenario's */
    struct filter **filters;
    struct engine *engine;
    struct wake wake;
    struct gateway_command *commands, **commands_end;
    uint8_t place;
    bool prohibited[2];
    uint64_t ids;               /* flows of engines before a restart */
    struct engine_stats before; /* what those counted */
    uint32_t flows;
    double flows_area;
    mtime_t area_until;
    uint32_t peak;
};

int gateway_init(struct gateway *gateway, struct world *world, unsigned place);
void gateway_finish(struct gateway *gateway);
void gateway_arrival(struct world *world, struct gateway *gateway, uint32_t index);
/* For its own two files: a fresh engine; what the engine put out is told and sent; flows are
 * counted and the next deadline queued, after every call of the engine. */
int gateway_start_engine(struct gateway *gateway);
void gateway_drain(struct world *world, struct gateway *gateway);
void gateway_settle(struct world *world, struct gateway *gateway);
/* Its queue entry came out. */
void gateway_wake(struct world *world, struct gateway *gateway, mtime_t at);
/* gateway_command.c */
/* Commands go on as far as inject-rate lets them. */
void gateway_go_on(struct world *world, struct gateway *gateway);
void gateway_command(struct world *world, struct gateway *gateway, enum engine_verb verb,
                     bool side_given, enum flow_side side);
void gateway_restart(struct world *world, struct gateway *gateway);
void gateway_tally(const struct gateway *gateway, struct tally_firewall *out, mtime_t played);

#endif
