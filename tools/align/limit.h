/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ALIGN_LIMIT_H
#define IDLEWALL_ALIGN_LIMIT_H

/* How long a middlebox remembers a connection in which nothing happens, and what it does then. */

#include "middlebox/record/flow.h"
#include "tools/scenario/seen.h"

/* One middlebox. */
struct hop {
    char name[64];
    struct policy_profile profile; /* its texts are borrowed */
    bool fact; /* from the table of a running one: so it does, whatever documents say */
    bool behaviour_unknown; /* only its times are known, not what it does when they are over */
};

/* The one of its times that holds for a connection now. */
struct limit {
    const struct hop *hop;
    enum policy_timeout which;
    mtime_t timeout; /* MTIME_NEVER: it does not forget */
    enum policy_origin origin;
    bool absolute; /* nothing that is sent restarts it */
    bool payload;  /* keepalive probes do not restart it */
    mtime_t left;  /* until it is over if nothing comes; MTIME_NEVER: not known */
};

/* Of an open connection whose socket is in that state: the idle limit. */
struct limit limit_of(const struct hop *hop, enum socket_state state);
/* active-timeout: how long a connection may live at all. */
struct limit limit_of_life(const struct hop *hop);
/* Does it send away those who come late, or take them for a new flow? */
bool limit_adopts(const struct limit *limit);
/* Does it ask the ends itself before it forgets (dead connection detection)? */
bool limit_asks(const struct limit *limit);

/* The hop of a profile of this policy. -ENOENT: none of that name. */
int hop_of_policy(struct hop *hop, const struct policy *policy, const char *name);

#endif
