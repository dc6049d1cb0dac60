/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_TIMELINE_STORY_H
#define IDLEWALL_TIMELINE_STORY_H

/*
 * A timeline made by hand: two healthy hosts, a firewall that forgets after an hour, a server that
 * probes after two and gets a reset in the client's name; the client is never told. Packets have
 * their bytes, so that captures can be written.
 */

#include "tools/scenario/scenario_parse.h"
#include "tools/timeline/timeline.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define US (MTIME_MSEC / 1000)
#define MS MTIME_MSEC
#define SEC MTIME_SEC
#define HOUR (3600 * MTIME_SEC)

#define STORY_HEAD                                                                                 \
    "title \"An hour and two\"\n"                                                                  \
    "client linux\n"                                                                               \
    "firewall linux-nf-conntrack tcp-established 1h on-late reset\n"                               \
    "server linux keepalive 7200 75 9\n"                                                           \
    "at 0s client connect\n"                                                                       \
    "at 1s client send 100\n"                                                                      \
    "at 3h client link down\n"
#define STORY_TAIL "until 4h\n"

#define CLIENT_ISN UINT32_C(4294967290) /* wraps */
#define SERVER_ISN UINT32_C(1000)

struct story {
    struct scenario *scenario;
    struct timeline *timeline;
    uint64_t packets;
    struct flow flow;
};

static inline void story_fault(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "%s\n", text);
}

/* What the scenario and the machine have no room for is no matter of these tests. */
static inline void story_need(int r)
{
    if (r < 0) {
        fprintf(stderr, "the story cannot be made: %s\n", strerror(-r));
        abort();
    }
}

static inline void story_add(struct story *s, struct timeline_event event)
{
    story_need(timeline_add(s->timeline, &event));
}

static inline unsigned story_place(const struct story *s, enum flow_side side)
{
    return side == FLOW_CLIENT ? SCENARIO_CLIENT : scenario_server(s->scenario);
}

static inline uint32_t story_sum(const uint8_t *bytes, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    return sum;
}

