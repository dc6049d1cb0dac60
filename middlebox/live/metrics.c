/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/metrics.h"

#include "middlebox/live/clock.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct visitor {
    int fd; /* MHD's; -1: a free place */
    int64_t since;
};

struct metrics_server {
    struct MHD_Daemon *daemon;
    int epoll; /* the daemon's */
    metrics_make make;
    void *arg;
    struct visitor visitors[METRICS_CLIENTS];
    unsigned n_visitors;
};

static int fd_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    return info ? info->connect_fd : -1;
}

static void notice(void *cls, struct MHD_Connection *connection, void **context,
                   enum MHD_ConnectionNotificationCode what)
{
    struct metrics_server *server = cls;
    struct visitor *visitor = *context;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (visitor) {
            visitor->fd = -1;
            server->n_visitors--;
        }
        return;
    }
    for (unsigned i = 0; i < METRICS_CLIENTS; i++) {
        if (server->visitors[i].fd >= 0)
            continue;
        server->visitors[i] = (struct visitor){fd_of(connection), live_monotonic()};
        server->n_visitors++;
        *context = &server->visitors[i];
        return;
    }
}

/* MHD's own timeout starts anew with every byte: a client that sends one now and then would stay
 * for good. */
static void put_out(struct metrics_server *server, int64_t now)
{
    for (unsigned i = 0; i < METRICS_CLIENTS; i++) {
        struct visitor *v = &server->visitors[i];

        if (v->fd >= 0 && now - v->since > METRICS_PATIENCE)
            shutdown(v->fd, SHUT_RDWR);
    }
}

static enum MHD_Result send_text(struct MHD_Connection *connection, unsigned status,
                                 const char *type, char *text, size_t len)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
    enum MHD_Result r;

    if (!response) {
        free(text);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    r = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return r;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *message)
{
    char *text = strdup(message);

    return text ? send_text(connection, status, "text/plain; charset=utf-8", text, strlen(text))
                : MHD_NO;
}

/* OpenMetrics unless the client asks for something and that is not in it. */
static enum metrics_form form_for(struct MHD_Connection *connection)
{
    const char *accept =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);

    if (accept && !strstr(accept, "application/openmetrics-text") && strstr(accept, "text/plain"))
        return METRICS_PLAIN;
    return METRICS_OPEN;
}

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_len, void **context)
{
    const struct metrics_server *server = cls;
    enum metrics_form form = form_for(connection);
    size_t len;
    char *text;

    (void)version;
    (void)upload;
    (void)upload_len;
    (void)context;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    if (strcmp(url, "/metrics") != 0)
        return say(connection, MHD_HTTP_NOT_FOUND, "idlewalld: there is only /metrics\n");
    text = server->make(server->arg, form, &len);
    if (!text)
        return say(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
    return send_text(connection, MHD_HTTP_OK, metrics_content_type[form], text, len);
}

int metrics_create(struct metrics_server **out, int listener, metrics_make make, void *arg)
{
    struct metrics_server *server = calloc(1, sizeof(*server));
    const union MHD_DaemonInfo *info;

    *out = NULL;
    if (!server) {
        close(listener);
        return -ENOMEM;
    }
    server->make = make;
    server->arg = arg;
    for (unsigned i = 0; i < METRICS_CLIENTS; i++)
        server->visitors[i].fd = -1;
    server->daemon =
        MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, server, MHD_OPTION_LISTEN_SOCKET,
                         listener, MHD_OPTION_CONNECTION_LIMIT, METRICS_CLIENTS,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)METRICS_MEMORY,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(METRICS_PATIENCE / MTIME_SEC),
                         MHD_OPTION_NOTIFY_CONNECTION, notice, server, MHD_OPTION_END);
    if (!server->daemon) {
        close(listener);
        free(server);
        return -EIO;
    }
    info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    server->epoll = info ? info->epoll_fd : -1;
    *out = server;
    return 0;
}

struct metrics_server *metrics_destroy(struct metrics_server *server)
{
    if (!server)
        return NULL;
    MHD_stop_daemon(server->daemon);
    free(server);
    return NULL;
}

int metrics_fd(const struct metrics_server *server)
{
    return server ? server->epoll : -1;
}

void metrics_timeout(const struct metrics_server *server, int *timeout)
{
    MHD_UNSIGNED_LONG_LONG wait;

    if (server && MHD_get_timeout(server->daemon, &wait) == MHD_YES &&
        wait < (MHD_UNSIGNED_LONG_LONG)*timeout)
        *timeout = (int)wait;
}

void metrics_serve(struct metrics_server *server, int64_t now)
{
    if (!server)
        return;
    if (server->n_visitors > 0)
        put_out(server, now);
    MHD_run(server->daemon);
}
