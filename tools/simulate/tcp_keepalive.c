/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/tcp_private.h"

#include <errno.h>

/*
 * Keepalive (RFC 9293 3.8.4). Two families:
 * - Linux (net/ipv4/tcp_timer.c, tcp_keepalive_timer()): nothing pushes the timer back. It runs
 * out, looks how long nothing came, and is set for what is left; while anything is unacknowledged
 * or waits to be sent, retransmission has the say.
 * - those that count from the last segment received (keepalive_from_receipt): 4.4BSD's
 *   tcp_timers(), with the timer restarted by every segment or, as FreeBSD and illumos do it, set
 * for what is left. They probe also while data are outstanding; only illumos does not.
 */

static bool wanted(const struct tcp *tcp)
{
    return tcp->options.keepalive || tcp->host->system->keepalive_always;
}

/* What the socket does not say is the system's (keepalive_time_when() and its like). Never 0, or
 * time would stand still. */
static mtime_t idle_time(const struct tcp *tcp)
{
    mtime_t idle =
        tcp->options.times.idle ? tcp->options.times.idle : tcp->host->system->keepalive.idle;

    return idle > MTIME_MSEC ? idle : MTIME_MSEC;
}

static mtime_t interval(const struct tcp *tcp)
{
    return tcp->options.times.interval ? tcp->options.times.interval
                                       : tcp->host->system->keepalive.interval;
}

static unsigned count(const struct tcp *tcp)
{
    return tcp->options.times.count ? tcp->options.times.count : tcp->host->system->keepalive.count;
}

static bool from_receipt(const struct tcp *tcp)
{
    return tcp->host->system->keepalive_from_receipt;
}

/* illumos: TCP_KEEPINTVL makes the intervals even and does away with the time limit. */
static bool backs_off(const struct tcp *tcp)
{
    return tcp->host->system->keepalive_backoff && interval(tcp) == 0;
}

/* keepalive_time_elapsed(); what counts from receipt has every segment in last_ack. */
static mtime_t silence(const struct tcp *tcp, mtime_t now)
{
    mtime_t since = tcp->last_received > tcp->last_ack ? tcp->last_received : tcp->last_ack;

    return tcp_elapsed(tcp, now, since);
}

static void rearm(struct tcp *tcp, mtime_t now, mtime_t delay)
{
    tcp_arm(tcp, SLOT_KEEPALIVE, now, delay > MTIME_MSEC ? delay : MTIME_MSEC);
}

/*
 * Linux: the whole time when it is turned on (tcp_set_keepalive()), what is left when only the time
 * changes (tcp_sock_set_keepidle_locked()); other settings do not touch the timer. BSD's timer
 * always runs, and looks at SO_KEEPALIVE only when it is over.
 */
void tcp_keepalive_set(struct tcp *tcp, mtime_t now, const struct tcp_options *before)
{
    mtime_t idle = idle_time(tcp), quiet = silence(tcp, now);
    bool running = tcp->fires[SLOT_KEEPALIVE] != MTIME_NEVER;

    if (tcp_ending_owns_timer(tcp) || tcp->state == SOCKET_TIME_WAIT)
        return;
    if (!wanted(tcp))
        tcp_disarm(tcp, SLOT_KEEPALIVE);
    else if (!before)
        rearm(tcp, now, idle);
    else if (!running)
        rearm(tcp, now, from_receipt(tcp) ? idle - quiet % idle : idle);
    else if (before->times.idle == tcp->options.times.idle)
        return;
    else if (from_receipt(tcp)) /* FreeBSD's tcp_ctloutput(): from now on */
        rearm(tcp, now, idle);
    else
        rearm(tcp, now, idle > quiet ? idle - quiet : 0);
}

