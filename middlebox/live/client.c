/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX 32768

void client_init(struct client *client, int fd, int64_t now)
{
    *client =
        (struct client){.fd = fd, .state = CLIENT_ASKING, .progress = now, .until = INT64_MAX};
}

static void forget_request(struct client *client)
{
    request_finish(&client->request);
    free(client->text);
    client->text = NULL;
    client->text_len = 0;
}

void client_finish(struct client *client)
{
    if (client->state == CLIENT_FREE)
        return;
    close(client->fd);
    forget_request(client);
    free(client->out.data);
    *client = (struct client){.fd = -1};
}

size_t client_held(const struct client *client)
{
    return client->out.len - client->sent;
}

static bool make_room(struct record_buf *buf, size_t len)
{
    size_t cap = buf->cap ? buf->cap : 4096;
    char *data;

    while (cap - buf->len < len)
        cap *= 2;
    if (cap == buf->cap)
        return true;
    data = realloc(buf->data, cap);
    if (!data)
        return false;
    buf->data = data;
    buf->cap = cap;
    return true;
}

static bool put(struct client *client, char type, const char *data, size_t len)
{
    struct record_buf *out = &client->out;
    uint32_t size = (uint32_t)len + 1;

    if (client->sent > 0) {
        memmove(out->data, out->data + client->sent, client_held(client));
        out->len -= client->sent;
        client->sent = 0;
    }
    client->last = out->len;
    if (!make_room(out, sizeof(size) + size))
        return false;
    memcpy(out->data + out->len, &size, sizeof(size));
    out->data[out->len + sizeof(size)] = type;
    memcpy(out->data + out->len + sizeof(size) + 1, data, len);
    out->len += sizeof(size) + size;
    return true;
}

/* Many small pieces (events) become few messages. */
static bool append(struct client *client, const char *data, size_t len)
{
    struct record_buf *out = &client->out;
    uint32_t size;

    if (client->last < client->sent || client->last == out->len)
        return false;
    memcpy(&size, out->data + client->last, sizeof(size));
    if (out->data[client->last + sizeof(size)] != 'D' || size + len > MESSAGE_MAX ||
        !make_room(out, len))
        return false;
    memcpy(out->data + out->len, data, len);
    out->len += len;
    size += (uint32_t)len;
    memcpy(out->data + client->last, &size, sizeof(size));
    return true;
}

bool client_data(struct client *client, const char *data, size_t len)
{
    if (client_held(client) + len > CLIENT_ROOM)
        return false;
    if (append(client, data, len))
        return true;
    while (len > 0) {
        size_t some = len < MESSAGE_MAX ? len : MESSAGE_MAX;

        if (!put(client, 'D', data, some))
            return false;
        data += some;
        len -= some;
    }
    return true;
}

bool client_say(struct client *client, const char *message)
{
    size_t len = strnlen(message, MESSAGE_MAX);

    return client_held(client) + len <= CLIENT_ROOM && put(client, 'M', message, len);
}

void client_end(struct client *client, char status)
{
    bool ok = put(client, 'Z', &status, 1);

    forget_request(client);
    client->until = INT64_MAX;
    client->again = 0;
    client->lost = 0;
    client->state = ok ? CLIENT_ASKING : CLIENT_ENDING;
}

bool client_flush(struct client *client, int64_t now)
{
    struct record_buf *out = &client->out;

    while (client->sent < out->len) {
        uint32_t size;

        memcpy(&size, out->data + client->sent, sizeof(size));
        if (send(client->fd, out->data + client->sent + sizeof(size), size,
                 MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
        client->sent += sizeof(size) + size;
        client->progress = now;
    }
    free(out->data); /* a hundred idle clients need not hold the memory of their longest answer */
    *out = (struct record_buf){0};
    client->sent = client->last = 0;
    return true;
}

int client_receive(struct client *client, int64_t now)
{
    static char buf[REQUEST_MAX]; /* the control thread's only */
    ssize_t n = recv(client->fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
    if (n == 0)
        return -EPIPE;
    client->progress = now;
    if ((size_t)n > sizeof(buf))
        return -EMSGSIZE;
    client->text = malloc((size_t)n);
    if (!client->text)
        return -ENOMEM;
    memcpy(client->text, buf, (size_t)n);
    client->text_len = (size_t)n;
    return 1;
}
