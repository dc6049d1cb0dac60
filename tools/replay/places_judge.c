/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left of a connection when all that came through is taken out. */
#include "tools/replay/places_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

unsigned places_near(const struct places_track *t, const struct places_conn *c, unsigned side)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct places_side *s = &c->side[side ^ i];

        if (s->hops.count > 0 && s->hops.value != 0)
            return (s->hops.value < 0) ^ i;
    }
    for (unsigned i = 0; i < 2; i++) {
        const struct places_side *s = &c->side[side ^ i];

        if (s->n_ways > 0 && c->side[!(side ^ i)].n_ways > 0)
            return (s->ways / (double)s->n_ways <
                    c->side[!(side ^ i)].ways / (double)c->side[!(side ^ i)].n_ways) ^
                   i;
    }
    return (t->way_votes[1] > t->way_votes[0]) ^ (side != c->client);
}

static void count_lost(struct places_lost *lost, const struct seen *e, bool new_packet)
{
    int64_t bytes = e->end - e->start;

    bytes -= bytes > 0 && (e->flags & TCP_SYN);
    bytes -= bytes > 0 && (e->flags & TCP_FIN);
    lost->packets += new_packet;
    lost->bytes += (uint64_t)bytes;
    if (lost->first == 0 || e->time < lost->first)
        lost->first = e->time;
    if (e->time > lost->last)
        lost->last = e->time;
}

static void sent_in_vain(struct places_conn *c, const struct seen *e, bool beyond)
{
    struct places_side *s = &c->side[e->side];
    bool new_packet = s->last_lost != e->number;

    s->last_lost = e->number;
    if (e->end > e->start && s->acked_any && s->acked >= e->end && e->kind == SEEN_SEGMENT &&
        !ranges_hold(&s->ranges[!e->place], e->start, e->end)) {
        s->lost.uncaptured += new_packet;
        return;
    }
    count_lost(beyond ? &s->beyond : &s->lost, e, new_packet);
    if (e->time <= c->last_passed)
        return;
    if (c->tail == 0 || e->time < c->first.time) {
        c->first = *e;
        c->first.since = c->last_passed;
    }
    c->tail += new_packet;
    c->tail_beyond += new_packet && beyond;
}

static void keep_arrived(struct places_track *t, struct places_conn *c, const struct seen *e)
{
    c->arrived_in_all++;
    if (c->n_arrived == PLACES_EVENTS)
        return;
    if (!c->arrived)
        c->arrived = calloc(PLACES_EVENTS, sizeof(*c->arrived));
    if (!c->arrived) {
        t->error = -ENOMEM;
        return;
    }
    c->arrived[c->n_arrived] = *e;
    if (c->last_passed >= 0 && c->last_passed <= e->time)
        c->arrived[c->n_arrived].since = c->last_passed;
    c->n_arrived++;
}

static void from_nobody(struct places_track *t, struct places_conn *c, const struct seen *e)
{
    struct places_side *s = &c->side[e->side];
    const struct most *usual = &s->ttl[e->place];

    /* A reset counts in any case. Others may have been missed by the capture of their sender,
     * unless they look as if made elsewhere. */
    if (e->kind == SEEN_RESET) {
        keep_arrived(t, c, e);
    } else if (usual->count > 0 && usual->value != e->ttl) {
        s->made += !(e->flags & TCP_FIN);
        keep_arrived(t, c, e);
    } else {
        s->uncaptured_here++;
        /* Its sender was there still, and his capture was not. */
        if (e->time > t->ends[!e->place] + t->slack)
            t->totals->ended[!e->place] = true;
    }
}

static void judge(struct places_track *t, struct places_conn *c, const struct seen *e)
{
    unsigned other = !e->place;
    bool near = places_near(t, c, e->side) == e->place;
    bool beyond = e->time > t->ends[other] - t->slack;

    if (!c->half[other].used || e->time < t->begins[other] + t->slack)
        return;
    if (e->kind == SEEN_ICMP) {
        if (near)
            keep_arrived(t, c, e);
    } else if (near) {
        sent_in_vain(c, e, beyond);
    } else {
        from_nobody(t, c, e);
    }
}

static bool knows_way(const struct places_conn *c)
{
    return c->side[0].n_ways + c->side[1].n_ways > 0;
}

void places_judge_expire(struct places_track *t, struct places_conn *c, bool all)
{
    for (unsigned side = 0; side < 2; side++)
        for (unsigned place = 0; place < t->n_places; place++) {
            struct seen_list *list = &c->side[side].list[place];

            while (list->from < list->n &&
                   (all || seen_list_count(list) > PLACES_UNMATCHED ||
                    (knows_way(c) && list->items[list->from].time + PLACES_WAIT < t->now))) {
                struct seen e = list->items[list->from++];

                if (list->from == list->n)
                    list->from = list->n = 0;
                judge(t, c, &e);
            }
        }
}
