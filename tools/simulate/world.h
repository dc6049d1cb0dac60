/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_WORLD_H
#define IDLEWALL_WORLD_H

/*
 * Plays a scenario in virtual time: hosts with sockets and applications, links, and the real engine
 * as each firewall. No clock, no threads, no globals: the same scenario and seed give the same
 * story, on every machine; several worlds may play side by side in threads.
 */

#include "tools/scenario/scenario.h"
#include "tools/timeline/tally.h"
#include "tools/timeline/timeline.h"

struct world_watch {
    /* Called now and then with the story time reached; false: stop (-ECANCELED). May be NULL. */
    bool (*progress)(void *arg, mtime_t reached, mtime_t until);
    void *arg;
};

/*
 * The scenario must have no axes. timeline and tally may each be NULL; without a timeline nothing
 * is kept per packet. tally is filled in (the caller calls tally_finish()). 0, -ENOMEM, -ECANCELED,
 * -ELOOP where the two ends answer each other without end,
 * -EINVAL for a policy the engine cannot carry out.
 */
int world_play(const struct scenario *scenario, struct timeline *timeline, struct tally *tally,
               const struct world_watch *watch);

#endif
