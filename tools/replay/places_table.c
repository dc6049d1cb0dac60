/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/places_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS_FIRST 1024
#define PLAUSIBLE                                                                                  \
    (INT32_C(1) << 28) /* the widest window is a quarter of it: RFC 7323 2.3 is 2^30 */

int places_table_init(struct places_track *t)
{
    t->n_buckets = BUCKETS_FIRST;
    t->buckets = calloc(t->n_buckets, sizeof(struct places_half *));
    t->traces = calloc(PLACES_TRACE_SLOTS, sizeof(*t->traces));
    if (getrandom(t->secret, sizeof(t->secret), 0) != (ssize_t)sizeof(t->secret))
        return -EIO;
    return t->buckets && t->traces ? 0 : -ENOMEM;
}

void places_table_finish(struct places_track *t)
{
    free(t->buckets);
    free(t->traces);
    free(t->servers.slots);
}

static struct places_half **bucket_of(struct places_track *t, const struct flow_key *key,
                                      unsigned place)
{
    return &t->buckets[(flow_key_hash(key, t->secret) + place) & (t->n_buckets - 1)];
}

static struct places_half *find(struct places_track *t, const struct flow_key *key, unsigned place)
{
    struct places_half *h = *bucket_of(t, key, place);

    while (h && !(h == &h->conn->half[place] && flow_key_equal(&h->key, key)))
        h = h->next;
    return h;
}

static unsigned place_of(const struct places_half *h)
{
    return (unsigned)(h - h->conn->half);
}

static void grow(struct places_track *t)
{
    size_t n = t->n_buckets;
    struct places_half **old = t->buckets, **fresh = calloc(n * 2, sizeof(struct places_half *));

    if (!fresh)
        return; /* slower, and nothing else */
    t->buckets = fresh;
    t->n_buckets = n * 2;
    for (size_t i = 0; i < n; i++)
        for (struct places_half *h = old[i], *next; h; h = next) {
            struct places_half **bucket = bucket_of(t, &h->key, place_of(h));

            next = h->next;
            h->next = *bucket;
            *bucket = h;
        }
    free(old);
}

static void hash(struct places_track *t, struct places_conn *c, unsigned place)
{
    struct places_half *h = &c->half[place], **bucket;

    if (t->n_hashed >= t->n_buckets)
        grow(t);
    bucket = bucket_of(t, &h->key, place);
    h->next = *bucket;
    h->hashed = true;
    *bucket = h;
    t->n_hashed++;
}

static void unhash(struct places_track *t, struct places_half *half)
{
    struct places_half **at;

    if (!half->hashed)
        return;
    at = bucket_of(t, &half->key, place_of(half));
    while (*at != half)
        at = &(*at)->next;
    *at = half->next;
    half->hashed = false;
    t->n_hashed--;
}

static struct places_queue *queue_of(struct places_track *t, const struct places_conn *c)
{
    return c->closing ? &t->closing : &t->live;
}

static void leave(struct places_track *t, struct places_conn *c)
{
    struct places_queue *q = queue_of(t, c);

    *(c->before ? &c->before->after : &q->first) = c->after;
    *(c->after ? &c->after->before : &q->last) = c->before;
    q->n--;
}

static void enter(struct places_track *t, struct places_conn *c)
{
    struct places_queue *q = queue_of(t, c);

    c->before = q->last;
    c->after = NULL;
    *(q->last ? &q->last->after : &q->first) = c;
    q->last = c;
    q->n++;
}

void places_table_touch(struct places_track *t, struct places_conn *c)
{
    leave(t, c);
    enter(t, c);
}

void places_table_closing(struct places_track *t, struct places_conn *c)
{
    leave(t, c);
    c->closing = true;
    enter(t, c);
}

static void forget_traces(struct places_track *t, struct places_conn *c)
{
    for (unsigned i = 0; i < c->n_traces; i++)
        if (t->traces[c->traces[i]].conn == c)
            t->traces[c->traces[i]] = (struct places_trace){0};
    c->n_traces = 0;
}

void places_table_remove(struct places_track *t, struct places_conn *c)
{
    for (unsigned place = 0; place < t->n_places; place++)
        unhash(t, &c->half[place]);
    forget_traces(t, c);
    leave(t, c);
    for (unsigned side = 0; side < 2; side++)
        for (unsigned place = 0; place < PLACES_MAX; place++) {
            seen_list_finish(&c->side[side].list[place]);
            ranges_finish(&c->side[side].ranges[place]);
        }
    free(c->arrived);
    free(c);
}

