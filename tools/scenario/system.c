/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario/system.h"

#include <string.h>

/*
 * Where a figure is from stands beside it. Keepalive figures are those of tests/profiles/
 * keepalives.tsv, whose row os-NAME carries the source. `assumed`: no source was found; then it is
 * 4.4BSD's figure for a descendant of BSD, else that of RFC 1122, 6298 or 9293.
 */

#define S MTIME_SEC
#define MS MTIME_MSEC

/* 4.4BSD-Lite2 netinet/tcp_timer.h and tcp_timer.c: a slow timer twice a second, TCPTV_KEEP_IDLE,
 * TCPTV_KEEPINTVL, TCPTV_KEEPCNT; tcp_input() sets the timer anew with every segment, and
 * tcp_drop() sends a RST. */
#define BSD_CLOCK .clock = CLOCK_TICKS, .tick = 500 * MS
#define BSD_KEEPALIVE                                                                              \
    .keepalive = {7200 * S, 75 * S, 8}, .keepalive_from_receipt = true, .keepalive_rst = true
/* TCPTV_KEEP_INIT ends a connection that does not come about after 75 s: the number of SYNs that
 * comes nearest. The first time is 6 s: TCPTV_SRTTDFLT is a deviation, tcp_newtcpcb(). */
#define BSD_HANDSHAKE .syn_retries = 3, .synack_retries = 3, .rto_initial = 6 * S
/* TCPTV_MIN, TCPTV_REXMTMAX, TCP_MAXRXTSHIFT; the fast timer (PR_FASTHZ) sends delayed ACKs */
#define BSD_RETRANSMIT                                                                             \
    .rto_min = 1 * S, .rto_max = 64 * S, .retries = 12, .orphan_retries = 12,                      \
    .delayed_ack = 200 * MS, .rst_on_timeout = true
/* tcp_maxidle (TCPTV_KEEPCNT * TCPTV_KEEPINTVL) once the socket cannot receive more; 2 * TCPTV_MSL
 */
#define BSD_CLOSING .fin_timeout = 600 * S, .fin_timeout_orphaned = true, .time_wait = 60 * S
#define BSD_PERSIST .persist_min = 5 * S, .persist_max = 60 * S /* TCPTV_PERSMIN, TCPTV_PERSMAX */
/* 4.4BSD tcp_input() takes any RST in its window; tcp_recvspace; no options but MSS */
#define BSD_RESET .reset = RESET_IN_WINDOW, .icmp = ICMP_SOFT
#define BSD_WINDOW .mss = 1460, .receive_buffer = 16384

/* All of 4.4BSD but what its keepalive figures and name are. */
#define BSD_OF_OLD                                                                                 \
    BSD_CLOCK, BSD_HANDSHAKE, BSD_RETRANSMIT, BSD_CLOSING, BSD_PERSIST, BSD_RESET, BSD_WINDOW,     \
        .keepalive_pushed = true

/* OpenVOS STCP: finwait2, window probes every 100 s and tcp_zerowin_abort_interval$ (off) are from
 * the field reports that the scenarios stuck-* replay; probe 2 h after the last segment received,
 * also from there. The rest is assumed. */
#define STCP                                                                                       \
    BSD_CLOCK, BSD_KEEPALIVE, BSD_HANDSHAKE, BSD_RETRANSMIT, BSD_RESET, BSD_WINDOW,                \
        .keepalive_pushed = true, .time_wait = 60 * S, .persist_min = 100 * S,                     \
        .persist_max = 100 * S, .zero_window_abort = 0

