/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/packet.h"
#include "tools/simulate/tcp_private.h"

/* The peer's window is closed (RFC 9293 3.8.6.1; tcp_probe_timer(), tcp_send_probe0(),
 * tcp_ack_probe()). Systems with a persist timer of their own have persist_min; Linux backs off
 * from the retransmission timeout. */

static mtime_t when(const struct tcp *tcp)
{
    const struct system *system = tcp->host->system;
    mtime_t base = tcp->rto > system->rto_min ? tcp->rto : system->rto_min;
    mtime_t longest = system->rto_max;

    if (system->persist_min) { /* TCPT_RANGESET() of 4.4BSD's tcp_setpersist() */
        base = system->persist_min;
        longest = system->persist_max;
    }
    for (unsigned i = 0; i < tcp->backoff && base < longest; i++)
        base *= 2; /* tcp_probe0_when() */
    return base < longest ? base : longest;
}

/* STCP's tcp_zerowin_abort_interval$: counted from the first segment that closes the window. */
static mtime_t abort_at(const struct tcp *tcp)
{
    mtime_t interval = tcp->host->system->zero_window_abort;

    return interval && tcp->window_closed != MTIME_NEVER ? mtime_add(tcp->window_closed, interval)
                                                         : MTIME_NEVER;
}

static mtime_t clamped(const struct tcp *tcp, mtime_t now, mtime_t delay)
{
    mtime_t abort = abort_at(tcp);

    if (tcp->window_closed == MTIME_NEVER) /* tcp_clamp_probe0_to_user_timeout() */
        return delay;
    if (abort != MTIME_NEVER && abort < now + delay)
        delay = abort > now ? abort - now : 0;
    return tcp_user_timeout_clamp(tcp, now, tcp->window_closed, delay);
}

static void wait_for_window(struct tcp *tcp, mtime_t now)
{
    if (tcp->snd_wnd == 0 && tcp->window_closed == MTIME_NEVER &&
        tcp->host->system->zero_window_abort)
        tcp->window_closed = now;
    tcp_set_pending(tcp, now, PENDING_PERSIST, clamped(tcp, now, when(tcp)));
}

static void forget(struct tcp *tcp)
{
    tcp->backoff = 0;
    tcp->window_closed = MTIME_NEVER;
}

void tcp_persist_check(struct tcp *tcp, mtime_t now)
{
    if (tcp_unsent(tcp) && !tcp_outstanding(tcp) && tcp->pending == PENDING_NONE)
        wait_for_window(tcp, now);
}

/* Does the first segment that waits fit into the window? */
static bool open_enough(const struct tcp *tcp)
{
    uint32_t left = tcp->write_seq - tcp->snd_nxt;

    return (left < tcp->mss ? left : tcp->mss) <= tcp->snd_wnd;
}

/* tcp_ack_probe(): an ACK while nothing is outstanding. */
void tcp_persist_acked(struct tcp *tcp, mtime_t now)
{
    if (!tcp_unsent(tcp))
        return;
    if (open_enough(tcp)) {
        forget(tcp);
        tcp_set_pending(tcp, now, PENDING_NONE, 0);
        return;
    }
    wait_for_window(tcp, now);
}

/* tcp_write_wakeup(): what fits if anything does, else a probe. A window narrower than a segment
 * that waits is sender's silly window avoidance, and this its way out. */
static void wake_up(struct tcp *tcp, mtime_t now)
{
    uint8_t nth = (uint8_t)(tcp->probes_out + 1);

    if (seq_before(tcp->snd_nxt, tcp_window_end(tcp))) {
        uint32_t left = tcp->write_seq - tcp->snd_nxt - tcp->fin_queued;
        uint32_t len = left < tcp->mss ? left : tcp->mss;

        if (len > tcp->snd_wnd)
            len = tcp->snd_wnd;
        if (tcp_send_new(tcp, now, len, true, NOTE_NONE))
            tcp_retransmit_rearm(tcp, now);
    } else if (tcp->host->system->probe_bytes && !tcp->fin_queued) {
        /* The next byte itself, outside the window; it counts as sent once it is acknowledged. */
        struct tcp_segment probe = {
            .seq = tcp->snd_una, .len = 1, .flags = TCP_ACK, .note = NOTE_WINDOW_PROBE, .nth = nth};

        tcp_transmit(tcp, now, &probe);
    } else {
        tcp_send_probe(tcp, now, 0, NOTE_WINDOW_PROBE, nth);
    }
}

/* tcp_probe_timer(): alive as long as the peer answers, unless nobody holds the socket or the user
 * set a limit. */
static bool over(const struct tcp *tcp, mtime_t now)
{
    const struct system *system = tcp->host->system;
    unsigned most = system->retries;
    mtime_t since = tcp->window_closed;

    if (since != MTIME_NEVER && tcp->options.user_timeout && tcp_user_timeout_over(tcp, now, since))
        return true;
    if (abort_at(tcp) <= now + system->tick) /* a slow timer may end a tick early */
        return true;
    if (tcp->orphaned && system->retries_by_time) {
        bool alive = when(tcp) < system->rto_max;

        most = tcp_orphan_retries(tcp, alive);
        if (!alive && tcp->backoff >= most)
            return true;
    }
    return tcp->probes_out >= most;
}

void tcp_persist_fire(struct tcp *tcp, mtime_t now)
{
    if (tcp_outstanding(tcp) || !tcp_unsent(tcp)) {
        tcp->probes_out = 0;
        tcp->window_closed = MTIME_NEVER;
        return;
    }
    if (over(tcp, now)) {
        tcp_give_up(tcp, now);
        return;
    }
    if (tcp->window_closed == MTIME_NEVER)
        tcp->window_closed = now;
    wake_up(tcp, now);
    if (tcp_outstanding(tcp)) { /* tcp_send_probe0() */
        tcp->probes_out = 0;
        forget(tcp);
        return;
    }
    tcp->probes_out++;
    if (tcp->backoff < tcp->host->system->retries)
        tcp->backoff++;
    tcp_set_pending(tcp, now, PENDING_PERSIST, clamped(tcp, now, when(tcp)));
}
