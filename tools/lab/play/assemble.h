/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ASSEMBLE_H
#define IDLEWALL_ASSEMBLE_H

/*
 * Tapes, sights of sockets, reports of applications, events of firewalls and their recordings
 * become one timeline in story time. A packet is followed along the path by its bytes; what a tape
 * saw going out and the next did not see coming in is LOST there; what entered a firewall and did
 * not leave is DROPPED with the reason its recording gives; what left without entering is INJECTED.
 */

#include "tools/lab/play/agent.h"
#include "tools/lab/play/socket_watch.h"
#include "tools/lab/play/tape.h"

struct takes {
    const struct scenario *scenario;
    unsigned speed;
    int64_t start_wall_ns;                        /* CLOCK_MONOTONIC of story time 0 */
    int64_t realtime_offset_ns;                   /* CLOCK_REALTIME - CLOCK_MONOTONIC */
    struct tape *tape[SCENARIO_FIREWALLS + 2][2]; /* by place; towards client, towards server */
    struct socket_watch *sockets[2];
    struct agent_report *reports[2];
    size_t n_reports[2];
    struct {
        int64_t wall_ns;
        const struct deed *deed;
    } * deeds;
    size_t n_deeds;
    const char *recording[SCENARIO_FIREWALLS]; /* path */
    const char *events[SCENARIO_FIREWALLS];    /* path of what `idlewall events -o json` wrote */
};
/* 0, or a negative errno; -EIO where a tape lost packets. */
int assemble(struct timeline *timeline, const struct takes *takes);

#endif