static inline uint16_t story_checksum(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static inline void story_put32(uint8_t *to, uint32_t value)
{
    value = htonl(value);
    memcpy(to, &value, 4);
}

static inline void story_put16(uint8_t *to, uint16_t value)
{
    value = htons(value);
    memcpy(to, &value, 2);
}

/* IPv4 and TCP headers without options. */
static inline void story_bytes(const struct story *s, const struct timeline_packet *p,
                               uint8_t b[40])
{
    static const uint8_t address[2][4] = {{192, 0, 2, 1}, {198, 51, 100, 1}};
    uint16_t port[2] = {40000, s->scenario->host[FLOW_SERVER].port};
    uint32_t sum;

    memset(b, 0, 40);
    b[0] = 0x45;
    story_put16(b + 2, (uint16_t)p->wire_len);
    b[8] = 64;
    b[9] = IPPROTO_TCP;
    memcpy(b + 12, address[p->from], 4);
    memcpy(b + 16, address[!p->from], 4);
    story_put16(b + 10, story_checksum(story_sum(b, 20, 0)));
    story_put16(b + 20, port[p->from]);
    story_put16(b + 22, port[!p->from]);
    story_put32(b + 24, p->seq);
    story_put32(b + 28, p->ack);
    b[32] = 0x50;
    b[33] = p->flags;
    story_put16(b + 34, (uint16_t)p->window);
    sum = story_sum(b + 12, 8, IPPROTO_TCP + 20 + p->len);
    story_put16(b + 36, story_checksum(story_sum(b + 20, 20, sum)));
}

/* One packet at one place. */
static inline void story_pass(struct story *s, mtime_t t, unsigned place, enum passage passage,
                              struct timeline_packet p)
{
    uint8_t bytes[40];

    p.passage = passage;
    story_bytes(s, &p, bytes);
    p.data = bytes;
    p.caplen = sizeof(bytes);
    story_add(s, (struct timeline_event){.t = t,
                                         .kind = TIMELINE_PACKET,
                                         .place = (uint8_t)place,
                                         .connection = 1,
                                         .packet = p});
}

static inline struct timeline_packet story_packet(struct story *s, enum flow_side from,
                                                  uint8_t flags, uint32_t seq, uint32_t ack,
                                                  uint32_t len)
{
    static const uint32_t isn[2] = {CLIENT_ISN, SERVER_ISN};

    return (struct timeline_packet){.id = ++s->packets,
                                    .from = from,
                                    .tcp = true,
                                    .flags = flags,
                                    .seq = isn[from] + seq,
                                    .ack = flags & TCP_ACK ? isn[!from] + ack : 0,
                                    .rel_seq = seq,
                                    .rel_ack = ack,
                                    .len = len,
                                    .window = flags & TCP_RST ? 0 : 64240,
                                    .wire_len = 40 + len};
}

/* All the way, in half a millisecond. */
static inline void story_travel(struct story *s, mtime_t t, struct timeline_packet p)
{
    story_pass(s, t, story_place(s, p.from), PASSAGE_SENT, p);
    p.reason = p.flags == TCP_SYN ? REASON_NEW : REASON_FLOW;
    story_pass(s, t + 250 * US, 1, PASSAGE_FORWARDED, p);
    story_pass(s, t + 500 * US, story_place(s, !p.from), PASSAGE_RECEIVED, p);
}

static inline void story_app(struct story *s, mtime_t t, enum flow_side side,
                             struct timeline_app app)
{
    story_add(s, (struct timeline_event){.t = t,
                                         .kind = TIMELINE_APP,
                                         .place = (uint8_t)story_place(s, side),
                                         .connection = 1,
                                         .app = app});
}

static inline void story_socket(struct story *s, mtime_t t, enum flow_side side,
                                struct socket_view view)
{
    story_add(s, (struct timeline_event){.t = t,
                                         .kind = TIMELINE_SOCKET,
                                         .place = (uint8_t)story_place(s, side),
                                         .connection = 1,
                                         .socket = view});
}

static inline void story_deed(struct story *s, size_t i)
{
    story_add(s, (struct timeline_event){.t = s->scenario->deeds[i].at,
                                         .kind = TIMELINE_DEED,
                                         .place = s->scenario->deeds[i].place,
                                         .deed = &s->scenario->deeds[i]});
}

static inline void story_flow(struct story *s, struct event event)
{
    s->flow.policy = s->scenario->firewall[0].policy;
    event.flow = s->flow;
    story_add(
        s, (struct timeline_event){
               .t = event.time, .kind = TIMELINE_FLOW, .place = 1, .connection = 1, .flow = event});
}

/* The flow is in that state from t on. */
static inline void story_flow_state(struct story *s, mtime_t t, enum flow_state state,
                                    enum policy_timeout name, mtime_t timeout, enum flow_side by)
{
    s->flow.state = state;
    s->flow.timeout_name = name;
    s->flow.timeout = timeout;
    s->flow.last = t;
    s->flow.deadline = t + timeout;
    s->flow.packets[by]++;
    story_flow(s, (struct event){.kind = state == FLOW_SYN_SENT ? EVENT_NEW : EVENT_UPDATE,
                                 .time = t,
                                 .side = by});
}

static inline void story_init(struct story *s, const char *text)
{
    *s = (struct story){0};
    story_need(scenario_parse(&s->scenario, "hour", text, strlen(text), NULL, story_fault, NULL));
    story_need(timeline_create(&s->timeline, s->scenario));
    s->flow = (struct flow){.id = 1,
                            .family = 4,
                            .proto = IPPROTO_TCP,
                            .addr = {{192, 0, 2, 1}, {198, 51, 100, 1}},
                            .port = {40000, s->scenario->host[FLOW_SERVER].port}};
}

static inline void story_finish(struct story *s)
{
    timeline_destroy(s->timeline);
    scenario_destroy(s->scenario);
}

/* Events of one time come in the order in which they are added. */
static inline void story_sort(struct story *s)
{
    struct timeline_event *e = s->timeline->events;

    for (size_t i = 1; i < s->timeline->n_events; i++)
        for (size_t k = i; k > 0 && e[k].t < e[k - 1].t; k--) {
            struct timeline_event swap = e[k];

            e[k] = e[k - 1];
            e[k - 1] = swap;
        }
}

static inline void story_handshake(struct story *s)
{
    const struct socket_view syn_sent = {
        .state = SOCKET_SYN_SENT, .timer = TIMER_ON, .expires = SEC, .send_queue = 1};
    const struct socket_view client = {.state = SOCKET_ESTABLISHED, .expires = MTIME_NEVER};
    const struct socket_view server = {
        .state = SOCKET_ESTABLISHED, .timer = TIMER_KEEPALIVE, .expires = 2 * HOUR + MS};

    story_deed(s, 0);
    story_app(s, 0, FLOW_CLIENT, (struct timeline_app){.act = APP_CONNECT, .call = CALL_CONNECT});
    story_socket(s, 0, FLOW_CLIENT, syn_sent);
    story_travel(s, 0, story_packet(s, FLOW_CLIENT, TCP_SYN, 0, 0, 0));
    story_flow_state(s, 250 * US, FLOW_SYN_SENT, TIMEOUT_TCP_SYN_SENT, 120 * SEC, FLOW_CLIENT);
    story_travel(s, 500 * US, story_packet(s, FLOW_SERVER, TCP_SYN | TCP_ACK, 0, 1, 0));
    story_flow_state(s, 750 * US, FLOW_SYN_RECV, TIMEOUT_TCP_SYN_RECV, 60 * SEC, FLOW_SERVER);
    story_socket(s, MS, FLOW_CLIENT, client);
    story_app(s, MS, FLOW_CLIENT, (struct timeline_app){.act = APP_CONNECTED});
    story_travel(s, MS, story_packet(s, FLOW_CLIENT, TCP_ACK, 1, 1, 0));
    story_flow_state(s, MS + 250 * US, FLOW_ESTABLISHED, TIMEOUT_TCP_ESTABLISHED, HOUR,
                     FLOW_CLIENT);
    story_socket(s, MS + 500 * US, FLOW_SERVER, server);
    story_app(s, MS + 500 * US, FLOW_SERVER, (struct timeline_app){.act = APP_ACCEPTED});
}

static inline void story_data(struct story *s)
{
    const struct socket_view sending = {.state = SOCKET_ESTABLISHED,
                                        .timer = TIMER_ON,
                                        .expires = SEC + 200 * MS,
                                        .send_queue = 100};
    const struct socket_view sent = {.state = SOCKET_ESTABLISHED, .expires = MTIME_NEVER};

    story_deed(s, 1);
    story_app(s, SEC, FLOW_CLIENT,
              (struct timeline_app){.act = APP_SEND, .call = CALL_WRITE, .bytes = 100});
    story_travel(s, SEC, story_packet(s, FLOW_CLIENT, TCP_PSH | TCP_ACK, 1, 1, 100));
    story_socket(s, SEC, FLOW_CLIENT, sending);
    story_app(s, SEC + 500 * US, FLOW_SERVER,
              (struct timeline_app){.act = APP_READ, .call = CALL_READ, .bytes = 100});
    story_travel(s, SEC + 500 * US, story_packet(s, FLOW_SERVER, TCP_ACK, 1, 101, 0));
    story_socket(s, SEC + MS, FLOW_CLIENT, sent);
    s->flow.packets[FLOW_CLIENT] = 3;
    s->flow.packets[FLOW_SERVER] = 2;
    s->flow.last = SEC + 750 * US;
    s->flow.longest_idle = SEC - MS;
}

/* The first probe finds no flow. */
static inline void story_probe(struct story *s, mtime_t t)
{
    struct timeline_packet probe = story_packet(s, FLOW_SERVER, TCP_ACK, 0, 101, 0);
    struct timeline_packet reset = story_packet(s, FLOW_CLIENT, TCP_RST, 101, 0, 0);
    const struct socket_view probing = {.state = SOCKET_ESTABLISHED,
                                        .timer = TIMER_KEEPALIVE,
                                        .expires = t + 75 * SEC,
                                        .probes = 1};

    probe.note = NOTE_PROBE;
    probe.nth = 1;
    story_pass(s, t, story_place(s, FLOW_SERVER), PASSAGE_SENT, probe);
    story_socket(s, t, FLOW_SERVER, probing);
    probe.reason = REASON_LATE;
    story_pass(s, t + 250 * US, 1, PASSAGE_DROPPED, probe);
    story_flow(s, (struct event){.kind = EVENT_LATE,
                                 .time = t + 250 * US,
                                 .action = ACTED_RESET_SENDER,
                                 .remembered = true,
                                 .side = FLOW_SERVER,
                                 .expired_at = s->flow.last + HOUR,
                                 .was = FLOW_END_IDLE,
                                 .tcp_flags = TCP_ACK,
                                 .seq = probe.seq,
                                 .ack = probe.ack});
    story_pass(s, t + 250 * US, 1, PASSAGE_INJECTED, reset);
    story_pass(s, t + 500 * US, story_place(s, FLOW_SERVER), PASSAGE_RECEIVED, reset);
    story_socket(s, t + 500 * US, FLOW_SERVER, (struct socket_view){.expires = MTIME_NEVER});
    story_app(s, t + 500 * US, FLOW_SERVER,
              (struct timeline_app){.act = APP_ERROR, .call = CALL_READ, .error = ECONNRESET});
}

static inline void story_play(struct story *s)
{
    story_handshake(s);
    story_data(s);
    story_flow(s, (struct event){
                      .kind = EVENT_EXPIRED, .time = s->flow.last + HOUR, .reason = FLOW_END_IDLE});
    story_probe(s, 2 * HOUR + 40 * SEC);
    story_deed(s, 2);
    story_sort(s);
}

/* `more`: further lines of the scenario: expectations, a remedy. */
static inline void story_make(struct story *s, const char *more)
{
    char text[4096];

    snprintf(text, sizeof(text), "%s%s%s", STORY_HEAD, more, STORY_TAIL);
    story_init(s, text);
    story_play(s);
}

#endif
