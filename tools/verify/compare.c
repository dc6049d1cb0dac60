/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/verify/compare.h"

#include "tools/timeline/story_clock.h"
#include "tools/verify/compare_event.h"
#include "tools/verify/long_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLACK (50 * MTIME_MSEC)  /* wall */
#define BRIEF (100 * MTIME_MSEC) /* wall: what a socket shows for less is not compared */
#define STREAM_MAX 6000          /* events aligned exactly; longer ones are paired in order */

/* The events of one timeline that count, in order. */
struct side {
    const struct timeline_event **events; /* owned */
    size_t n;
    bool *done; /* owned */
};

/* One socket's views, in order. */
struct views {
    const struct timeline_event **events; /* owned */
    size_t n;
};

static bool same_view(const struct timeline_event *a, const struct timeline_event *b)
{
    char why[120];

    return compare_says_same(a, b, why, sizeof(why));
}

static void remove_view(struct views *views, size_t i)
{
    views->n--;
    memmove(&views->events[i], &views->events[i + 1], (views->n - i) * sizeof(views->events[0]));
}

/* What nobody looking now and then sees: the shortest goes first, and what it stood between grows
 * together. */
static void settle(struct views *views, mtime_t brief)
{
    for (;;) {
        size_t shortest = SIZE_MAX;
        mtime_t least = brief;

        for (size_t i = 0; i + 1 < views->n;) {
            mtime_t lasted = views->events[i + 1]->t - views->events[i]->t;

            if (same_view(views->events[i], views->events[i + 1])) {
                remove_view(views, i + 1); /* a timer pushed further is no news */
                continue;
            }
            if (lasted < least) {
                least = lasted;
                shortest = i;
            }
            i++;
        }
        if (shortest == SIZE_MAX)
            break;
        remove_view(views, shortest);
    }
    if (views->n > 0 && views->events[0]->socket.state == SOCKET_GONE)
        remove_view(views, 0);
}

/* Keeps of that socket's views, the first of which is event i, those that settle. */
static int add_views(struct side *side, const struct timeline *timeline, size_t i, bool *seen,
                     mtime_t brief)
{
    struct views views = {.events =
                              calloc(timeline->n_events - i, sizeof(struct timeline_event *))};

    if (!views.events)
        return -ENOMEM;
    for (size_t k = i; k < timeline->n_events; k++)
        if (!seen[k] && compare_same_stream(&timeline->events[i], &timeline->events[k])) {
            views.events[views.n++] = &timeline->events[k];
            seen[k] = true;
        }
    settle(&views, brief);
    memcpy(&side->events[side->n], views.events, views.n * sizeof(views.events[0]));
    side->n += views.n;
    free(views.events);
    return 0;
}

static int side_init(struct side *side, const struct timeline *timeline, mtime_t brief)
{
    bool *seen = calloc(timeline->n_events + 1, sizeof(*seen));
    int r = 0;

    side->events = calloc(timeline->n_events + 1, sizeof(struct timeline_event *));
    side->done = calloc(timeline->n_events + 1, sizeof(*side->done));
    if (!seen || !side->events || !side->done)
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && i < timeline->n_events; i++) {
        const struct timeline_event *e = &timeline->events[i];

        if (seen[i] || !compare_counts(e))
            continue;
        if (e->kind == TIMELINE_SOCKET)
            r = add_views(side, timeline, i, seen, brief);
        else
            side->events[side->n++] = e;
    }
    free(seen);
    return r;
}

static void side_finish(struct side *side)
{
    free(side->events);
    free(side->done);
}

static int pair(struct compare *out, const struct timeline_event *live,
                const struct timeline_event *virtual, const char *why)
{
    if (out->n == out->room) {
        size_t room = out->room ? 2 * out->room : 256;
        struct compare_pair *pairs = reallocarray(out->pairs, room, sizeof(*pairs));

        if (!pairs)
            return -ENOMEM;
        out->pairs = pairs;
        out->room = room;
    }
    out->pairs[out->n] =
        (struct compare_pair){.live = live, .virtual = virtual, .differs = why && *why};
    snprintf(out->pairs[out->n].why, sizeof(out->pairs[out->n].why), "%s", why ? why : "");
    out->n++;
    return 0;
}

