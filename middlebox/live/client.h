/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_CLIENT_H
#define IDLEWALL_CLIENT_H

/* One connection to the control socket: its request, and what is on its way out, within bounds. */

#include "middlebox/live/request.h"

#define CLIENT_ROOM (256 * 1024)  /* more than this is never held for one client */
#define CLIENT_SLICE (128 * 1024) /* there is place for one more slice of an answer below this */

enum client_state {
    CLIENT_FREE,
    CLIENT_ASKING,    /* no request yet, or the last one answered */
    CLIENT_WORKING,   /* in slices: list, commands */
    CLIENT_LISTENING, /* events, wait */
    CLIENT_RELOADING,
    CLIENT_ENDING, /* close when all is out */
};

struct client {
    int fd;
    enum client_state state;
    struct request request;
    char *text; /* owned; the request as it came, for the recording */
    size_t text_len;
    struct record_buf out; /* messages, each behind its length */
    size_t sent;           /* of out */
    size_t last;           /* where the last message starts */
    uint64_t lost;         /* events since the last `lost` line */
    int64_t progress;      /* monotonic ns: when something last went in or out */
    int64_t until;         /* monotonic ns: when a wait is over; INT64_MAX */
    int64_t again;         /* monotonic ns: not before this (inject-rate) */

    uint64_t ticket; /* RELOADING: which answer of the parent it waits for */
    unsigned loop;   /* WORKING: which engine */
    uint64_t cursor;
    struct engine_command command;
};

void client_init(struct client *client, int fd, int64_t now);
void client_finish(struct client *client);

/* How much is held. */
size_t client_held(const struct client *client);
/* Puts data ('D') or a message ('M') into the answer; text is split as needed. False if there is no
 * room or memory. */
bool client_data(struct client *client, const char *data, size_t len);
bool client_say(struct client *client, const char *message);
/* Ends the answer; the client may ask again. */
void client_end(struct client *client, char status);
/* Sends what can be sent now. False if the client is gone. */
bool client_flush(struct client *client, int64_t now);
/* 1 a request arrived (client->text), 0 nothing, -EMSGSIZE too long, -EPIPE the client is gone,
 * -ENOMEM. */
int client_receive(struct client *client, int64_t now);

#endif