/* The start of 4.4BSD's tcp_input(): before anything is known about the segment. */
void tcp_keepalive_heard(struct tcp *tcp, mtime_t now)
{
    if (!from_receipt(tcp))
        return;
    tcp->last_ack = now;
    if (tcp->pending != PENDING_PERSIST) /* else they count window probes */
        tcp->probes_out = 0;
    if (tcp->host->system->keepalive_pushed && wanted(tcp) && !tcp_ending_owns_timer(tcp))
        rearm(tcp, now, idle_time(tcp));
}

static void probe(struct tcp *tcp, mtime_t now)
{
    unsigned nth = tcp->probes_out < UINT8_MAX ? tcp->probes_out + 1u : UINT8_MAX;

    tcp_send_probe(tcp, now, tcp->host->system->probe_bytes, NOTE_PROBE, (uint8_t)nth);
    tcp->probes_sent++;
    tcp->probes_out = (uint8_t)nth;
}

static void give_up(struct tcp *tcp, mtime_t now)
{
    if (tcp->host->system->keepalive_rst)
        tcp_send_reset(tcp, now);
    tcp_done(tcp, tcp->soft_error ? tcp->soft_error : ETIMEDOUT); /* tcp_write_err() */
}

/* TCP_USER_TIMEOUT takes the place of the count (RFC 5482 4.2 allows it). */
static bool used_up(const struct tcp *tcp, mtime_t quiet)
{
    if (tcp->options.user_timeout)
        return quiet >= tcp->options.user_timeout && tcp->probes_out > 0;
    return tcp->probes_out >= count(tcp);
}

static void linux_fire(struct tcp *tcp, mtime_t now)
{
    mtime_t idle = idle_time(tcp), quiet = silence(tcp, now);

    if (tcp_outstanding(tcp) || tcp_unsent(tcp)) {
        rearm(tcp, now, idle); /* "It is alive without keepalive" */
    } else if (quiet < idle) {
        rearm(tcp, now, idle - quiet);
    } else if (used_up(tcp, quiet)) {
        give_up(tcp, now);
    } else {
        probe(tcp, now);
        rearm(tcp, now, interval(tcp));
    }
}

/* illumos tcp_keepalive_timer(): first the RTO, then doubled up to its limit, and not so long that
 * the idle time is reached. */
static mtime_t next_probe(const struct tcp *tcp)
{
    mtime_t longest = tcp->host->system->rto_max, delay = tcp->rto;

    if (!backs_off(tcp))
        return interval(tcp);
    for (unsigned i = 1; i < tcp->probes_out && delay < longest; i++)
        delay *= 2;
    if (delay > longest)
        delay = longest;
    return delay < idle_time(tcp) ? delay : idle_time(tcp) - MTIME_MSEC;
}

static bool over(const struct tcp *tcp, mtime_t quiet)
{
    const struct system *system = tcp->host->system;

    if (system->keepalive_abort && (backs_off(tcp) || count(tcp) == 0))
        return quiet > idle_time(tcp) + system->keepalive_abort;
    return tcp->probes_out >= count(tcp);
}

static void bsd_fire(struct tcp *tcp, mtime_t now)
{
    bool quiet_only = tcp->host->system->keepalive_backoff;
    mtime_t idle = idle_time(tcp), quiet = silence(tcp, now);

    if (tcp->state != SOCKET_ESTABLISHED && tcp->state != SOCKET_CLOSE_WAIT) {
        rearm(tcp, now, idle);
    } else if (!tcp->host->system->keepalive_pushed && quiet < idle) {
        rearm(tcp, now, idle - quiet);
    } else if (over(tcp, quiet)) {
        give_up(tcp, now);
    } else if (quiet_only && tcp_outstanding(tcp)) {
        rearm(tcp, now, idle);
    } else {
        probe(tcp, now);
        rearm(tcp, now, next_probe(tcp));
    }
}

void tcp_keepalive_fire(struct tcp *tcp, mtime_t now)
{
    if (!wanted(tcp) || !tcp_established(tcp))
        return;
    if (from_receipt(tcp))
        bsd_fire(tcp, now);
    else
        linux_fire(tcp, now);
}