/* One stream of both sides. */
struct streams {
    const struct timeline_event **live, **virtual;
    size_t n_live, n_virtual;
    uint16_t *common; /* longest common subsequence of what is left of both */
};

static uint16_t *cell(const struct streams *s, size_t i, size_t k)
{
    return &s->common[i * (s->n_virtual + 1) + k];
}

static bool alike(const struct streams *s, size_t i, size_t k)
{
    char why[120];

    return compare_says_same(s->live[i], s->virtual[k], why, sizeof(why));
}

static bool measure(struct streams *s)
{
    if (s->n_live > STREAM_MAX || s->n_virtual > STREAM_MAX)
        return false;
    s->common = calloc((s->n_live + 1) * (s->n_virtual + 1), sizeof(*s->common));
    if (!s->common)
        return false;
    for (size_t i = s->n_live; i-- > 0;)
        for (size_t k = s->n_virtual; k-- > 0;) {
            uint16_t skip_live = *cell(s, i + 1, k), skip_virtual = *cell(s, i, k + 1);

            *cell(s, i, k) = alike(s, i, k)             ? (uint16_t)(*cell(s, i + 1, k + 1) + 1)
                             : skip_live > skip_virtual ? skip_live
                                                        : skip_virtual;
        }
    return true;
}

/* Both at once where neither has the other's next: a pair that differs says why. */
static int align(struct compare *out, struct streams *s)
{
    bool exact = measure(s);
    size_t i = 0, k = 0;
    char why[120];
    int r = 0;

    while (r == 0 && i < s->n_live && k < s->n_virtual) {
        bool same = compare_says_same(s->live[i], s->virtual[k], why, sizeof(why));

        if (same || !exact || *cell(s, i + 1, k + 1) == *cell(s, i, k))
            r = pair(out, s->live[i++], s->virtual[k++], same ? NULL : why);
        else if (*cell(s, i + 1, k) >= *cell(s, i, k + 1))
            r = pair(out, s->live[i++], NULL, "only live");
        else
            r = pair(out, NULL, s->virtual[k++], "only simulated");
    }
    while (r == 0 && i < s->n_live)
        r = pair(out, s->live[i++], NULL, "only live");
    while (r == 0 && k < s->n_virtual)
        r = pair(out, NULL, s->virtual[k++], "only simulated");
    free(s->common);
    s->common = NULL;
    return r;
}

static size_t gather(struct side *side, const struct timeline_event *like,
                     const struct timeline_event **out)
{
    size_t n = 0;

    for (size_t i = 0; i < side->n; i++)
        if (!side->done[i] && compare_same_stream(side->events[i], like)) {
            out[n++] = side->events[i];
            side->done[i] = true;
        }
    return n;
}

static int compare_stream(struct compare *out, struct side *live, struct side *virtual,
                          const struct timeline_event *like)
{
    struct streams s = {.live = calloc(live->n + 1, sizeof(struct timeline_event *)),
                        .virtual = calloc(virtual->n + 1, sizeof(struct timeline_event *))};
    int r = -ENOMEM;

    if (s.live && s.virtual) {
        s.n_live = gather(live, like, s.live);
        s.n_virtual = gather(virtual, like, s.virtual);
        r = align(out, &s);
    }
    free(s.live);
    free(s.virtual);
    return r;
}

static mtime_t pair_time(const struct compare_pair *p)
{
    return p->live ? p->live->t : p->virtual->t;
}

static int in_time(const void *a, const void *b)
{
    const struct compare_pair *x = a, *y = b;
    mtime_t s = pair_time(x), t = pair_time(y);

    return s < t ? -1 : s > t ? 1 : 0;
}

static mtime_t gap(mtime_t a, mtime_t b)
{
    return a > b ? a - b : b - a;
}

/* How far apart the two are, counted from an earlier pair; from the story's start without one. */
static mtime_t apart(const struct compare_pair *p, const struct compare_pair *since)
{
    mtime_t live = since ? since->live->t : 0, virtual = since ? since->virtual->t : 0;

    return gap(p->live->t - live, p->virtual->t - virtual);
}

