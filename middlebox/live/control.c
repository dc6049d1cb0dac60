/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define NICE 10
#define IDLE_LIMIT (30 * MTIME_SEC) /* without a request */
#define STUCK_LIMIT                                                                                \
    (5 * MTIME_SEC) /* reads or asks nothing: may be put out when places run short */

enum { FD_LINK, FD_LISTENER, FD_TAP, FD_METRICS, FD_CLIENTS };

void control_out_of_memory(struct client *client)
{
    client_say(client, "out of memory");
    client_end(client, 3);
}

static void drop(struct control *control, struct client *client)
{
    client_finish(client);
    control->n_clients--;
    control_update_wants(control);
}

/* A place for one more: a free one, or that of whoever has been doing nothing for longest. */
static struct client *find_place(struct control *control, int64_t now)
{
    struct client *stuck = NULL;

    for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
        struct client *c = &control->clients[i];

        if (c->state == CLIENT_FREE)
            return c;
        if ((client_held(c) > 0 || c->state == CLIENT_ASKING) && now - c->progress > STUCK_LIMIT &&
            (!stuck || c->progress < stuck->progress))
            stuck = c;
    }
    if (stuck)
        drop(control, stuck);
    return stuck;
}

static void welcome(struct control *control, int64_t now)
{
    static const char full[] = "Mtoo many clients";
    int fd = accept4(control->worker->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct client *client;

    if (fd < 0)
        return;
    client = find_place(control, now);
    if (client) {
        client_init(client, fd, now);
        control->n_clients++;
        return;
    }
    if (send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL) > 0)
        send(fd, "Z\3", 2, MSG_NOSIGNAL);
    close(fd);
}

/* False when the parent is gone. */
static bool hear_parent(struct control *control)
{
    struct link_message message;
    int text;
    int r = link_receive(control->worker->link, &message, &text);

    if (r == 0 || (r < 0 && r != -EPROTO))
        return false;
    if (r == 1 && message.kind == LINK_POLICY)
        control_reload(control, &message, text);
    if (text >= 0)
        close(text);
    return true;
}

/* False if the client is gone. */
static bool hear_client(struct control *control, struct client *client, short revents, int64_t now)
{
    int r;

    if (revents & (POLLERR | POLLNVAL))
        return false;
    if (client->state != CLIENT_ASKING)
        return !(revents & POLLHUP);
    if (!(revents & (POLLIN | POLLHUP)))
        return true;
    r = client_receive(client, now);
    if (r == 1) {
        control_begin(control, client, now);
    } else if (r == -EMSGSIZE) {
        client_say(client, "a request has at most 65536 bytes");
        client_end(client, 2);
    } else if (r == -ENOMEM) {
        control_out_of_memory(client);
    }
    return r != -EPIPE;
}

static void serve(struct control *control, struct client *client, short revents, int64_t now)
{
    bool there = hear_client(control, client, revents, now);

    if (there && client->state == CLIENT_WORKING && now >= client->again &&
        client_held(client) < CLIENT_SLICE)
        control_work(control, client, now);
    control_check_wait(control, client, now);
    there = there && client_flush(client, now);
    if (client_held(client) == 0 && client->state == CLIENT_ENDING)
        there = false;
    if (client->state == CLIENT_ASKING && now - client->progress > IDLE_LIMIT)
        there = false;
    if (!there)
        drop(control, client);
}

/* What to wait for, and how long: *timeout in ms. */
static unsigned prepare(const struct control *control, struct pollfd *fds, int64_t now,
                        int *timeout)
{
    unsigned n = FD_CLIENTS;

    fds[FD_LINK] = (struct pollfd){.fd = control->worker->link, .events = POLLIN};
    fds[FD_LISTENER] = (struct pollfd){.fd = control->worker->listener, .events = POLLIN};
    fds[FD_TAP] = (struct pollfd){.fd = control->worker->tap_wake, .events = POLLIN};
    fds[FD_METRICS] = (struct pollfd){.fd = metrics_fd(control->metrics), .events = POLLIN};
    *timeout = 1000;
    metrics_timeout(control->metrics, timeout);
    for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
        const struct client *c = &control->clients[i];
        int64_t next = c->until;

        fds[n] = (struct pollfd){.fd = c->state == CLIENT_FREE ? -1 : c->fd};
        if (c->state == CLIENT_ASKING)
            fds[n].events |= POLLIN;
        if (client_held(c) > 0)
            fds[n].events |= POLLOUT;
        n++;
        if (c->state == CLIENT_FREE)
            continue;
        if (c->state == CLIENT_WORKING && client_held(c) < CLIENT_SLICE)
            next = c->again;
        if (next <= now)
            *timeout = 0;
        else if (next - now < *timeout * MTIME_MSEC)
            *timeout = (int)((next - now - 1) / MTIME_MSEC + 1);
    }
    return n;
}

static void check_recording(struct worker *worker)
{
    int r = atomic_exchange(&worker->loops[0].recording_error, 0);

    if (r < 0)
        fprintf(stderr, "idlewalld: %s: %s; the recording ends here\n", worker->options->record,
                strerror(-r));
}

int control_run(struct worker *worker)
{
    static struct control control; /* zeros, and too big for a stack */
    struct pollfd fds[FD_CLIENTS + CONTROL_CLIENTS];
    bool more = false;

    control.worker = worker;
    if (worker->metrics >= 0) {
        int r = metrics_create(&control.metrics, worker->metrics, control_metrics, &control);

        worker->metrics = -1;
        if (r < 0) {
            fprintf(stderr, "idlewalld: metrics: %s\n", strerror(-r));
            return 3;
        }
    }
    /* Of this thread alone: where processors are short, packets go first. */
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    for (;;) {
        int64_t now = live_monotonic();
        int timeout;
        eventfd_t ignored;
        unsigned n = prepare(&control, fds, now, &timeout);

        if (poll(fds, n, more ? 0 : timeout) < 0 && errno != EINTR)
            break;
        now = live_monotonic();
        if (fds[FD_TAP].revents)
            eventfd_read(worker->tap_wake, &ignored);
        if (fds[FD_LINK].revents && !hear_parent(&control))
            break;
        more = control_deliver(&control);
        check_recording(worker);
        for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
            if (control.clients[i].state != CLIENT_FREE)
                serve(&control, &control.clients[i], fds[FD_CLIENTS + i].revents, now);
        }
        if (fds[FD_LISTENER].revents)
            welcome(&control, now);
        metrics_serve(control.metrics, now);
    }
    metrics_destroy(control.metrics);
    for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
        client_finish(&control.clients[i]);
    free(control.text.data);
    return 0;
}
