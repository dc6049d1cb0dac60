/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_AGENT_H
#define IDLEWALL_AGENT_H

/*
 * An application in a host's namespace: a process of its own that does with kernel sockets what
 * tools/simulate/application.c does with simulated ones, and reports what it sees, when it sees it.
 * Deeds are told to it over a socket pair.
 */

#include "tools/lab/programs/program.h"
#include "tools/lab/space.h"
#include "tools/timeline/timeline.h"

#include <sys/types.h>

struct agent {
    pid_t pid; /* 0: none */
    int fd;    /* SOCK_SEQPACKET; readable when there is a report; -1 */
};
struct agent_spec {
    const struct space *space;
    const struct scenario_host *host;
    enum flow_side side;
    unsigned speed;
    const char *server;            /* the address a client connects to */
    uint16_t port;                 /* the server's */
    const struct program *program; /* the real one; NULL: sockets of our own */
    const char *directory;         /* for a program's files */
};
struct agent_report {
    int64_t wall_ns;      /* CLOCK_MONOTONIC; of a call that makes packets: before it */
    uint16_t client_port; /* tells the connection; 0: not known yet (the client's connect()) */
    uint32_t connection;  /* how many the agent has had, this one included */
    struct timeline_app app;
};

/* Returns when a server listens. 0 or a negative errno. */
int agent_start(struct agent *agent, const struct agent_spec *spec);
/* CONNECT, SEND, CLOSE, SHUTDOWN, ABORT, STOP_READING, READ, KEEPALIVE, USER_TIMEOUT. 0 or a
 * negative errno. */
int agent_tell(struct agent *agent, const struct deed *deed);
/* 1 a report, 0 none now, -EPIPE it has ended, or another negative errno. */
int agent_hear(struct agent *agent, struct agent_report *report);
/* SIGKILL, waited for: the kernel closes its sockets. What it had reported can still be heard. */
void agent_kill(struct agent *agent);
/* The same, for good. Takes one that was never started. */
void agent_end(struct agent *agent);

#endif
