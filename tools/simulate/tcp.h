/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_TCP_H
#define IDLEWALL_TCP_H

/*
 * One TCP socket in virtual time: segments, calls and time in; segments and notices out, through
 * the host's wiring. What it does when is what this is about; payload is counted, never held. A
 * pure step: no clock, no globals. One file a concern, see tcp_private.h.
 */

#include "tools/scenario/seen.h"
#include "tools/scenario/software.h"
#include "tools/scenario/system.h"
#include "tools/timeline/timeline.h"

#define TCP_NO_WSCALE 0xff

struct tcp_segment {
    uint32_t seq, ack, len;
    uint16_t window; /* as in the header: scaled down, except in a SYN */
    uint8_t flags;   /* packet.h */
    bool has_timestamp;
    uint32_t tsval, tsecr;
    uint16_t mss;   /* SYN; 0: no option */
    uint8_t wscale; /* SYN; TCP_NO_WSCALE: no option */
    bool sack_permitted;
    uint32_t sack[2]; /* one block, first and after last; equal: none */
    bool garbage; /* len bytes below SND.UNA that nobody reads: an old stack's keepalive probe */
    enum packet_note note; /* for the timeline only; the receiver never looks at it */
    uint8_t nth;
};

enum tcp_notice {
    TCP_CONNECTED, /* the active opener's handshake is complete */
    TCP_ACCEPTED,  /* the passive opener's is */
    TCP_READABLE,  /* payload came; tcp_read() takes it */
    TCP_EOF,       /* the peer's FIN came, after all payload */
    TCP_WRITABLE,  /* all that was sent is acknowledged */
    TCP_ERROR,     /* error: pending for the next call, as SO_ERROR */
    TCP_GONE, /* neither socket nor process is left: the host may free it after the step. A dead
                 socket that a process still holds gives it after tcp_close() */
};

struct tcp;
struct tcp_host;

/* What a socket asks of its host. Called within a step; none may step the same socket again. */
struct tcp_wiring {
    void (*transmit)(void *arg, struct tcp *tcp, const struct tcp_segment *segment);
    void (*notify)(void *arg, struct tcp *tcp, enum tcp_notice notice, int error);
    /* Could a packet of it leave the host at all? NULL: always. */
    bool (*routed)(void *arg, struct tcp *tcp);
};

/* What all sockets of a host share. */
struct tcp_host {
    const struct system *system;
    const struct tcp_wiring *wiring;
    void *arg;
    uint64_t jiffy;     /* CLOCK_WHEEL: the jiffy counter at time 0; CLOCK_TICKS: phase in ns */
    uint32_t ts_offset; /* timestamps: milliseconds + this; a reboot draws another */
    uint64_t random;    /* state of tcp_random() */
    mtime_t challenge_second; /* RFC 5961 7: the second the count is of */
    unsigned challenges;
};
uint32_t tcp_random(struct tcp_host *host); /* splitmix64 */

/* What an application asks for with setsockopt(). */
struct tcp_options {
    bool keepalive;
    struct keepalive_times times;
    mtime_t user_timeout;
};

struct tcp; /* its fields: tcp_private.h; hosts keep it by value in slabs of TCP_SIZE */
extern const size_t TCP_SIZE;

/* All take the time of the step, which never runs backwards. */
void tcp_init(struct tcp *tcp, struct tcp_host *host, const struct tcp_options *options);
void tcp_connect(struct tcp *tcp, mtime_t now);
/* A SYN came to a listening port. */
void tcp_accept(struct tcp *tcp, mtime_t now, const struct tcp_segment *syn);
void tcp_input(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment);
/* An ICMP error that quotes a segment of this socket with that sequence number. */
void tcp_icmp(struct tcp *tcp, mtime_t now, uint8_t type, uint8_t code, uint32_t seq);

/* Calls of the application. 0 or a negative errno as the call would set it; a pending error is
 * returned once, like the kernel's sock_error(). */
int tcp_send(struct tcp *tcp, mtime_t now, uint32_t bytes, enum packet_note note);
/* Takes all that is there: bytes; 0 at end of file; -EAGAIN where it would block. */
int64_t tcp_read(struct tcp *tcp, mtime_t now);
void tcp_shutdown(struct tcp *tcp, mtime_t now); /* SHUT_WR */
void tcp_close(struct tcp *tcp,
               mtime_t now); /* orphans it; unread data make a RST (RFC 2525 2.17) */
void tcp_abort(struct tcp *tcp, mtime_t now); /* SO_LINGER 0 */
void tcp_set_options(struct tcp *tcp, mtime_t now, const struct tcp_options *options);

/* When tcp_timer() must be called next; MTIME_NEVER. Earlier calls do no harm. */
mtime_t tcp_due(const struct tcp *tcp);
void tcp_timer(struct tcp *tcp, mtime_t now);

void tcp_view(const struct tcp *tcp, struct socket_view *out);
uint32_t tcp_probes_sent(const struct tcp *tcp); /* so far, keepalive */
uint32_t tcp_retransmits_sent(const struct tcp *tcp);

/* What a host answers for which no socket is there: false: nothing (a RST is never answered;
 * RFC 9293 3.10.7.1). */
bool tcp_answer_closed(const struct tcp_segment *segment, struct tcp_segment *answer);

#endif
