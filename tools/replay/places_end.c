/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last word on a connection, and on all of them. */
#include "tools/replay/places_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool places_is_broken(const struct places_connection *k)
{
    return k->outcome == PLACES_FORGOTTEN || k->outcome == PLACES_RESET ||
           k->outcome == PLACES_CUT || k->outcome == PLACES_ODD;
}

const char *places_outcome_name(enum places_outcome outcome)
{
    static const char *const names[PLACES_OUTCOMES] = {
        [PLACES_FINE] = "fine",           [PLACES_LOSS] = "loss",
        [PLACES_MADE] = "made-between",   [PLACES_FORGOTTEN] = "forgotten",
        [PLACES_RESET] = "reset-between", [PLACES_CUT] = "cut",
        [PLACES_ODD] = "odd-reset",
    };

    return (unsigned)outcome < PLACES_OUTCOMES ? names[outcome] : NULL;
}

const char *places_event_name(enum places_event_kind kind)
{
    static const char *const names[] = {
        [PLACES_EVENT_LOST] = "lost", [PLACES_EVENT_RESET] = "reset", [PLACES_EVENT_FIN] = "fin",
        [PLACES_EVENT_ICMP] = "icmp", [PLACES_EVENT_MADE] = "made",
    };

    return names[kind];
}

/* Ends are told as client and server; sides are whatever came first. */
static unsigned end_of(const struct places_conn *c, unsigned side)
{
    return side != c->client;
}

static void describe(const struct places_track *t, const struct places_conn *c,
                     struct places_connection *k)
{
    for (unsigned place = 0; place < t->n_places; place++) {
        const struct places_half *h = &c->half[place];

        if (!h->used)
            continue;
        k->family = h->key.family;
        for (unsigned side = 0; side < 2; side++) {
            unsigned from = side ^ h->flip, to = end_of(c, side);

            memcpy(k->addr[place][to], h->key.addr[from], 16);
            k->port[place][to] = h->key.port[from];
        }
    }
    k->guessed = c->doubt > 0;
    k->survived = c->survived;
    k->translated =
        c->half[0].used && c->half[1].used && !flow_key_equal(&c->half[0].key, &c->half[1].key);
    for (unsigned side = 0; side < 2; side++) {
        const struct places_side *s = &c->side[side];
        unsigned end = end_of(c, side);
        int hops = s->hops.value < 0 ? -s->hops.value : s->hops.value;

        k->near[end] = (uint8_t)places_near(t, c, side);
        k->hops[end] = s->hops.count > 0 && hops < 128 ? (int8_t)hops : -1;
        k->lost[end] = s->lost;
        k->beyond[end] = s->beyond;
        k->made[end] = s->made;
    }
}

static enum places_event_kind kind_of(const struct seen *e, bool lost)
{
    if (lost)
        return PLACES_EVENT_LOST;
    if (e->kind == SEEN_ICMP)
        return PLACES_EVENT_ICMP;
    if (e->kind == SEEN_RESET)
        return PLACES_EVENT_RESET;
    return e->flags & TCP_FIN ? PLACES_EVENT_FIN : PLACES_EVENT_MADE;
}

static void add_event(const struct places_track *t, const struct places_conn *c,
                      struct places_connection *k, const struct seen *e, bool lost)
{
    unsigned end = end_of(c, e->side);
    bool its = e->kind == SEEN_ICMP && memcmp(e->from, k->addr[e->place][!end], 16) == 0;
    /* whoever is said to have sent it */
    const struct most *usual = &c->side[its ? !e->side : e->side].ttl[e->place];
    struct places_event *event;

    if (k->n_events == PLACES_EVENTS)
        return;
    event = &k->events[k->n_events++];
    *event = (struct places_event){
        .kind = kind_of(e, lost),
        .place = e->place,
        .side = (uint8_t)end,
        .in_the_name = its,
        .flags = e->flags,
        .ttl = e->ttl,
        .id_differs = e->id_differs,
        .icmp_type = e->icmp_type,
        .icmp_code = e->icmp_code,
        .family = e->family,
        .id = e->id,
        .usual_id = e->usual_id,
        .seq = e->seq,
        .ack = e->ack,
        .capture = e->capture,
        .number = e->number,
        .time = e->own,
        .common = e->time,
        .silence = e->since < 0 || e->since > e->time ? -1 : e->time - e->since,
    };
    memcpy(event->from, e->from, sizeof(event->from));
    if (t->n_places == 2)
        event->beyond = e->time > t->ends[!e->place] - t->slack;
    else
        event->silence = e->quiet;
    if (e->kind == SEEN_ICMP && !its)
        return;
    event->usual = usual->count > 0 ? (uint8_t)usual->value : 0;
    event->ttl_differs = usual->count > 0 && usual->value != e->ttl;
}

