/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/tcp_private.h"

#include <errno.h>

/* The retransmission timer and when it gives up (net/ipv4/tcp_timer.c). */

void tcp_set_pending(struct tcp *tcp, mtime_t now, enum tcp_pending pending, mtime_t delay)
{
    tcp->pending = (uint8_t)pending;
    if (pending == PENDING_NONE)
        tcp_disarm(tcp, SLOT_RETRANSMIT);
    else
        tcp_arm(tcp, SLOT_RETRANSMIT, now, delay);
}

/* What a tail loss probe's timer took the place of counts from when the head was sent. */
void tcp_retransmit_rearm(struct tcp *tcp, mtime_t now)
{
    mtime_t delay = tcp->rto;

    if (!tcp_outstanding(tcp)) {
        tcp_set_pending(tcp, now, PENDING_NONE, 0);
        return;
    }
    if (tcp->pending == PENDING_TAIL_PROBE) {
        delay = tcp->head_sent + tcp->rto - now;
        if (delay < 1000)
            delay = 1000;
    }
    tcp_set_pending(tcp, now, PENDING_RETRANSMIT, delay);
}

void tcp_retransmit_sent(struct tcp *tcp, mtime_t now, bool first)
{
    if (first || tcp->pending == PENDING_TAIL_PROBE)
        tcp_retransmit_rearm(tcp, now);
    tcp_tail_probe_schedule(tcp, now, false);
}

void tcp_give_up(struct tcp *tcp, mtime_t now)
{
    if (tcp->host->system->rst_on_timeout)
        tcp_send_reset(tcp, now);
    tcp_done(tcp, tcp->soft_error ? tcp->soft_error : ETIMEDOUT);
}

unsigned tcp_orphan_retries(const struct tcp *tcp, bool alive)
{
    unsigned retries = tcp->host->system->orphan_retries;

    if (tcp->soft_error && !alive)
        retries = 0;
    if (retries == 0 && alive)
        retries = 8;
    return retries;
}

mtime_t tcp_model_timeout(const struct system *system, mtime_t base, unsigned boundary)
{
    unsigned doublings = 0;

    while (base << (doublings + 1) <= system->rto_max)
        doublings++;
    if (boundary <= doublings)
        return ((INT64_C(2) << boundary) - 1) * base;
    return ((INT64_C(2) << doublings) - 1) * base +
           (mtime_t)(boundary - doublings) * system->rto_max;
}

/* retransmits_timed_out(), of tcp_write_timeout(). Others count. */
static bool timed_out(const struct tcp *tcp, mtime_t now)
{
    const struct system *system = tcp->host->system;
    unsigned boundary = system->retries;

    if (tcp->retransmits && tcp->options.user_timeout)
        return tcp_user_timeout_over(tcp, now, tcp->retrans_stamp);
    if (!system->retries_by_time)
        return tcp->retransmits >= boundary;
    if (tcp->orphaned)
        boundary = tcp_orphan_retries(tcp, tcp->rto < system->rto_max);
    return tcp->retransmits &&
           now - tcp->retrans_stamp >= tcp_model_timeout(system, system->rto_min, boundary);
}

static mtime_t waiting_since(const struct tcp *tcp)
{
    return tcp->retrans_stamp != MTIME_NEVER ? tcp->retrans_stamp : tcp->head_sent;
}

/* tcp_rtx_probe0_timed_out(): the window was closed over what is outstanding. It is sent again as a
 * probe, and given up only when nothing came for long. */
static bool closed_timed_out(const struct tcp *tcp, mtime_t now)
{
    mtime_t longest = 2 * tcp->host->system->rto_max, waited = now - waiting_since(tcp);

    if (tcp->options.user_timeout) {
        if (waited > tcp->options.user_timeout)
            return true;
        if (tcp->options.user_timeout < longest)
            longest = tcp->options.user_timeout;
    }
    return now - tcp->last_ack > longest && waited > longest;
}

static void again(struct tcp *tcp, mtime_t now)
{
    uint32_t end = tcp_send_again(tcp, now, tcp->snd_una, NOTE_RETRANSMIT);

    tcp->lost_next = end;
    if (tcp->retrans_stamp == MTIME_NEVER)
        tcp->retrans_stamp = now;
    tcp_rto_back_off(tcp);
    tcp_set_pending(tcp, now, PENDING_RETRANSMIT,
                    tcp_user_timeout_clamp(tcp, now, tcp->retrans_stamp, tcp->rto));
}

/* tcp_retransmit_timer() */
static void timer(struct tcp *tcp, mtime_t now)
{
    bool closed = tcp->snd_wnd == 0 && !tcp->orphaned;

    if (!tcp_outstanding(tcp))
        return;
    tcp->probe_pending = false;
    if (closed ? closed_timed_out(tcp, now) : timed_out(tcp, now)) {
        tcp_give_up(tcp, now);
        return;
    }
    tcp_loss_enter(tcp);
    if (!closed && tcp->retransmits < UINT8_MAX)
        tcp->retransmits++;
    again(tcp, now);
}

/* tcp_write_timer_handler() */
void tcp_retransmit_fire(struct tcp *tcp, mtime_t now)
{
    enum tcp_pending pending = tcp->pending;

    switch (pending) {
    case PENDING_NONE:
        break;
    case PENDING_TAIL_PROBE:
        tcp_tail_probe_fire(tcp, now);
        break;
    case PENDING_REORDER:
        tcp->pending = PENDING_NONE;
        tcp_loss_fire(tcp, now);
        break;
    case PENDING_RETRANSMIT:
        tcp->pending = PENDING_NONE;
        if (tcp->state < SOCKET_ESTABLISHED)
            tcp_handshake_fire(tcp, now);
        else
            timer(tcp, now);
        break;
    case PENDING_PERSIST:
        tcp->pending = PENDING_NONE;
        tcp_persist_fire(tcp, now);
        break;
    }
}
