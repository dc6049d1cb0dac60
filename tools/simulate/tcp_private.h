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

#include <assert.h>

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
enum tcp_pending {
    PENDING_NONE,
    PENDING_RETRANSMIT,
    PENDING_TAIL_PROBE,
    PENDING_REORDER,
    PENDING_PERSIST
};

/* Kept small: a host with a million connections holds a million of these. Sequence ranges stand for
 * the kernel's queues; what was sent is cut into segments of mss again when it is sent again, as
 * the kernel's tcp_retrans_try_collapse() comes to in effect. */
struct tcp {
    struct tcp_host *host;
    mtime_t fires[TCP_SLOTS];   /* MTIME_NEVER: not armed */
    mtime_t expires[TCP_SLOTS]; /* what it was armed for; shown */
    struct tcp_options options;

    /* sequence numbers and windows */
    uint32_t iss, snd_una, snd_nxt, snd_wnd, snd_wl1, max_window;
    uint32_t write_seq; /* after the last byte the application wrote, and the FIN */
    uint32_t push_seq; /* after the last byte of the last write: the segment that ends there has PSH
                        */
    uint32_t rcv_nxt, rcv_wup, rcv_wnd;
    uint32_t unread;       /* payload the application has not taken */
    uint32_t ahead[2];     /* received out of order: first, after last; equal: none */
    uint32_t duplicate[2]; /* to be told as DSACK with the next ACK; equal: none */
    uint32_t ts_recent;
    uint32_t probes_sent;
    uint16_t mss;       /* payload of a full segment: options are off */
    int16_t error;      /* pending, as sk_err */
    int16_t soft_error; /* sk_err_soft: given instead of ETIMEDOUT */
    uint8_t state;      /* enum socket_state */
    uint8_t pending;    /* enum tcp_pending, of SLOT_RETRANSMIT */
    uint8_t note;       /* enum packet_note of the application's last write */
    uint8_t snd_wscale, rcv_wscale;
    uint8_t probes_out; /* icsk_probes_out: keepalive or window probes unanswered */
    uint8_t quick;      /* ACKs still sent at once */
    uint16_t rcv_mss, last_segment;
    uint8_t duplicate_acks; /* received in a row */
    uint8_t retransmits;    /* icsk_retransmits */
    uint8_t backoff;        /* icsk_backoff: doublings of rto, and of the window probes' time */
    uint16_t cwnd, ssthresh, cwnd_count;
    bool timestamps : 1, sack : 1, wscale_ok : 1;
    bool passive : 1;  /* opened by a SYN of the peer */
    bool orphaned : 1; /* no process holds it */
    bool bucket : 1;   /* only the kernel's inet_timewait_sock is left: TIME_WAIT, or FIN_WAIT_2 */
    bool fin_queued : 1, fin_received : 1, eof_read : 1;
    bool ahead_fin : 1;
    /* tcp_delack.c: struct inet_connection_sock's icsk_ack */
    bool ack_scheduled : 1, ack_now : 1, pushed : 1, pushed_twice : 1, pingpong : 1;
    /* tcp_loss.c */
    bool fast : 1; /* TCP_CA_Recovery: only what partial ACKs ask for is sent again */
    /* tcp_tail_probe.c */
    bool probe_pending : 1; /* tlp_high_seq is set */
    bool probe_again : 1;   /* tlp_retrans: it was old data */

    /* tcp_keepalive.c */
    mtime_t last_received; /* icsk_ack.lrcvtime: payload, or established; set by tcp_delack.c */
    mtime_t last_ack;      /* tp->rcv_tstamp: an acceptable ACK; set by tcp_input.c. Where keepalive
                              counts from receipt, any segment; set by tcp_keepalive.c too */

    /* tcp_delack.c */
    mtime_t ato; /* adaptive delay; 0: no payload yet */

    /* tcp_rto.c; as the kernel: microseconds, srtt << 3, the deviations << 2 */
    mtime_t rto;
    uint32_t srtt_us, rttvar_us, mdev_us, mdev_max_us;
    uint32_t rtt_seq;

    /* tcp_retransmit.c, tcp_loss.c, tcp_tail_probe.c */
    uint32_t retransmits_sent;
    uint32_t small_end;    /* snd_sml: end of the last segment below mss (Nagle, Minshall's way) */
    uint32_t tail_seq;     /* where the last segment sent begins */
    mtime_t head_sent;     /* when the segment at snd_una was sent last */
    mtime_t tail_sent;     /* when the last segment was */
    uint32_t again_end;    /* highest end of what was sent again: Karn's rule */
    uint32_t lost_end;     /* tcp_enter_loss(): what was sent before is to be sent again... */
    uint32_t lost_next;    /* ... from here on, as the window allows */
    uint32_t probe_high;   /* tlp_high_seq */
    mtime_t retrans_stamp; /* first retransmission of what is outstanding; MTIME_NEVER: none */

    /* tcp_persist.c */
    mtime_t window_closed; /* icsk_probes_tstamp: the first probe's time; MTIME_NEVER: none */