/* A reset or FIN that nobody sent: the first. */
static const struct places_event *ending(const struct places_connection *k)
{
    for (unsigned i = 0; i < k->n_events; i++)
        if (k->events[i].kind == PLACES_EVENT_RESET || k->events[i].kind == PLACES_EVENT_FIN)
            return &k->events[i];
    return NULL;
}

static bool any_icmp(const struct places_connection *k)
{
    for (unsigned i = 0; i < k->n_events; i++)
        if (k->events[i].kind == PLACES_EVENT_ICMP)
            return true;
    return false;
}

static bool any_lost(const struct places_connection *k, bool beyond)
{
    return k->lost[0].packets + k->lost[1].packets > 0 ||
           (beyond && k->beyond[0].packets + k->beyond[1].packets > 0);
}

static void decide(const struct places_conn *c, struct places_connection *k)
{
    const struct places_event *reset = ending(k);
    bool silent = c->tail > 1 || (c->tail == 1 && (reset || any_icmp(k)));
    mtime_t silence = -1;

    if (c->closing && !reset)
        silent = false;
    k->tail = silent ? c->tail : 0;
    k->tail_beyond = silent ? c->tail_beyond : 0;
    if (silent && c->first.since >= 0)
        silence = c->first.time - c->first.since;
    if (reset && reset->silence >= 0 && (silence < 0 || reset->silence < silence))
        silence = reset->silence;
    if ((silent || reset) && silence >= PLACES_SILENCE) {
        k->outcome = PLACES_FORGOTTEN;
        k->silence = silence;
        k->half_closed = silent ? !c->first.steady : c->side[0].closed || c->side[1].closed;
    } else if (reset) {
        k->outcome = PLACES_RESET;
    } else if (silent && c->steady) {
        k->outcome = PLACES_CUT;
    } else if (k->n_events > 0) {
        k->outcome = PLACES_MADE;
    } else if (any_lost(k, true)) {
        k->outcome = PLACES_LOSS;
    }
}

static void decide_alone(struct places_connection *k)
{
    for (unsigned i = 0; i < k->n_events; i++)
        if (k->events[i].ttl_differs || k->events[i].id_differs)
            k->outcome = PLACES_ODD;
}

static void add_lost(struct places_lost *to, const struct places_lost *from)
{
    if (from->packets > 0) {
        if (to->first == 0 || from->first < to->first)
            to->first = from->first;
        if (from->last > to->last)
            to->last = from->last;
    }
    to->packets += from->packets;
    to->bytes += from->bytes;
    to->uncaptured += from->uncaptured;
}

/* A reset in the midst of traffic, as its sender's would look, when his capture held nothing any
 * more. */
static void suspect_end(struct places_track *t, const struct places_connection *k)
{
    const struct places_event *reset = ending(k);

    if (k->outcome == PLACES_RESET && reset->beyond && !reset->ttl_differs)
        t->totals->ended[!reset->place] = true;
}

static void keep(struct places_totals *totals, const struct places_connection *k)
{
    if (totals->n_kept == PLACES_KEPT) {
        totals->not_kept++;
        return;
    }
    if (totals->n_kept == totals->room) {
        size_t room = totals->room ? totals->room * 2 : 16;
        void *more = reallocarray(totals->kept, room, sizeof(*totals->kept));

        if (!more) {
            totals->error = -ENOMEM;
            return;
        }
        totals->kept = more;
        totals->room = room;
    }
    totals->kept[totals->n_kept++] = *k;
}

/* At one place of two. A whole handshake after the other's last packet says that its capture had
 * ended; the other could not have missed it. */
static void end_single(struct places_track *t, const struct places_conn *c)
{
    unsigned place = c->half[0].used ? 0 : 1;

    if (c->unlike) {
        t->totals->unlike++;
        return;
    }
    t->totals->only[place]++;
    for (unsigned side = 0; side < 2; side++)
        if (!c->side[side].known || !c->steady || c->doubt > 0)
            return;
    for (unsigned side = 0; side < 2; side++)
        for (size_t i = c->side[side].list[place].from; i < c->side[side].list[place].n; i++)
            if (c->side[side].list[place].items[i].time < t->ends[!place] + t->slack)
                return;
    t->totals->ended[!place] = true;
}

static void vote(struct places_track *t, const struct places_conn *c,
                 const struct places_connection *k)
{
    for (unsigned end = 0; end < 2; end++)
        if (k->hops[end] >= 0)
            t->hop_votes[k->near[end]][k->hops[end]]++;
    if (c->passed > 0 && c->doubt == 0)
        t->way_votes[k->near[0]]++;
}

