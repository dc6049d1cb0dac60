/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_TCP_PRIVATE_H
#define IDLEWALL_TCP_PRIVATE_H

/*
 * The socket from inside, and the seams between its concerns:
 *   tcp.c           creation, calls of the application, views
 *   tcp_input.c     RFC 9293 3.10.7, in its order
 *   tcp_output.c    segments out, windows offered
 *   tcp_handshake.c SYN and its retries
 *   tcp_rto.c       RFC 6298 and the kernel's tcp_rtt_estimator()
 *   tcp_retransmit.c the retransmission timer: data, FIN, tail loss probe, giving up
 *   tcp_persist.c   zero window
 *   tcp_delack.c    delayed acknowledgements
 *   tcp_ending.c    FIN_WAIT_2, TIME_WAIT, orphans
 *   tcp_clock.c     when a timer that is armed now really fires
 *   tcp_keepalive.c keepalive
 *   tcp_user_timeout.c
 *   tcp_reset.c     which RST is taken; challenge ACKs; answers out of window; closed ports
 *   tcp_icmp.c
 */

#include "tools/simulate/tcp.h"

/* Sequence numbers, as the kernel's before() and after(). */
static inline bool seq_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}
static inline bool seq_after(uint32_t a, uint32_t b)
{
    return (int32_t)(b - a) < 0;
}

/* The kernel's three: icsk_retransmit_timer (retransmission, tail loss probe, zero window: one at a
 * time), icsk_delack_timer, sk_timer (keepalive, FIN_WAIT_2; TIME_WAIT). */
enum tcp_timer_slot { SLOT_RETRANSMIT, SLOT_DELACK, SLOT_KEEPALIVE };
#define TCP_SLOTS (SLOT_KEEPALIVE + 1)
enum tcp_pending { PENDING_NONE, PENDING_RETRANSMIT, PENDING_TAIL_PROBE, PENDING_PERSIST };

struct tcp {
    struct tcp_host *host;
    mtime_t fires[TCP_SLOTS];   /* MTIME_NEVER: not armed */
    mtime_t expires[TCP_SLOTS]; /* what it was armed for; shown */
    uint8_t state;              /* enum socket_state */
    uint8_t pending;            /* enum tcp_pending, of SLOT_RETRANSMIT */
    /* options */
    struct tcp_options options;
    /* more fields: each with the concern that owns it */
    uint32_t iss, irs;
    uint32_t snd_una, snd_nxt, snd_wnd, snd_wl1, snd_wl2;
    uint32_t write_seq; /* after the last byte the application wrote, and the FIN */
    uint32_t rcv_nxt, rcv_wup, rcv_wnd;
    uint32_t unread; /* payload the application has not taken */
    uint8_t snd_wscale, rcv_wscale;
    bool timestamps, sack, fin_queued, fin_received, orphaned, accepted;
    uint16_t mss;
    uint32_t ts_recent;
    /* tcp_keepalive.c */
    mtime_t last_received; /* segment that TCP took, as lrcvtime and rcv_tstamp */
    mtime_t last_ack;
    uint8_t probes_out; /* icsk_probes_out: keepalive or window probes unanswered */
    uint32_t probes_sent;
    /* tcp_rto.c */
    mtime_t rto, srtt, rttvar, mdev, mdev_max;
    uint32_t rtt_seq;
    /* tcp_retransmit.c */
    uint8_t retransmits, backoff;
    mtime_t retrans_stamp; /* first retransmission of what is outstanding; 0: none */
    uint32_t retransmits_sent;
    int error; /* pending, as sk_err */
};

/* Arms a slot for `delay` from now: fires[] and expires[] by the host's clock (tcp_clock.c). */
void tcp_arm(struct tcp *tcp, enum tcp_timer_slot slot, mtime_t now, mtime_t delay);
void tcp_disarm(struct tcp *tcp, enum tcp_timer_slot slot);

/* The end, with that error pending (0: none) and no RST: as tcp_done(). Notifies. */
void tcp_done(struct tcp *tcp, int error);
bool tcp_outstanding(const struct tcp *tcp); /* anything unacknowledged: packets_out */

/* tcp_output.c. */
void tcp_send_ack(struct tcp *tcp, mtime_t now, enum packet_note note);
void tcp_send_reset(struct tcp *tcp,
                    mtime_t now); /* RST|ACK at SND.NXT, as tcp_send_active_reset() */
/* An ACK at SND.UNA - 1, with `bytes` of garbage: keepalive and window probes
 * (tcp_xmit_probe_skb()). */
void tcp_send_probe(struct tcp *tcp, mtime_t now, uint8_t bytes, enum packet_note note,
                    uint8_t nth);

/* tcp_keepalive.c */
void tcp_keepalive_set(struct tcp *tcp,
                       mtime_t now); /* on, off, other times; also when established */
void tcp_keepalive_heard(struct tcp *tcp, mtime_t now); /* a segment of the peer was taken */
void tcp_keepalive_fire(struct tcp *tcp, mtime_t now);  /* SLOT_KEEPALIVE in an open state */

/* tcp_user_timeout.c: has what is outstanding or probed waited longer than the option allows?
 * `since` is when the waiting began. */
bool tcp_user_timeout_over(const struct tcp *tcp, mtime_t now, mtime_t since);
/* The delay, cut so that the timer does not run past the option's end
 * (tcp_clamp_rto_to_user_timeout). */
mtime_t tcp_user_timeout_clamp(const struct tcp *tcp, mtime_t now, mtime_t since, mtime_t delay);

/* tcp_reset.c: what became of a segment that is not simply acceptable. */
enum tcp_judgement { TCP_TAKE, TCP_ENDED, TCP_IGNORED };
/* A RST in a synchronized state. ENDED: the socket is done, its application told. */
enum tcp_judgement tcp_reset_in(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment);
/* A SYN in a synchronized state: a challenge ACK (RFC 5961 4.2). */
void tcp_challenge(struct tcp *tcp, mtime_t now);
/* A segment outside the window: a duplicate ACK, at most so often (tcp_oow_rate_limited()). */
void tcp_answer_outside(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment);

#endif
