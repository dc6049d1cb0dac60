/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What iproute2's misc/ss.c prints behind the addresses: tcp_show_line(), tcp_timer_print(),
 * proc_ctx_print(), sock_details_print(), tcp_stats_print(). */
#include "tools/align/socket_parts.h"

#include <ctype.h>

#define MSEC_MAX UINT32_MAX

/* print_ms_timer(): `1min59sec`, `53sec`, `8.679sec`, `476ms`, nothing for 0. Until iproute2 6.13
 * `8.679ms` is written for 8.679 s: what has a point is seconds. */
static bool read_countdown(struct slice s, mtime_t *left)
{
    uint64_t number = 0, minutes = 0, msec = 0;
    bool wants_unit = s.n > 0;

    if (wants_unit && !slice_number(&s, MSEC_MAX / 1000, &number))
        return false;
    if (slice_starts(s, "min") && number <= MSEC_MAX / 60000) {
        minutes = number;
        s = slice_after(s, 3);
        wants_unit = s.n > 0;
        if (wants_unit && !slice_number(&s, 59, &number))
            return false;
    }
    if (slice_starts(s, ".")) {
        struct slice unit = slice_after(s, 4);
        uint64_t part;

        s = slice_after(s, 1);
        if (!slice_number(&s, 999, &part) || s.at != unit.at ||
            !(slice_is(unit, "ms") || slice_is(unit, "sec")))
            return false;
        msec = number * 1000 + part;
    } else if (slice_is(s, "sec")) {
        msec = number * 1000;
    } else if (slice_is(s, "ms")) {
        msec = number;
    } else if (wants_unit) {
        return false;
    }
    *left = (mtime_t)(minutes * 60000 + msec) * MTIME_MSEC;
    /* A kernel before 5.x tells one that is due already as a little less than 2^32 ms. */
    if (*left > INT32_MAX * MTIME_MSEC)
        *left = 0;
    return true;
}

/* `(keepalive,53sec,0)`: which, how long, how often. */
static bool read_timer(struct slice s, struct socket_fact *fact)
{
    const char *first = memchr(s.at, ',', s.n), *second = memrchr(s.at, ',', s.n);
    struct slice name, left, times;
    uint64_t n;
    int timer;

    if (!first || first == second || s.at[0] != '(' || s.at[s.n - 1] != ')')
        return false;
    name = (struct slice){s.at + 1, (size_t)(first - s.at) - 1};
    left = (struct slice){first + 1, (size_t)(second - first) - 1};
    times = (struct slice){second + 1, (size_t)(s.at + s.n - 1 - second) - 1};
    timer = socket_timer_parse(name.at, name.n);
    if (timer < 0 || !slice_number(&times, UINT8_MAX, &n) || times.n > 0 ||
        !read_countdown(left, &fact->timer_left))
        return false;
    fact->timer = (enum socket_timer)timer;
    fact->timer_known = true;
    if (timer == TIMER_ON)
        fact->retransmits = (uint8_t)n;
    else
        fact->probes = (uint8_t)n;
    return true;
}

/* `("sshd",pid=812,fd=4)`, until iproute2 3.12 `("sshd",812,4)`. A name may hold anything. */
static struct slice read_user(struct slice s, struct socket_fact *fact)
{
    struct slice name = slice_after(s, 2), rest = name;
    uint64_t pid;

    for (; rest.n > 0; rest = slice_after(rest, 1)) {
        struct slice at = slice_after(rest, 2);

        if (!slice_starts(rest, "\","))
            continue;
        if (slice_starts(at, "pid="))
            at = slice_after(at, 4);
        if (!slice_number(&at, INT32_MAX, &pid))
            continue;
        name.n = (size_t)(rest.at - name.at);
        if (fact->pid == 0) {
            fact->pid = (int)pid;
            slice_copy(name, fact->process, sizeof(fact->process));
        }
        fact->systemd_socket = fact->systemd_socket || slice_is(name, "systemd");
        while (at.n > 0 && at.at[0] != ')')
            at = slice_after(at, 1);
        return slice_after(at, 1);
    }
    return slice_after(s, s.n);
}

