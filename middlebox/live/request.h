/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_REQUEST_H
#define IDLEWALL_REQUEST_H

/* A request of the control socket (docs/control.md), from its JSON. */

#include "middlebox/engine/engine.h"
#include "middlebox/record/write.h"
#include "policy/filter.h"

#define REQUEST_MAX 65536

enum request_command {
    REQUEST_LIST,
    REQUEST_EVENTS,
    REQUEST_WAIT,
    REQUEST_EXPIRE,
    REQUEST_FORGET,
    REQUEST_KILL,
    REQUEST_BLOCK,
    REQUEST_UNBLOCK,
    REQUEST_STATUS,
    REQUEST_RELOAD,
};

struct request {
    enum request_command command;
    struct filter *filter; /* owned; NULL: everything */
    enum record_format output;
    bool has_state, has_idle_over, has_due_within, has_id, has_timeout, has_from;
    enum flow_state state;
    mtime_t idle_over, due_within; /* story time */
    uint64_t id;
    char *rule; /* owned, or NULL */
    enum event_kind wait_for;
    mtime_t timeout; /* wall time */
    enum flow_side from;
};

/* 0, -EINVAL with a message in why, -ENOMEM. On error there is nothing to finish. */
int request_parse(struct request *request, const char *text, size_t len, char *why,
                  size_t why_size);
void request_finish(struct request *request);

/* Is this a flow that the request is about? */
bool request_matches(const struct request *request, mtime_t now, const struct flow *flow);
/* Of the commands that act on flows (expire to unblock): what the engine is to do. */
enum engine_verb request_verb(const struct request *request);

#endif
