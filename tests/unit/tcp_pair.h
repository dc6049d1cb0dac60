/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_TCP_PAIR_H
#define IDLEWALL_TCP_PAIR_H

/*
 * Two sockets joined by a wire, for tests. Everything that is sent is written down, one line each:
 *     MILLISECONDS C|S FLAGS FIRST:LAST(LEN) ack ACK [note] [x]
 * with numbers relative to the first SYN's, and x for what gets lost. A line may also be
 * `MILLISECONDS C|S !NOTICE [ERRNO]`. pair_trace() returns what came since the last call.
 * Both reads at once whatever comes, unless told not to.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "middlebox/engine/packet.h"
#include "tools/simulate/tcp_private.h"

#define PAIR_FLIGHT 4096
#define PAIR_TEXT 65536
#define MS MTIME_MSEC
#define SEC MTIME_SEC

enum { CLIENT, SERVER };

struct pair;
struct pair_end {
    struct pair *pair;
    int side;
};

struct pair {
    struct system system[2];
    struct tcp_host host[2];
    struct tcp tcp[2];
    struct pair_end end[2];
    struct tcp_options options;
    mtime_t now, delay;
    bool blocked[2];       /* all that this side sends gets lost */
    unsigned lose_next[2]; /* so many of what it sends next */
    uint32_t lose_seq[2];  /* payload from here on is lost once; 0: none (relative) */
    bool reads[2];
    bool unrouted[2]; /* what this side sends does not leave it */
    bool deaf[2];     /* no socket hears at that side, and nothing answers */
    bool listening, accepted, gone[2];
    bool to_read[2];
    bool mute;            /* nothing is written down */
    uint32_t received[2]; /* payload read */
    struct {
        mtime_t at;
        int to;
        struct tcp_segment segment;
    } flight[PAIR_FLIGHT];
    size_t first, n; /* in order: the delay is the same for all */
    char text[PAIR_TEXT];
    size_t len, shown;
    struct tcp_segment last[2]; /* what each side sent last */
};

/* What the tests assume of Linux; the preset has its own test. The clock is exact. */
static const struct system pair_linux = {
    .name = "test",
    .product = "test",
    .clock = CLOCK_EXACT,
    .hz = 250,
    .keepalive = {7200 * SEC, 75 * SEC, 9},
    .keepalive_rst = true,
    .syn_retries = 6,
    .synack_retries = 5,
    .syn_linear = 4,
    .rto_initial = SEC,
    .rto_min = 200 * MS,
    .rto_max = 120 * SEC,
    .retries = 15,
    .retries_by_time = true,
    .tail_loss_probe = true,
    .delayed_ack = 200 * MS,
    .delayed_ack_adaptive = true,
    .fin_timeout = 60 * SEC,
    .fin_timeout_orphaned = true,
    .time_wait = 60 * SEC,
    .reset = RESET_EXACT,
    .challenge_interval = 500 * MS,
    .probe_answer_limited = true,
    .mss = 1460,
    .receive_buffer = 65536,
    .timestamps = true,
    .window_scale = true,
    .sack = true,
    .wscale = 7,
};

