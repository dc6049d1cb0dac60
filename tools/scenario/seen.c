/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario/seen.h"

#include <errno.h>
#include <string.h>

static const char *const states[SOCKET_STATES] = {
    [SOCKET_GONE] = "gone",
    [SOCKET_SYN_SENT] = "SYN_SENT",
    [SOCKET_SYN_RECV] = "SYN_RECV",
    [SOCKET_ESTABLISHED] = "ESTABLISHED",
    [SOCKET_FIN_WAIT_1] = "FIN_WAIT_1",
    [SOCKET_FIN_WAIT_2] = "FIN_WAIT_2",
    [SOCKET_CLOSE_WAIT] = "CLOSE_WAIT",
    [SOCKET_CLOSING] = "CLOSING",
    [SOCKET_LAST_ACK] = "LAST_ACK",
    [SOCKET_TIME_WAIT] = "TIME_WAIT",
};
static const char *const timers[SOCKET_TIMERS] = {
    [TIMER_OFF] = "off",           [TIMER_ON] = "on",           [TIMER_KEEPALIVE] = "keepalive",
    [TIMER_TIMEWAIT] = "timewait", [TIMER_PERSIST] = "persist",
};
/* For people, and as one word of the scenario language. */
static const char *const notes[PACKET_NOTES][2] = {
    [NOTE_NONE] = {"", ""},
    [NOTE_PROBE] = {"keepalive probe", "probe"},
    [NOTE_PROBE_ANSWER] = {"answer to a keepalive probe", "probe-answer"},
    [NOTE_WINDOW_PROBE] = {"zero window probe", "window-probe"},
    [NOTE_WINDOW_ANSWER] = {"answer to a window probe", "window-answer"},
    [NOTE_RETRANSMIT] = {"retransmission", "retransmit"},
    [NOTE_TAIL_PROBE] = {"tail loss probe", "tail-probe"},
    [NOTE_CHALLENGE] = {"challenge ACK", "challenge"},
    [NOTE_WINDOW_UPDATE] = {"window update", "window-update"},
    [NOTE_HEARTBEAT] = {"application heartbeat", "heartbeat"},
    [NOTE_DCD] = {"the firewall's question", "dcd"},
};
static const struct {
    int error;
    const char *name;
} errors[] = {
    {ETIMEDOUT, "ETIMEDOUT"},
    {ECONNRESET, "ECONNRESET"},
    {ECONNREFUSED, "ECONNREFUSED"},
    {EPIPE, "EPIPE"},
    {EHOSTUNREACH, "EHOSTUNREACH"},
    {ENETUNREACH, "ENETUNREACH"},
    {ECONNABORTED, "ECONNABORTED"},
    {EACCES, "EACCES"},
    {EADDRNOTAVAIL, "EADDRNOTAVAIL"},
    {EADDRINUSE, "EADDRINUSE"},
    {ENOTCONN, "ENOTCONN"},
    {EPROTO, "EPROTO"},
    {EHOSTDOWN, "EHOSTDOWN"},
    {ENOPROTOOPT, "ENOPROTOOPT"},
    {EMSGSIZE, "EMSGSIZE"},
    {EOPNOTSUPP, "EOPNOTSUPP"},
    {EINVAL, "EINVAL"},
    {ENONET, "ENONET"},
};
#define N_ERRORS (sizeof(errors) / sizeof(errors[0]))

static int find(const char *const *names, int n, const char *name, size_t len)
{
    for (int i = 0; i < n; i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return i;
    return -1;
}

const char *socket_state_name(enum socket_state state)
{
    return (unsigned)state < SOCKET_STATES ? states[state] : NULL;
}

const char *socket_timer_name(enum socket_timer timer)
{
    return (unsigned)timer < SOCKET_TIMERS ? timers[timer] : NULL;
}

const char *packet_note_name(enum packet_note note)
{
    return (unsigned)note < PACKET_NOTES ? notes[note][0] : NULL;
}

const char *packet_note_word(enum packet_note note)
{
    return (unsigned)note < PACKET_NOTES ? notes[note][1] : NULL;
}

const char *errno_name(int error)
{
    for (size_t i = 0; i < N_ERRORS; i++)
        if (errors[i].error == error)
            return errors[i].name;
    return NULL;
}

int errno_parse(const char *name, size_t len)
{
    for (size_t i = 0; i < N_ERRORS; i++)
        if (strlen(errors[i].name) == len && memcmp(errors[i].name, name, len) == 0)
            return errors[i].error;
    return 0;
}

int socket_state_parse(const char *name, size_t len)
{
    return find(states, SOCKET_STATES, name, len);
}

int socket_timer_parse(const char *name, size_t len)
{
    return find(timers, SOCKET_TIMERS, name, len);
}

int packet_note_parse(const char *name, size_t len)
{
    for (int i = NOTE_PROBE; i < PACKET_NOTES; i++)
        if (strlen(notes[i][1]) == len && memcmp(notes[i][1], name, len) == 0)
            return i;
    return -1;
}
