/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/control.h"

#include <stdio.h>

#define FAULTS_MAX 100 /* said one by one; the rest is only counted */

struct faults {
    struct control *control;
    unsigned n;
    bool asked; /* by a client; else (SIGHUP) for our own standard error */
};

static bool waits(const struct control *control, const struct client *client)
{
    return client->state == CLIENT_RELOADING && client->ticket <= control->answers;
}

static void tell(struct faults *faults, const char *message)
{
    for (unsigned i = 0; faults->asked && i < CONTROL_CLIENTS; i++) {
        if (waits(faults->control, &faults->control->clients[i]))
            client_say(&faults->control->clients[i], message);
    }
    if (!faults->asked)
        fprintf(stderr, "%s\n", message);
}

static void fault(void *arg, const char *message)
{
    struct faults *faults = arg;

    if (faults->n++ < FAULTS_MAX)
        tell(faults, message);
}

/* Every client's request reads the file anew: what was read for an earlier one may already be old.
 */
void control_ask_reload(struct control *control, struct client *client)
{
    const struct link_message ask = {.kind = LINK_ASK};

    if (!control->worker->options->policy) {
        client_say(client, "there is no policy file to read again: started with --profile");
        client_end(client, 2);
        return;
    }
    if (link_send(control->worker->link, &ask, -1) < 0) {
        client_say(client, "the parent process does not listen");
        client_end(client, 3);
        return;
    }
    client->ticket = ++control->asks;
    client->state = CLIENT_RELOADING;
}

void control_reload(struct control *control, const struct link_message *message, int text)
{
    struct faults faults = {.control = control, .asked = message->flag};
    char more[64];
    int r;

    if (message->flag)
        control->answers++;
    r = worker_reload(control->worker, message->why, text, fault, &faults);
    if (faults.n > FAULTS_MAX) {
        snprintf(more, sizeof(more), "and %u more", faults.n - FAULTS_MAX);
        tell(&faults, more);
    }
    if (r < 0)
        tell(&faults, "the running policy stays in force");
    else if (!faults.asked) /* who asked sees the exit status */
        fprintf(stderr, "idlewalld: %s is in force\n", control->worker->options->policy);
    for (unsigned i = 0; faults.asked && i < CONTROL_CLIENTS; i++) {
        if (waits(control, &control->clients[i]))
            client_end(&control->clients[i], r < 0);
    }
}
