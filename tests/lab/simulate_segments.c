/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One listening Linux socket of the simulator, and segments written by hand: what endpoints.py
 * sends to the kernel's socket too. Reads lines from stdin, in T FLAGS SEQ ACK LEN     a segment
 * without options; figures relative to the SYNs do T close|shutdown|send N until T and prints
 * `packet T server FLAGS SEQ ACK LEN zero|open` and `app T server WHAT VALUE`.
 */
#include "middlebox/engine/packet.h"
#include "tools/scenario/system.h"
#include "tools/simulate/tcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEER_ISN 5000u

struct stand {
    struct tcp_host host;
    struct tcp *tcp; /* NULL until a SYN came, and once it is gone */
    uint32_t iss;
    mtime_t now;
    bool gone, closed, readable;
};

static void say_segment(struct stand *stand, const struct tcp_segment *segment)
{
    static const char letters[] = "FSRP.U";
    char flags[sizeof(letters)], *put = flags;

    for (size_t i = 0; letters[i]; i++)
        if (segment->flags & 1u << i)
            *put++ = letters[i];
    *put = '\0';
    if (segment->flags & TCP_SYN)
        stand->iss = segment->seq;
    printf("packet %.6f server %s %u %u %u %s\n", mtime_seconds(stand->now), flags,
           segment->seq - stand->iss, segment->flags & TCP_ACK ? segment->ack - PEER_ISN : 0,
           segment->len, segment->window == 0 && !(segment->flags & TCP_RST) ? "zero" : "open");
}

static void transmit(void *arg, struct tcp *tcp, const struct tcp_segment *segment)
{
    (void)tcp;
    say_segment(arg, segment);
}

static void notify(void *arg, struct tcp *tcp, enum tcp_notice notice, int error)
{
    struct stand *stand = arg;
    const char *what = "";

    (void)tcp;
    switch (notice) {
    case TCP_ACCEPTED:
        what = "accepted 0";
        break;
    case TCP_EOF:
        what = "eof 0";
        break;
    case TCP_ERROR:
        printf("app %.6f server error %s\n", mtime_seconds(stand->now), errno_name(error));
        return;
    case TCP_READABLE:
        stand->readable = true;
        return;
    case TCP_GONE:
        stand->gone = true;
        return;
    case TCP_CONNECTED:
    case TCP_WRITABLE:
        return;
    }
    printf("app %.6f server %s\n", mtime_seconds(stand->now), what);
}

static void settle(struct stand *stand)
{
    while (stand->readable && !stand->gone && !stand->closed) {
        stand->readable = false;
        for (int64_t n; (n = tcp_read(stand->tcp, stand->now)) > 0;)
            printf("app %.6f server read %lld\n", mtime_seconds(stand->now), (long long)n);
    }
}

static void run_to(struct stand *stand, mtime_t t)
{
    while (stand->tcp && !stand->gone && tcp_due(stand->tcp) <= t) {
        stand->now = tcp_due(stand->tcp);
        tcp_timer(stand->tcp, stand->now);
        settle(stand);
    }
    stand->now = t;
}

static void take(struct stand *stand, const struct tcp_segment *segment, struct tcp *room)
{
    struct tcp_segment answer;

    if (stand->tcp && !stand->gone) {
        tcp_input(stand->tcp, stand->now, segment);
    } else if (!stand->tcp && segment->flags == TCP_SYN) {
        stand->tcp = room;
        tcp_init(room, &stand->host, &(struct tcp_options){0});
        tcp_accept(room, stand->now, segment);
    } else if (tcp_answer_closed(segment, &answer)) {
        say_segment(stand, &answer);
    }
    if (stand->tcp)
        settle(stand);
}

static uint8_t flags_of(const char *text)
{
    static const char letters[] = "FSRP.U";
    uint8_t flags = 0;

    for (; *text; text++)
        flags |= (uint8_t)(1u << (strchr(letters, *text) - letters));
    return flags;
}

static void act(struct stand *stand, const char *verb, unsigned bytes)
{
    if (strcmp(verb, "close") == 0) {
        stand->closed = true;
        tcp_close(stand->tcp, stand->now);
    } else if (strcmp(verb, "shutdown") == 0) {
        tcp_shutdown(stand->tcp, stand->now);
    } else if (strcmp(verb, "send") == 0) {
        tcp_send(stand->tcp, stand->now, bytes, NOTE_NONE);
    }
}

int main(void)
{
    static const struct tcp_wiring wiring = {.transmit = transmit, .notify = notify};
    struct stand stand = {.host = {.system = system_find("linux", 5), .wiring = &wiring}};
    struct tcp *room = calloc(1, TCP_SIZE);
    char line[128], word[16];
    double t;
    unsigned seq, ack, len;

    if (!room)
        return 3;
    stand.host.arg = &stand;
    while (fgets(line, sizeof(line), stdin)) {
        if (sscanf(line, "in %lf %15s %u %u %u", &t, word, &seq, &ack, &len) == 5) {
            struct tcp_segment segment = {.seq = PEER_ISN + seq,
                                          .ack = stand.iss + ack,
                                          .len = len,
                                          .window = 65535,
                                          .flags = flags_of(word),
                                          .wscale = TCP_NO_WSCALE};

            if (!(segment.flags & TCP_ACK))
                segment.ack = 0;
            run_to(&stand, (mtime_t)(t * 1e9));
            take(&stand, &segment, room);
        } else if (sscanf(line, "do %lf %15s %u", &t, word, &len) >= 2) {
            run_to(&stand, (mtime_t)(t * 1e9));
            act(&stand, word, len);
        } else if (sscanf(line, "until %lf", &t) == 1) {
            run_to(&stand, (mtime_t)(t * 1e9));
        } else {
            fprintf(stderr, "not understood: %s", line);
            free(room);
            return 2;
        }
    }
    free(room);
    return 0;
}