static bool starts_clock(const struct compare_pair *earlier, const struct compare_pair *p)
{
    return earlier->live && earlier->virtual && earlier->virtual->t <= p->virtual->t;
}

static void nearer(mtime_t *off, const struct compare_pair *p, const struct compare_pair *since)
{
    mtime_t with = since ? apart(p, since) : MTIME_NEVER;

    if (with < *off)
        *off = with;
}

/* Late or early by more than a timer may be. What went before at that place with that connection
 * starts the clock, as a timer's lateness moves all that follows from it; so does the story's last
 * deed, which a busy machine may do late. What comes from another place with that connection, like
 * the packet of a late timer at the firewall that drops it, has waited only since it was there. */
static void judge_time(struct compare *out, size_t i, mtime_t slack)
{
    struct compare_pair *p = &out->pairs[i];
    const struct compare_pair *here = NULL, *there = NULL, *deed = NULL;
    mtime_t waited, off;
    char text[STORY_TEXT];

    for (size_t k = i; k-- > 0 && !here;)
        if (starts_clock(&out->pairs[k], p) &&
            out->pairs[k].live->connection == p->live->connection) {
            there = there ? there : &out->pairs[k];
            here = out->pairs[k].live->place == p->live->place ? &out->pairs[k] : NULL;
        }
    /* What a deed did can be seen before the doing is over. */
    for (size_t k = out->n; k-- > 0 && !deed;)
        if (starts_clock(&out->pairs[k], p) && out->pairs[k].live->kind == TIMELINE_DEED)
            deed = &out->pairs[k];
    waited = p->virtual->t - (here ? here->virtual->t : 0);
    off = apart(p, NULL);
    nearer(&off, p, here);
    nearer(&off, p, deed);
    if (off <= slack + waited / 8 ||
        (there && apart(p, there) <= slack + (p->virtual->t - there->virtual->t) / 8))
        return;
    p->differs = true;
    snprintf(p->why, sizeof(p->why), "%s %s", story_duration(off, text),
             p->live->t > p->virtual->t ? "late" : "early");
}

static void judge_times(struct compare *out, unsigned speed)
{
    for (size_t i = 0; i < out->n; i++) {
        const struct compare_pair *p = &out->pairs[i];

        if (!p->differs && p->live && p->virtual && p->live->kind != TIMELINE_DEED)
            judge_time(out, i, SLACK * (mtime_t)speed);
    }
}

int compare_timelines(struct compare *out, const struct timeline *live,
                      const struct timeline *virtual, unsigned speed)
{
    mtime_t brief = BRIEF * (mtime_t)speed;
    struct timeline live_joined, virtual_joined;
    struct side l = {0}, v = {0};
    int r;

    *out = (struct compare){0};
    r = timeline_long_writes(&live_joined, live, SLACK * (mtime_t)speed);
    out->events[0] = live_joined.events;
    if (r == 0) {
        r = timeline_long_writes(&virtual_joined, virtual, SLACK * (mtime_t)speed);
        out->events[1] = virtual_joined.events;
    }
    if (r == 0)
        r = side_init(&l, &live_joined, brief);
    if (r == 0)
        r = side_init(&v, &virtual_joined, brief);
    for (size_t i = 0; r == 0 && i < l.n; i++)
        if (!l.done[i])
            r = compare_stream(out, &l, &v, l.events[i]);
    for (size_t i = 0; r == 0 && i < v.n; i++)
        if (!v.done[i])
            r = compare_stream(out, &l, &v, v.events[i]);
    if (r == 0 && out->n > 0) {
        qsort(out->pairs, out->n, sizeof(*out->pairs), in_time);
        judge_times(out, speed);
    }
    for (size_t i = 0; i < out->n; i++)
        out->differences += out->pairs[i].differs;
    side_finish(&l);
    side_finish(&v);
    return r;
}

void compare_finish(struct compare *compare)
{
    free(compare->pairs);
    free(compare->events[0]);
    free(compare->events[1]);
    *compare = (struct compare){0};
}
