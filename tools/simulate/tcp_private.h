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

/* Kept small: a host with a million connections holds a million of these. Sequence ranges stand for
 * the kernel's queues; what was sent is cut into segments of mss again when it is sent again, as
 * the kernel's tcp_retrans_try_collapse() comes to in effect. */
struct tcp {
    struct tcp_host *host;
    mtime_t fires[TCP_SLOTS];   /* MTIME_NEVER: not armed */
    mtime_t expires[TCP_SLOTS]; /* what it was armed for; shown */
    struct tcp_options options;
    uint8_t state;   /* enum socket_state */
    uint8_t pending; /* enum tcp_pending, of SLOT_RETRANSMIT */

    /* sequence numbers and windows */
    bool timestamps, sack, wscale_ok;
    bool passive;  /* opened by a SYN of the peer */
    bool orphaned; /* no process holds it */
    bool bucket;   /* only the kernel's inet_timewait_sock is left: TIME_WAIT, or FIN_WAIT_2 */
    bool fin_queued, fin_received, eof_read;
    uint8_t snd_wscale, rcv_wscale;
    uint16_t mss; /* payload of a full segment: options are off */
    uint32_t iss, irs;
    uint32_t snd_una, snd_nxt, snd_wnd, snd_wl1;
    uint32_t write_seq; /* after the last byte the application wrote, and the FIN */
    uint32_t
        push_seq; /* after the last byte of the last write: the segment that ends there has PSH */
    uint32_t max_window;
    uint32_t rcv_nxt, rcv_wup, rcv_wnd;
    uint32_t unread;       /* payload the application has not taken */
    uint32_t ahead[2];     /* received out of order: first, after last; equal: none */
    uint32_t duplicate[2]; /* to be told as DSACK with the next ACK; equal: none */
    uint32_t ts_recent;
    bool ahead_fin;
    uint8_t note;       /* enum packet_note of the application's last write */
    int16_t error;      /* pending, as sk_err */
    int16_t soft_error; /* sk_err_soft: given instead of ETIMEDOUT */

    /* tcp_keepalive.c */
    mtime_t last_received; /* icsk_ack.lrcvtime: payload, or established; set by tcp_delack.c */
    mtime_t last_ack;      /* tp->rcv_tstamp: an acceptable ACK; set by tcp_input.c */
    uint32_t probes_sent;
    uint8_t probes_out; /* icsk_probes_out: keepalive or window probes unanswered */

    /* tcp_delack.c: struct inet_connection_sock's icsk_ack */
    uint8_t quick; /* ACKs still sent at once */
    bool ack_scheduled, ack_now, pushed, pushed_twice, pingpong;
    uint8_t duplicate_acks_sent;
    uint16_t rcv_mss, last_segment;
    mtime_t ato; /* adaptive delay; 0: no payload yet */

    /* tcp_rto.c; as the kernel: microseconds, srtt << 3, the deviations << 2 */
    uint32_t srtt_us, rttvar_us, mdev_us, mdev_max_us;
    uint32_t rtt_seq;
    mtime_t rto;
    mtime_t head_sent; /* when the segment at snd_una was sent last */
    mtime_t tail_sent; /* when the last segment was */

    /* tcp_retransmit.c */
    uint32_t small_end;  /* snd_sml: end of the last segment below mss (Nagle, Minshall's way) */
    uint32_t tail_seq;   /* where the last segment sent begins */
    uint32_t again_end;  /* highest end of what was sent again: Karn's rule */
    uint32_t lost_end;   /* tcp_enter_loss(): what was sent before is to be sent again... */
    uint32_t lost_next;  /* ... from here on, as the window allows */
    uint32_t probe_high; /* tlp_high_seq */
    bool probe_pending;  /* tlp_high_seq is set; tlp_retrans: it was old data */
    bool probe_again;
    uint8_t duplicate_acks; /* received in a row */
    uint8_t retransmits;    /* icsk_retransmits */
    uint8_t backoff;        /* icsk_backoff: doublings of rto, and of the window probes' time */
    uint16_t cwnd, ssthresh;
    uint16_t cwnd_count;
    uint32_t retransmits_sent;
    mtime_t retrans_stamp; /* first retransmission of what is outstanding; MTIME_NEVER: none */

    /* tcp_persist.c */
    mtime_t window_closed; /* icsk_probes_tstamp: the first probe's time; MTIME_NEVER: none */

    /* tcp_reset.c: the fields it needs; last_outside: last answer to a segment out of window */
    mtime_t last_outside; /* MTIME_NEVER: none yet */
};

/* Arms a slot for `delay` from now: fires[] and expires[] by the host's clock (tcp_clock.c). */
void tcp_arm(struct tcp *tcp, enum tcp_timer_slot slot, mtime_t now, mtime_t delay);
void tcp_disarm(struct tcp *tcp, enum tcp_timer_slot slot);

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
/* A new segment of len at SND.NXT, FIN included if it is the last. */
void tcp_send_new(struct tcp *tcp, mtime_t now, uint32_t len, bool psh, enum packet_note note);
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
void tcp_retransmit_rearm(struct tcp *tcp, mtime_t now); /* tcp_rearm_rto() */
/* New data went out (tcp_event_new_data_sent(), then tcp_schedule_loss_probe()). */
void tcp_retransmit_sent(struct tcp *tcp, mtime_t now, bool first);
/* tcp_ack()'s part: SND.UNA is now `ack`, before it was `una`. */
void tcp_retransmit_acked(struct tcp *tcp, mtime_t now, uint32_t una,
                          const struct tcp_segment *segment);
void tcp_retransmit_duplicate(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment);
void tcp_retransmit_fire(struct tcp *tcp, mtime_t now);
unsigned tcp_packets_out(const struct tcp *tcp);
bool tcp_cwnd_allows(const struct tcp *tcp);
void tcp_give_up(struct tcp *tcp, mtime_t now, bool reset); /* tcp_write_err() */
/* tcp_orphan_retries() */
unsigned tcp_orphan_retries(const struct tcp *tcp, bool alive);
/* Disarms and clears what is pending in SLOT_RETRANSMIT, or arms it. */
void tcp_set_pending(struct tcp *tcp, mtime_t now, enum tcp_pending pending, mtime_t delay);

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
void tcp_delack_data_sent(struct tcp *tcp, mtime_t now);            /* tcp_event_data_sent() */
void tcp_delack_ack_sent(struct tcp *tcp);                          /* tcp_event_ack_sent() */
void tcp_delack_check(struct tcp *tcp, mtime_t now);                /* tcp_ack_snd_check() */
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
void tcp_keepalive_set(struct tcp *tcp,
                       mtime_t now); /* on, off, other times; also when established */
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
