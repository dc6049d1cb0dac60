/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/places_clock.h"
#include "tools/replay/places_private.h"
#include "tools/replay/run_source.h"

#include <errno.h>
#include <stdlib.h>

#define SLACK (10 * MTIME_MSEC)
#define SHOW_EVERY 65536 /* packets */

struct reader {
    const struct places_options *options;
    struct places_totals *totals;
    struct places_clock clock;
    struct places_sketch *sketch[PLACES_MAX];
    struct places_track track;
    mtime_t first[PLACES_MAX], last[PLACES_MAX]; /* by their own clocks */
    struct run_source *source[PLACES_MAX];
    uint64_t bytes, size, packets; /* of both readings, for the progress */
    bool broken[PLACES_MAX];
    bool second;
};

static int open_sources(struct reader *r)
{
    struct capture_fault fault;
    size_t broken;

    for (size_t i = 0; i < r->options->n; i++) {
        const struct place *place = &r->options->places[i];
        int e = run_source_open(&r->source[i], place->paths, place->n, &fault, &broken);

        if (e < 0) {
            r->options->fault(r->options->arg, place->paths[broken], e, &fault);
            return -ENOENT;
        }
    }
    return 0;
}

static void close_sources(struct reader *r)
{
    for (size_t i = 0; i < r->options->n; i++)
        r->source[i] = run_source_close(r->source[i]);
}

static bool is_stopped(const struct reader *r)
{
    return r->options->stop && atomic_load(r->options->stop);
}

static void show(struct reader *r)
{
    struct capture_stats stats;
    uint64_t bytes = 0, size = 0;

    if (!r->options->progress || ++r->packets % SHOW_EVERY != 0)
        return;
    for (size_t i = 0; i < r->options->n; i++) {
        if (!r->source[i])
            continue;
        run_source_stats(r->source[i], &stats);
        bytes += stats.bytes;
        size += stats.size;
    }
    r->options->progress(r->options->arg,
                         size == 0 ? 0 : ((double)bytes / (double)size + (r->second ? 1 : 0)) / 2,
                         r->packets);
}

/* 1, 0 at the end; a capture that breaks off is told of once, and the others go on. */
static int next(struct reader *r, size_t place, struct run_stretch *stretch)
{
    for (;;) {
        struct capture_fault fault = {0};
        size_t broken;
        int e = run_source_next(r->source[place], stretch, &fault, &broken);

        if (e >= 0)
            return is_stopped(r) ? 0 : e;
        if (e == -ENOMEM)
            return e;
        if (!r->second)
            r->options->fault(r->options->arg, r->options->places[place].paths[broken], e, &fault);
        r->broken[place] = true;
    }
}

static uint8_t ttl_of(const struct packet *p)
{
    if (p->caplen < 20)
        return 0;
    return p->data[0] >> 4 == 4 ? p->data[8] : p->data[7];
}

/* One place after the other: only what both hold says how the clocks stand. */
static int read_clocks(struct reader *r)
{
    for (size_t place = 0; place < r->options->n; place++) {
        struct run_stretch stretch;
        int e;

        while ((e = next(r, place, &stretch)) > 0)
            for (size_t i = 0; i < stretch.n; i++) {
                struct packet *p = &stretch.packets[i];

                packet_decode(p);
                places_sketch_add(r->sketch[place], p, ttl_of(p));
                if (r->first[place] < 0 || p->time < r->first[place])
                    r->first[place] = p->time;
                if (p->time > r->last[place])
                    r->last[place] = p->time;
                show(r);
            }
        if (e < 0)
            return e;
        run_source_stats(r->source[place], &r->totals->capture[place]);
    }
    return r->options->n == 2 ? places_clock_fit(&r->clock, r->first[0], r->sketch[0], r->sketch[1])
                              : 0;
}

struct walk {
    struct run_stretch stretch;
    size_t at;
    bool over;
    mtime_t time; /* of the next, by the first place's clock */
};

