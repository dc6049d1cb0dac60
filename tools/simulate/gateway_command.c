/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/world_private.h"

#include <errno.h>
#include <stdlib.h>

void gateway_go_on(struct world *world, struct gateway *gateway)
{
    mtime_t now = world->now + WORLD_ORIGIN;

    while (gateway->commands) {
        struct gateway_command *first = gateway->commands;
        uint64_t before = first->command.cursor;
        bool more = engine_command(gateway->engine, now, &first->command, &world->outcome);
        bool stuck = more && world->outcome.n_events + world->outcome.n_segments == 0 &&
                     first->command.cursor == before;

        gateway_drain(world, gateway);
        if (stuck)
            return;
        if (more)
            continue;
        gateway->commands = first->next;
        if (!gateway->commands)
            gateway->commands_end = &gateway->commands;
        free(first);
    }
}

void gateway_command(struct world *world, struct gateway *gateway, enum engine_verb verb,
                     bool side_given, enum flow_side side)
{
    struct gateway_command *command = calloc(1, sizeof(*command));

    if (!command) {
        world_fail(world, -ENOMEM);
        return;
    }
    command->command =
        (struct engine_command){.verb = verb, .side_given = side_given, .side = side};
    *gateway->commands_end = command;
    gateway->commands_end = &command->next;
    gateway_go_on(world, gateway);
    gateway_settle(world, gateway);
}

static void add_stats(struct gateway *gateway, struct engine_stats *sum)
{
    struct engine_stats now;

    engine_stats(gateway->engine, &now);
    *sum = gateway->before;
    sum->opened += now.opened;
    sum->expired += now.expired;
    sum->late += now.late;
    sum->segments[SEGMENT_RESET] += now.segments[SEGMENT_RESET];
    sum->flows = now.flows;
    sum->peak_flows = now.peak_flows > sum->peak_flows ? now.peak_flows : sum->peak_flows;
}

/* Its table goes: told as the ends that they are. */
void gateway_restart(struct world *world, struct gateway *gateway)
{
    struct engine_stats sum;

    gateway_command(world, gateway, ENGINE_FORGET, false, FLOW_CLIENT);
    add_stats(gateway, &sum);
    gateway->before = sum;
    gateway->ids = sum.opened;
    gateway->engine = engine_destroy(gateway->engine);
    world_fail(world, gateway_start_engine(gateway));
    if (gateway->engine)
        gateway_settle(world, gateway);
}

void gateway_tally(const struct gateway *gateway, struct tally_firewall *out, mtime_t played)
{
    struct gateway last = *gateway;
    struct engine_stats sum;

    if (!gateway->engine)
        return;
    add_stats(&last, &sum);
    last.flows_area += (double)last.flows * (double)(played - last.area_until);
    *out = (struct tally_firewall){
        .opened = sum.opened,
        .expired = sum.expired,
        .late = sum.late,
        .resets = sum.segments[SEGMENT_RESET],
        .flows_peak = sum.peak_flows,
        .flows_end = sum.flows,
        .flows_mean = last.flows_area / (double)(played > 0 ? played : 1),
    };
}