static bool is_opening(const struct packet *p)
{
    return (p->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

static void use_half(struct places_track *t, struct places_conn *c, const struct packet *p,
                     unsigned place, unsigned flip)
{
    struct places_half *h = &c->half[place];

    *h = (struct places_half){.conn = c, .key = p->key, .used = true, .flip = (uint8_t)flip};
    hash(t, c, place);
}

/* What listens has a port of its own; clients are given one, by Linux from 32768 on, by others from
 * 49152 (ip_local_port_range, RFC 6335 6). */
static unsigned rank(uint16_t port)
{
    return (port >= 1024) + (port >= 32768);
}

static uint8_t guess_client(const struct packet *p, uint8_t *doubt)
{
    uint8_t other = !p->side;
    unsigned mine = rank(p->key.port[p->side]), its = rank(p->key.port[other]);

    *doubt = 0;
    if (p->flags & TCP_SYN)
        return is_opening(p) ? p->side : other;
    *doubt = mine == its ? 2 : 1;
    return mine < its ? other : p->side;
}

static struct places_conn *make(struct places_track *t, const struct packet *p, unsigned place)
{
    struct places_conn *c = calloc(1, sizeof(*c));

    if (!c) {
        t->error = -ENOMEM;
        return NULL;
    }
    c->last_passed = c->last_seen = -1;
    c->client = guess_client(p, &c->doubt);
    c->steady = c->doubt > 0;
    use_half(t, c, p, place, 0);
    enter(t, c);
    if (t->live.n > PLACES_LIVE) {
        t->totals->evicted++;
        places_judge_end(t, t->live.first);
    }
    return c;
}

static bool is_next(const struct places_conn *c, const struct packet *p, unsigned side)
{
    const struct places_side *s = &c->side[side];

    return is_opening(p) && s->known && (!s->has_isn || s->isn != p->seq || c->closing);
}

/* Could p, the first of this place, belong to what the other place has? */
static bool fits(const struct places_conn *c, const struct packet *p, unsigned side)
{
    const struct places_side *s = &c->side[side];

    if (is_opening(p))
        return s->has_isn ? s->isn == p->seq : !s->known;
    if (s->known && !(p->flags & TCP_RST)) {
        int32_t apart = (int32_t)(p->seq - (uint32_t)s->last);

        return apart > -PLAUSIBLE && apart < PLAUSIBLE;
    }
    s = &c->side[!side];
    if (s->known && (p->flags & TCP_ACK)) {
        int32_t apart = (int32_t)(p->ack - (uint32_t)s->last);

        return apart > -PLAUSIBLE && apart < PLAUSIBLE;
    }
    return true;
}

static struct places_conn *adopt(struct places_track *t, const struct packet *p, unsigned place,
                                 unsigned *side)
{
    struct places_half *there = t->n_places == 2 ? find(t, &p->key, !place) : NULL;
    struct places_conn *c;

    if (!there || there->conn->half[place].used)
        return NULL;
    c = there->conn;
    *side = p->side ^ there->flip;
    if (p->kind == PACKET_TCP && !fits(c, p, *side)) {
        c->unlike = true;
        return NULL;
    }
    use_half(t, c, p, place, there->flip);
    forget_traces(t, c);
    return c;
}

struct places_conn *places_table_take(struct places_track *t, const struct packet *p,
                                      unsigned place, unsigned *side)
{
    struct places_half *here = find(t, &p->key, place);
    struct places_conn *c;

    if (here) {
        *side = p->side ^ here->flip;
        if (p->kind != PACKET_TCP || !is_next(here->conn, p, *side))
            return here->conn;
        unhash(t, here);
    }
    c = adopt(t, p, place, side);
    if (c || p->kind != PACKET_TCP)
        return c;
    *side = p->side;
    return make(t, p, place);
}

static uint64_t mark_of(const struct packet *p)
{
    uint64_t h = ((uint64_t)p->seq << 32 | p->ack) * 0x9e3779b97f4a7c15;

    h ^= (uint64_t)places_track_length(p) << 8 | (p->flags & (TCP_SYN | TCP_FIN));
    h *= 0xd6e8feb86659fd93;
    h ^= h >> 32;
    return h ? h : 1;
}

/* What `from` saw at its only place goes over to `into`, which has only the other one. */
static void join(struct places_track *t, struct places_conn *into, struct places_conn *from,
                 unsigned place, unsigned turned)
{
    struct places_half *h = &into->half[place];

    *h = (struct places_half){.conn = into, .key = from->half[place].key, .used = true};
    h->flip = (uint8_t)(from->half[place].flip ^ turned);
    unhash(t, &from->half[place]);
    hash(t, into, place);
    forget_traces(t, into);
    if (from->doubt < into->doubt) {
        into->client = (uint8_t)(from->client ^ turned);
        into->doubt = from->doubt;
    }
    for (unsigned side = 0; side < 2; side++) {
        struct places_side *to = &into->side[side], *of = &from->side[side ^ turned];

        to->ttl[place] = of->ttl[place];
        to->ids[place] = of->ids[place];
        to->closed |= of->closed;
        for (size_t i = of->list[place].from; i < of->list[place].n; i++) {
            struct seen seen = of->list[place].items[i];

            seen.side = (uint8_t)side;
            seen.end -= seen.start; /* nothing was taken out of it: no other place was known */
            seen.start = places_unwrap(to, seen.seq);
            seen.end += seen.start;
            places_track_match(t, into, &seen);
        }
    }
    places_table_remove(t, from);
}

struct places_conn *places_table_link(struct places_track *t, struct places_conn *c,
                                      const struct packet *p, unsigned place, unsigned side)
{
    struct places_trace *trace;
    uint64_t mark;

    /* A number of 32 bits alone could be another's */
    if (t->n_places < 2 || c->half[!place].used || !(p->flags & TCP_ACK) || (p->flags & TCP_RST))
        return c;
    mark = mark_of(p);
    trace = &t->traces[mark % PLACES_TRACE_SLOTS];
    if (trace->mark == mark && trace->place != place && llabs(trace->time - t->now) < PLACES_WAIT &&
        !trace->conn->half[place].used) {
        struct places_conn *into = trace->conn;

        join(t, into, c, place, trace->side ^ side);
        return into;
    }
    if (c->n_traces == PLACES_TRACES)
        return c;
    *trace = (struct places_trace){mark, t->now, c, (uint8_t)place, (uint8_t)side};
    c->traces[c->n_traces++] = (uint32_t)(mark % PLACES_TRACE_SLOTS);
    return c;
}