static struct slice read_users(struct slice s, struct socket_fact *fact)
{
    s = slice_after(s, strlen("users:("));
    while (slice_starts(s, "(\"")) {
        s = read_user(s, fact);
        if (slice_starts(s, ","))
            s = slice_after(s, 1);
    }
    return slice_after(s, slice_starts(s, ")"));
}

static bool field(struct slice word, const char *name, uint64_t max, uint64_t *value)
{
    if (!slice_starts(word, name))
        return false;
    word = slice_after(word, strlen(name));
    return slice_number(&word, max, value);
}

/* How long ago, in milliseconds; a figure of TCP_INFO that is 0 is left out. */
struct ages {
    bool any;
    uint64_t sent, received, acknowledged;
};

static bool read_age(struct slice word, struct ages *ages)
{
    bool is_age = field(word, "lastsnd:", MSEC_MAX, &ages->sent) ||
                  field(word, "lastrcv:", MSEC_MAX, &ages->received) ||
                  field(word, "lastack:", MSEC_MAX, &ages->acknowledged);

    ages->any = ages->any || is_age;
    return is_age;
}

static void keep_ages(const struct ages *ages, struct socket_fact *fact)
{
    uint64_t received = ages->received < ages->acknowledged ? ages->received : ages->acknowledged;

    if (!ages->any)
        return;
    fact->last_sent = (mtime_t)ages->sent * MTIME_MSEC;
    /* In SYN_SENT, nothing has been. */
    if (fact->state != SOCKET_SYN_SENT)
        fact->last_received = (mtime_t)received * MTIME_MSEC;
}

/* `rtt:0.034/0.017`: milliseconds. */
static void read_rtt(struct slice word, struct socket_fact *fact)
{
    uint64_t whole;
    mtime_t unit = MTIME_MSEC / 10;

    if (!field(word, "rtt:", MSEC_MAX, &whole))
        return;
    fact->rtt = (mtime_t)whole * MTIME_MSEC;
    word = slice_after(word, 4);
    slice_number(&word, MSEC_MAX, &whole);
    if (!slice_starts(word, "."))
        return;
    for (word = slice_after(word, 1); word.n > 0 && isdigit((unsigned char)*word.at); unit /= 10) {
        fact->rtt += (*word.at - '0') * unit;
        word = slice_after(word, 1);
    }
}

static bool read_word(struct slice word, struct socket_fact *fact, struct ss_shown *shown)
{
    uint64_t n;

    if (slice_starts(word, "timer:")) {
        shown->timer = true;
        return read_timer(slice_after(word, 6), fact);
    } else if (field(word, "uid:", UINT32_MAX, &n)) {
        fact->uid = (uint32_t)n;
    } else if (field(word, "ino:", UINT64_MAX, &n)) {
        shown->details = true;
        fact->inode = n;
    } else if (slice_starts(word, "cgroup:")) {
        owner_container(word, fact->container, sizeof(fact->container));
        fact->systemd_socket = fact->systemd_socket || owner_is_instance(word);
    } else if (slice_starts(word, "rtt:")) {
        read_rtt(word, fact);
    } else if (slice_starts(word, "cwnd:")) {
        shown->info = true;
    }
    return true;
}

bool ss_read(struct slice rest, struct socket_fact *fact, struct ss_shown *shown)
{
    struct ages ages = {0};
    bool ok = true;

    for (;;) {
        struct slice word = slice_word(&rest);

        if (word.n == 0)
            break;
        if (slice_starts(word, "users:(")) {
            /* A name may have blanks. */
            word.n += rest.n;
            rest = read_users(word, fact);
        } else if (!read_age(word, &ages)) {
            ok = read_word(word, fact, shown) && ok;
        }
    }
    keep_ages(&ages, fact);
    /* Root's is left out. */
    fact->uid_known = fact->inode != 0;
    return ok;
}
