/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What net-tools' netstat.c prints behind the addresses: tcp_do_one(), finish_this_one(). */
#include "tools/align/socket_parts.h"

#include <ctype.h>

struct name {
    const char *text;
    int value;
};
enum { LISTENING = -1, UNCONNECTED = -2 };

/* A name that begins with another one stands before it. */
static const struct name states[] = {
    {"ESTABLISHED", SOCKET_ESTABLISHED},
    {"SYN_SENT", SOCKET_SYN_SENT},
    {"SYN_RECV", SOCKET_SYN_RECV},
    {"FIN_WAIT1", SOCKET_FIN_WAIT_1},
    {"FIN_WAIT2", SOCKET_FIN_WAIT_2},
    {"TIME_WAIT", SOCKET_TIME_WAIT},
    {"CLOSE_WAIT", SOCKET_CLOSE_WAIT},
    {"LAST_ACK", SOCKET_LAST_ACK},
    {"CLOSING", SOCKET_CLOSING},
    {"LISTEN", LISTENING},
    {"CLOSE", UNCONNECTED},
};
static const struct name timers[] = {
    {"keepalive", TIMER_KEEPALIVE},
    {"timewait", TIMER_TIMEWAIT},
    {"probe", TIMER_PERSIST},
    {"off", TIMER_OFF},
    {"on", TIMER_ON},
};

static bool ends(struct slice s, const char *with)
{
    size_t n = strlen(with);

    return s.n >= n && memcmp(s.at + s.n - n, with, n) == 0;
}

/* `53.93`; hundredths of a second, as many as the kernel has ticks. */
static bool read_seconds(struct slice *s, mtime_t *left)
{
    uint64_t whole, part;

    if (!slice_number(s, UINT32_MAX, &whole) || !slice_starts(*s, "."))
        return false;
    *s = slice_after(*s, 1);
    if (s->n < 2 || !slice_number(s, 99, &part))
        return false;
    *left = (mtime_t)(whole * 100 + part) * (MTIME_SEC / 100);
    return true;
}

static bool take(struct slice *s, const char *text)
{
    bool is = slice_starts(*s, text);

    if (is)
        *s = slice_after(*s, strlen(text));
    return is;
}

/* `53.93/0/0)`: time, retransmissions, probes. */
static bool read_figures(struct slice s, struct socket_fact *fact)
{
    uint64_t retransmits, probes;

    if (!read_seconds(&s, &fact->timer_left) || !take(&s, "/") ||
        !slice_number(&s, UINT8_MAX, &retransmits) || !take(&s, "/") ||
        !slice_number(&s, UINT8_MAX, &probes) || !slice_is(s, ")"))
        return false;
    fact->retransmits = (uint8_t)retransmits;
    fact->probes = (uint8_t)probes;
    return true;
}

/* ` keepalive (53.93/0/0)` at the end, taken off: before it stands a program's name, which may be
 * anything. */
static void read_timer(struct slice *rest, struct socket_fact *fact)
{
    struct socket_fact read = *fact;
    const char *open;
    struct slice before;

    while (rest->n > 0 && (rest->at[rest->n - 1] == ' ' || rest->at[rest->n - 1] == '\t'))
        rest->n--;
    open = rest->n > 0 ? memrchr(rest->at, '(', rest->n) : NULL;
    if (!open || open == rest->at || open[-1] != ' ' ||
        !read_figures(slice_after(*rest, (size_t)(open - rest->at) + 1), &read))
        return;
    before = (struct slice){rest->at, (size_t)(open - rest->at) - 1};
    for (size_t i = 0; i < sizeof(timers) / sizeof(*timers); i++)
        if (ends(before, timers[i].text)) {
            *fact = read;
            fact->timer_known = true;
            fact->timer = (enum socket_timer)timers[i].value;
            rest->n = before.n - strlen(timers[i].text);
            return;
        }
}

/* `812/sshd: alice [priv`: a title, cut. */
static void read_program(struct slice s, struct socket_fact *fact)
{
    uint64_t pid;
    size_t n = 0;

    if (!slice_number(&s, INT32_MAX, &pid) || !take(&s, "/"))
        return;
    while (n < s.n && s.at[n] != ':' && s.at[n] != ' ')
        n++;
    fact->pid = (int)pid;
    slice_copy((struct slice){s.at, n}, fact->process, sizeof(fact->process));
    fact->systemd_socket = strcmp(fact->process, "systemd") == 0;
}

/* With -e: `UID INODE`. */
static void read_user(struct slice *rest, struct socket_fact *fact)
{
    struct slice s = *rest, uid = slice_word(&s), inode = slice_word(&s);
    uint64_t user, number;

    if (!slice_number(&uid, UINT32_MAX, &user) || uid.n > 0 ||
        !slice_number(&inode, UINT64_MAX, &number) || inode.n > 0)
        return;
    fact->uid = (uint32_t)user;
    fact->inode = number;
    fact->uid_known = number != 0;
    *rest = s;
}

bool netstat_read(struct slice rest, struct socket_fact *fact, bool *listening)
{
    const struct name *state = NULL;

    while (take(&rest, " ") || take(&rest, "\t"))
        ;
    for (size_t i = 0; !state && i < sizeof(states) / sizeof(*states); i++)
        if (take(&rest, states[i].text))
            state = &states[i];
    if (!state)
        return false;
    *listening = state->value == LISTENING;
    fact->state = state->value < 0 ? SOCKET_GONE : (enum socket_state)state->value;
    read_timer(&rest, fact);
    read_user(&rest, fact);
    while (take(&rest, " "))
        ;
    read_program(rest, fact);
    return true;
}
