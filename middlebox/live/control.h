/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_CONTROL_H
#define IDLEWALL_CONTROL_H

/* The worker's control thread: clients of the control socket, and the parent. Work for clients is
 * done in slices, each short enough not to be felt by packets. */

#include "middlebox/live/client.h"
#include "middlebox/live/link.h"
#include "middlebox/live/metrics.h"
#include "middlebox/live/worker.h"

#define CONTROL_CLIENTS 64

struct control {
    struct worker *worker;
    struct metrics_server *metrics; /* or NULL */
    struct client clients[CONTROL_CLIENTS];
    unsigned n_clients;
    uint32_t wants;         /* EVENT_BIT()s somebody listens to */
    uint64_t asks, answers; /* how often the parent was asked for the policy file, and answered */
    uint64_t lost_events;   /* of all clients */
    struct record_buf text; /* scratch, reused */
};

/* Serves until the parent is gone. Returns the process's exit status. */
int control_run(struct worker *worker);

/* control_work.c */
/* Begins what the request in client->text asks for. */
void control_begin(struct control *control, struct client *client, int64_t now);
/* Does one slice for a client that is CLIENT_WORKING. */
void control_work(struct control *control, struct client *client, int64_t now);

/* control_events.c */
/* Tells the engines which events somebody wants. */
void control_update_wants(struct control *control);
/* Brings what is in the taps to those who listen. True if there may be more. */
bool control_deliver(struct control *control);
/* Ends a `wait` whose time is over. */
void control_check_wait(struct control *control, struct client *client, int64_t now);

/* control_status.c */
void control_status(struct control *control, struct client *client);
/* All engines' counters together; waiting: packets in the kernel's queues. */
void control_gather(const struct control *control, struct record_status *status, uint32_t *waiting);

/* control_metrics.c: a metrics_make, arg is the control. */
char *control_metrics(void *arg, enum metrics_form form, size_t *len);

/* control_reload.c */
void control_ask_reload(struct control *control, struct client *client);
/* The policy file from the parent, asked for or not (SIGHUP); text is a descriptor or -1 and stays
 * the caller's. */
void control_reload(struct control *control, const struct link_message *message, int text);

/* Ends the answer with status 3. */
void control_out_of_memory(struct client *client);

#endif
