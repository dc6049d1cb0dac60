/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/play/agent_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIECE (1 << 20) /* the most that one read takes: more than a window holds */

mtime_t agent_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * MTIME_SEC + now.tv_nsec;
}

void agent_report(struct agent_self *self, const struct agent_socket *socket, mtime_t when,
                  struct timeline_app app)
{
    struct agent_report report = {.wall_ns = when,
                                  .client_port = socket ? socket->client_port : 0,
                                  .connection = socket ? socket->number : 0,
                                  .app = app};

    if (send(self->control, &report, sizeof(report), MSG_NOSIGNAL) < 0)
        _exit(0); /* the lab is gone */
}

static void set(int fd, int level, int option, int value)
{
    (void)setsockopt(fd, level, option, &value, sizeof(value));
}

void agent_wish(const struct agent_self *self, const struct agent_socket *socket)
{
    const struct tcp_wishes *w = &self->wishes;
    mtime_t speed = (mtime_t)self->spec->speed;
    bool on = w->keepalive == SOFTWARE_KEEPALIVE_ON;

    if (w->keepalive != SOFTWARE_KEEPALIVE_UNSET)
        set(socket->fd, SOL_SOCKET, SO_KEEPALIVE, on);
    if (on) {
        set(socket->fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)(w->times.idle / MTIME_SEC / speed));
        set(socket->fd, IPPROTO_TCP, TCP_KEEPINTVL, (int)(w->times.interval / MTIME_SEC / speed));
        set(socket->fd, IPPROTO_TCP, TCP_KEEPCNT, (int)w->times.count);
    }
    set(socket->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)(w->user_timeout / MTIME_MSEC / speed));
}

static int open_socket(const struct agent_self *self, struct sockaddr_in *address)
{
    const struct system *system = &self->spec->host->system;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(self->spec->port)};
    if (inet_pton(AF_INET, self->spec->server, &address->sin_addr) != 1) {
        close(fd);
        return -EINVAL;
    }
    /* A write must never wait: the story's next deed would. */
    set(fd, SOL_SOCKET, SO_SNDBUFFORCE, 16 << 20);
    /* Doubled by the kernel, of which it offers half as window (tcp_win_from_space()). */
    if (system->receive_buffer)
        set(fd, SOL_SOCKET, SO_RCVBUF, (int)system->receive_buffer);
    return fd;
}

int agent_listen(const struct agent_self *self)
{
    struct sockaddr_in address;
    int fd = open_socket(self, &address);

    if (fd < 0)
        return fd;
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 64) == 0)
        return fd;
    close(fd);
    return -errno;
}

/* The place for one more; those that are done make room. */
static struct agent_socket *next(struct agent_self *self)
{
    struct agent_socket *socket;

    if (self->n == AGENT_SOCKETS) {
        size_t kept = 0;

        for (size_t i = 0; i < self->n; i++)
            if (self->sockets[i].fd >= 0)
                self->sockets[kept++] = self->sockets[i];
        self->n = kept;
    }
    if (self->n == AGENT_SOCKETS)
        return NULL;
    socket = &self->sockets[self->n++];
    *socket = (struct agent_socket){
        .fd = -1, .number = ++self->numbers, .waits_since = MTIME_NEVER, .answer_at = MTIME_NEVER};
    return socket;
}

static uint16_t port_of(int fd, int (*which)(int, struct sockaddr *, socklen_t *))
{
    struct sockaddr_in address = {0};
    socklen_t len = sizeof(address);

    return which(fd, (struct sockaddr *)&address, &len) == 0 ? ntohs(address.sin_port) : 0;
}

static int local_name(int fd, struct sockaddr *address, socklen_t *len)
{
    return getsockname(fd, address, len);
}

static int peer_name(int fd, struct sockaddr *address, socklen_t *len)
{
    return getpeername(fd, address, len);
}