static inline void pair_say(struct pair *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void pair_say(struct pair *p, const char *format, ...)
{
    va_list args;

    if (p->mute)
        return;
    va_start(args, format);
    p->len += (size_t)vsnprintf(p->text + p->len, PAIR_TEXT - p->len, format, args);
    va_end(args);
    if (p->len >= PAIR_TEXT)
        fail_msg("the trace is full");
}

static inline void pair_say_time(struct pair *p, int side)
{
    mtime_t us = p->now / 1000;

    if (us % 1000)
        pair_say(p, "%lld.%03lld %c ", (long long)(us / 1000), (long long)(us % 1000), "CS"[side]);
    else
        pair_say(p, "%lld %c ", (long long)(us / 1000), "CS"[side]);
}

static const char *const pair_note[PACKET_NOTES] = {
    [NOTE_PROBE] = "keepalive probe",     [NOTE_PROBE_ANSWER] = "keepalive answer",
    [NOTE_WINDOW_PROBE] = "window probe", [NOTE_WINDOW_ANSWER] = "window answer",
    [NOTE_RETRANSMIT] = "retransmission", [NOTE_TAIL_PROBE] = "tail loss probe",
    [NOTE_CHALLENGE] = "challenge ACK",   [NOTE_WINDOW_UPDATE] = "window update",
    [NOTE_HEARTBEAT] = "heartbeat",
};

static inline bool pair_loses(struct pair *p, int from, const struct tcp_segment *segment)
{
    uint32_t seq = segment->seq - p->tcp[from].iss;

    if (p->blocked[from])
        return true;
    if (p->lose_seq[from] && segment->len && seq == p->lose_seq[from]) {
        p->lose_seq[from] = 0;
        return true;
    }
    if (p->lose_next[from]) {
        p->lose_next[from]--;
        return true;
    }
    return false;
}

static inline void pair_put(struct pair *p, int from, const struct tcp_segment *segment)
{
    bool lost = pair_loses(p, from, segment);
    uint32_t seq = segment->seq - p->tcp[from].iss, ack = segment->ack - p->tcp[!from].iss;
    const char *note = pair_note[segment->note];

    pair_say_time(p, from);
    pair_say(p, "%s%s%s%s%s", segment->flags & TCP_SYN ? "S" : "",
             segment->flags & TCP_FIN ? "F" : "", segment->flags & TCP_RST ? "R" : "",
             segment->flags & TCP_PSH ? "P" : "", segment->flags & TCP_ACK ? "." : "");
    pair_say(p, " %d:%d(%u)", (int)seq, (int)(seq + segment->len), segment->len);
    if (segment->flags & TCP_ACK)
        pair_say(p, " ack %d", (int)ack);
    pair_say(p, "%s%s%s\n", note ? " " : "", note ? note : "", lost ? " x" : "");
    p->last[from] = *segment;
    if (lost)
        return;
    assert_true(p->n < PAIR_FLIGHT);
    p->flight[(p->first + p->n) % PAIR_FLIGHT].at = p->now + p->delay;
    p->flight[(p->first + p->n) % PAIR_FLIGHT].to = !from;
    p->flight[(p->first + p->n) % PAIR_FLIGHT].segment = *segment;
    p->n++;
}

static inline void pair_transmit(void *arg, struct tcp *tcp, const struct tcp_segment *segment)
{
    struct pair_end *end = arg;

    (void)tcp;
    if (end->pair->unrouted[end->side])
        return;
    pair_put(end->pair, end->side, segment);
}

static inline bool pair_routed(void *arg, struct tcp *tcp)
{
    const struct pair_end *end = arg;

    (void)tcp;
    return !end->pair->unrouted[end->side];
}

static inline void pair_notify(void *arg, struct tcp *tcp, enum tcp_notice notice, int error)
{
    static const char *const name[] = {"connected", "accepted", "", "eof", "", "error", "gone"};
    struct pair_end *end = arg;
    struct pair *p = end->pair;

    (void)tcp;
    if (notice == TCP_READABLE)
        p->to_read[end->side] = true;
    if (notice == TCP_GONE)
        p->gone[end->side] = true;
    if (notice == TCP_ACCEPTED)
        p->accepted = true;
    if (!name[notice][0])
        return;
    pair_say_time(p, end->side);
    if (error)
        pair_say(p, "!%s %s\n", name[notice], strerrorname_np(error));
    else
        pair_say(p, "!%s\n", name[notice]);
}

static const struct tcp_wiring pair_wiring = {pair_transmit, pair_notify, pair_routed};

static inline void pair_init(struct pair *p, const struct system *client,
                             const struct system *server)
{
    memset(p, 0, sizeof(*p));
    p->system[CLIENT] = *client;
    p->system[SERVER] = *server;
    p->delay = 5 * MS;
    p->listening = true;
    for (int i = 0; i < 2; i++) {
        p->end[i] = (struct pair_end){p, i};
        p->host[i] = (struct tcp_host){.system = &p->system[i],
                                       .wiring = &pair_wiring,
                                       .arg = &p->end[i],
                                       .ts_offset = 1000u * (unsigned)(i + 1),
                                       .random = (uint64_t)i + 1,
                                       .challenge_second = -1};
        tcp_init(&p->tcp[i], &p->host[i], &p->options);
        p->reads[i] = true;
    }
}

static inline void pair_arrive(struct pair *p, int side, const struct tcp_segment *segment)
{
    struct tcp *tcp = &p->tcp[side];
    struct tcp_segment answer;

    if (p->deaf[side])
        return;
    if (side == SERVER && p->listening && tcp->state == SOCKET_GONE && segment->flags == TCP_SYN)
        tcp_accept(tcp, p->now, segment);
    else if (p->gone[side] || tcp->state == SOCKET_GONE) {
        if (tcp_answer_closed(segment, &answer))
            pair_put(p, side, &answer);
    } else
        tcp_input(tcp, p->now, segment);
}

static inline void pair_read(struct pair *p, int side)
{
    int64_t bytes;

    if (!p->to_read[side] || !p->reads[side])
        return;
    p->to_read[side] = false;
    bytes = tcp_read(&p->tcp[side], p->now);
    if (bytes > 0)
        p->received[side] += (uint32_t)bytes;
}

/* Plays up to and with `until`. */
static inline void pair_run(struct pair *p, mtime_t until)
{
    for (;;) {
        mtime_t next = p->n ? p->flight[p->first].at : MTIME_NEVER;
        int timer = -1;

        for (int i = 0; i < 2; i++)
            if (tcp_due(&p->tcp[i]) < next) {
                next = tcp_due(&p->tcp[i]);
                timer = i;
            }
        if (next > until)
            break;
        p->now = next;
        if (timer >= 0) {
            tcp_timer(&p->tcp[timer], p->now);
        } else {
            struct tcp_segment segment = p->flight[p->first].segment;
            int to = p->flight[p->first].to;

            p->first = (p->first + 1) % PAIR_FLIGHT;
            p->n--;
            pair_arrive(p, to, &segment);
        }
        pair_read(p, CLIENT);
        pair_read(p, SERVER);
    }
    p->now = until;
}

static inline const char *pair_trace(struct pair *p)
{
    const char *since = p->text + p->shown;

    p->shown = p->len;
    p->text[p->len] = '\0';
    p->len++; /* the next trace starts behind its end */
    p->shown = p->len;
    p->text[p->len] = '\0';
    return since;
}

static inline void pair_send(struct pair *p, int side, uint32_t bytes)
{
    assert_int_equal(tcp_send(&p->tcp[side], p->now, bytes, NOTE_NONE), 0);
}

/* Established at 10 ms with a delay of 5 ms; the time is 1 s. */
static inline void pair_open(struct pair *p)
{
    tcp_connect(&p->tcp[CLIENT], p->now);
    pair_run(p, SEC);
    assert_int_equal(p->tcp[CLIENT].state, SOCKET_ESTABLISHED);
    assert_int_equal(p->tcp[SERVER].state, SOCKET_ESTABLISHED);
    pair_trace(p);
}

static inline struct socket_view pair_view(const struct pair *p, int side)
{
    struct socket_view view;

    tcp_view(&p->tcp[side], &view);
    return view;
}

#endif
