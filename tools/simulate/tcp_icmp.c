/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/tcp_private.h"

#include <errno.h>

/* ICMP errors (RFC 1122 4.2.3.9, RFC 5927, RFC 6069; net/ipv4/tcp_ipv4.c: tcp_v4_err(),
 * tcp_req_err(), tcp_ld_RTO_revert()). Not modelled: path MTU discovery, IP_RECVERR. */

enum { ICMP_UNREACHABLE = 3, ICMP_EXCEEDED = 11, ICMP_PARAMETER = 12 };
enum { NET = 0, HOST = 1, PROTOCOL = 2, PORT = 3, FRAGMENTATION = 4, ADMIN = 13 };

static const int unreachable[] = {/* icmp_err_convert[] of net/ipv4/icmp.c */
                                  ENETUNREACH,  EHOSTUNREACH, ENOPROTOOPT,  ECONNREFUSED,
                                  EMSGSIZE,     EOPNOTSUPP,   ENETUNREACH,  EHOSTDOWN,
                                  ENONET,       ENETUNREACH,  EHOSTUNREACH, ENETUNREACH,
                                  EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH};
#define CODES (sizeof(unreachable) / sizeof(unreachable[0]))

/* 0: nothing that TCP heeds (redirects, source quench, path MTU). */
static int error_of(uint8_t type, uint8_t code)
{
    if (type == ICMP_EXCEEDED)
        return EHOSTUNREACH;
    if (type == ICMP_PARAMETER)
        return EPROTO;
    if (type != ICMP_UNREACHABLE || code >= CODES || code == FRAGMENTATION)
        return 0;
    return unreachable[code];
}

static bool route_lost(uint8_t type, uint8_t code)
{
    return type == ICMP_UNREACHABLE && (code == NET || code == HOST);
}

/* A request of a listener: dropped without a word, if the error says that there is no way. */
static void request(struct tcp *tcp, uint8_t type, uint8_t code, uint32_t seq)
{
    if (seq == tcp->iss &&
        (type == ICMP_PARAMETER || type == ICMP_EXCEEDED || route_lost(type, code)))
        tcp_done(tcp, 0);
}

/* The loss was not congestion: one doubling less (RFC 6069 4). */
static void revert(struct tcp *tcp, mtime_t now, uint32_t seq)
{
    const struct system *system = tcp->host->system;
    mtime_t left;

    if (seq != tcp->snd_una || !tcp->retransmits || !tcp->backoff ||
        tcp->pending != PENDING_RETRANSMIT)
        return;
    tcp->backoff--;
    tcp->rto =
        tcp->srtt_us ? ((mtime_t)(tcp->srtt_us >> 3) + tcp->rttvar_us) * 1000 : system->rto_initial;
    for (unsigned i = 0; i < tcp->backoff && tcp->rto < system->rto_max; i++)
        tcp->rto *= 2;
    if (tcp->rto > system->rto_max)
        tcp->rto = system->rto_max;
    left = tcp->rto - (now - tcp->head_sent);
    if (left > 0)
        tcp_set_pending(tcp, now, PENDING_RETRANSMIT, left);
    else
        tcp_retransmit_fire(tcp, now);
}

/* tcp_v4_err() once the sequence number is right. */
static void remembered(struct tcp *tcp, mtime_t now, uint8_t type, uint8_t code, uint32_t seq)
{
    int error = error_of(type, code);

    if (route_lost(type, code))
        revert(tcp, now, seq);
    if (tcp->state == SOCKET_GONE) /* that was the last try */
        return;
    if (tcp->state < SOCKET_ESTABLISHED)
        tcp_done(tcp, error);
    else
        tcp->soft_error = (int16_t)error;
}

/* BSD's tcp_notify(): connected, an unreachable host may be reachable again tomorrow; connecting,
 * only what says that nobody will answer there ends the attempt (tcp_ctlinput(),
 * tcp_drop_syn_sent()). */
static void soft(struct tcp *tcp, uint8_t type, uint8_t code)
{
    int error = error_of(type, code);
    bool hard = type == ICMP_UNREACHABLE && (code == PROTOCOL || code == PORT || code == ADMIN);

    if (tcp->state >= SOCKET_ESTABLISHED) {
        if (error != EHOSTUNREACH && error != ENETUNREACH && error != EHOSTDOWN)
            tcp->soft_error = (int16_t)error;
    } else if (hard) {
        tcp_done(tcp, code == ADMIN ? ECONNREFUSED : error);
    } else {
        tcp->soft_error = (int16_t)error;
    }
}

/* RFC 5927 4.1: what quotes nothing that is under way is forged or stale. So is what quotes a
 * keepalive probe, at SND.UNA - 1: nobody hears about it. */
void tcp_icmp(struct tcp *tcp, mtime_t now, uint8_t type, uint8_t code, uint32_t seq)
{
    if (tcp->state == SOCKET_GONE || tcp->state == SOCKET_TIME_WAIT || tcp->bucket)
        return;
    if (tcp->passive && tcp->state == SOCKET_SYN_RECV) {
        request(tcp, type, code, seq);
        return;
    }
    if (seq - tcp->snd_una > tcp->snd_nxt - tcp->snd_una || error_of(type, code) == 0)
        return;
    switch (tcp->host->system->icmp) {
    case ICMP_REMEMBERED:
        remembered(tcp, now, type, code, seq);
        break;
    case ICMP_SOFT:
        soft(tcp, type, code);
        break;
    }
}
