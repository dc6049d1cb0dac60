/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PLAY_PRIVATE_H
#define IDLEWALL_PLAY_PRIVATE_H

/* A story while it is played: everything that must be taken down again, and what was taped. */

#include "tools/lab/daemon.h"
#include "tools/lab/play/agent.h"
#include "tools/lab/play/chain.h"
#include "tools/lab/play/listener.h"
#include "tools/lab/play/play.h"
#include "tools/lab/play/socket_watch.h"
#include "tools/lab/play/tape.h"

struct play_done { /* a deed, and when it was really done */
    int64_t wall_ns;
    const struct deed *deed;
};

struct play {
    const struct scenario *scenario;
    const struct play_options *options;
    char self[PATH_MAX];          /* this program */
    char directory[PATH_MAX / 4]; /* private */
    struct chain chain;
    struct daemon daemon[SCENARIO_FIREWALLS];
    char policy[SCENARIO_FIREWALLS][PATH_MAX / 2]; /* files */
    char name[SCENARIO_FIREWALLS][16];             /* of the daemons' files */
    unsigned starts[SCENARIO_FIREWALLS];           /* each writes a recording of its own */
    char recording[SCENARIO_FIREWALLS][PATH_MAX];  /* the latest */
    struct play_listener listener[SCENARIO_FIREWALLS];
    struct tape tape[CHAIN_PLACES][2]; /* towards the client, towards the server; fd -1: none */
    struct socket_watch sockets[2];    /* by flow_side */
    struct agent agent[2];
    const struct program *program[2];     /* NULL: sockets of our own */
    char program_directory[PATH_MAX / 2]; /* for their files; "" without one */
    struct agent_report *reports[2];      /* owned */
    size_t n_reports[2], room_reports[2];
    struct play_done *done; /* owned; one for each deed done so far */
    size_t n_done;
    int64_t start_ns;           /* CLOCK_MONOTONIC of story time 0 */
    int64_t realtime_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
};

/* play_stage.c: before and after. DONE, or the exit status after a message. */
int play_set_up(struct play *play);
/* The firewalls and their readers end, so that what they wrote is whole. */
int play_stop(struct play *play);
void play_take_down(struct play *play);
int play_start_agent(struct play *play, enum flow_side side);
void play_show_programs(const struct play *play);
int play_start_firewall(struct play *play, size_t i);
int play_stop_firewall(struct play *play, size_t i);

/* The file of that start (from 0) of a firewall. */
char *play_recording(const struct play *play, size_t i, unsigned start, char path[PATH_MAX]);

/* play_deed.c */
int play_deed(struct play *play, const struct deed *deed);

/* assemble.c: everything taped becomes one timeline in story time. A packet is followed along the
 * path by its bytes. What the next tape did not see is LOST; what came in and did not leave a
 * firewall is DROPPED with the reason its recording gives; what left without coming in is INJECTED.
 * 0 or a negative errno; -EIO where a tape lost packets. */
int assemble(const struct play *play, struct timeline *timeline);

#endif
