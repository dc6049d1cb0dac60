/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/verify/from_silence.h"

#include <errno.h>
#include <stdlib.h>

struct talk {            /* of one connection */
    mtime_t silent_from; /* the last packet before it; MTIME_NEVER: never silent */
    mtime_t last;
    uint32_t sent_end[2]; /* relative, after the highest byte each side sent */
};
struct numbers { /* of one packet */
    uint32_t seq, ack, len;
    mtime_t sent;
};

static bool is_first(const struct timeline_event *e)
{
    return e->kind == TIMELINE_PACKET &&
           (e->packet.passage == PASSAGE_SENT || e->packet.passage == PASSAGE_INJECTED);
}

static void find_silences(struct talk *talks, const struct timeline *timeline, mtime_t silence)
{
    uint32_t n = timeline_connections(timeline);

    for (uint32_t c = 0; c <= n; c++)
        talks[c] = (struct talk){.silent_from = MTIME_NEVER, .last = MTIME_NEVER};
    for (size_t i = 0; i < timeline->n_events; i++) {
        const struct timeline_event *e = &timeline->events[i];
        struct talk *talk = &talks[e->connection];

        if (!is_first(e))
            continue;
        if (talk->last != MTIME_NEVER && talk->silent_from == MTIME_NEVER &&
            e->t - talk->last >= silence)
            talk->silent_from = talk->last;
        talk->last = e->t;
    }
}

/* Sent again: how much does not count. */
static uint32_t distance(uint32_t number, uint32_t highest)
{
    int32_t d = (int32_t)(number - highest);

    return d < -1 ? (uint32_t)-2 : (uint32_t)d;
}

static struct numbers number(struct talk *talk, const struct timeline_packet *p)
{
    uint32_t *mine = &talk->sent_end[p->from], theirs = talk->sent_end[!p->from];
    uint32_t end = p->rel_seq + p->len + ((p->flags & (TCP_SYN | TCP_FIN)) != 0);
    struct numbers out = {.seq = distance(p->rel_seq, *mine),
                          .ack = distance(p->rel_ack, theirs),
                          .len = p->len > 1 ? 2 : p->len};

    if (!(p->flags & TCP_RST) && p->passage == PASSAGE_SENT && (int32_t)(end - *mine) > 0)
        *mine = end;
    return out;
}

static uint64_t highest_id(const struct timeline *timeline)
{
    uint64_t highest = 0;

    for (size_t i = 0; i < timeline->n_events; i++)
        if (timeline->events[i].kind == TIMELINE_PACKET && timeline->events[i].packet.id > highest)
            highest = timeline->events[i].packet.id;
    return highest;
}

static void keep(struct timeline *out, const struct timeline_event *e, struct talk *talks,
                 struct numbers *numbers, mtime_t settled)
{
    struct timeline_event *kept = &out->events[out->n_events];

    mtime_t from = talks[e->connection].silent_from;

    if (e->kind == TIMELINE_APP)
        return;
    if (is_first(e) && e->packet.tcp)
        numbers[e->packet.id] = number(&talks[e->connection], &e->packet);
    if (is_first(e))
        numbers[e->packet.id].sent = e->t;
    if (e->kind == TIMELINE_PACKET && numbers[e->packet.id].sent <= from)
        return;
    if (e->kind == TIMELINE_FLOW && e->t <= from)
        return;
    *kept = *e;
    if (e->kind == TIMELINE_SOCKET && e->t <= mtime_add(from, settled))
        kept->t = 0; /* how it stood when the silence began; not when it came to stand so */
    if (e->kind == TIMELINE_PACKET) {
        kept->packet.rel_seq = numbers[e->packet.id].seq;
        kept->packet.rel_ack = numbers[e->packet.id].ack;
        kept->packet.len = numbers[e->packet.id].len;
    }
    out->n_events++;
}

int timeline_from_silence(struct timeline *out, const struct timeline *timeline, mtime_t silence)
{
    struct talk *talks = calloc(timeline_connections(timeline) + 1, sizeof(*talks));
    struct numbers *numbers = calloc(highest_id(timeline) + 1, sizeof(*numbers));
    int r = -ENOMEM;

    *out = *timeline;
    out->n_events = 0;
    out->events = calloc(timeline->n_events + 1, sizeof(*out->events));
    if (talks && numbers && out->events) {
        find_silences(talks, timeline, silence);
        for (size_t i = 0; i < timeline->n_events; i++)
            keep(out, &timeline->events[i], talks, numbers, silence / 2);
        r = 0;
    }
    free(talks);
    free(numbers);
    return r;
}
