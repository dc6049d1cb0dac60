/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/verify/compare.h"

#include "tools/timeline/story_clock.h"
#include "tools/verify/compare_event.h"

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

/* The next view of the same socket stands so soon after that nobody looking now and then sees this
 * one; or the one before said the same. */
static bool fleeting(const struct timeline *timeline, size_t i, mtime_t brief)
{
    const struct timeline_event *e = &timeline->events[i];

    for (size_t k = i + 1; k < timeline->n_events && timeline->events[k].t - e->t < brief; k++)
        if (compare_same_stream(e, &timeline->events[k]))
            return true;
    return false;
}

static const struct timeline_event *last_of_stream(const struct side *side,
                                                   const struct timeline_event *e)
{
    for (size_t i = side->n; i-- > 0;)
        if (compare_same_stream(side->events[i], e))
            return side->events[i];
    return NULL;
}

/* A timer pushed further is no news. */
static bool news(const struct side *side, const struct timeline_event *e)
{
    const struct timeline_event *before = last_of_stream(side, e);
    char why[120];

    if (!before)
        return e->socket.state != SOCKET_GONE;
    return !compare_says_same(e, before, why, sizeof(why));
}

static int side_init(struct side *side, const struct timeline *timeline, mtime_t brief)
{
    side->events = calloc(timeline->n_events + 1, sizeof(struct timeline_event *));
    side->done = calloc(timeline->n_events + 1, sizeof(*side->done));
    if (!side->events || !side->done)
        return -ENOMEM;
    for (size_t i = 0; i < timeline->n_events; i++) {
        const struct timeline_event *e = &timeline->events[i];

        if (!compare_counts(e))
            continue;
        if (e->kind == TIMELINE_SOCKET && (fleeting(timeline, i, brief) || !news(side, e)))
            continue;
        side->events[side->n++] = e;
    }
    return 0;
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

/* Late or early by more than a timer may be. What went before at that place starts the clock: a
 * timer's lateness moves all that follows from it. */
static void judge_times(struct compare *out, unsigned speed)
{
    for (size_t i = 0; i < out->n; i++) {
        struct compare_pair *p = &out->pairs[i];
        const struct compare_pair *before = NULL;
        mtime_t waited, slack = SLACK * (mtime_t)speed, off;
        char text[STORY_TEXT];

        if (p->differs || !p->live || !p->virtual)
            continue;
        for (size_t k = i; k-- > 0 && !before;)
            if (out->pairs[k].live && out->pairs[k].virtual &&
                out->pairs[k].live->place == p->live->place &&
                out->pairs[k].virtual->t <= p->virtual->t)
                before = &out->pairs[k];
        waited = before ? p->virtual->t - before->virtual->t : p->virtual->t;
        off = gap(p->live->t, p->virtual->t);
        if (before && gap(p->live->t - before->live->t, waited) < off)
            off = gap(p->live->t - before->live->t, waited);
        if (off <= slack + waited / 8)
            continue;
        p->differs = true;
        snprintf(p->why, sizeof(p->why), "%s %s", story_duration(off, text),
                 p->live->t > p->virtual->t ? "late" : "early");
    }
}

int compare_timelines(struct compare *out, const struct timeline *live,
                      const struct timeline *virtual, unsigned speed)
{
    mtime_t brief = BRIEF * (mtime_t)speed;
    struct side l = {0}, v = {0};
    int r;

    *out = (struct compare){0};
    r = side_init(&l, live, brief);
    if (r == 0)
        r = side_init(&v, virtual, brief);
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
    *compare = (struct compare){0};
}
