/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/play/listener.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READY_WITHIN 5000 /* milliseconds of wall time */

static int connect_to(const char *control)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(control) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, control);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -errno;
}

static int ask(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Requests are taken in the order in which they came: with the answer to a later one, ours has been
 * taken, too. */
static int wait_heard(const char *control)
{
    int fd = connect_to(control), r;
    struct pollfd answer = {.fd = fd, .events = POLLIN};

    if (fd < 0)
        return fd;
    r = ask(fd, "{\"command\":\"status\"}");
    if (r == 0 && poll(&answer, 1, READY_WITHIN) != 1)
        r = -ETIMEDOUT;
    close(fd);
    return r;
}

int play_listener_start(struct play_listener *listener, const char *control)
{
    int r;

    listener->fd = connect_to(control);
    if (listener->fd < 0)
        return listener->fd;
    r = ask(listener->fd, "{\"command\":\"events\",\"output\":\"json\"}");
    if (r == 0)
        r = wait_heard(control);
    if (r < 0)
        play_listener_stop(listener);
    return r;
}

static int make_room(struct play_listener *listener, size_t more)
{
    size_t room = 2 * (listener->len + more);
    char *grown;

    if (listener->room - listener->len >= more)
        return 0;
    grown = realloc(listener->events, room);
    if (!grown)
        return -ENOMEM;
    listener->events = grown;
    listener->room = room;
    return 0;
}

/* A type byte before each message: D for data. */
int play_listener_take(struct play_listener *listener)
{
    for (;;) {
        ssize_t len = recv(listener->fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
        char *at;
        int r;

        if (len <= 0)
            return len == 0 || errno == EAGAIN || errno == ECONNRESET || errno == EBADF ? 0
                                                                                        : -errno;
        r = make_room(listener, (size_t)len);
        if (r < 0)
            return r;
        at = listener->events + listener->len;
        len = recv(listener->fd, at, (size_t)len, MSG_DONTWAIT);
        if (len > 1 && *at == 'D') {
            memmove(at, at + 1, (size_t)len - 1);
            listener->len += (size_t)len - 1;
        }
    }
}

void play_listener_stop(struct play_listener *listener)
{
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
}

void play_listener_finish(struct play_listener *listener)
{
    play_listener_stop(listener);
    free(listener->events);
    *listener = (struct play_listener){.fd = -1};
}
