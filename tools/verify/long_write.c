/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/verify/long_write.h"

#include <errno.h>
#include <stdlib.h>

#define TIMESTAMP_LEN 12 /* with its padding */
#define PLACES (SCENARIO_FIREWALLS + 2)
#define PASSAGES (PASSAGE_RECEIVED + 1)

struct long_write {
    uint32_t connection;
    enum flow_side from;
    uint32_t start, end;             /* relative numbers: from start to before end */
    size_t packet[PLACES][PASSAGES]; /* the one that stands for all, in the copy; 0: none yet */
    mtime_t acked[PLACES][PASSAGES]; /* as a whole; MTIME_NEVER: not yet */
    size_t read;                     /* as packet */
};
struct counted { /* of one connection, by side */
    uint32_t written[2], read[2];
};
struct work {
    struct timeline *out;
    struct long_write *writes; /* owned */
    size_t n, room;
    struct counted *counted; /* owned */
    mtime_t at_once;
};

static enum flow_side side_of(const struct timeline_event *e)
{
    return e->place == SCENARIO_CLIENT ? FLOW_CLIENT : FLOW_SERVER;
}

/* A segment's payload, as the handshake agrees on it. */
static uint32_t segment_of(const struct scenario *s)
{
    const struct system *client = &s->host[FLOW_CLIENT].system;
    const struct system *server = &s->host[FLOW_SERVER].system;
    uint32_t mss = client->mss < server->mss ? client->mss : server->mss;

    return client->timestamps && server->timestamps ? mss - TIMESTAMP_LEN : mss;
}

static int add(struct work *w, const struct long_write *write)
{
    if (w->n == w->room) {
        size_t room = w->room ? 2 * w->room : 16;
        struct long_write *writes = reallocarray(w->writes, room, sizeof(*writes));

        if (!writes)
            return -ENOMEM;
        w->writes = writes;
        w->room = room;
    }
    w->writes[w->n] = *write;
    for (size_t i = 0; i < PLACES; i++)
        for (size_t k = 0; k < PASSAGES; k++)
            w->writes[w->n].acked[i][k] = MTIME_NEVER;
    w->n++;
    return 0;
}

static int find_writes(struct work *w, const struct timeline *timeline)
{
    uint32_t segment = segment_of(timeline->scenario);
    int r = 0;

    for (size_t i = 0; r == 0 && i < timeline->n_events; i++) {
        const struct timeline_event *e = &timeline->events[i];
        uint32_t *written = &w->counted[e->connection].written[side_of(e)];

        if (e->kind != TIMELINE_APP || e->app.act != APP_SEND)
            continue;
        if (e->app.bytes > segment)
            r = add(w, &(struct long_write){.connection = e->connection,
                                            .from = side_of(e),
                                            .start = *written + 1, /* 0 is the SYN */
                                            .end = *written + 1 + e->app.bytes});
        *written += e->app.bytes;
    }
    return r;
}

/* The one in which those bytes of that side lie; all of them: `from` to before `to`. */
static struct long_write *find(struct work *w, uint32_t connection, enum flow_side side,
                               uint32_t from, uint32_t to)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->writes[i].connection == connection && w->writes[i].from == side &&
            w->writes[i].start <= from && to <= w->writes[i].end && from < to)
            return &w->writes[i];
    return NULL;
}

static bool is_probing(const struct timeline_packet *p)
{
    return p->note == NOTE_PROBE || p->note == NOTE_WINDOW_PROBE || p->note == NOTE_PROBE_ANSWER ||
           p->note == NOTE_WINDOW_ANSWER;
}

/* True: it has become part of one that is there already. */
static bool joins_data(struct work *w, struct timeline_event *e)
{
    struct timeline_packet *p = &e->packet;
    struct long_write *write;
    size_t *first;

    if (p->len == 0 || (p->flags & ~TCP_PSH) != TCP_ACK || p->note == NOTE_RETRANSMIT ||
        p->note == NOTE_TAIL_PROBE || is_probing(p))
        return false;
    write = find(w, e->connection, p->from, p->rel_seq, p->rel_seq + p->len);
    if (!write)
        return false;
    p->flags &= (uint8_t)~TCP_PSH;
    first = &write->packet[e->place][p->passage];
    if (*first > 0) {
        w->out->events[*first - 1].packet.len += p->len;
        return true;
    }
    *first = w->out->n_events + 1;
    return false;
}

static bool joins_ack(struct work *w, const struct timeline_event *e)
{
    const struct timeline_packet *p = &e->packet;
    struct long_write *write;
    mtime_t *acked;

    if (p->len > 0 || p->flags != TCP_ACK || p->rel_ack == 0 || p->window == 0 || is_probing(p))
        return false;
    write = find(w, e->connection, !p->from, p->rel_ack - 1, p->rel_ack);
    if (!write)
        return false;
    if (p->rel_ack < write->end)
        return true;
    acked = &write->acked[e->place][p->passage];
    if (*acked != MTIME_NEVER && e->t - *acked <= w->at_once)
        return true;
    *acked = e->t;
    return false;
}

static bool joins_read(struct work *w, const struct timeline_event *e)
{
    uint32_t *read = &w->counted[e->connection].read[side_of(e)], begin = *read + 1;
    struct long_write *write;

    if (e->app.act != APP_READ)
        return false;
    *read += e->app.bytes;
    write = find(w, e->connection, !side_of(e), begin, begin + 1);
    if (!write)
        return false;
    if (write->read > 0) {
        w->out->events[write->read - 1].app.bytes += e->app.bytes;
        return true;
    }
    write->read = w->out->n_events + 1;
    return false;
}

static bool joins(struct work *w, struct timeline_event *e)
{
    switch (e->kind) {
    case TIMELINE_PACKET:
        return e->packet.tcp && (joins_data(w, e) || joins_ack(w, e));
    case TIMELINE_APP:
        return joins_read(w, e);
    case TIMELINE_DEED:
    case TIMELINE_SOCKET:
    case TIMELINE_FLOW:
        break;
    }
    return false;
}

int timeline_long_writes(struct timeline *out, const struct timeline *timeline, mtime_t at_once)
{
    struct work w = {.out = out, .at_once = at_once};
    int r = -ENOMEM;

    *out = *timeline;
    out->n_events = 0;
    out->events = calloc(timeline->n_events + 1, sizeof(*out->events));
    w.counted = calloc(timeline_connections(timeline) + 1, sizeof(*w.counted));
    if (out->events && w.counted)
        r = find_writes(&w, timeline);
    for (size_t i = 0; r == 0 && i < timeline->n_events; i++) {
        struct timeline_event e = timeline->events[i];

        if (!joins(&w, &e))
            out->events[out->n_events++] = e;
    }
    free(w.writes);
    free(w.counted);
    return r;
}