static void ended(struct agent_self *self, struct agent_socket *socket)
{
    socket->waits_since = socket->answer_at = MTIME_NEVER;
    if (self->spec->side != FLOW_CLIENT || self->behaviour.reconnect == 0)
        return;
    if (socket->fd >= 0)
        close(socket->fd);
    socket->fd = -1;
    self->connect_at = agent_now() + self->behaviour.reconnect;
}

static void fail(struct agent_self *self, struct agent_socket *socket, enum app_call call,
                 int error)
{
    socket->trouble = true;
    socket->reading = false;
    agent_report(self, socket, agent_now(),
                 (struct timeline_app){.act = APP_ERROR, .call = call, .error = error});
    ended(self, socket);
}

static void begin(struct agent_self *self, struct agent_socket *socket, enum app_act act)
{
    mtime_t now = agent_now();

    socket->connected = true;
    socket->reading = !self->behaviour.reads_not;
    socket->last_sent = socket->last_heard = socket->last_payload = now;
    if (self->spec->side == FLOW_SERVER)
        socket->waits_since = now;
    agent_report(self, socket, now, (struct timeline_app){.act = act});
    if (socket->unsent)
        agent_write(self, socket, socket->unsent, true);
    socket->unsent = 0;
}

void agent_connect(struct agent_self *self)
{
    struct agent_socket *socket = next(self);
    struct sockaddr_in address;
    mtime_t when = agent_now();

    if (!socket)
        return;
    socket->fd = open_socket(self, &address);
    if (socket->fd < 0)
        return;
    agent_wish(self, socket);
    if (connect(socket->fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
        errno != EINPROGRESS) {
        int error = errno;

        agent_report(self, socket, when,
                     (struct timeline_app){.act = APP_CONNECT, .call = CALL_CONNECT});
        fail(self, socket, CALL_CONNECT, error);
        return;
    }
    socket->client_port = port_of(socket->fd, local_name);
    agent_report(self, socket, when,
                 (struct timeline_app){.act = APP_CONNECT, .call = CALL_CONNECT});
}

void agent_accept(struct agent_self *self)
{
    int fd = accept4(self->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct agent_socket *socket = fd < 0 ? NULL : next(self);

    if (!socket) {
        if (fd >= 0)
            close(fd);
        return;
    }
    socket->fd = fd;
    socket->client_port = port_of(fd, peer_name);
    agent_wish(self, socket);
    begin(self, socket, APP_ACCEPTED);
}

bool agent_reads(const struct agent_socket *socket)
{
    return socket->fd >= 0 && socket->reading && socket->answer_at == MTIME_NEVER;
}

void agent_write(struct agent_self *self, struct agent_socket *socket, uint32_t bytes, bool asks)
{
    static const char zeros[1 << 16];
    mtime_t when = agent_now();
    uint32_t left = bytes;

    while (left > 0) {
        ssize_t sent = send(socket->fd, zeros, left < sizeof(zeros) ? left : sizeof(zeros),
                            MSG_NOSIGNAL | (left > sizeof(zeros) ? MSG_MORE : 0));

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && left < bytes && errno == EAGAIN)
            break;
        if (sent < 0) {
            fail(self, socket, CALL_WRITE, errno);
            return;
        }
        left -= (uint32_t)sent;
    }
    agent_report(self, socket, when, (struct timeline_app){.act = APP_SEND, .bytes = bytes - left});
    socket->last_sent = socket->last_payload = when;
    if (asks && (self->spec->side == FLOW_SERVER || socket->waits_since == MTIME_NEVER))
        socket->waits_since = when;
}

void agent_close(struct agent_self *self, struct agent_socket *socket, enum app_act why)
{
    mtime_t when = agent_now();

    if (why != APP_CLOSE)
        agent_report(self, socket, when, (struct timeline_app){.act = why});
    agent_report(self, socket, when, (struct timeline_app){.act = APP_CLOSE});
    close(socket->fd);
    socket->fd = -1;
    socket->reading = false;
    socket->waits_since = socket->answer_at = MTIME_NEVER;
}

static void end_of_file(struct agent_self *self, struct agent_socket *socket)
{
    socket->eof = true;
    socket->reading = false;
    socket->waits_since = MTIME_NEVER;
    agent_report(self, socket, agent_now(),
                 (struct timeline_app){.act = APP_EOF, .call = CALL_READ});
    if (self->behaviour.ignores_eof) {
        socket->broken = true;
        return;
    }
    agent_close(self, socket, APP_CLOSE);
    ended(self, socket);
}

static void got(struct agent_self *self, struct agent_socket *socket, uint32_t bytes)
{
    mtime_t now = agent_now();

    socket->last_heard = socket->last_payload = now;
    agent_report(self, socket, now,
                 (struct timeline_app){.act = APP_READ, .call = CALL_READ, .bytes = bytes});
    socket->waits_since = self->spec->side == FLOW_SERVER ? now : MTIME_NEVER;
    if (self->behaviour.answer_bytes == 0)
        return;
    socket->waits_since = MTIME_NEVER;
    if (self->behaviour.answer_after > 0)
        socket->answer_at = now + self->behaviour.answer_after;
    else
        agent_write(self, socket, self->behaviour.answer_bytes, true);
}

void agent_read(struct agent_self *self, struct agent_socket *socket)
{
    static char buffer[PIECE];

    while (agent_reads(socket)) {
        ssize_t len = recv(socket->fd, buffer, sizeof(buffer), 0);

        if (len < 0 && errno == EAGAIN)
            return;
        if (len < 0)
            fail(self, socket, CALL_READ, errno);
        else if (len == 0)
            end_of_file(self, socket);
        else
            got(self, socket, (uint32_t)len);
    }
}

void agent_ready(struct agent_self *self, struct agent_socket *socket, short events)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (!socket->connected) {
        (void)getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        if (error)
            fail(self, socket, CALL_CONNECT, error);
        else
            begin(self, socket, APP_CONNECTED);
    } else if (agent_reads(socket)) {
        agent_read(self, socket);
    } else if (events & (POLLERR | POLLHUP)) {
        socket->broken = true; /* told at its next call */
    }
}

