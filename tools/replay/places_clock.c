/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/places_clock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define KEEP 32768 /* packets */
#define SLOTS ((size_t)4 * KEEP)
#define BINS 64
#define ROUNDS 4
#define USUAL_DRIFT 50e-6  /* of a quartz */
#define LEAST_JITTER 20e-6 /* seconds; of few samples it may look like none */

struct mark {
    uint64_t hash; /* 0: free */
    mtime_t time;
    uint8_t ttl;
    bool from_low; /* sent by the end with the lower port: most often the server */
    bool again;    /* seen more than once: no telling which is which */
};

struct places_sketch {
    struct mark *slots;
    size_t n;
    uint64_t below; /* hashes from here on are not kept */
    bool failed;    /* no memory */
};

struct places_sketch *places_sketch_create(void)
{
    struct places_sketch *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->below = UINT64_MAX;
    s->slots = calloc(SLOTS, sizeof(*s->slots));
    return s->slots ? s : places_sketch_destroy(s);
}

struct places_sketch *places_sketch_destroy(struct places_sketch *s)
{
    if (s)
        free(s->slots);
    free(s);
    return NULL;
}

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

/* Without addresses and ports, which may be translated on the way; and without the IP header, of
 * which routers change more than one would think. */
static uint64_t hash_of(const struct packet *p)
{
    uint64_t h = mix((uint64_t)p->seq << 32 | p->ack);

    h = mix(h ^ ((uint64_t)p->payload_len << 8 | (p->flags & ~(unsigned)TCP_PSH)));
    h = mix(h ^ ((uint64_t)p->window << 32 | (p->has_timestamp ? p->tsval : 0)));
    return h ? h : 1;
}

static struct mark *slot_of(struct mark *slots, uint64_t hash)
{
    size_t at = hash % SLOTS;

    while (slots[at].hash != 0 && slots[at].hash != hash)
        at = (at + 1) % SLOTS;
    return &slots[at];
}

static void halve(struct places_sketch *s)
{
    struct mark *fresh = calloc(SLOTS, sizeof(*fresh));

    if (!fresh) {
        s->failed = true;
        return;
    }
    s->below /= 2;
    s->n = 0;
    for (size_t i = 0; i < SLOTS; i++)
        if (s->slots[i].hash && s->slots[i].hash < s->below) {
            *slot_of(fresh, s->slots[i].hash) = s->slots[i];
            s->n++;
        }
    free(s->slots);
    s->slots = fresh;
}

void places_sketch_add(struct places_sketch *s, const struct packet *p, uint8_t ttl)
{
    struct mark *slot;
    uint64_t hash;

    /* A large one may be several elsewhere (segmentation offload); one with no acknowledgement, a
     * first SYN, has a random number of 32 bits only, but is retransmitted under its own. */
    if (s->failed || p->kind != PACKET_TCP || p->payload_len > 1200)
        return;
    hash = hash_of(p);
    if (hash >= s->below)
        return;
    slot = slot_of(s->slots, hash);
    if (slot->hash != 0) {
        slot->again = true;
        return;
    }
    *slot = (struct mark){.hash = hash,
                          .time = p->time,
                          .ttl = ttl,
                          .from_low = p->key.port[p->side] < p->key.port[!p->side]};
    if (++s->n > KEEP)
        halve(s);
}

struct sample {
    double t;     /* seconds by the first clock, from the first sample on */
    double ahead; /* seconds from the first sample's */
    bool forth;   /* from the first place to the second */
};

static int compare(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;

    return (x->t > y->t) - (x->t < y->t);
}

struct samples {
    struct sample *items;
    size_t n;
    mtime_t origin, ahead;
};

static int collect(struct samples *all, const struct places_sketch *a,
                   const struct places_sketch *b)
{
    size_t by_ttl = 0;

    all->items = calloc(a->n + 1, sizeof(*all->items));
    if (!all->items)
        return -ENOMEM;
    for (int use_ttl = 1; use_ttl >= 0; use_ttl--) {
        all->n = 0;
        for (size_t i = 0; i < SLOTS; i++) {
            const struct mark *x = &a->slots[i], *y;

            if (x->hash == 0 || x->again || all->n == a->n)
                continue;
            y = slot_of(b->slots, x->hash);
            if (y->hash == 0 || y->again || (use_ttl && x->ttl == y->ttl))
                continue;
            if (all->n == 0) {
                all->origin = x->time;
                all->ahead = y->time - x->time;
            }
            all->items[all->n++] = (struct sample){
                .t = mtime_seconds(x->time - all->origin),
                .ahead = mtime_seconds(y->time - x->time - all->ahead),
                .forth = use_ttl ? x->ttl > y->ttl : x->from_low,
            };
        }
        by_ttl += use_ttl ? all->n : 0;
        if (by_ttl >= 2)
            break; /* else nothing between them counts hops: directions by their ports */
    }
    qsort(all->items, all->n, sizeof(*all->items), compare);
    return 0;
}

/* Common slope of both directions, each with a level of its own, as likely as samples and the drift
 * of usual clocks make it together (ridge regression): within a second, jitter looks like a drift
 * of minutes a day. */