const struct system systems[] = {
    {
        .name = "linux",
        .product = "Linux 6",
        .clock = CLOCK_WHEEL,
        .hz = 250, /* kernel/Kconfig.hz: Debian, Ubuntu, SUSE; others build with 100, 300, 1000 */
        .keepalive = {7200 * S, 75 * S, 9},
        .keepalive_rst = true, /* tcp_keepalive_timer(): tcp_send_active_reset() */
        /* include/net/tcp.h and Documentation/networking/ip-sysctl: tcp_syn_retries,
         * tcp_synack_retries, tcp_syn_linear_timeouts (since 6.5), TCP_TIMEOUT_INIT */
        .syn_retries = 6,
        .synack_retries = 5,
        .syn_linear = 4,
        .rto_initial = 1 * S,
        .rto_min = 200 * MS, /* TCP_RTO_MIN */
        .rto_max = 120 * S,  /* TCP_RTO_MAX; tcp_rto_max_ms since 6.15 */
        .retries = 15,       /* tcp_retries2 */
        .retries_by_time = true,
        .tail_loss_probe = true, /* tcp_early_retrans = 3 */
        .delayed_ack = 200 * MS, /* TCP_DELACK_MAX */
        .delayed_ack_adaptive = true,
        .fin_timeout = 60 * S, /* tcp_fin_timeout */
        .fin_timeout_orphaned = true,
        .orphan_retries = 0,     /* tcp_orphan_retries() */
        .time_wait = 60 * S,     /* TCP_TIMEWAIT_LEN */
        .persist_min = 200 * MS, /* tcp_probe0_base(): the RTO, TCP_RTO_MIN at least */
        .persist_max = 120 * S,
        .reset = RESET_EXACT,           /* tcp_validate_incoming(), since 3.6 */
        .challenge_interval = 500 * MS, /* tcp_invalid_ratelimit */
        .icmp = ICMP_REMEMBERED,        /* tcp_v4_err() */
        .challenge_limit = 0, /* tcp_challenge_ack_limit: INT_MAX since 5.19, 1000 before */
        .probe_answer_limited = true,
        .mss = 1460,
        .receive_buffer = 65536, /* tcp_rmem[1] 131072, half of it window */
        .timestamps = true,
        .window_scale = true,
        .sack = true,
        .wscale = 7, /* what tcp_rmem[2] of 6 MiB comes to (tcp_select_initial_window()) */
    },
    {
        .name = "windows",
        .product = "Windows 10 and later, Server 2016 and later",
        .clock = CLOCK_EXACT,               /* assumed */
        .keepalive = {7200 * S, 1 * S, 10}, /* count fixed since Vista */
        .probe_bytes = 1,                   /* as captures show: "Keep-Alive", length 1 */
        .keepalive_pushed = true,           /* assumed */
        .keepalive_from_receipt = true,     /* assumed */
        .keepalive_rst = true,              /* assumed */
        .syn_retries = 4,                   /* netsh int tcp show global: Max SYN Retransmissions */
        .synack_retries = 2,                /* TcpMaxConnectResponseRetransmissions */
        .rto_initial = 1 * S,               /* the same: Initial RTO; 3 s before Windows 8 */
        .rto_min = 300 * MS,                /* Get-NetTCPSetting, template Internet: MinRto */
        .rto_max = 60 * S,                  /* assumed (RFC 6298 2.5: at least) */
        .retries = 5,                       /* TcpMaxDataRetransmissions */
        .orphan_retries = 5,
        .tail_loss_probe = true, /* since 10 1607 */
        .delayed_ack = 40 * MS,  /* Get-NetTCPSetting: DelayedAckTimeout */
        .rst_on_timeout = true,  /* assumed */
        .fin_timeout = 120 * S,  /* assumed: TcpFinWait2Delay's 240 s is 2003's */
        .fin_timeout_orphaned = true,
        .time_wait = 120 * S,    /* assumed: TcpTimedWaitDelay's 240 s is 2003's */
        .persist_min = 300 * MS, /* assumed: retransmission's times (RFC 1122 4.2.2.17) */
        .persist_max = 60 * S,
        .reset = RESET_EXACT, /* assumed (RFC 9293 3.10.7.4) */
        .icmp = ICMP_SOFT,    /* assumed */
        .mss = 1460,
        .receive_buffer = 65535,
        .window_scale = true,
        .sack = true,
        .wscale = 8,
    },
    {
        .name = "windows-xp",
        .product = "Windows XP, Server 2003 and before",
        .clock = CLOCK_EXACT,              /* assumed: 100 ms ticks */
        .keepalive = {7200 * S, 1 * S, 5}, /* TcpMaxDataRetransmissions bounds the probes */
        .probe_bytes = 1,                  /* as above */
        .keepalive_pushed = true,          /* assumed */
        .keepalive_from_receipt = true,    /* assumed */
        .keepalive_rst = true,             /* assumed */
        /* TCP/IP configuration parameters for Windows XP: TcpMaxConnectRetransmissions,
         * TcpMaxConnectResponseRetransmissions, TcpInitialRTT, TcpMaxDataRetransmissions,
         * TcpDelAckTicks, TcpFinWait2Delay, TcpTimedWaitDelay, TcpWindowSize, Tcp1323Opts */
        .syn_retries = 2,
        .synack_retries = 2,
        .rto_initial = 3 * S,
        .rto_min = 300 * MS, /* assumed */
        .rto_max = 240 * S,  /* assumed: 2 * MSL of RFC 9293 */
        .retries = 5,
        .orphan_retries = 5,
        .delayed_ack = 200 * MS,
        .rst_on_timeout = true, /* assumed */
        .fin_timeout = 240 * S,
        .fin_timeout_orphaned = true,
        .time_wait = 240 * S,
        .persist_min = 300 * MS, /* assumed */
        .persist_max = 240 * S,
        .reset = RESET_IN_WINDOW, /* assumed: RFC 5961 came later */
        .icmp = ICMP_SOFT,        /* assumed */
        .mss = 1460,
        .receive_buffer = 17520,
        .sack = true,
    },
    {
        .name = "macos",
        .product = "macOS",
        .clock = CLOCK_EXACT, /* xnu joins slow timers to half seconds; not modelled */
        BSD_KEEPALIVE,
        .keepalive_pushed = true, /* xnu tcp_input(): t_timer[TCPT_KEEP] */
        /* xnu bsd/netinet/tcp_timer.h: TCPTV_KEEP_INIT 75 s, TCPTV_RTOBASE, TCPTV_REXMTMIN +
         * TCPTV_REXMTSLOP, TCPTV_REXMTMAX, TCP_MAXRXTSHIFT, TCPT_PTO, TCPTV_FINWAIT2, TCPTV_MSL,
         * TCPTV_PERSMIN, TCPTV_PERSMAX */
        .syn_retries = 5,
        .synack_retries = 3, /* assumed */
        .rto_initial = 1 * S,
        .rto_min = 230 * MS,
        .rto_max = 64 * S,
        .retries = 12,
        .orphan_retries = 12,
        .tail_loss_probe = true,
        .delayed_ack = 100 * MS, /* assumed: tcp_delack, a tenth of a second */
        .rst_on_timeout = true,
        .fin_timeout = 60 * S,
        .fin_timeout_orphaned = true,
        .time_wait = 30 * S,
        BSD_PERSIST,
        .reset = RESET_EXACT, /* assumed: xnu's tcp_input() follows RFC 5961 */
        .icmp = ICMP_SOFT,
        .mss = 1460,
        .receive_buffer = 131072, /* net.inet.tcp.recvspace */
        .timestamps = true,
        .window_scale = true,
        .sack = true,
        .wscale = 6,
    },
    {
        .name = "freebsd",
        .product = "FreeBSD",
        .clock = CLOCK_EXACT, /* callouts */
        BSD_KEEPALIVE,
        .keepalive_always = true,
        .keepalive_pushed = false, /* tcp_timer_keep(): "we don't regularly reset the callout" */
        /* netinet/tcp_timer.h: TCPTV_KEEP_INIT 75 s, TCPTV_RTOBASE, TCPTV_MIN + TCPTV_CPU_VAR,
         * TCPTV_REXMTMAX, TCP_MAXRXTSHIFT, TCPTV_DELACK, TCPTV_FINWAIT2_TIMEOUT, TCPTV_MSL */
        .syn_retries = 5,
        .synack_retries = 3, /* SYNCACHE_MAXREXMTS */
        .rto_initial = 1 * S,
        .rto_min = 230 * MS,
        .rto_max = 64 * S,
        .retries = 12,
        .orphan_retries = 12,
        .delayed_ack = 40 * MS, /* 100 ms before 13 */
        .rst_on_timeout = true,
        .fin_timeout = 60 * S,
        .fin_timeout_orphaned = true,
        .time_wait = 60 * S,
        BSD_PERSIST,
        .reset = RESET_EXACT,           /* net.inet.tcp.insecure_rst = 0 */
        .challenge_interval = 200 * MS, /* net.inet.tcp.ack_war_cnt 5 in ack_war_timewindow 1000 */
        .icmp = ICMP_SOFT,
        .mss = 1460,
        .receive_buffer = 65536, /* net.inet.tcp.recvspace */
        .timestamps = true,
        .window_scale = true,
        .sack = true,
        .wscale = 6,
    },
    {
        .name = "openbsd",
        .product = "OpenBSD",
        .clock = CLOCK_EXACT, /* TCP_TIMER_ARM() counts milliseconds; half seconds before 7.3 */
        BSD_KEEPALIVE,
        .keepalive_pushed = true, /* tcp_input(): TCP_TIMER_ARM(tp, TCPT_KEEP, tcp_keepidle) */
        /* netinet/tcp_timer.h: TCPTV_SRTTDFLT 1.5 s, a deviation: twice that; TCPTV_MIN,
         * TCPTV_REXMTMAX, TCP_DELACK_MSECS, TCPTV_KEEP_INIT 75 s */
        .syn_retries = 4,
        .synack_retries = 4,
        .rto_initial = 3 * S,
        BSD_RETRANSMIT,
        BSD_CLOSING, /* tcp_maxidle */
        BSD_PERSIST,
        .reset = RESET_EXACT, /* tcp_input(): th_seq == rcv_nxt; it ignores others, without the
                                 challenge ACK that the model sends */
        .icmp = ICMP_SOFT,
        .mss = 1460,
        .receive_buffer = 16384,
        .timestamps = true,
        .window_scale = true,
        .sack = true,
        .wscale = 6,
    },
    {
        .name = "netbsd",
        .product = "NetBSD",
        .clock = CLOCK_EXACT, /* callout_schedule(), in whole half seconds */
        BSD_KEEPALIVE,
        .keepalive_pushed = true,
        /* netinet/tcp_timer.h: TCPTV_SRTTDFLT (RFC 6298), TCPTV_MIN, TCPTV_REXMTMAX,
         * TCP_DELACK_TICKS, TCPTV_KEEP_INIT 75 s */
        .syn_retries = 5,
        .synack_retries = 4,
        .rto_initial = 1 * S,
        BSD_RETRANSMIT,
        BSD_CLOSING,
        BSD_PERSIST,
        .reset = RESET_EXACT, /* since 9 */
        .icmp = ICMP_SOFT,
        .mss = 1460,
        .receive_buffer = 32768,
        .timestamps = true,
        .window_scale = true,
        .sack = true,
        .wscale = 3,
    },
    {
        .name = "solaris",
        .product = "Oracle Solaris, illumos",
        .clock = CLOCK_EXACT,
        .keepalive = {7200 * S, 0, 0}, /* no interval and no count: keepalive_backoff */
        .probe_bytes = 1, /* illumos tcp_keepalive_timer(): "fake resend of last ACKed byte" */
        .keepalive_backoff = true,
        .keepalive_abort = 480 * S,
        .keepalive_from_receipt = true, /* tcp_last_recv_time */
        /* illumos tcp_tunables.c: _ip_abort_cinterval 3 min, _rexmit_interval_initial, _min, _max,
         * _ip_abort_interval 5 min (11 times from 400 ms on), _deferred_ack_interval,
         * _fin_wait_2_flush_interval, _time_wait_interval, recv_maxbuf, _wscale_always,
         * _tstamp_if_wscale, sack */
        .syn_retries = 7,
        .synack_retries = 7,
        .rto_initial = 1 * S,
        .rto_min = 400 * MS,
        .rto_max = 60 * S,
        .retries = 11,
        .orphan_retries = 11,
        .delayed_ack = 100 * MS,
        .fin_timeout = 60 * S,
        .fin_timeout_orphaned = true, /* "if there is no user attached" */
        .time_wait = 60 * S,
        .persist_min = 400 * MS, /* tcp_timer(): as retransmission */
        .persist_max = 60 * S,
        .reset = RESET_IN_WINDOW, /* assumed */
        .icmp = ICMP_SOFT,        /* assumed */
        .mss = 1460,
        .receive_buffer = 128000,
        .timestamps = true,
        .window_scale = true,
        .sack = true,
        .wscale = 1,
    },
    {
        .name = "aix",
        .product = "IBM AIX",
        BSD_CLOCK, /* `no -o tcp_keepidle`: half seconds */
        BSD_KEEPALIVE,
        .probe_bytes = 1, /* field report: `1031:1032(1) ack 86` */
        .keepalive_pushed = true,
        BSD_HANDSHAKE,
        BSD_RETRANSMIT,
        BSD_CLOSING,
        BSD_PERSIST,
        .reset = RESET_IN_WINDOW, /* tcp_tcpsecure = 0 */
        .icmp = ICMP_SOFT,        /* assumed */
        .mss = 1460,
        .receive_buffer = 16384, /* tcp_recvspace; rfc1323 = 0, sack = 0 */
    },
    {
        .name = "hpux",
        .product = "HP-UX 11",
        .clock = CLOCK_EXACT,
        .keepalive = {7200 * S, 10 * S, 60}, /* every tcp_ip_notify_interval until
                                                tcp_ip_abort_interval, 600 s */
        .probe_bytes = 1,                    /* assumed: Mentat's TCP, as Solaris */
        .keepalive_from_receipt = true,      /* the same */
        /* ndd -h: tcp_ip_abort_cinterval 75 s, tcp_rexmit_interval_initial, _min, _max,
         * tcp_ip_abort_interval 600 s (16 times from 500 ms on), tcp_deferred_ack_interval,
         * tcp_fin_wait_2_timeout 0, tcp_time_wait_interval, tcp_recv_hiwater_def */
        .syn_retries = 5,
        .synack_retries = 5,
        .rto_initial = 1500 * MS,
        .rto_min = 500 * MS,
        .rto_max = 60 * S,
        .retries = 16,
        .orphan_retries = 16,
        .delayed_ack = 50 * MS,
        .fin_timeout = MTIME_NEVER,
        .time_wait = 60 * S,
        .persist_min = 500 * MS, /* assumed: as retransmission */
        .persist_max = 60 * S,
        .reset = RESET_IN_WINDOW, /* assumed */
        .icmp = ICMP_SOFT,        /* assumed */
        .mss = 1460,
        .receive_buffer = 32768,
        .sack = true,
    },
    {
        .name = "openvms",
        .product = "OpenVMS, TCP/IP Services",
        BSD_KEEPALIVE,
        BSD_OF_OLD, /* assumed: Tru64's stack, by the names of its parameters */
    },
    {
        .name = "tru64",
        .product = "Digital UNIX, Tru64",
        BSD_KEEPALIVE,
        BSD_OF_OLD, /* assumed: ticks of half a second, the rest 4.4BSD's */
    },
    {
        .name = "nonstop",
        .product = "HP NonStop TCP/IPv6",
        .keepalive = {75 * S, 75 * S, 8}, /* TCPKEEPIDLE is 75 s, not two hours */
        .keepalive_from_receipt = true,   /* assumed */
        .keepalive_rst = true,            /* assumed */
        BSD_OF_OLD,                       /* assumed */
    },
    {
        .name = "os2",
        .product = "IBM OS/2 TCP/IP 2.0",
        .keepalive = {7200 * S, 75 * S, 9}, /* inetcfg KEEPALIVE 120 minutes, "up to 9 times"; the
                                               interval is "fixed, short": 75 s assumed */
        .keepalive_from_receipt = true,     /* assumed */
        .keepalive_rst = true,              /* assumed */
        BSD_OF_OLD,                         /* assumed */
    },
    {
        .name = "stcp",
        .product = "OpenVOS STCP, newer releases",
        STCP,
        .fin_timeout = 1200 * S, /* finwait2 */
    },
    {
        .name = "stcp-old",
        .product = "OpenVOS STCP, older releases",
        STCP,
        .fin_timeout = MTIME_NEVER, /* finwait2 = 0 */
    },
};
const size_t system_count = sizeof(systems) / sizeof(systems[0]);

const struct system *system_find(const char *name, size_t len)
{
    for (size_t i = 0; i < system_count; i++)
        if (strlen(systems[i].name) == len && memcmp(systems[i].name, name, len) == 0)
            return &systems[i];
    return NULL;
}
