/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_AGENT_PROCESS_H
#define IDLEWALL_AGENT_PROCESS_H

/* The agent's own process, and its sockets. */

#include "tools/lab/play/agent.h"

/* One connection: what the program knows of it. Times are CLOCK_MONOTONIC, MTIME_NEVER for none. */
struct agent_socket {
    int fd; /* -1: not held (any more) */
    uint16_t client_port;
    uint32_t number;
    mtime_t last_sent, last_heard, last_payload, waits_since, answer_at;
    uint32_t unsent; /* asked to be sent before it was connected */
    bool connected, reading, eof, trouble;
    bool broken; /* an error or end is there that nobody reads: not to be polled */
};
#define AGENT_SOCKETS 256

struct agent_self {
    int control, listener; /* listener: -1 at the client */
    const struct agent_spec *spec;
    struct tcp_wishes {
        enum software_keepalive keepalive;
        struct keepalive_times times; /* story time */
        mtime_t user_timeout;
    } wishes;                                   /* that new sockets get */
    struct behaviour behaviour;                 /* wall time */
    struct agent_socket sockets[AGENT_SOCKETS]; /* the latest last */
    size_t n;
    uint32_t numbers;
    mtime_t connect_at; /* MTIME_NEVER */
};

/* Enters the namespace, reports that it is ready (or app.error), and never returns. */
_Noreturn void agent_process(int control, const struct agent_spec *spec);

/* The same for a spec with a program. */
_Noreturn void agent_program(int control, const struct agent_spec *spec);

/* agent_socket.c */
mtime_t agent_now(void);
void agent_report(struct agent_self *self, const struct agent_socket *socket, mtime_t when,
                  struct timeline_app app);
int agent_listen(const struct agent_self *self); /* a descriptor or a negative errno */
void agent_connect(struct agent_self *self);
void agent_accept(struct agent_self *self);
void agent_wish(const struct agent_self *self, const struct agent_socket *socket);
void agent_ready(struct agent_self *self, struct agent_socket *socket, short events);
mtime_t agent_due(const struct agent_self *self, const struct agent_socket *socket);
void agent_timer(struct agent_self *self, struct agent_socket *socket, mtime_t now);
bool agent_reads(const struct agent_socket *socket);
void agent_read(struct agent_self *self, struct agent_socket *socket);
/* asks: for an answer, which a read timeout then waits for. */
void agent_write(struct agent_self *self, struct agent_socket *socket, uint32_t bytes, bool asks);
void agent_close(struct agent_self *self, struct agent_socket *socket, enum app_act why);

#endif
