/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/places_clock.h"
#include "tools/replay/places_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TWICE (5 * MTIME_MSEC) /* the same packet at two interfaces of one host */
#define ALONE 8                /* kept of a connection that the other place has not shown yet */

uint32_t places_track_length(const struct packet *p)
{
    return p->payload_len + !!(p->flags & TCP_SYN) + !!(p->flags & TCP_FIN);
}

int64_t places_unwrap(const struct places_side *s, uint32_t seq)
{
    return s->known ? s->last + (int32_t)(seq - (uint32_t)s->last) : (int64_t)seq;
}

static void read_ip(struct seen *seen, const struct packet *p)
{
    seen->family = p->data[0] >> 4;
    if (seen->family == 4) {
        seen->ttl = p->data[8];
        seen->id = (uint16_t)(p->data[4] << 8 | p->data[5]);
    } else {
        seen->ttl = p->data[7];
    }
}

static void read_icmp(struct seen *seen, const struct packet *p)
{
    seen->kind = SEEN_ICMP;
    seen->icmp_type = p->data[p->l4_offset];
    seen->icmp_code = p->data[p->l4_offset + 1];
    if (seen->family == 4)
        memcpy(seen->from, p->data + 12, 4);
    else
        memcpy(seen->from, p->data + 8, 16);
}

/* Does this reset's IP id go on from those before? Zero with DF is an id that a kernel does not
 * count (Linux, ip_select_ident_segs(): what no socket sends), and says nothing. */
static void judge_id(struct seen *seen, const struct ids *ids, const struct packet *p)
{
    bool no_fragments = p->data[6] & 0x40;
    uint16_t ahead = (uint16_t)(seen->id - ids->last);

    seen->usual_id = ids->last;
    if (seen->family != 4 || (seen->id == 0 && no_fragments))
        return;
    if (ids->n >= 3 && ids->zero == ids->n)
        seen->id_differs = true;
    else if (ids->n >= 5 && ids->near >= (ids->n - 1) / 4 * 3)
        seen->id_differs = ahead > 4096 && ahead < 65536 - 16;
}

static void count_id(struct ids *ids, uint16_t id)
{
    ids->zero += id == 0;
    ids->near += ids->n > 0 && (uint16_t)(id - ids->last - 1) < 256;
    ids->n++;
    ids->last = id;
}

static uint64_t identity_of(const struct seen *seen, const struct packet *p)
{
    if (seen->id == 0 && !p->has_timestamp)
        return 0;
    return (uint64_t)1 << 63 | (uint64_t)(p->has_timestamp ? p->tsval : 0) << 16 | seen->id;
}

/* A capture of several interfaces, or at a mirror of two ports, shows packets twice. */
static bool is_twice(struct places_side *s, const struct seen *seen)
{
    unsigned place = seen->place;
    bool twice = (seen->id != 0 || seen->end > seen->start) && seen->identity != 0 &&
                 s->identity[place] == seen->identity && s->seq[place] == seen->seq &&
                 s->ack[place] == seen->ack && s->flags[place] == seen->flags &&
                 seen->time - s->time[place] < TWICE;

    s->identity[place] = seen->identity;
    s->seq[place] = seen->seq;
    s->ack[place] = seen->ack;
    s->flags[place] = seen->flags;
    s->time[place] = seen->time;
    return twice;
}

struct meeting {
    struct places_track *t;
    struct places_conn *c;
};

static void passed(void *arg, const struct seen *here, const struct seen *there)
{
    struct meeting *m = arg;
    struct places_conn *c = m->c;
    struct places_side *s = &c->side[here->side];
    const struct seen *a = here->place == 0 ? here : there, *b = here->place == 0 ? there : here;
    mtime_t time = a->time < b->time ? a->time : b->time;

    m->t->totals->matched++;
    c->passed++;
    if (here->kind == SEEN_ICMP)
        return;
    most_add(&s->hops, a->ttl - b->ttl);
    s->ways += mtime_seconds(b->time - a->time);
    s->n_ways++;
    /* Longer on its way: rather a later one that looks the same, after others were lost. */
    if (there->steady && there->quiet > c->survived && b->time - a->time < PLACES_SILENCE &&
        a->time - b->time < PLACES_SILENCE)
        c->survived = there->quiet;
    if (time > c->last_passed)
        c->last_passed = time;
    if (c->tail > 0 && time > c->first.time)
        c->tail = c->tail_beyond = 0;
    if (here->kind == SEEN_SEGMENT && here->flags & there->flags & TCP_FIN)
        s->fin_passed = true;
    if (!c->closing &&
        (here->kind == SEEN_RESET || (c->side[0].fin_passed && c->side[1].fin_passed)))
        places_table_closing(m->t, c);
}

static void keep(struct places_track *t, struct places_conn *c, const struct seen *seen)
{
    struct seen_list *list = &c->side[seen->side].list[seen->place];

    if (seen_list_add(list, seen) < 0)
        t->error = -ENOMEM;
    if (!c->half[!seen->place].used && seen_list_count(list) > ALONE)
        list->from++;
}