static double slope(const struct sample *s, size_t n)
{
    double t[2] = {0}, d[2] = {0}, up = 0, down = 0, squares = 0, jitter;
    size_t k[2] = {0};

    for (size_t i = 0; i < n; i++) {
        t[s[i].forth] += s[i].t;
        d[s[i].forth] += s[i].ahead;
        k[s[i].forth]++;
    }
    for (size_t i = 0; i < n; i++) {
        double dt = s[i].t - t[s[i].forth] / (double)k[s[i].forth];

        up += dt * (s[i].ahead - d[s[i].forth] / (double)k[s[i].forth]);
        down += dt * dt;
    }
    if (n < 4 || down <= 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        bool f = s[i].forth;
        double rest = s[i].ahead - d[f] / (double)k[f] - up / down * (s[i].t - t[f] / (double)k[f]);

        squares += rest * rest;
    }
    jitter = squares / (double)(n - 3) + LEAST_JITTER * LEAST_JITTER;
    return up / (down + jitter / (USUAL_DRIFT * USUAL_DRIFT));
}

static bool is_better(const struct sample *s, const struct sample *best)
{
    return s->forth ? s->ahead < best->ahead : s->ahead > best->ahead;
}

/* The quickest of each direction in each stretch of time: the others waited in queues. */
static size_t quickest(const struct sample *s, size_t n, struct sample *out)
{
    double from = s[0].t, width = (s[n - 1].t - from) / BINS;
    size_t kept = 0;

    for (size_t i = 0; i < n;) {
        size_t at[2] = {SIZE_MAX, SIZE_MAX};
        double until = width > 0 ? from + width * (1 + floor((s[i].t - from) / width)) : INFINITY;
        size_t begin = i;

        for (; i < n && (i == begin || s[i].t < until); i++)
            if (at[s[i].forth] == SIZE_MAX || is_better(&s[i], &s[at[s[i].forth]]))
                at[s[i].forth] = i;
        for (unsigned d = 0; d < 2; d++)
            if (at[d] != SIZE_MAX)
                out[kept++] = s[at[d]];
    }
    return kept;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* A stretch in which all of a direction had to wait says nothing; returns how many are left. */
static size_t without_queues(struct sample *s, size_t n)
{
    double least[2] = {-INFINITY, INFINITY}, wait[2 * (BINS + 2)], limit;
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (s[i].forth ? s[i].ahead < least[1] : s[i].ahead > least[0])
            least[s[i].forth] = s[i].ahead;
    for (size_t i = 0; i < n; i++)
        wait[i] = fabs(s[i].ahead - least[s[i].forth]);
    qsort(wait, n, sizeof(*wait), compare_doubles);
    limit = 4 * wait[n / 2] + LEAST_JITTER;
    for (size_t i = 0; i < n; i++)
        if (fabs(s[i].ahead - least[s[i].forth]) <= limit)
            s[kept++] = s[i];
    return kept;
}

static void tilt(struct sample *s, size_t n, double by)
{
    for (size_t i = 0; i < n; i++)
        s[i].ahead -= by * s[i].t;
}

/* Directions by port say which belong together, not which way they went: those that came later by
 * the second clock went there. */
static void turn(struct sample *s, size_t n)
{
    double sum[2] = {0};
    size_t k[2] = {0};

    for (size_t i = 0; i < n; i++) {
        sum[s[i].forth] += s[i].ahead;
        k[s[i].forth]++;
    }
    if (k[0] && k[1] && sum[1] / (double)k[1] < sum[0] / (double)k[0])
        for (size_t i = 0; i < n; i++)
            s[i].forth = !s[i].forth;
}

int places_clock_fit(struct places_clock *clock, mtime_t from, const struct places_sketch *first,
                     const struct places_sketch *second)
{
    struct sample few[2 * (BINS + 2)];
    struct samples all = {0};
    double least[2] = {0}, low = INFINITY, high = -INFINITY, middle;
    bool any[2] = {false, false};
    size_t n;
    int r = first->failed || second->failed ? -ENOMEM : collect(&all, first, second);

    *clock = (struct places_clock){
        .packets = all.n,
    };
    if (r < 0 || all.n == 0)
        goto out;
    clock->drift = slope(all.items, all.n);
    tilt(all.items, all.n, clock->drift);
    turn(all.items, all.n);
    for (unsigned round = 0; round < ROUNDS;
         round++) { /* the first is rough: a queue may tilt it */
        double more;

        n = quickest(all.items, all.n, few);
        n = round == 0 ? n : without_queues(few, n);
        more = slope(few, n);
        tilt(all.items, all.n, more);
        clock->drift += more;
    }
    n = quickest(all.items, all.n, few);
    for (size_t i = 0; i < n; i++) {
        bool d = few[i].forth;

        if (!any[d] || (d ? few[i].ahead < least[d] : few[i].ahead > least[d]))
            least[d] = few[i].ahead;
        any[d] = true;
    }
    clock->one_way = !any[0] || !any[1];
    middle = clock->one_way ? least[any[1]] : (least[0] + least[1]) / 2;
    for (size_t i = 0; i < n; i++) {
        double rest = few[i].ahead - least[few[i].forth];

        low = rest < low ? rest : low;
        high = rest > high ? rest : high;
    }
    clock->ahead = all.ahead + (mtime_t)(middle * (double)MTIME_SEC) +
                   (mtime_t)(clock->drift * (double)(from - all.origin));
    clock->origin = from;
    clock->way = clock->one_way || least[1] < least[0]
                     ? 0
                     : (mtime_t)((least[1] - least[0]) * (double)MTIME_SEC);
    clock->wanders = (mtime_t)((high - low) * (double)MTIME_SEC);
out:
    free(all.items);
    return r;
}

mtime_t places_clock_correct(const struct places_clock *clock, mtime_t time)
{
    mtime_t flat = time - clock->ahead;

    /* flat is its time by the first clock, but for the drift, which is of the second order here */
    return flat - (mtime_t)(clock->drift * (double)(flat - clock->origin));
}