static mtime_t after(mtime_t since, mtime_t delay)
{
    return delay == 0 || since == MTIME_NEVER ? MTIME_NEVER : since + delay;
}

static mtime_t least(mtime_t a, mtime_t b)
{
    return a < b ? a : b;
}

mtime_t agent_due(const struct agent_self *self, const struct agent_socket *socket)
{
    const struct behaviour *b = &self->behaviour;
    mtime_t due;

    if (socket->fd < 0 || !socket->connected || socket->trouble)
        return MTIME_NEVER;
    due = least(socket->answer_at, after(socket->last_sent, b->heartbeat));
    if (agent_reads(socket))
        due = least(due, after(socket->waits_since, b->read_timeout));
    due = least(due, after(socket->last_heard, b->heartbeat_timeout));
    return least(due, after(socket->last_payload, b->idle_close));
}

static void give_up(struct agent_self *self, struct agent_socket *socket, enum app_act why)
{
    agent_close(self, socket, why);
    ended(self, socket);
}

void agent_timer(struct agent_self *self, struct agent_socket *socket, mtime_t now)
{
    const struct behaviour *b = &self->behaviour;

    if (socket->answer_at <= now) {
        socket->answer_at = MTIME_NEVER;
        agent_write(self, socket, b->answer_bytes, true);
        agent_read(self, socket);
    } else if (agent_reads(socket) && after(socket->waits_since, b->read_timeout) <= now) {
        give_up(self, socket, APP_READ_TIMEOUT);
    } else if (after(socket->last_heard, b->heartbeat_timeout) <= now) {
        give_up(self, socket, APP_HEARTBEAT_TIMEOUT);
    } else if (after(socket->last_payload, b->idle_close) <= now) {
        agent_close(self, socket, APP_IDLE_CLOSE);
    } else if (after(socket->last_sent, b->heartbeat) <= now) {
        agent_write(self, socket, b->heartbeat_bytes ? b->heartbeat_bytes : 1, false);
    }
}