void places_track_match(struct places_track *t, struct places_conn *c, struct seen *seen)
{
    struct places_side *s = &c->side[seen->side];
    struct meeting m = {t, c};
    struct seen rest[PLACES_PIECES];
    size_t n_rest;
    int r = seen_list_match(&s->list[!seen->place], seen, passed, &m, rest, &n_rest);

    for (size_t i = 0; i < n_rest; i++)
        keep(t, c, &rest[i]);
    if (r == 0 && seen->kind == SEEN_SEGMENT)
        r = ranges_add(&s->ranges[seen->place], seen->start, seen->end);
    if (r < 0)
        t->error = r;
}

static void read_numbers(struct places_conn *c, struct seen *seen, const struct packet *p)
{
    struct places_side *s = &c->side[seen->side], *o = &c->side[!seen->side];

    seen->seq = p->seq;
    seen->ack = p->ack;
    seen->flags = p->flags;
    seen->start = places_unwrap(s, p->seq);
    seen->end = seen->start;
    if (p->kind != PACKET_TCP)
        return;
    if (p->flags & TCP_RST) {
        seen->kind = SEEN_RESET;
        return;
    }
    seen->end += places_track_length(p);
    if (p->flags & TCP_SYN) {
        s->has_isn = true;
        s->isn = p->seq;
    }
    if (!s->known || seen->end > s->last)
        s->last = seen->end;
    s->known = true;
    if ((p->flags & TCP_ACK) && o->known) {
        int64_t acked = places_unwrap(o, p->ack);

        if (!o->acked_any || acked > o->acked)
            o->acked = acked;
        o->acked_any = true;
    }
}

/* One place: resets are kept until it is known how their fellows look. */
static void keep_reset(struct places_track *t, struct places_conn *c, const struct seen *seen)
{
    c->arrived_in_all++;
    if (c->n_arrived == PLACES_EVENTS)
        return;
    if (!c->arrived)
        c->arrived = calloc(PLACES_EVENTS, sizeof(*c->arrived));
    if (c->arrived)
        c->arrived[c->n_arrived++] = *seen;
    else
        t->error = -ENOMEM;
}

static void note(struct places_conn *c, struct seen *seen, const struct packet *p)
{
    struct places_side *s = &c->side[seen->side];

    seen->quiet = c->last_seen < 0 ? -1 : seen->time - c->last_seen;
    if (c->last_seen >= 0 && seen->quiet < 0)
        seen->quiet = 0;
    seen->since = c->last_passed;
    seen->steady = c->steady && !c->side[0].closed && !c->side[1].closed;
    if (seen->kind == SEEN_ICMP)
        return;
    if (seen->kind == SEEN_RESET) {
        judge_id(seen, &s->ids[seen->place], p);
        return;
    }
    most_add(&s->ttl[seen->place], seen->ttl);
    count_id(&s->ids[seen->place], seen->id);
    if (seen->side == c->client && !(p->flags & TCP_SYN))
        c->steady = true;
    if (p->flags & TCP_FIN)
        s->closed = true;
}

void places_track_packet(struct places_track *t, const struct packet *p, unsigned place,
                         uint32_t capture, uint64_t number)
{
    struct seen seen = {.place = (uint8_t)place, .own = p->time, .number = number};
    struct places_conn *c;
    unsigned side;

    if (p->kind != PACKET_TCP && !(p->kind == PACKET_ICMP_ERROR && p->icmp_quotes_tcp)) {
        t->totals->other[place]++;
        return;
    }
    t->totals->tcp[place] += p->kind == PACKET_TCP;
    seen.time = place == 1 ? places_clock_correct(t->clock, p->time) : p->time;
    seen.capture = capture;
    if (seen.time > t->now)
        t->now = seen.time;
    c = places_table_take(t, p, place, &side);
    if (!c)
        return;
    if (t->n_places == 1 && p->kind != PACKET_TCP)
        return;
    seen.side = (uint8_t)side;
    read_ip(&seen, p);
    if (p->kind == PACKET_ICMP_ERROR)
        read_icmp(&seen, p);
    seen.identity = identity_of(&seen, p);
    read_numbers(c, &seen, p);
    if (is_twice(&c->side[side], &seen)) {
        t->totals->duplicates[place]++;
        return;
    }
    note(c, &seen, p);
    if (t->n_places == 1) {
        c->last_passed = seen.kind == SEEN_SEGMENT ? seen.time : c->last_passed;
        if (seen.kind == SEEN_RESET)
            keep_reset(t, c, &seen);
        if (!c->closing && (seen.kind == SEEN_RESET || (c->side[0].closed && c->side[1].closed)))
            places_table_closing(t, c);
    } else {
        places_judge_expire(t, c, false); /* first: probes look alike, and the lost one is older */
        places_track_match(t, c, &seen);
        c = places_table_link(t, c, p, place, side);
    }
    if (seen.kind != SEEN_ICMP && seen.time > c->last_seen)
        c->last_seen = seen.time;
    places_table_touch(t, c);
    while (t->closing.first && t->closing.first->last_seen + 2 * PLACES_WAIT < t->now)
        places_judge_end(t, t->closing.first);
}