void places_judge_end(struct places_track *t, struct places_conn *c)
{
    struct places_connection k = {.outcome = PLACES_FINE};
    struct places_totals *totals = t->totals;

    if (t->n_places == 2 && !(c->half[0].used && c->half[1].used)) {
        end_single(t, c);
        goto out;
    }
    places_judge_expire(t, c, true);
    totals->both++;
    describe(t, c, &k);
    totals->translated += k.translated;
    if (t->n_places == 2 && (c->tail > 0))
        add_event(t, c, &k, &c->first, true);
    for (unsigned i = 0; i < c->n_arrived; i++)
        add_event(t, c, &k, &c->arrived[i], false);
    k.events_in_all = c->arrived_in_all;
    if (t->n_places == 2) {
        decide(c, &k);
        if (k.tail == 0 && k.n_events > 0 && k.events[0].kind == PLACES_EVENT_LOST)
            memmove(k.events, k.events + 1, --k.n_events * sizeof(*k.events));
        if (k.n_events == 0 && k.outcome == PLACES_MADE)
            k.outcome = any_lost(&k, true) ? PLACES_LOSS : PLACES_FINE;
        suspect_end(t, &k);
        vote(t, c, &k);
        if (places_servers_add(t, &k) < 0)
            totals->error = -ENOMEM;
    } else {
        decide_alone(&k);
    }
    for (unsigned end = 0; end < 2; end++) {
        add_lost(&totals->lost[k.near[end]], &k.lost[end]);
        add_lost(&totals->beyond[k.near[end]], &k.beyond[end]);
        totals->uncaptured[!k.near[end]] += k.lost[end].uncaptured;
    }
    for (unsigned side = 0; side < 2; side++)
        totals->uncaptured[places_near(t, c, side)] += c->side[side].uncaptured_here;
    totals->by_outcome[k.outcome]++;
    if (k.outcome != PLACES_FINE)
        keep(totals, &k);
out:
    places_table_remove(t, c);
}

static int most_votes(const uint64_t votes[256])
{
    int best = -1;

    for (int i = 0; i < 256; i++)
        if (votes[i] > 0 && (best < 0 || votes[i] > votes[best]))
            best = i;
    return best;
}

/* Drops what rests on a capture that had ended. */
static void without_the_end(struct places_totals *totals, struct places_connection *k)
{
    enum places_outcome was = k->outcome;
    unsigned n = 0;
    bool dropped;

    for (unsigned end = 0; end < 2; end++) {
        if (!totals->ended[!k->near[end]])
            add_lost(&k->lost[end], &k->beyond[end]);
        k->beyond[end] = (struct places_lost){0};
    }
    for (unsigned i = 0; i < k->n_events; i++) {
        const struct places_event *e = &k->events[i];

        if (!e->beyond || !totals->ended[!e->place] || e->ttl_differs)
            k->events[n++] = *e;
    }
    dropped = n < k->n_events;
    k->n_events = (uint8_t)n;
    if (dropped && places_is_broken(k) && !ending(k)) {
        k->tail = k->tail_beyond = 0;
        k->outcome = n > 0 ? PLACES_MADE : PLACES_LOSS;
    }
    if (k->outcome == PLACES_LOSS || (k->outcome == PLACES_MADE && n == 0))
        k->outcome = any_lost(k, false) ? PLACES_LOSS : PLACES_FINE;
    totals->by_outcome[was]--;
    totals->by_outcome[k->outcome]++;
}

static void count_events(struct places_totals *totals, const struct places_connection *k)
{
    for (unsigned i = 0; i < k->n_events; i++) {
        const struct places_event *e = &k->events[i];

        totals->resets +=
            e->kind == PLACES_EVENT_RESET && (totals->n == 2 || e->ttl_differs || e->id_differs);
        totals->fins += e->kind == PLACES_EVENT_FIN;
        totals->icmp += e->kind == PLACES_EVENT_ICMP;
        totals->made += e->kind == PLACES_EVENT_MADE;
        if (e->beyond && !e->ttl_differs && places_is_broken(k))
            totals->relies[!e->place] = true;
    }
}

void places_judge_totals(struct places_track *t)
{
    struct places_totals *totals = t->totals;
    size_t n = 0;

    for (unsigned place = 0; place < t->n_places; place++)
        totals->hops[place] = most_votes(t->hop_votes[place]);
    for (size_t i = 0; i < totals->n_kept; i++) {
        without_the_end(totals, &totals->kept[i]);
        if (totals->kept[i].outcome != PLACES_FINE)
            totals->kept[n++] = totals->kept[i];
    }
    totals->n_kept = n;
    for (unsigned place = 0; place < t->n_places; place++)
        if (!totals->ended[!place])
            add_lost(&totals->lost[place], &totals->beyond[place]);
    for (size_t i = 0; i < n; i++) {
        count_events(totals, &totals->kept[i]);
        if (totals->kept[i].outcome == PLACES_FORGOTTEN)
            places_servers_forgot(t, &totals->kept[i]);
    }
    if (t->n_places == 2 && places_servers_end(t) < 0)
        totals->error = -ENOMEM;
}
