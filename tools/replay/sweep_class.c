/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/sweep_private.h"

#include "tools/replay/connection_private.h"

#include <errno.h>
#include <stdlib.h>

static const struct span *span_of(struct sweep_shard *shard, const struct class *class)
{
    static const struct span none;
    const struct span *span = spans_of(&shard->spans, class->rule, class->choice);

    if (!span)
        shard->error = -ENOMEM;
    return span ? span : &none;
}

struct value_set class_over(struct sweep_shard *shard, const struct class *class, mtime_t now)
{
    struct value_set over = {0};
    size_t n = shard->spans.sweep.n;

    if (!class->alive)
        return over;
    if (class->odd) {
        for (size_t v = 0; v < n; v++)
            if (class->odd->deadline[v] <= now)
                set_add(&over, v, v + 1);
    } else {
        set_add(&over, 0, span_over(span_of(shard, class), class->last, now, 0, n));
    }
    for (unsigned i = 0; i < SWEEP_WORDS; i++)
        over.bits[i] &= class->values.bits[i];
    return over;
}

void lives_closed(struct lives *lives, const struct span *span, mtime_t last, size_t lo, size_t hi)
{
    if (span->lo <= lo && hi <= span->hi) {
        lives_note(lives, &lives->tails, last, (unsigned)lo, (unsigned)hi);
        return;
    }
    if (span->same && lo < hi) {
        lives_note(lives, &lives->closes, last + span->idle[lo], (unsigned)lo, (unsigned)hi);
        return;
    }
    while (lo < hi) {
        bool own = span->lo <= lo && lo < span->hi;
        size_t end = lo + 1;

        if (own)
            end = hi < span->hi ? hi : span->hi;
        else
            while (end < hi && end != span->lo && span->idle[end] == span->idle[lo])
                end++;
        if (own)
            lives_note(lives, &lives->tails, last, (unsigned)lo, (unsigned)end);
        else
            lives_note(lives, &lives->closes, last + span->idle[lo], (unsigned)lo, (unsigned)end);
        lo = end;
    }
}

void class_closed(struct sweep_shard *shard, const struct class *class,
                  const struct value_set *values, mtime_t at, bool ended)
{
    struct lives *lives = &shard->lives;
    const struct span *span = class->odd ? NULL : span_of(shard, class);
    size_t lo, hi = 0;

    while (set_next(values, &lo, &hi)) {
        size_t over;

        for (size_t v = lo; class->odd && v < hi; v++) {
            mtime_t deadline = class->odd->deadline[v];

            if (!set_has(&class->odd->closed, v) && (deadline <= at || ended))
                lives_note(lives, &lives->closes, deadline < at ? deadline : at, (unsigned)v,
                           (unsigned)v + 1);
        }
        if (class->odd)
            continue;
        if (lo < class->closed)
            lo = class->closed < hi ? class->closed : hi;
        over = span_over(span, class->last, at, lo, hi);
        lives_closed(lives, span, class->last, lo, over);
        if (ended)
            lives_note(lives, &lives->closes, at, (unsigned)over, (unsigned)hi);
    }
}

void class_settle(struct sweep_shard *shard, struct class *class)
{
    struct odd_deadlines *odd = class->odd;
    size_t n = shard->spans.sweep.n;

    if (!class->alive)
        return;
    class_closed(shard, class, &class->values, shard->now, false);
    for (size_t v = 0; odd && v < n; v++)
        if (odd->deadline[v] <= shard->now)
            set_add(&odd->closed, v, v + 1);
    if (!odd)
        class->closed = (uint16_t)span_over(span_of(shard, class), class->last, shard->now, 0, n);
}

/* From now on each value has a deadline of its own. */
static struct odd_deadlines *make_odd(struct sweep_shard *shard, struct class *class)
{
    const struct span *span = span_of(shard, class);

