/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SEEN_H
#define IDLEWALL_SEEN_H

/* The words for what can be seen of a socket and a packet: expectations ask for them, timelines
 * show them. */

#include <stddef.h>

/* As ss names them; GONE: there is no such socket (any more). */
enum socket_state {
    SOCKET_GONE,
    SOCKET_SYN_SENT,
    SOCKET_SYN_RECV,
    SOCKET_ESTABLISHED,
    SOCKET_FIN_WAIT_1,
    SOCKET_FIN_WAIT_2,
    SOCKET_CLOSE_WAIT,
    SOCKET_CLOSING,
    SOCKET_LAST_ACK,
    SOCKET_TIME_WAIT,
};
#define SOCKET_STATES (SOCKET_TIME_WAIT + 1)

/* The one timer that ss and netstat show (net/ipv4/tcp_diag.c, inet_diag.c): a pending
 * retransmission hides keepalive. */
enum socket_timer { TIMER_OFF, TIMER_ON, TIMER_KEEPALIVE, TIMER_TIMEWAIT, TIMER_PERSIST };
#define SOCKET_TIMERS (TIMER_PERSIST + 1)

/* What a packet is for, beyond its flags. */
enum packet_note {
    NOTE_NONE,
    NOTE_PROBE, /* keepalive */
    NOTE_PROBE_ANSWER,
    NOTE_WINDOW_PROBE, /* zero window */
    NOTE_WINDOW_ANSWER,
    NOTE_RETRANSMIT,
    NOTE_TAIL_PROBE,
    NOTE_CHALLENGE, /* RFC 5961 */
    NOTE_WINDOW_UPDATE,
    NOTE_HEARTBEAT,
    NOTE_DCD, /* a firewall's question */
};
#define PACKET_NOTES (NOTE_DCD + 1)

/* Static texts. */
const char *socket_state_name(enum socket_state state); /* "ESTABLISHED"; GONE: "gone" */
const char *socket_timer_name(enum socket_timer timer); /* "keepalive", as ss */
const char *packet_note_name(enum packet_note note);    /* "keepalive probe"; NONE: "" */
const char *packet_note_word(enum packet_note note);    /* "probe"; NONE: "" */
/* "ETIMEDOUT"; NULL for numbers that no story can give. Both ways. */
const char *errno_name(int error);
int errno_parse(const char *name, size_t len); /* 0: unknown */

int socket_state_parse(const char *name, size_t len); /* -1: none; `gone` is SOCKET_GONE */
int socket_timer_parse(const char *name, size_t len); /* -1 */
int packet_note_parse(const char *name, size_t len);  /* as one word: `probe`, `window-probe`; -1 */

#endif