    /* tcp_reset.c */
    mtime_t last_outside; /* last answer to a segment out of window; MTIME_NEVER: none yet */
};
/* A million connections, two of these each, are to fit under 1 GiB with all else. */
static_assert(sizeof(struct tcp) <= 320, "struct tcp grows beyond what a million may take");

/* Arms a slot for `delay` from now: fires[] and expires[] by the host's clock (tcp_clock.c). */
void tcp_arm(struct tcp *tcp, enum tcp_timer_slot slot, mtime_t now, mtime_t delay);
void tcp_disarm(struct tcp *tcp, enum tcp_timer_slot slot);
/* As the system's own clock counts it: whole jiffies. */
mtime_t tcp_elapsed(const struct tcp *tcp, mtime_t now, mtime_t since);

/* tcp.c. The end, with that error pending (0: none) and no RST: as tcp_done(). Notifies. */
void tcp_done(struct tcp *tcp, int error);
void tcp_notify(struct tcp *tcp, enum tcp_notice notice, int error);
bool tcp_outstanding(const struct tcp *tcp); /* anything unacknowledged: packets_out */
bool tcp_unsent(const struct tcp *tcp);      /* a send head: written and never sent */
/* Payload may still come from the peer, and go to it. */
bool tcp_established(const struct tcp *tcp); /* any synchronized state but TIME_WAIT */
/* Active or passive: the handshake is over. Starts keepalive. */
void tcp_become_established(struct tcp *tcp, mtime_t now);

/* tcp_handshake.c */
void tcp_handshake_input(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment);
void tcp_handshake_fire(struct tcp *tcp, mtime_t now); /* SLOT_RETRANSMIT in SYN_SENT, SYN_RECV */

/* tcp_input.c */
/* Inside the receive window, as tcp_sequence(). */
bool tcp_acceptable(const struct tcp *tcp, const struct tcp_segment *segment);
/* Sequence number after the segment's last byte, SYN and FIN counted. */
uint32_t tcp_segment_end(const struct tcp_segment *segment);

/* tcp_output.c. Everything goes out through tcp_transmit(): it fills in acknowledgement, window,
 * timestamps and the SACK block, and accounts for the ACK. */
void tcp_transmit(struct tcp *tcp, mtime_t now, struct tcp_segment *segment);
uint32_t tcp_receive_window(const struct tcp *tcp); /* offered and not used */
uint32_t tcp_select_window(const struct tcp *tcp);  /* __tcp_select_window(): could be offered */
uint32_t tcp_window_end(const struct tcp *tcp);     /* SND.UNA + SND.WND */
/* Sends what windows, Nagle and cwnd allow; arms what then has to be armed
 * (tcp_push_pending_frames()). */
void tcp_push(struct tcp *tcp, mtime_t now);
/* A new segment of len at SND.NXT, FIN included if it is the last. False: it has no route and
 * counts as not sent. */
bool tcp_send_new(struct tcp *tcp, mtime_t now, uint32_t len, bool psh, enum packet_note note);
/* What was sent at seq before, at most mss of it; returns the end of it. */
uint32_t tcp_send_again(struct tcp *tcp, mtime_t now, uint32_t seq, enum packet_note note);
void tcp_send_ack(struct tcp *tcp, mtime_t now, enum packet_note note);
void tcp_send_reset(struct tcp *tcp,
                    mtime_t now); /* RST|ACK at SND.NXT, as tcp_send_active_reset() */
/* An ACK at SND.UNA - 1, with `bytes` of garbage: keepalive and window probes
 * (tcp_xmit_probe_skb()). */
void tcp_send_probe(struct tcp *tcp, mtime_t now, uint8_t bytes, enum packet_note note,
                    uint8_t nth);

/* tcp_rto.c */
void tcp_rto_init(struct tcp *tcp);
void tcp_rto_sample(struct tcp *tcp, mtime_t rtt);
void tcp_rto_back_off(struct tcp *tcp); /* doubles, up to rto_max */
uint32_t tcp_timestamp(const struct tcp *tcp, mtime_t now);

/* tcp_retransmit.c */
/* Disarms and clears what is pending in SLOT_RETRANSMIT, or arms it. */
void tcp_set_pending(struct tcp *tcp, mtime_t now, enum tcp_pending pending, mtime_t delay);
void tcp_retransmit_rearm(struct tcp *tcp, mtime_t now); /* tcp_rearm_rto() */
/* New data went out (tcp_event_new_data_sent(), then tcp_schedule_loss_probe()). */
void tcp_retransmit_sent(struct tcp *tcp, mtime_t now, bool first);
void tcp_retransmit_fire(struct tcp *tcp, mtime_t now);
void tcp_give_up(struct tcp *tcp, mtime_t now); /* tcp_write_err() */
/* tcp_model_timeout(): how long `boundary` retransmissions would take from `base` on; the real RTO
 * and a path's delay do not matter. */