    if (class->odd)
        return class->odd;
    class->odd = malloc(sizeof(*class->odd));
    if (!class->odd) {
        shard->error = -ENOMEM;
        return NULL;
    }
    class->odd->closed = (struct value_set){0};
    for (size_t v = 0; v < shard->spans.sweep.n; v++) {
        class->odd->idle[v] = span->idle[v];
        class->odd->deadline[v] = mtime_add(class->last, span->idle[v]);
    }
    return class->odd;
}

/* As the engine's lengthen(): a longer limit, from the last activity on. */
static void lengthen(struct sweep_shard *shard, struct class *class, unsigned choice)
{
    const struct span *span = spans_of(&shard->spans, class->rule, choice);
    const struct span *before = span_of(shard, class);
    size_t n = shard->spans.sweep.n, longer = 0, shorter = 0;
    struct odd_deadlines *odd = class->odd;

    if (!span) {
        shard->error = -ENOMEM;
        return;
    }
    for (size_t v = 0; !odd && v < n; v++) {
        longer += span->idle[v] > before->idle[v];
        shorter += span->idle[v] < before->idle[v];
    }
    if (!odd && longer == 0)
        return;
    if (!odd && shorter == 0) {
        class->choice = (uint16_t)choice;
        return;
    }
    odd = make_odd(shard, class);
    for (size_t v = 0; odd && v < n; v++)
        if (span->idle[v] > odd->idle[v]) {
            odd->idle[v] = span->idle[v];
            odd->deadline[v] = mtime_add(class->last, span->idle[v]);
        }
}

/* Where it is. NULL: nowhere yet. */
static struct world *class_world(const struct sweep_shard *shard, const struct class *class)
{
    return class->world == shard->spans.sweep.n - 1 ? shard->main : shard->side;
}

/* As the engine's doubt(): a deadline that active-timeout brings near is nobody's. */
static void doubt(struct sweep_shard *shard, struct class *class, const struct engine_seen *seen)
{
    const struct sweep *sweep = &shard->spans.sweep;
    const struct policy *policy = shard->spans.base;
    const mtime_t *timeout = policy->profiles[policy->rules[class->rule].profile].timeout;
    mtime_t least = mtime_add(seen->now, 120 * MTIME_SEC);
    struct odd_deadlines *odd;
    struct flow flow;

    engine_show(class_world(shard, class)->engine, seen, &flow);
    if (mtime_add(flow.opened, timeout[TIMEOUT_ACTIVE]) < least)
        return;
    odd = make_odd(shard, class);
    for (size_t v = 0; odd && v < sweep->n; v++) {
        bool own = sweep->timeout == TIMEOUT_TCP_UNACKNOWLEDGED;
        mtime_t cut = mtime_add(seen->now, own ? sweep->points[v].timeout
                                               : timeout[TIMEOUT_TCP_UNACKNOWLEDGED]);

        if (odd->deadline[v] >= least && odd->deadline[v] > cut)
            odd->deadline[v] = cut;
    }
}

void class_unrefreshed(struct sweep_shard *shard, struct class *class,
                       const struct engine_seen *seen)
{
    if (seen->doubted)
        doubt(shard, class, seen);
    else if (seen->choice != ENGINE_NO_CHOICE && (class->odd || seen->choice != class->choice))
        lengthen(shard, class, seen->choice);
}

void class_seen(struct sweep_shard *shard, struct class *class, const struct engine_seen *seen)
{
    class->rule = seen->rule;
    if (!seen->refreshed) {
        class_unrefreshed(shard, class, seen);
        return;
    }
    if (seen->choice == ENGINE_NO_CHOICE) /* it ends it, as the next call will say */
        return;
    free(class->odd);
    class->odd = NULL;
    class->alive = true;
    class->closed = 0;
    class->last = seen->now;
    class->choice = seen->choice;
}

/* What its world remembers of the connection, without an entry. */
static struct story *remembered(struct sweep_shard *shard, const struct parted *parted,
                                const struct class *class, mtime_t now)
{
    struct world *world = class_world(shard, class);
    struct connections *cs = world ? &world->connections : NULL;
    struct flow_key key = class_key_in(shard, parted, class);
    struct story *s = world ? story_find(cs->book, &key) : NULL;

    if (!s || !story_is_over(s, now))
        return s;
    connections_finish_story(cs, s);
    return NULL;
}

