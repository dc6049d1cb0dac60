/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/command.h"
#include "tools/request.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Everything written is out: nothing is buffered here. */
static void on_interrupt(int number)
{
    (void)number;
    _exit(DONE);
}

static int cannot_connect(const struct request *request, int error)
{
    if (error == ENOENT || error == ECONNREFUSED)
        return command_failed(request->name,
                              "no idlewalld listens at %s; start one, or say --control PATH",
                              request->control);
    if (error == EACCES || error == EPERM)
        return command_failed(request->name, "%s: %s; its owner and group may use it, and root",
                              request->control, strerror(error));
    return command_failed(request->name, "%s: %s", request->control, strerror(error));
}

static int open_control(const struct request *request, int *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(request->control) >= sizeof(address.sun_path))
        return command_misused(request->name, "--control %s: longer than %zu bytes",
                               request->control, sizeof(address.sun_path) - 1);
    strcpy(address.sun_path, request->control);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return command_failed(request->name, "socket: %s", strerror(errno));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        int status = cannot_connect(request, errno);

        close(fd);
        return status;
    }
    *out = fd;
    return DONE;
}

static int ask(const struct request *request, int fd)
{
    char *text = json_dumps(request->json, JSON_COMPACT);
    int status = DONE;

    if (!text)
        return command_failed(request->name, "out of memory");
    if (strlen(text) > 65536)
        status = command_misused(request->name, "the request is longer than 65536 bytes");
    else if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        status = command_failed(request->name, "%s: %s", request->control, strerror(errno));
    free(text);
    return status;
}

/* 0, or a negative errno. */
static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n < 0)
            continue;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* The next message, of any size; its length, 0 at the end, or a negative errno. */
static ssize_t receive(int fd, char **buf, size_t *cap)
{
    ssize_t len = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC);

    if (len <= 0)
        return len < 0 ? -errno : 0;
    if ((size_t)len > *cap) {
        char *grown = realloc(*buf, (size_t)len);

        if (!grown)
            return -ENOMEM;
        *buf = grown;
        *cap = (size_t)len;
    }
    len = recv(fd, *buf, *cap, 0);
    return len < 0 ? -errno : len;
}

/* Handles one message; true when the answer is over, with *status. */
static bool take(const struct request *request, const char *message, size_t len, int *status)
{
    int r = 0;

    switch (message[0]) {
    case 'D':
        r = write_all(request->output, message + 1, len - 1);
        break;
    case 'M':
        r = write_all(STDERR_FILENO, message + 1, len - 1);
        if (r == 0)
            r = write_all(STDERR_FILENO, "\n", 1);
        break;
    case 'Z':
        *status = len == 2 ? (unsigned char)message[1] : COULD_NOT;
        return true;
    default:
        *status = command_failed(request->name, "%s does not speak idlewalld's language",
                                 request->control);
        return true;
    }
    if (r == 0)
        return false;
    /* Who reads us has seen enough. */
    *status =
        r == -EPIPE ? DONE : command_failed(request->name, "standard output: %s", strerror(-r));
    return true;
}

static int copy_answer(const struct request *request, int fd)
{
    char *message = NULL;
    size_t cap = 0;
    ssize_t len;
    int status = COULD_NOT;

    while ((len = receive(fd, &message, &cap)) > 0 || len == -EINTR)
        if (len > 0 && take(request, message, (size_t)len, &status))
            goto out;
    command_failed(request->name, "idlewalld went away before it had answered%s%s",
                   len < 0 ? ": " : "", len < 0 ? strerror((int)-len) : "");
out:
    free(message);
    return status;
}

int request_run(struct request *request)
{
    int fd = -1;
    int status;

    if (request->json) {
        status = open_control(request, &fd);
    } else {
        status = command_failed(request->name, "out of memory");
    }
    if (status != DONE)
        goto out;
    if (request->endless) {
        signal(SIGINT, on_interrupt);
        signal(SIGTERM, on_interrupt);
    }
    status = ask(request, fd);
    if (status == DONE)
        status = copy_answer(request, fd);
out:
    if (fd >= 0)
        close(fd);
    request_drop(request);
    return status;
}
