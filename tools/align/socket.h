/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ALIGN_SOCKET_H
#define IDLEWALL_ALIGN_SOCKET_H

/*
 * One TCP socket as seen on its host: a value, the same from sock_diag, from pasted `ss -tnoie` and
 * from pasted `netstat -tnpo`. What a source does not tell stays unknown, never zero.
 */

#include "policy/mtime.h"
#include "tools/scenario/seen.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A figure that may be known exactly, only between bounds, or not at all (0 .. MTIME_NEVER). */
struct bounds {
    mtime_t low, high; /* exact: both the same */
};
#define BOUNDS_UNKNOWN ((struct bounds){0, MTIME_NEVER})

enum keepalive_known {
    KEEPALIVE_UNKNOWN, /* the source does not say */
    KEEPALIVE_OFF,
    KEEPALIVE_ON,
};
enum figures_from {
    FIGURES_UNKNOWN,
    FIGURES_READ,     /* from the socket itself (getsockopt on a copy of its descriptor) */
    FIGURES_INFERRED, /* from countdowns seen: bounds */
    FIGURES_DEFAULT,  /* nothing seen that contradicts the host's sysctls: assumed, shown with ~ */
};

struct socket_fact {
    uint8_t family; /* 4 or 6; an IPv4-mapped address is 4 */
    uint8_t local[16], peer[16];
    uint16_t local_port, peer_port;
    bool listened;         /* its local port is one that the host listens on: it is the server */
    bool listened_guessed; /* by the ports: the text shows no listening sockets */
    enum socket_state state;
    enum socket_timer timer;
    mtime_t timer_left;          /* with timer */
    uint8_t retransmits, probes; /* second and third figure of netstat */
    bool timer_known;
    uint32_t send_queue, receive_queue;
    enum keepalive_known keepalive;
    enum figures_from figures;
    /* Inferred: idle.low is of the longer of the two, for also an answered probe is followed by an
     * interval, and only then by the rest of idle (tcp_keepalive_timer()). So the silence between
     * two answered probes is the longer of the two, too. */
    struct bounds idle, interval;
    mtime_t at_least;     /* FIGURES_DEFAULT: the longer of the two, by the countdown */
    unsigned count;       /* 0: not known */
    mtime_t user_timeout; /* 0: none or not known */
    /* How long ago; MTIME_NEVER: not known. Sent: data. Received: data or an acknowledgement. The
     * kernel counts neither the peer's keepalive probes nor its own answers and probes. */
    mtime_t last_sent, last_received;
    mtime_t rtt;    /* 0: not known */
    uint64_t inode; /* 0: not known */
    uint32_t uid;
    bool uid_known;
    int pid;             /* 0: not known; the first of several processes */
    char process[32];    /* "" not known */
    char container[64];  /* "" none or not known */
    bool systemd_socket; /* it came from a systemd socket unit */
    unsigned line;       /* of pasted text; 0: live */
};

struct socket_table {
    struct socket_fact *sockets; /* owned */
    size_t n, room;
    unsigned *bad_lines; /* owned: lines that could not be read, by number */
    size_t n_bad, room_bad;
    bool partial; /* owners of other users could not be seen */
    /* Of text: `ss` with -i and -e, but no timer anywhere: taken for `ss -o` all the same
     * (keepalive off), for that is what people are asked for; worth a warning. */
    bool timers_assumed;
};
void socket_table_finish(struct socket_table *table); /* of a zeroed one, too */

/* Live, of this network namespace (the caller's). 0 or a negative errno. */
int socket_table_live(struct socket_table *table);
/* Text of `ss -tnoie`, `ss -tanope`, ... or Linux `netstat -tnpo`: recognised line by line. 0 or
 * -ENOMEM, -EINVAL: no line of it is a socket. */
int socket_table_text(struct socket_table *table, const char *text, size_t size);
/* A later look at the same sockets narrows what is inferred: countdowns are not reset by traffic
 * (tcp_keepalive_timer()), so one look gives a lower bound only. Matches by addresses and inode;
 * what changes with time is taken over, so that it can be called again with the time since this
 * look; a socket that is no more is SOCKET_GONE. elapsed: between the looks. 0 or -ENOMEM. */
int socket_table_narrow(struct socket_table *table, const struct socket_table *later,
                        mtime_t elapsed);

#endif