/* Will all that follows be the same for both? What was counted so far may differ. */
static bool alike(const struct story *a, const struct story *b)
{
    if (!a || !b)
        return a == b;
    return a->fate == b->fate && a->client == b->client && a->fins == b->fins &&
           a->mortal == b->mortal && (!a->mortal || a->last == b->last) &&
           (a->c.flags & CONNECTION_SYN) == (b->c.flags & CONNECTION_SYN) && a->c.isn == b->c.isn;
}

/* Whether it was late is kept by value from now on. */
static void unburden(struct parted *parted, const struct class *class, struct story *s)
{
    if (!s || s->late_packets == 0)
        return;
    set_join(&parted->broken, &class->values);
    s->late_packets = 0;
}

static void join(struct sweep_shard *shard, struct parted *parted, struct class *keep,
                 struct story *kept, struct class *drop, struct story *dropped)
{
    unburden(parted, keep, kept);
    unburden(parted, drop, dropped);
    set_join(&keep->values, &drop->values);
    for (unsigned d = 0; d < 2; d++) /* not all of it was late yet */
        keep->deaf[d] = keep->deaf[d] && drop->deaf[d];
    if (dropped)
        story_remove(class_world(shard, drop)->connections.book, dropped);
    parted_drop_class(parted, drop);
}

/* Quiet ones end in time, or come to what the world of the greatest value has, too. */
static void merge_quiet(struct sweep_shard *shard, struct parted *parted, mtime_t now)
{
    struct class *main = &parted->classes[0];
    struct story *s = main->alive ? NULL : remembered(shard, parted, main, now);

    for (unsigned k = 1; k < parted->n;) {
        struct class *class = &parted->classes[k];

        if (class->quiet && quiet_is_over(class, now))
            quiet_end(shard, parted, class);
        if (class->fed != parted->order && quiet_like(class, s))
            join(shard, parted, main, s, class, NULL);
        else
            k++;
    }
}

/* A SYN that all values take for a new connection: they begin it alike. */
void class_begin(struct sweep_shard *shard, struct parted *parted, const struct packet *p,
                 mtime_t now)
{
    struct class *main = &parted->classes[0];
    struct story *s = remembered(shard, parted, main, now);

    if (main->alive || (s && s->c.flags & CONNECTION_SYN && s->c.isn == p->seq))
        return;
    if (s)
        connections_finish_story(&shard->main->connections, s);
    for (unsigned k = 1; k < parted->n;) {
        struct class *class = &parted->classes[k];

        if (class->alive || (class->quiet && class->syn && class->isn == p->seq) ||
            (!class->quiet && remembered(shard, parted, class, now))) {
            k++;
            continue;
        }
        if (class->quiet)
            quiet_end(shard, parted, class);
        join(shard, parted, main, NULL, class, NULL);
    }
}

void class_merge(struct sweep_shard *shard, struct parted *parted, mtime_t now)
{
    parted->stale = false;
    merge_quiet(shard, parted, now);
    for (unsigned i = 0; i < parted->n; i++) {
        for (unsigned k = i + 1; k < parted->n;) {
            struct class *a = &parted->classes[i], *b = &parted->classes[k];
            struct story *sa, *sb;

            if (a->alive || a->quiet)
                break;
            if (b->alive || b->quiet || a->fed == parted->order || b->fed == parted->order) {
                k++;
                continue;
            }
            sa = remembered(shard, parted, a, now);
            sb = remembered(shard, parted, b, now);
            if (!alike(sa, sb)) {
                k++;
                continue;
            }
            if (a->world < b->world) { /* the greater one stays, in the place of the first */
                struct class t = *a;
                struct story *st = sa;

                *a = *b;
                *b = t;
                sa = sb;
                sb = st;
            }
            join(shard, parted, a, sa, b, sb);
        }
    }
}
