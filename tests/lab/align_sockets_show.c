/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets of this network namespace, or those of a text, for align_sockets.py: JSON.
 *     align_sockets_show live [SECONDS LOOKS]     later looks narrow the first
 *     align_sockets_show text < TEXT */
#include "tools/align/socket.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static json_t *seconds(mtime_t t)
{
    return t == MTIME_NEVER ? json_null() : json_real(mtime_seconds(t));
}

static json_t *address(const struct socket_fact *f, const uint8_t *bytes, unsigned port)
{
    char text[INET6_ADDRSTRLEN];

    inet_ntop(f->family == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text));
    return json_pack("[s, i]", text, port);
}

static json_t *known(const struct socket_fact *f)
{
    static const char *const keepalive[] = {"unknown", "off", "on"};
    static const char *const from[] = {"unknown", "read", "inferred", "default"};

    return json_pack("{s:s, s:s, s:[o, o], s:[o, o], s:i, s:o}", "keepalive",
                     keepalive[f->keepalive], "figures", from[f->figures], "idle",
                     seconds(f->idle.low), seconds(f->idle.high), "interval",
                     seconds(f->interval.low), seconds(f->interval.high), "count", (int)f->count,
                     "user_timeout", seconds(f->user_timeout));
}

static json_t *fact(const struct socket_fact *f)
{
    json_t *out = json_pack(
        "{s:o, s:o, s:b, s:b, s:s, s:s, s:o, s:i, s:i, s:I, s:I}", "local",
        address(f, f->local, f->local_port), "peer", address(f, f->peer, f->peer_port), "server",
        f->listened, "guessed", f->listened_guessed, "state", socket_state_name(f->state), "timer",
        f->timer_known ? socket_timer_name(f->timer) : "unknown", "left", seconds(f->timer_left),
        "retransmits", (int)f->retransmits, "probes", (int)f->probes, "send_queue",
        (json_int_t)f->send_queue, "receive_queue", (json_int_t)f->receive_queue);

    json_object_update_new(out, known(f));
    json_object_update_new(
        out, json_pack("{s:o, s:o, s:o, s:I, s:I, s:i, s:s, s:s, s:b}", "sent",
                       seconds(f->last_sent), "received", seconds(f->last_received), "rtt",
                       seconds(f->rtt), "inode", (json_int_t)f->inode, "uid",
                       (json_int_t)(f->uid_known ? (int64_t)f->uid : -1), "pid", f->pid, "process",
                       f->process, "container", f->container, "systemd", f->systemd_socket));
    return out;
}

static void show(const struct socket_table *table)
{
    json_t *sockets = json_array(), *all;

    for (size_t i = 0; i < table->n; i++)
        json_array_append_new(sockets, fact(&table->sockets[i]));
    all = json_pack("{s:o, s:b, s:b, s:i}", "sockets", sockets, "partial", table->partial,
                    "assumed", table->timers_assumed, "bad", (int)table->n_bad);
    json_dumpf(all, stdout, JSON_COMPACT);
    puts("");
    json_decref(all);
}

static mtime_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * MTIME_SEC + ts.tv_nsec;
}

static int watch(struct socket_table *table, double pause, int looks)
{
    struct timespec wait = {(time_t)pause, (long)((pause - (double)(time_t)pause) * 1e9)};
    mtime_t last = now();
    int r = 0;

    for (int i = 0; r == 0 && i < looks; i++) {
        struct socket_table later = {0};
        mtime_t at;

        nanosleep(&wait, NULL);
        at = now();
        r = socket_table_live(&later);
        if (r == 0)
            r = socket_table_narrow(table, &later, at - last);
        last = at;
        socket_table_finish(&later);
    }
    return r;
}

static int read_text(struct socket_table *table)
{
    static char text[1 << 20];

    return socket_table_text(table, text, fread(text, 1, sizeof(text), stdin));
}

int main(int argc, char **argv)
{
    struct socket_table table = {0};
    int r =
        argc > 1 && strcmp(argv[1], "text") == 0 ? read_text(&table) : socket_table_live(&table);

    if (r == 0 && argc > 3)
        r = watch(&table, atof(argv[2]), atoi(argv[3]));
    if (r < 0)
        fprintf(stderr, "align_sockets_show: %s\n", strerror(-r));
    else
        show(&table);
    socket_table_finish(&table);
    return r < 0;
}