static int step(struct reader *r, struct walk *w, size_t place)
{
    if (w->at == w->stretch.n) {
        int e = next(r, place, &w->stretch);

        w->at = 0;
        if (e <= 0) {
            w->over = true;
            w->stretch.n = 0;
            return e;
        }
    }
    w->time = w->stretch.packets[w->at].time;
    if (place == 1)
        w->time = places_clock_correct(&r->clock, w->time);
    return 0;
}

/* Side by side in time, so that what is on its way is little. */
static int read_packets(struct reader *r)
{
    struct walk walks[PLACES_MAX] = {0};
    size_t n = r->options->n;
    int e = 0;

    for (size_t place = 0; e == 0 && place < n; place++)
        e = step(r, &walks[place], place);
    while (e == 0) {
        size_t place =
            n == 2 && (walks[0].over || (!walks[1].over && walks[1].time < walks[0].time));
        struct walk *w = &walks[place];
        struct packet *p;

        if (w->over)
            break;
        p = &w->stretch.packets[w->at];
        packet_decode(p);
        places_track_packet(&r->track, p, (unsigned)place, w->stretch.capture,
                            w->stretch.numbers[w->at]);
        show(r);
        w->at++;
        e = r->track.error ? r->track.error : step(r, w, place);
    }
    return e;
}

static void begin(struct reader *r)
{
    struct places_track *t = &r->track;

    t->totals = r->totals;
    t->clock = &r->clock;
    t->n_places = r->options->n;
    t->slack = 2 * r->clock.way + r->clock.wanders + SLACK;
    if (t->slack > MTIME_SEC)
        t->slack = MTIME_SEC;
    r->totals->clock = r->clock;
    for (size_t i = 0; i < r->options->n; i++) {
        t->begins[i] = i == 1 ? places_clock_correct(&r->clock, r->first[i]) : r->first[i];
        t->ends[i] = i == 1 ? places_clock_correct(&r->clock, r->last[i]) : r->last[i];
        r->totals->first[i] = t->begins[i];
        r->totals->last[i] = t->ends[i];
    }
}

static void end_all(struct places_track *t)
{
    while (t->closing.first)
        places_judge_end(t, t->closing.first);
    while (t->live.first)
        places_judge_end(t, t->live.first);
    places_judge_totals(t);
}

static int read_twice(struct reader *r)
{
    int e = open_sources(r);

    if (e == 0)
        e = read_clocks(r);
    close_sources(r);
    if (e < 0 || (r->options->n == 2 && r->clock.packets == 0))
        return e;
    r->second = true;
    begin(r);
    e = places_table_init(&r->track);
    if (e == 0)
        e = open_sources(r);
    if (e == 0)
        e = read_packets(r);
    close_sources(r);
    if (r->track.buckets)
        end_all(&r->track);
    places_table_finish(&r->track);
    return e < 0 ? e : r->totals->error;
}

int places_run(const struct places_options *options, struct places_totals *totals)
{
    struct reader *r = calloc(1, sizeof(*r));
    bool broken = false;
    int e = 0;

    *totals = (struct places_totals){.n = options->n, .hops = {-1, -1}};
    if (!r)
        return -ENOMEM;
    r->options = options;
    r->totals = totals;
    for (size_t i = 0; i < options->n; i++) {
        r->first[i] = r->last[i] = -1;
        r->sketch[i] = places_sketch_create();
        if (!r->sketch[i])
            e = -ENOMEM;
    }
    if (e == 0)
        e = read_twice(r);
    for (size_t i = 0; i < options->n; i++) {
        places_sketch_destroy(r->sketch[i]);
        broken |= r->broken[i];
    }
    free(r);
    return e == 0 && broken ? -EBADMSG : e;
}

void places_totals_finish(struct places_totals *totals)
{
    free(totals->kept);
    free(totals->servers);
    *totals = (struct places_totals){0};
}