mtime_t tcp_model_timeout(const struct system *system, mtime_t base, unsigned boundary);
/* tcp_orphan_retries() */
unsigned tcp_orphan_retries(const struct tcp *tcp, bool alive);

/* tcp_tail_probe.c */
bool tcp_tail_probe_schedule(struct tcp *tcp, mtime_t now, bool advancing);
void tcp_tail_probe_fire(struct tcp *tcp, mtime_t now);
/* tcp_process_tlp_ack(); duplicate: a bare ACK that moves nothing. */
void tcp_tail_probe_acked(struct tcp *tcp, const struct tcp_segment *segment, bool duplicate);

/* tcp_loss.c */
unsigned tcp_packets_out(const struct tcp *tcp);
bool tcp_cwnd_allows(const struct tcp *tcp);
bool tcp_loss_recovering(const struct tcp *tcp); /* TCP_CA_Recovery or TCP_CA_Loss */
void tcp_loss_enter(struct tcp *tcp);            /* tcp_enter_loss() */
/* tcp_ack()'s part: SND.UNA has just moved from `una`. */
void tcp_loss_acked(struct tcp *tcp, mtime_t now, uint32_t una, const struct tcp_segment *segment);
/* A bare ACK that moves nothing. */
void tcp_loss_duplicate(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment);
void tcp_loss_fire(struct tcp *tcp, mtime_t now); /* tcp_rack_reo_timeout() */

/* tcp_persist.c */
void tcp_persist_check(struct tcp *tcp, mtime_t now); /* tcp_check_probe_timer() */
void tcp_persist_acked(struct tcp *tcp, mtime_t now); /* tcp_ack_probe() */
void tcp_persist_fire(struct tcp *tcp, mtime_t now);

/* tcp_delack.c */
void tcp_delack_init(struct tcp *tcp, mtime_t now);
void tcp_delack_schedule(struct tcp *tcp); /* inet_csk_schedule_ack() */
void tcp_delack_quick(struct tcp *tcp);    /* tcp_enter_quickack_mode() */
/* Payload came (tcp_event_data_recv()). */
void tcp_delack_received(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment);
void tcp_delack_data_sent(struct tcp *tcp, mtime_t now); /* tcp_event_data_sent() */
void tcp_delack_ack_sent(struct tcp *tcp);               /* tcp_event_ack_sent() */
/* tcp_ack_snd_check(); note: of the ACK if it goes out at once. */
void tcp_delack_check(struct tcp *tcp, mtime_t now, enum packet_note note);
void tcp_delack_read(struct tcp *tcp, mtime_t now, uint32_t bytes); /* tcp_cleanup_rbuf() */
void tcp_delack_fire(struct tcp *tcp, mtime_t now);

/* tcp_ending.c */
void tcp_ending_fin_in(struct tcp *tcp, mtime_t now); /* tcp_fin() */
void tcp_ending_fin_acked(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment);
void tcp_ending_orphaned(struct tcp *tcp, mtime_t now); /* the end of __tcp_close() */
void tcp_ending_bucket_input(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment);
bool tcp_ending_owns_timer(const struct tcp *tcp); /* SLOT_KEEPALIVE is not keepalive's */
void tcp_ending_fire(struct tcp *tcp, mtime_t now);
void tcp_enter_time_wait(struct tcp *tcp, mtime_t now);
void tcp_queue_fin(struct tcp *tcp, mtime_t now); /* tcp_send_fin() */

/* tcp_keepalive.c */
/* On, off, other times; before: what the socket's options were, NULL: just established. */
void tcp_keepalive_set(struct tcp *tcp, mtime_t now, const struct tcp_options *before);
void tcp_keepalive_heard(struct tcp *tcp, mtime_t now); /* any segment of the peer came; for Linux
                                                           last_ack and last_received say it all */
void tcp_keepalive_fire(struct tcp *tcp, mtime_t now);  /* SLOT_KEEPALIVE in an open state */

/* tcp_user_timeout.c: has what is outstanding or probed waited longer than the option allows?
 * `since` is when the waiting began. */
bool tcp_user_timeout_over(const struct tcp *tcp, mtime_t now, mtime_t since);
/* The delay, cut so that the timer does not run past the option's end
 * (tcp_clamp_rto_to_user_timeout). */
mtime_t tcp_user_timeout_clamp(const struct tcp *tcp, mtime_t now, mtime_t since, mtime_t delay);

/* tcp_reset.c: what became of a segment that is not simply acceptable. */
enum tcp_judgement { TCP_TAKE, TCP_ENDED, TCP_IGNORED };
/* A RST in a synchronized state, acceptable or not. ENDED: the socket is done, its application
 * told. */
enum tcp_judgement tcp_reset_in(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment);
/* A SYN in a synchronized state: a challenge ACK (RFC 5961 4.2). */
void tcp_challenge(struct tcp *tcp, mtime_t now);
/* A segment outside the window: a duplicate ACK, at most so often (tcp_oow_rate_limited()). */
void tcp_answer_outside(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment);

#endif
