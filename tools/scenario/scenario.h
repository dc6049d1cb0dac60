/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SCENARIO_H
#define IDLEWALL_SCENARIO_H

/*
 * A scenario: who stands at both ends, which firewalls between, what happens when, and what must be
 * seen. A value without behaviour: the simulator and the lab play it. Made by scenario_parse.h,
 * immutable afterwards. Times are story time, from 0. Strings are owned by the scenario.
 */

#include "middlebox/record/flow.h"
#include "policy/policy.h"
#include "tools/scenario/seen.h"
#include "tools/scenario/software.h"
#include "tools/scenario/system.h"

#define SCENARIO_FIREWALLS 8
#define SCENARIO_DEEDS_MAX 1000000
#define SCENARIO_UNTIL_MAX (MTIME_SEC * 86400 * 366)

/* Places along the path: 0 the client, 1..n the firewalls, n + 1 the server. Link i joins places i
 * and i + 1. */
#define SCENARIO_CLIENT 0u

struct scenario_host {
    struct system system;            /* the preset, with this scenario's settings applied */
    const struct software *software; /* NULL: none named */
    uint16_t port;                   /* server: listens here; client: unused */
    /* What the application asks of its socket. */
    enum software_keepalive keepalive; /* UNSET: system.keepalive_always decides */
    struct keepalive_times times;      /* in force if keepalive is on */
    mtime_t user_timeout;              /* TCP_USER_TIMEOUT; 0: none */
    struct behaviour behaviour;
    bool jiffy_given; /* CLOCK_WHEEL: where in the wheel story time 0 falls; else drawn from the
                         seed */
    uint64_t jiffy;
    uint64_t set; /* bit per setting the text names, see host_setting.h */
};

struct scenario_firewall {
    char *name;        /* unique; "firewall" when there is one without a name */
    char *profile;     /* shipped profile it starts from; NULL with a policy file */
    char *policy_file; /* as named in the text; NULL without one */
    struct policy *policy;
    char *policy_text; /* the same in the policy language, for idlewalld */
};

struct scenario_link {
    mtime_t delay;     /* one way */
    double loss;       /* 0..1, drawn from the seed, either way */
    uint32_t *lose[2]; /* ascending: the n-th packets (from 1) of that side that get lost here */
    size_t n_lose[2];
};

enum deed_verb {
    /* of a host's application */
    DEED_CONNECT,      /* client */
    DEED_SEND,         /* bytes */
    DEED_CLOSE,        /* close() */
    DEED_SHUTDOWN,     /* shutdown(SHUT_WR) */
    DEED_ABORT,        /* SO_LINGER 0 and close(): RST */
    DEED_KILL,         /* the process, by SIGKILL: its kernel closes the sockets */
    DEED_STOP_READING, /* the receive buffer fills, the window closes */
    DEED_READ,         /* reads again, all that is there and comes */
    DEED_KEEPALIVE,    /* setsockopt: keepalive, times */
    DEED_USER_TIMEOUT, /* setsockopt: duration */
    /* of a host */
    DEED_CRASH,  /* power lost: silence, and no memory */
    DEED_REBOOT, /* after a crash or without one: up again, without sockets; the server listens */
    DEED_LINK_DOWN,
    DEED_LINK_UP, /* new_address: its old sockets stay bound to the address that is gone */
    /* of the path */
    DEED_BLOCK, /* place, side or both: silently; at a host's place: between its link and its TCP */
    DEED_UNBLOCK,
    DEED_LOSE,        /* the next `number` packets from side, on the link after place */
    DEED_PROHIBIT,    /* as block, but answered with ICMP administratively prohibited */
    DEED_UNREACHABLE, /* from now on the router before that host answers for it: ICMP host
                         unreachable */
    /* of a firewall */
    DEED_EXPIRE,
    DEED_FORGET,
    DEED_FLOW_KILL, /* RST both ends, accepted */
    DEED_RESTART,   /* loses its table; the policy's adopt-at-start counts from here */
};

struct deed {
    mtime_t at;
    enum deed_verb verb;
    uint8_t place;   /* of the host or firewall that does it, or where it is done */
    bool side_given; /* BLOCK, UNBLOCK, PROHIBIT, LOSE */
    enum flow_side side;
    uint32_t number; /* SEND: bytes; LOSE: packets */
    bool new_address;
    enum software_keepalive keepalive;
    struct keepalive_times times;
    mtime_t duration;
    unsigned line; /* in the text */
};

