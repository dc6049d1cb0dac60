/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pattern of rows that comes again and again is shown twice, then counted, then its last. */
#include "tools/timeline/ladder_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATTERN_MAX 8 /* rows */
#define REPEATS_MIN 7
#define SHOWN_FIRST 2

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

/* Two rows with the same say the same but for numbers and times. */
static uint64_t likeness(const struct ladder *ladder, const struct ladder_row *row)
{
    uint64_t hash = mix(1, (uint64_t)row->kind);

    if (row->event) {
        hash = mix(hash, row->event->place);
        if (row->event->kind == TIMELINE_SOCKET)
            hash = mix(hash, (uint64_t)row->event->socket.state);
    }
    for (size_t i = row->hops; i != LADDER_NONE; i = ladder->hops[i].next) {
        const struct ladder_hop *hop = &ladder->hops[i];
        const struct timeline_packet *p = hop->packet;

        hash = mix(hash, hop->place | (uint64_t)p->passage << 8 | (uint64_t)p->from << 16 |
                             (uint64_t)p->flags << 24 | (uint64_t)p->note << 32 |
                             (uint64_t)p->reason << 40 | (uint64_t)p->silent_link << 48);
        hash = mix(hash, p->len);
        hash =
            mix(hash, p->tcp ? 0 : 1u | (unsigned)p->icmp_type << 8 | (unsigned)p->icmp_code << 16);
    }
    for (size_t i = row->notes; i != LADDER_NONE; i = ladder->notes[i].next) {
        const struct timeline_event *e = ladder->notes[i].event;

        hash = mix(hash, (uint64_t)e->kind << 8 | e->place);
        if (e->kind == TIMELINE_APP)
            hash = mix(hash, (uint64_t)e->app.act << 32 | (uint64_t)(unsigned)e->app.error);
    }
    return hash;
}

/* Deeds and what firewalls forget are never folded away, nor anything that an end gets told. */
static bool may_fold(const struct ladder *ladder, const struct ladder_row *row)
{
    if (row->kind != LADDER_PACKET && row->kind != LADDER_NOTE)
        return false;
    for (size_t i = row->notes; i != LADDER_NONE; i = ladder->notes[i].next)
        if (ladder_is_alarm(ladder->notes[i].event))
            return false;
    return true;
}

/* How often the n rows at `from` come in a row. */
static size_t repeats(const uint64_t *like, size_t n_like, size_t from, size_t n)
{
    size_t i = from;

    while (i + n < n_like && like[i] == like[i + n] && like[i] != 0)
        i++;
    return (i - from) / n + 1;
}

static int fold_run(struct ladder *ladder, struct ladder *out, size_t from, size_t n, size_t times)
{
    size_t first = from + SHOWN_FIRST * n, hidden = (times - SHOWN_FIRST - 1) * n;
    int r = 0;

    for (size_t i = from; i < from + times * n && r == 0; i++) {
        if (i == first) {
            struct ladder_row folded = ladder->rows[first];

            folded.kind = LADDER_FOLDED;
            folded.until = ladder->rows[first + hidden - 1].until;
            folded.event = NULL;
            folded.hops = folded.notes = LADDER_NONE;
            folded.unit = n;
            folded.repeats = times - SHOWN_FIRST - 1;
            folded.folded = hidden;
            r = ladder_add_row(out, &folded);
        }
        ladder->rows[i].hidden = i >= first && i < first + hidden;
        if (r == 0)
            r = ladder_add_row(out, &ladder->rows[i]);
    }
    return r;
}

/* The shortest pattern that takes in most. */
static size_t longest_run(const uint64_t *like, size_t n_rows, size_t from, size_t *unit)
{
    size_t best = 0;

    for (size_t n = 1; n <= PATTERN_MAX; n++) {
        size_t times = repeats(like, n_rows, from, n);

        if (times >= REPEATS_MIN && times * n > best) {
            best = times * n;
            *unit = n;
        }
    }
    return best;
}

int ladder_fold(struct ladder *ladder)
{
    struct ladder out = {0};
    uint64_t *like = calloc(ladder->n_rows + 1, sizeof(*like));
    int r = like ? 0 : -ENOMEM;

    for (size_t i = 0; i < ladder->n_rows && like; i++)
        like[i] = may_fold(ladder, &ladder->rows[i]) ? likeness(ladder, &ladder->rows[i]) | 1 : 0;
    for (size_t i = 0; i < ladder->n_rows && r == 0;) {
        size_t unit = 1, run = like[i] ? longest_run(like, ladder->n_rows, i, &unit) : 0;

        if (run > 0) {
            r = fold_run(ladder, &out, i, unit, run / unit);
            i += run;
        } else {
            r = ladder_add_row(&out, &ladder->rows[i++]);
        }
    }
    free(like);
    if (r < 0) {
        free(out.rows);
        return r;
    }
    free(ladder->rows);
    ladder->rows = out.rows;
    ladder->n_rows = out.n_rows;
    ladder->room_rows = out.room_rows;
    return 0;
}
