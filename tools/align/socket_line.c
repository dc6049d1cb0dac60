/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The begin of a line, which ss and netstat have in common:
 *     [tcp|tcp6] [STATE] [RECV-Q SEND-Q] LOCAL:PORT PEER:PORT ...
 * ss leaves the state out when it was asked for one only, the queues out with -Q. */
#include "tools/align/socket_parts.h"

#include <ctype.h>

enum { LISTENING = -1, UNCONNECTED = -2 };

static const struct {
    const char *text;
    int value;
} states[] = {
    {"ESTAB", SOCKET_ESTABLISHED},     {"SYN-SENT", SOCKET_SYN_SENT},
    {"SYN-RECV", SOCKET_SYN_RECV},     {"FIN-WAIT-1", SOCKET_FIN_WAIT_1},
    {"FIN-WAIT-2", SOCKET_FIN_WAIT_2}, {"TIME-WAIT", SOCKET_TIME_WAIT},
    {"CLOSE-WAIT", SOCKET_CLOSE_WAIT}, {"LAST-ACK", SOCKET_LAST_ACK},
    {"CLOSING", SOCKET_CLOSING},       {"LISTEN", LISTENING},
    {"UNCONN", UNCONNECTED},
};

/* What ss and netstat name sockets that are not TCP's. */
static const char *const others[] = {
    "udp",   "udp6",  "udplite", "udplite6", "udpl",  "udpl6", "raw",   "raw6", "unix",
    "u_str", "u_seq", "u_dgr",   "nl",       "p_raw", "p_dgr", "icmp6", "sctp", "sctp6",
    "dccp",  "tipc",  "v_str",   "v_dgr",    "???",   "xdp",   "mptcp",
};

static bool has(struct slice line, const char *text)
{
    return memmem(line.at, line.n, text, strlen(text)) != NULL;
}

static bool is_heading(struct slice line)
{
    return has(line, "Recv-Q") || has(line, "Local Address") ||
           slice_starts(line, "Active Internet connections") ||
           slice_starts(line, "Active UNIX domain") || slice_starts(line, "Proto RefCnt") ||
           slice_starts(line, "(Not all processes could be identified");
}

/* `alice@db1:~$ sudo ss -tnoie`: whoever pastes, pastes it along. */
static bool is_command(struct slice line, struct ss_shown *shown)
{
    struct slice word, before = {line.at, 0};

    for (; (word = slice_word(&line)).n > 0; before = word) {
        const char *slash = memrchr(before.at, '/', before.n);
        struct slice name = slice_after(before, slash ? (size_t)(slash - before.at) + 1 : 0);

        if (word.at[0] != '-' || (!slice_is(name, "ss") && !slice_is(name, "netstat")))
            continue;
        shown->timer = slice_is(word, "--options") ||
                       (!slice_starts(word, "--") && memchr(word.at, 'o', word.n));
        return true;
    }
    return false;
}

static bool is_other(struct slice word)
{
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (slice_is(word, others[i]))
            return true;
    return false;
}

/* Takes the word off if it is a state. */
static bool read_state(struct slice *line, int *state)
{
    struct slice rest = *line, word = slice_word(&rest);

    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
        if (slice_is(word, states[i].text)) {
            *state = states[i].value;
            *line = rest;
            return true;
        }
    return false;
}

static bool read_queues(struct slice *line, struct socket_fact *fact)
{
    struct slice rest = *line, receive = slice_word(&rest), send = slice_word(&rest);
    uint64_t received, sent;

    if (!slice_number(&receive, UINT32_MAX, &received) || receive.n > 0)
        return true;
    if (!slice_number(&send, UINT32_MAX, &sent) || send.n > 0)
        return false;
    fact->receive_queue = (uint32_t)received;
    fact->send_queue = (uint32_t)sent;
    *line = rest;
    return true;
}

/* netstat cuts IPv6 addresses so that they and the port fill 22 places, unless asked for --wide
 * (addr_do_one()): what is left may still look like one. */
static bool may_be_cut(struct slice local, struct slice peer)
{
    enum { WIDTH = 22 + 1 };
    bool wide = local.n > WIDTH || peer.n > WIDTH;

    return !wide && ((local.n == WIDTH && !memchr(local.at, '.', local.n)) ||
                     (peer.n == WIDTH && !memchr(peer.at, '.', peer.n)));
}

/* netstat translates them; what ss prints there begins with a small letter. */
static bool is_unknown_state(struct slice rest)
{
    struct slice word = slice_word(&rest);

    return word.n > 0 && !islower((unsigned char)word.at[0]) && !slice_is(word, "<->");
}

static enum socket_line as_read(int state, struct socket_fact *fact, enum socket_line line)
{
    if (state == LISTENING)
        return LINE_LISTENING;
    if (state == UNCONNECTED)
        return LINE_OTHER;
    /* A connection has both ends; a state filter of ss does not say which it was. */
    if (fact->peer_port == 0 || fact->local_port == 0)
        return LINE_BAD;
    if (fact->state == SOCKET_GONE)
        fact->state = fact->timer_known && fact->timer == TIMER_TIMEWAIT ? SOCKET_TIME_WAIT
                                                                         : SOCKET_ESTABLISHED;
    return line;
}

static enum socket_line read_socket(struct slice line, bool named, struct socket_fact *fact,
                                    struct ss_shown *shown)
{
    uint8_t family, peer_family;
    int state = SOCKET_GONE;
    struct slice local, peer;
    bool has_state = read_state(&line, &state), listening;

    if (!read_queues(&line, fact))
        return LINE_BAD;
    local = slice_word(&line);
    peer = slice_word(&line);
    if (!socket_address(local, &family, fact->local, &fact->local_port) ||
        !socket_address(peer, &peer_family, fact->peer, &fact->peer_port))
        return LINE_BAD;
    fact->family = family;
    if (state >= 0)
        fact->state = (enum socket_state)state;
    if (named && !has_state && netstat_read(line, fact, &listening)) {
        if (may_be_cut(local, peer))
            return LINE_BAD;
        if (fact->state == SOCKET_GONE)
            return listening ? LINE_LISTENING : LINE_OTHER;
        return family == peer_family ? as_read(state, fact, LINE_NETSTAT) : LINE_BAD;
    }
    if (named && !has_state && is_unknown_state(line))
        return LINE_BAD;
    if (!ss_read(line, fact, shown))
        return LINE_BAD;
    if (state != LISTENING && state != UNCONNECTED && family != peer_family)
        return LINE_BAD;
    return as_read(state, fact, LINE_SS);
}

enum socket_line socket_line_read(struct slice line, struct socket_fact *fact,
                                  struct ss_shown *shown)
{
    struct slice rest = line, word = slice_word(&rest);
    bool named = slice_is(word, "tcp") || slice_is(word, "tcp6");
    enum socket_line what;

    *fact = socket_fact_unknown;
    *shown = (struct ss_shown){0};
    if (is_heading(line))
        return LINE_HEADING;
    if (is_other(word))
        return LINE_OTHER;
    what = read_socket(named ? rest : line, named, fact, shown);
    return what == LINE_BAD && is_command(line, shown) ? LINE_COMMAND : what;
}
