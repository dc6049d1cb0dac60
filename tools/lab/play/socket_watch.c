/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/play/socket_watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A timer's end is read off a clock of milliseconds and jiffies: this much is no change. */
#define SAME_EXPIRY (12 * MTIME_MSEC)

struct socket_now {
    uint32_t round;
    struct socket_sight sight;
};

/* include/net/tcp_states.h */
static const enum socket_state states[] = {
    [1] = SOCKET_ESTABLISHED, [2] = SOCKET_SYN_SENT,   [3] = SOCKET_SYN_RECV,
    [4] = SOCKET_FIN_WAIT_1,  [5] = SOCKET_FIN_WAIT_2, [6] = SOCKET_TIME_WAIT,
    [7] = SOCKET_GONE,        [8] = SOCKET_CLOSE_WAIT, [9] = SOCKET_LAST_ACK,
    [10] = SOCKET_GONE,       [11] = SOCKET_CLOSING,   [12] = SOCKET_SYN_RECV,
};
/* net/ipv4/inet_diag.c, inet_sk_diag_fill() */
static const enum socket_timer timers[] = {TIMER_OFF, TIMER_ON, TIMER_KEEPALIVE, TIMER_TIMEWAIT,
                                           TIMER_PERSIST};

static int64_t monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int socket_watch_start(struct socket_watch *watch, const struct space *space, enum flow_side side,
                       uint16_t server_port)
{
    *watch = (struct socket_watch){
        .fd = space_socket(space, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG),
        .side = side,
        .server_port = server_port};
    return watch->fd < 0 ? watch->fd : 0;
}

static void view_of(struct socket_view *view, const struct inet_diag_msg *diag,
                    const struct tcp_info *info, int64_t now)
{
    view->state = diag->idiag_state < sizeof(states) / sizeof(states[0]) ? states[diag->idiag_state]
                                                                         : SOCKET_GONE;
    view->timer = diag->idiag_timer < SOCKET_TIMERS ? timers[diag->idiag_timer] : TIMER_OFF;
    view->expires = view->timer == TIMER_OFF
                        ? MTIME_NEVER
                        : now + (int64_t)(int32_t)diag->idiag_expires * MTIME_MSEC;
    view->retransmits = view->timer == TIMER_ON ? diag->idiag_retrans : info->tcpi_retransmits;
    view->probes = info->tcpi_probes;
    view->send_queue = diag->idiag_wqueue;
    view->receive_queue = diag->idiag_rqueue;
    view->orphaned = diag->idiag_inode == 0 && view->timer != TIMER_TIMEWAIT;
}

static bool differs(const struct socket_view *a, const struct socket_view *b)
{
    if (a->state != b->state || a->timer != b->timer || a->retransmits != b->retransmits ||
        a->probes != b->probes || a->orphaned != b->orphaned || a->send_queue != b->send_queue ||
        a->receive_queue != b->receive_queue)
        return true;
    /* One that is over shows 0 until it fires: its end seems to move. */
    return a->timer != TIMER_OFF && (a->expires - b->expires > SAME_EXPIRY);
}

static int note(struct socket_watch *watch, const struct socket_sight *sight)
{
    if (watch->n == watch->room) {
        size_t room = watch->room ? 2 * watch->room : 64;
        struct socket_sight *sights = realloc(watch->sights, room * sizeof(*sights));

        if (!sights)
            return -ENOMEM;
        watch->sights = sights;
        watch->room = room;
    }
    watch->sights[watch->n++] = *sight;
    return 0;
}

static struct socket_now *find(struct socket_watch *watch, uint16_t client_port)
{
    for (size_t i = 0; i < watch->n_now; i++)
        if (watch->now[i].sight.client_port == client_port)
            return &watch->now[i];
    if (watch->n_now == watch->room_now) {
        size_t room = watch->room_now ? 2 * watch->room_now : 8;
        struct socket_now *now = realloc(watch->now, room * sizeof(*now));

        if (!now)
            return NULL;
        watch->now = now;
        watch->room_now = room;
    }
    watch->now[watch->n_now] = (struct socket_now){.sight.client_port = client_port};
    return &watch->now[watch->n_now++];
}

static int see(struct socket_watch *watch, const struct nlmsghdr *header, int64_t wall)
{
    const struct inet_diag_msg *diag = NLMSG_DATA(header);
    const struct rtattr *attr = (const void *)(diag + 1);
    int left = (int)header->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*diag));
    uint16_t local = ntohs(diag->id.idiag_sport), remote = ntohs(diag->id.idiag_dport);
    struct socket_sight sight = {.wall_ns = wall};
    struct tcp_info info = {0};
    struct socket_now *now;

    if (left < 0 || diag->idiag_state == 7 || diag->idiag_state == 10 ||
        (watch->side == FLOW_SERVER ? local : remote) != watch->server_port)
        return 0;
    for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left))
        if (attr->rta_type == INET_DIAG_INFO)
            memcpy(&info, RTA_DATA(attr),
                   (size_t)RTA_PAYLOAD(attr) < sizeof(info) ? (size_t)RTA_PAYLOAD(attr)
                                                            : sizeof(info));
    sight.client_port = watch->side == FLOW_SERVER ? remote : local;
    view_of(&sight.view, diag, &info, wall);
    now = find(watch, sight.client_port);
    if (!now)
        return -ENOMEM;
    now->round = watch->round;
    if (!differs(&sight.view, &now->sight.view))
        return 0;
    now->sight = sight;
    return note(watch, &sight);
}

/* Those that were there and are not. */
static int see_gone(struct socket_watch *watch, int64_t wall)
{
    for (size_t i = 0; i < watch->n_now; i++) {
        struct socket_now *now = &watch->now[i];
        int r;

        if (now->round == watch->round)
            continue;
        r = note(watch, &(struct socket_sight){.wall_ns = wall,
                                               .client_port = now->sight.client_port,
                                               .view = {.expires = MTIME_NEVER}});
        if (r < 0)
            return r;
        *now = watch->now[--watch->n_now];
        i--;
    }
    return 0;
}

static int ask(const struct socket_watch *watch)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } message = {
        .header = {.nlmsg_len = sizeof(message),
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .request = {.sdiag_family = AF_INET,
                    .sdiag_protocol = IPPROTO_TCP,
                    .idiag_ext = 1 << (INET_DIAG_INFO - 1),
                    .idiag_states = ~0u},
    };

    return send(watch->fd, &message, sizeof(message), 0) < 0 ? -errno : 0;
}

int socket_watch_take(struct socket_watch *watch)
{
    int64_t wall = monotonic();
    int r = ask(watch);

    watch->round++;
    while (r == 0) {
        _Alignas(struct nlmsghdr) char buffer[32768];
        ssize_t len = recv(watch->fd, buffer, sizeof(buffer), 0);
        const struct nlmsghdr *header = (const void *)buffer;

        if (len < 0)
            return -errno;
        for (unsigned left = (unsigned)len; r == 0 && NLMSG_OK(header, left);
             header = NLMSG_NEXT(header, left)) {
            if (header->nlmsg_type == NLMSG_DONE)
                return see_gone(watch, wall);
            if (header->nlmsg_type == NLMSG_ERROR)
                return -EIO;
            r = see(watch, header, wall);
        }
    }
    return r;
}

void socket_watch_finish(struct socket_watch *watch)
{
    if (watch->fd >= 0)
        close(watch->fd);
    free(watch->sights);
    free(watch->now);
    *watch = (struct socket_watch){.fd = -1};
}
