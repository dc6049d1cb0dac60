/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/play/agent_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static struct agent_socket *current(struct agent_self *self)
{
    return self->n ? &self->sockets[self->n - 1] : NULL;
}

static void set_keepalive(struct agent_self *self, const struct deed *deed)
{
    if (deed->verb == DEED_KEEPALIVE) {
        self->wishes.keepalive = deed->keepalive;
        self->wishes.times = deed->times;
    } else {
        self->wishes.user_timeout = deed->duration;
    }
    for (size_t i = 0; i < self->n; i++)
        if (self->sockets[i].fd >= 0)
            agent_wish(self, &self->sockets[i]);
}

static void send_bytes(struct agent_self *self, struct agent_socket *socket, uint32_t bytes)
{
    if (!socket->connected && !socket->trouble)
        socket->unsent += bytes;
    else
        agent_write(self, socket, bytes, true);
}

static void abort_it(struct agent_self *self, struct agent_socket *socket)
{
    const struct linger none = {.l_onoff = 1};

    setsockopt(socket->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    agent_close(self, socket, APP_CLOSE);
}

static void read_again(struct agent_self *self, struct agent_socket *socket)
{
    socket->broken = false;
    socket->reading = true;
    agent_read(self, socket);
}

static void heed(struct agent_self *self, const struct deed *deed)
{
    struct agent_socket *socket = current(self);

    if (deed->verb == DEED_CONNECT) {
        agent_connect(self);
        return;
    }
    if (deed->verb == DEED_KEEPALIVE || deed->verb == DEED_USER_TIMEOUT) {
        set_keepalive(self, deed);
        return;
    }
    if (!socket || socket->fd < 0)
        return;
    if (deed->verb == DEED_SEND)
        send_bytes(self, socket, deed->number);
    else if (deed->verb == DEED_CLOSE)
        agent_close(self, socket, APP_CLOSE);
    else if (deed->verb == DEED_SHUTDOWN)
        shutdown(socket->fd, SHUT_WR);
    else if (deed->verb == DEED_ABORT)
        abort_it(self, socket);
    else if (deed->verb == DEED_STOP_READING)
        socket->reading = false;
    else if (deed->verb == DEED_READ && !socket->trouble && !socket->eof)
        read_again(self, socket);
}

static short wanted(const struct agent_socket *socket)
{
    if (!socket->connected)
        return POLLOUT;
    return agent_reads(socket) ? POLLIN : 0;
}

static size_t fill(const struct agent_self *self, struct pollfd *fds)
{
    fds[0] = (struct pollfd){.fd = self->control, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = self->listener, .events = POLLIN};
    for (size_t i = 0; i < self->n; i++) {
        const struct agent_socket *socket = &self->sockets[i];

        fds[2 + i] = (struct pollfd){.fd = socket->broken || socket->trouble ? -1 : socket->fd,
                                     .events = wanted(socket)};
    }
    return 2 + self->n;
}

static mtime_t next_due(const struct agent_self *self)
{
    mtime_t due = self->connect_at;

    for (size_t i = 0; i < self->n; i++) {
        mtime_t mine = agent_due(self, &self->sockets[i]);

        due = mine < due ? mine : due;
    }
    return due;
}

static void run_timers(struct agent_self *self)
{
    mtime_t now = agent_now();

    if (self->connect_at <= now) {
        self->connect_at = MTIME_NEVER;
        agent_connect(self);
    }
    for (size_t i = 0; i < self->n; i++)
        if (agent_due(self, &self->sockets[i]) <= now)
            agent_timer(self, &self->sockets[i], now);
}

static void listen_to_lab(struct agent_self *self)
{
    struct deed deed;
    ssize_t len = recv(self->control, &deed, sizeof(deed), MSG_DONTWAIT);

    if (len == 0 || (len < 0 && errno != EAGAIN))
        _exit(0);
    if (len == (ssize_t)sizeof(deed))
        heed(self, &deed);
}

static void step(struct agent_self *self)
{
    struct pollfd fds[AGENT_SOCKETS + 2];
    size_t n = fill(self, fds);
    mtime_t due = next_due(self), left = due - agent_now();
    struct timespec wait = {.tv_sec = left > 0 ? left / MTIME_SEC : 0,
                            .tv_nsec = left > 0 ? left % MTIME_SEC : 0};

    if (ppoll(fds, n, due == MTIME_NEVER ? NULL : &wait, NULL) < 0 && errno != EINTR)
        _exit(1);
    /* Sockets first: what came before a deed is seen before it. */
    for (size_t i = 2; i < n; i++)
        if (fds[i].revents)
            agent_ready(self, &self->sockets[i - 2], fds[i].revents);
    if (fds[1].revents)
        agent_accept(self);
    run_timers(self);
    if (fds[0].revents)
        listen_to_lab(self);
}

static struct behaviour divided(struct behaviour b, unsigned speed)
{
    mtime_t *times[] = {&b.read_timeout, &b.heartbeat, &b.heartbeat_timeout,
                        &b.idle_close,   &b.reconnect, &b.answer_after};

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        *times[i] /= (mtime_t)speed;
    return b;
}

_Noreturn void agent_process(int control, const struct agent_spec *spec)
{
    static struct agent_self self; /* too large for the stack; the process has one */
    int r = space_enter(spec->space->path);

    signal(SIGPIPE, SIG_IGN);
    self = (struct agent_self){
        .control = control,
        .listener = -1,
        .spec = spec,
        .wishes = {spec->host->keepalive, spec->host->times, spec->host->user_timeout},
        .behaviour = divided(spec->host->behaviour, spec->speed),
        .connect_at = MTIME_NEVER};
    if (r == 0 && spec->side == FLOW_SERVER) {
        self.listener = agent_listen(&self);
        r = self.listener < 0 ? self.listener : 0;
    }
    agent_report(&self, NULL, agent_now(), (struct timeline_app){.error = -r});
    if (r < 0)
        _exit(1);
    for (;;)
        step(&self);
}
