/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ALIGN_VERDICT_H
#define IDLEWALL_ALIGN_VERDICT_H

/* What becomes of a connection that falls silent: its ends' keepalive beside a limit. */

#include "tools/align/limit.h"
#include "tools/align/socket.h"

/* What is known of one end. */
struct end {
    enum keepalive_known keepalive;
    enum figures_from figures;
    struct bounds idle, interval;
    mtime_t at_least;     /* FIGURES_DEFAULT: what was seen of the longer of the two */
    unsigned count;       /* 0: not known */
    mtime_t user_timeout; /* 0: none, or not known */
    mtime_t heartbeat;    /* its program sends payload so often by itself; 0: not that we know */
    mtime_t idle_close;   /* its program closes after so long without payload; 0: the same */
};

struct connection {
    struct end end[2];   /* by flow_side */
    enum flow_side here; /* whose socket was looked at */
    mtime_t rtt;         /* 0: not known */
    mtime_t quiet;       /* since the last packet; MTIME_NEVER: not known */
    mtime_t age;         /* since it was opened; the same */
};

/* The worst first. */
enum verdict_kind {
    VERDICT_WILL_BREAK,
    VERDICT_NEVER_NOTICED,
    VERDICT_AT_RISK,
    VERDICT_SAFE,
};
#define VERDICT_KINDS (VERDICT_SAFE + 1)

enum verdict_why {
    /* safe */
    WHY_NO_LIMIT,
    WHY_REFRESHED,
    WHY_HEARTBEAT,
    WHY_CLOSES_FIRST,
    WHY_ADOPTED,
    WHY_ASKED,
    /* at risk */
    WHY_LOST_PROBE,
    WHY_LATENESS,
    WHY_ONE_PROBE,
    WHY_FIGURES_UNKNOWN,
    WHY_FIGURES_ASSUMED, /* the host's sysctls, as long as nothing seen contradicts them */
    WHY_KEEPALIVE_UNKNOWN,
    WHY_LIMIT_ASSUMED,
    WHY_ADOPTION_ASSUMED,
    /* will break */
    WHY_TOO_LATE,
    WHY_PAYLOAD,
    WHY_ABSOLUTE,
    WHY_OFF_AND_TOLD, /* no keepalive, but the middlebox tells the ends */
    /* never noticed */
    WHY_OFF,
};

/* What an end gets to see. */
enum sight {
    SEES_NOTHING,    /* until it writes */
    SEES_ECONNRESET, /* connection reset by peer */
    SEES_ETIMEDOUT,  /* connection timed out */
    SEES_EHOSTUNREACH,
    SEES_CLOSE, /* end of file or reset: a proxy closes, and how is not documented */
    SEES_UNKNOWN,
};

struct end_outcome {
    enum sight sight;
    struct bounds after; /* since the last packet (an absolute limit: since the opening) */
    enum sight on_write; /* what it gets if it writes once the limit is over */
};

struct verdict {
    enum verdict_kind kind;
    enum verdict_why why;
    struct limit limit;  /* the one that decides */
    enum flow_side side; /* WHY_REFRESHED, _LOST_PROBE, ...: whose keepalive it is about */
    /* Of that side: how long the middlebox sees nothing if nothing is lost, and if one probe is. */
    mtime_t silence, silence_lost;
    mtime_t heartbeat;             /* WHY_HEARTBEAT, WHY_CLOSES_FIRST */
    struct end_outcome outcome[2]; /* by flow_side; of a will-break and a never-noticed */
    mtime_t due; /* from now until the limit is over, as far as known; MTIME_NEVER: safe */
};

/* A kernel's timer comes late by up to an eighth: the timer wheel's steps grow with the time
 * (kernel/time/timer.c, LVL_GRAN). */
mtime_t verdict_late(mtime_t t);
/* (idle + lost * interval) * 9/8 + rtt: the longest silence a middlebox sees. */
mtime_t verdict_silence(mtime_t idle, mtime_t interval, unsigned lost, mtime_t rtt);

/* Beside one limit. */
struct verdict verdict_of(const struct connection *connection, const struct limit *limit);
/* Beside several, as they lie on its way: the worst, and of alike ones that of the tightest. */
struct verdict verdict_of_all(const struct connection *connection, const struct limit *limits,
                              size_t n);

const char *verdict_name(enum verdict_kind kind);   /* "will break" */
const char *verdict_why_name(enum verdict_why why); /* "too-late", for machines */
const char *sight_name(enum sight sight);           /* "ECONNRESET" */

#endif