/* What must be seen. Judged on the timeline (tools/timeline/expect.h), live and virtual alike. */
enum expect_kind {
    EXPECT_ERROR,  /* PLACE error ERRNO|none: what the application got */
    EXPECT_EOF,    /* PLACE eof: read returned 0 */
    EXPECT_STATE,  /* PLACE state ESTABLISHED (a TCP state as ss names it, or `gone`) */
    EXPECT_TIMER,  /* PLACE timer keepalive|on|off|timewait|persist FROM..TO [RETRANS PROBES] */
    EXPECT_PROBES, /* PLACE probes N..M: keepalive probes it sent */
    EXPECT_RETRANSMITS, /* PLACE retransmits N..M */
    EXPECT_FLOW,        /* FIREWALL flow STATE|gone */
    EXPECT_EVENT,       /* FIREWALL event new|update|expired|late|ended */
    EXPECT_PACKET,      /* PLACE sends|receives|drops FLAGS|probe|window-probe|challenge ... */
    EXPECT_CONNECTIONS, /* PLACE connections N..M: sockets that are not gone */
    EXPECT_BELIEVES,    /* PLACE believes: ESTABLISHED at the end although its peer is not */
    EXPECT_HEARD,       /* PLACE receives nothing */
};
#define EXPECT_ANY (-1)
#define EXPECT_ICMP (-2)
enum expect_passage { EXPECT_SENDS, EXPECT_RECEIVES, EXPECT_DROPS };

struct expectation {
    enum expect_kind kind;
    uint8_t place;
    bool negated;     /* `expect not ...` */
    mtime_t from, to; /* when; equal for an instant; the whole story if not said */
    bool at_given;
    int error;                  /* ERROR: an errno; 0 for none */
    int state;                  /* STATE: enum socket_state; FLOW: enum flow_state; -1: gone */
    int event;                  /* EVENT: enum event_kind */
    int timer;                  /* TIMER: enum socket_timer */
    mtime_t left_from, left_to; /* TIMER: what it shows */
    int retransmits, probes;    /* TIMER: -1: not said */
    enum expect_passage passage;
    int note;        /* PACKET: enum packet_note, -1: any */
    int flags;       /* PACKET: TCP flags exactly, EXPECT_ANY, EXPECT_ICMP: an ICMP error */
    bool side_given; /* PACKET: in whose name it is sent */
    enum flow_side side;
    uint32_t number_from, number_to; /* how many; 1..UINT32_MAX if not said */
    unsigned line, column;
    char *text; /* the line, without `expect` */
};

enum spread { SPREAD_FIXED, SPREAD_UNIFORM, SPREAD_EXPONENTIAL, SPREAD_LOGNORMAL, SPREAD_PARETO };
struct distribution {
    enum spread spread;
    mtime_t a,
        b; /* FIXED a; UNIFORM a..b; EXPONENTIAL mean a; LOGNORMAL median a; PARETO least a */
    double shape; /* LOGNORMAL sigma, PARETO alpha */
};

/* `repeat N clients`: each plays connect, requests with idle times between, close. */
struct workload {
    uint32_t clients;         /* 0: none, the deeds are the story */
    mtime_t over;             /* arrivals are spread over this time */
    bool regular;             /* evenly; else as a Poisson process */
    struct distribution idle; /* before each request but the first, and before the close */
    uint32_t requests_from, requests_to; /* drawn evenly */
    uint32_t request_bytes, answer_bytes;
    mtime_t answer_after;
    double vanish; /* share of clients that disappear silently instead of closing */
};

/* `plot grid|time`: what a grid's picture shows. */
enum scenario_plot {
    PLOT_GRID, /* figures over the values of the axes; the default */
    PLOT_TIME, /* the samples over story time, a curve for each point of the grid */
};

/* A parameter given as a list or range: the grid's axis. */
struct axis {
    char *label;        /* "server keepalive idle" */
    size_t offset, len; /* the words in the text that each value replaces */
    char **values;      /* as text, at least 1 */
    size_t n_values;
    unsigned line, column;
};
#define SCENARIO_AXES 8
#define SCENARIO_POINTS_MAX 100000

struct scenario {
    char *title;   /* one line; NULL if not said */
    char *story;   /* some sentences; NULL */
    char *remedy;  /* what would have prevented it, where the author says so; NULL */
    uint64_t seed; /* 1 if not said */
    mtime_t until;
    bool virtual_only;            /* parts that no Linux kernel can play */
    struct scenario_host host[2]; /* by flow_side */
    struct scenario_firewall firewall[SCENARIO_FIREWALLS];
    size_t n_firewalls;
    struct scenario_link link[SCENARIO_FIREWALLS + 1];
    struct deed *deeds; /* ascending by at, in text order where equal; `every` is written out */
    size_t n_deeds;
    struct expectation *expectations;
    size_t n_expectations;
    struct workload workload;
    mtime_t sample; /* how often sockets and table are counted for plots; never 0 */
    enum scenario_plot plot;
    struct axis axis[SCENARIO_AXES]; /* with these, all above is the first point of the grid */
    size_t n_axes;
    char *text;      /* what was parsed, NUL-terminated */
    char *name;      /* what faults call it */
    char *directory; /* where policy files are; NULL: nowhere */
};

struct scenario *scenario_destroy(struct scenario *scenario);

/* "client", a firewall's name, "server". */
const char *scenario_place_name(const struct scenario *scenario, unsigned place);
static inline unsigned scenario_server(const struct scenario *scenario)
{
    return (unsigned)scenario->n_firewalls + 1;
}
const char *deed_name(enum deed_verb verb); /* "stop reading"; static */

#endif
