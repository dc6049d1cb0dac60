/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SYSTEM_H
#define IDLEWALL_SYSTEM_H

/* An operating system's TCP, as far as time is concerned: figures only, each preset with its source
 * in system.c. The rules that use them are in tools/simulate; a value here never names a system. */

#include "policy/mtime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keepalive_times {
    mtime_t idle, interval; /* TCP_KEEPIDLE, TCP_KEEPINTVL */
    unsigned count;         /* TCP_KEEPCNT */
};

/* How a timer's expiry is rounded. */
enum system_clock {
    CLOCK_EXACT,
    CLOCK_WHEEL, /* Linux: jiffies of 1/hz, and the timer wheel's coarser steps
                    (kernel/time/timer.c) */
    CLOCK_TICKS, /* BSD of old: counted down by a slow timer every `tick` */
};

/* Which RST an open connection takes. */
enum system_reset {
    RESET_IN_WINDOW, /* RFC 793 */
    RESET_EXACT,     /* RFC 5961 3.2: SEQ = RCV.NXT, else a challenge ACK */
};

/* What an ICMP error does to a connection. */
enum system_icmp {
    ICMP_REMEMBERED, /* Linux: any ends an attempt to connect; later ones are what the application
                        gets instead of ETIMEDOUT, and undo a doubling of the RTO (RFC 6069) */
    ICMP_SOFT, /* RFC 1122 4.2.3.9, BSD's tcp_notify(): unreachable is soft, told if an attempt
                  to connect times out, and ignored once connected */
};

struct system {
    const char *name;    /* "linux"; static */
    const char *product; /* "Linux 6"; static */

    enum system_clock clock;
    unsigned hz;  /* CLOCK_WHEEL */
    mtime_t tick; /* CLOCK_TICKS */

    /* keepalive */
    struct keepalive_times keepalive; /* of a socket that only says SO_KEEPALIVE */
    bool keepalive_always;            /* without being asked (FreeBSD) */
    uint8_t probe_bytes;              /* 0, or 1: a byte of garbage below SND.NXT (4.2BSD, AIX) */
    bool keepalive_backoff;  /* Solaris: probes are retransmitted with backoff, not evenly */
    mtime_t keepalive_abort; /* Solaris: given up so long after the first; 0: by count */
    bool keepalive_pushed; /* true: traffic restarts the timer (4.4BSD); false: it runs out, looks,
                              and is set for what is left (Linux, FreeBSD, illumos) */
    bool keepalive_from_receipt; /* idle since the last segment received (BSD, STCP); else since the
                                    last received or acknowledged (Linux) */
    bool keepalive_rst;          /* a RST goes out when the probes are used up */

    /* handshake */
    unsigned syn_retries, synack_retries;
    unsigned syn_linear; /* Linux: tcp_syn_linear_timeouts: the first so many SYNs are sent again
                            without backoff, besides syn_retries */
    mtime_t rto_initial;

    /* retransmission */
    mtime_t rto_min, rto_max;
    unsigned retries;     /* Linux: tcp_retries2, a time computed from it; else a number of sends */
    bool retries_by_time; /* Linux: retransmits_timed_out() */
    bool tail_loss_probe; /* RFC 8985 7 */
    mtime_t delayed_ack;  /* longest; Linux: adaptive from 40 ms, and quick at the start */
    bool delayed_ack_adaptive;
    bool rst_on_timeout; /* a RST goes out when retransmission gives up (Linux: it does not) */

    /* closing */
    mtime_t fin_timeout;       /* FIN_WAIT_2; MTIME_NEVER: for ever (older STCP) */
    bool fin_timeout_orphaned; /* only once no process holds the socket (Linux, BSD) */
    unsigned orphan_retries;   /* Linux: tcp_orphan_retries, 0 means 8 */
    mtime_t time_wait;

    /* zero window */
    mtime_t persist_min, persist_max; /* backed off between these; equal: every so often (STCP) */
    mtime_t zero_window_abort;        /* STCP: tcp_zerowin_abort_interval$; 0: off */

    /* resets */
    enum system_reset reset;
    mtime_t challenge_interval; /* Linux: tcp_invalid_ratelimit, per socket; 0: none */
    unsigned challenge_limit;   /* challenge ACKs a second and host; 0: no limit */
    bool probe_answer_limited;  /* zero-length probes too fall under challenge_interval (Linux) */

    enum system_icmp icmp;

    uint16_t mss;
    uint32_t receive_buffer; /* bytes; the largest window offered */
    bool timestamps, window_scale, sack;
    uint8_t wscale;
};

/* In the order in which --help lists them. */
extern const struct system systems[];
extern const size_t system_count;
/* NULL if there is none of that name. */
const struct system *system_find(const char *name, size_t len);

#endif
