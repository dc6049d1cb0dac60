/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/packet.h"
#include "tools/simulate/tcp_private.h"

#include <errno.h>

/* RFC 9293 3.10.7, RFC 5961; net/ipv4/tcp_input.c: tcp_validate_incoming(), tcp_reset(),
 * tcp_send_challenge_ack(), tcp_oow_rate_limited(); net/ipv4/tcp_ipv4.c: tcp_v4_send_reset(). Not
 * modelled: a SYN that happens to be in the window of a stack of RFC 793's time, which ends the
 * connection with a RST; it is answered like those outside. */

/* __tcp_oow_rate_limited(): one answer for every challenge_interval, whatever it is for. */
static bool too_soon(struct tcp *tcp, mtime_t now)
{
    mtime_t interval = tcp->host->system->challenge_interval;

    if (interval && tcp->last_outside != MTIME_NEVER &&
        tcp_elapsed(tcp, now, tcp->last_outside) < interval)
        return true;
    tcp->last_outside = now;
    return false;
}

/* RFC 5961 7: so many a second for the whole host; the kernel draws how many, so that nobody can
 * count on it (CVE-2016-5696). */
static bool host_allows(struct tcp_host *host, mtime_t now)
{
    mtime_t second = now / MTIME_SEC + 1; /* 0: none yet */
    unsigned limit = host->system->challenge_limit;

    if (limit == 0)
        return true;
    if (host->challenge_second != second) {
        host->challenge_second = second;
        host->challenges = (limit + 1) / 2 + tcp_random(host) % limit;
    }
    if (host->challenges == 0)
        return false;
    host->challenges--;
    return true;
}

void tcp_challenge(struct tcp *tcp, mtime_t now)
{
    if (!too_soon(tcp, now) && host_allows(tcp->host, now))
        tcp_send_ack(tcp, now, NOTE_CHALLENGE);
}

/* What the answer to a segment outside the window is for: a probe stands just below RCV.NXT. */
static enum packet_note answer_note(const struct tcp *tcp, const struct tcp_segment *segment)
{
    if (segment->flags & (TCP_SYN | TCP_FIN))
        return NOTE_NONE;
    if (tcp_receive_window(tcp) == 0)
        return NOTE_WINDOW_ANSWER;
    return segment->seq + 1 == tcp->rcv_nxt ? NOTE_PROBE_ANSWER : NOTE_NONE;
}

/* Payload makes no loop of ACKs, so only segments without any are limited: zero-length probes too.
 */
void tcp_answer_outside(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    bool loops = tcp_segment_end(segment) == segment->seq || (segment->flags & TCP_SYN);

    if (loops && tcp->host->system->probe_answer_limited && too_soon(tcp, now))
        return;
    tcp_send_ack(tcp, now, answer_note(tcp, segment));
}

/* tcp_reset() */
static enum tcp_judgement reset(struct tcp *tcp)
{
    int error = ECONNRESET;

    if (tcp->state == SOCKET_SYN_SENT)
        error = ECONNREFUSED;
    else if (tcp->state == SOCKET_CLOSE_WAIT)
        error = EPIPE;
    tcp_done(tcp, error);
    return TCP_ENDED;
}

/* tcp_reset_check(): one below RCV.NXT after a FIN, as macOS sends it. */
static bool below_fin(const struct tcp *tcp, const struct tcp_segment *segment)
{
    return segment->seq + 1 == tcp->rcv_nxt &&
           (tcp->state == SOCKET_CLOSE_WAIT || tcp->state == SOCKET_LAST_ACK ||
            tcp->state == SOCKET_CLOSING);
}

/* The right edge of what came ahead is as good as RCV.NXT: a sender beyond a gap knows no other. */
static bool at_sack_edge(const struct tcp *tcp, const struct tcp_segment *segment)
{
    return tcp->sack && tcp->ahead[0] != tcp->ahead[1] && segment->seq == tcp->ahead[1];
}

/* RFC 793's check, 3.4 and page 69, as 4.4BSD has it: what is below RCV.NXT is trimmed away. */
static bool in_window(const struct tcp *tcp, const struct tcp_segment *segment)
{
    uint32_t window = tcp_receive_window(tcp), at = segment->seq - tcp->rcv_nxt;

    return at == 0 || at < window;
}

enum tcp_judgement tcp_reset_in(struct tcp *tcp, mtime_t now, const struct tcp_segment *segment)
{
    if (tcp->host->system->reset == RESET_IN_WINDOW)
        return in_window(tcp, segment) ? reset(tcp) : TCP_IGNORED;
    if (below_fin(tcp, segment))
        return reset(tcp);
    if (!tcp_acceptable(tcp, segment))
        return TCP_IGNORED;
    if (segment->seq == tcp->rcv_nxt || at_sack_edge(tcp, segment))
        return reset(tcp);
    tcp_challenge(tcp, now);
    return TCP_IGNORED;
}

/* RFC 9293 3.10.7.1. The same from a host that was rebooted; one that is down answers nothing. */
bool tcp_answer_closed(const struct tcp_segment *segment, struct tcp_segment *answer)
{
    if (segment->flags & TCP_RST)
        return false;
    *answer = (struct tcp_segment){.flags = TCP_RST, .wscale = TCP_NO_WSCALE};
    if (segment->flags & TCP_ACK) {
        answer->seq = segment->ack;
    } else {
        answer->flags |= TCP_ACK;
        answer->ack = tcp_segment_end(segment);
    }
    return true;
}
