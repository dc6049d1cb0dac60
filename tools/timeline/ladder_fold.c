/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pattern of rows that comes again and again is shown twice, then counted, then its last; what
 * repeats within one of these in turn, too. A long transfer is its beginning and its end. */
#include "tools/timeline/ladder_private.h"

#include <errno.h>
#include <stdlib.h>

#define PATTERN_MAX 64 /* rows */
#define REPEATS_MIN 7
#define SHOWN_FIRST 2
#define TRANSFER_MIN 14
#define TRANSFER_FIRST 4 /* shown; and of the end: */
#define TRANSFER_LAST 3
#define TRANSFER_PAUSE (500 * MTIME_MSEC)

struct folding {
    const struct ladder *ladder;
    struct ladder out; /* its rows only */
    uint64_t *like;    /* by row: those with the same say the same */
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t like_event(uint64_t hash, const struct timeline_event *e)
{
    hash = mix(hash, (uint64_t)e->kind << 8 | e->place);
    switch (e->kind) {
    case TIMELINE_DEED:
        return mix(hash, (uint64_t)e->deed->verb << 8 | (uint64_t)e->deed->side_given << 1 |
                             (uint64_t)e->deed->side);
    case TIMELINE_SOCKET:
        return mix(hash, (uint64_t)e->socket.state);
    case TIMELINE_APP:
        return mix(hash, (uint64_t)e->app.act << 32 | (uint64_t)(unsigned)e->app.error);
    case TIMELINE_FLOW:
        return mix(hash, (uint64_t)e->flow.kind << 8 | (uint64_t)e->flow.reason);
    case TIMELINE_PACKET:
        break;
    }
    return hash;
}

/* All that is shown of a row, but for numbers and times. Never 0. */
static uint64_t likeness(const struct ladder *ladder, const struct ladder_row *row)
{
    uint64_t hash = mix(1, (uint64_t)row->kind);

    if (row->event)
        hash = like_event(hash, row->event);
    for (size_t i = row->hops; i != LADDER_NONE; i = ladder->hops[i].next) {
        const struct ladder_hop *hop = &ladder->hops[i];
        const struct timeline_packet *p = hop->packet;

        hash = mix(hash, hop->place | (uint64_t)p->passage << 8 | (uint64_t)p->from << 16 |
                             (uint64_t)p->flags << 24 | (uint64_t)p->note << 32 |
                             (uint64_t)p->reason << 40 | (uint64_t)p->silent_link << 48);
        hash = mix(hash, p->len);
        hash =
            mix(hash, p->tcp ? 0 : 1u | (uint64_t)p->icmp_type << 8 | (uint64_t)p->icmp_code << 16);
    }
    for (size_t i = row->notes; i != LADDER_NONE; i = ladder->notes[i].next)
        hash = like_event(hash, ladder->notes[i].event);
    return hash | 1;
}

/* Payload or an ACK that arrives, and nothing happens beside it. */
static bool is_transfer(const struct ladder *ladder, const struct ladder_row *row)
{
    const struct timeline_packet *p;

    if (row->kind != LADDER_PACKET || row->hops == LADDER_NONE)
        return false;
    p = ladder->hops[row->last_hop].packet;
    return p->tcp && !(p->flags & (TCP_SYN | TCP_FIN | TCP_RST)) && p->note == NOTE_NONE &&
           p->passage == PASSAGE_RECEIVED && row->notes == LADDER_NONE;
}

static int emit(struct folding *folding, size_t from, size_t to, bool hidden)
{
    int r = 0;

    for (size_t i = from; i < to && r == 0; i++) {
        struct ladder_row row = folding->ladder->rows[i];

        row.hidden = hidden;
        r = ladder_add_row(&folding->out, &row);
    }
    return r;
}

/* The rows from..to stand behind one that counts them. */
static int fold_away(struct folding *folding, size_t from, size_t to, size_t unit)
{
    const struct ladder_row *rows = folding->ladder->rows;
    struct ladder_row row = {.kind = LADDER_FOLDED,
                             .t = rows[from].t,
                             .until = rows[to - 1].until,
                             .hops = LADDER_NONE,
                             .last_hop = LADDER_NONE,
                             .notes = LADDER_NONE,
                             .last_note = LADDER_NONE,
                             .unit = unit,
                             .repeats = unit > 0 ? (to - from) / unit : 1,
                             .apart_least = MTIME_NEVER,
                             .folded = to - from};
    int r;

    /* There is one unit more behind those that are counted. */
    for (size_t i = from; unit > 0 && i < to; i += unit) {
        mtime_t apart = rows[i + unit].t - rows[i].t;

        row.apart_least = apart < row.apart_least ? apart : row.apart_least;
        row.apart_most = apart > row.apart_most ? apart : row.apart_most;
    }
    r = ladder_add_row(&folding->out, &row);
    return r < 0 ? r : emit(folding, from, to, true);
}

/* How many rows from `from` on are the n rows there, again and again. */
static size_t run_of(const struct folding *folding, size_t from, size_t to, size_t n)
{
    const uint64_t *like = folding->like;
    size_t i = from;

    while (i + n < to && like[i] == like[i + n])
        i++;
    return (i - from) / n * n + n;
}

/* The shortest pattern that takes in most; 0: none. */
static size_t longest_run(const struct folding *folding, size_t from, size_t to, size_t *unit)
{
    size_t best = 0;

    for (size_t n = 1; n <= PATTERN_MAX && from + n * REPEATS_MIN <= to; n++) {
        size_t run = run_of(folding, from, to, n);

        if (run >= REPEATS_MIN * n && run > best) {
            best = run;
            *unit = n;
        }
    }
    return best;
}

static size_t transfer_of(const struct folding *folding, size_t from, size_t to)
{
    const struct ladder_row *rows = folding->ladder->rows;
    size_t i = from;

    while (i < to && is_transfer(folding->ladder, &rows[i]) &&
           (i == from || rows[i].t - rows[i - 1].until < TRANSFER_PAUSE))
        i++;
    return i - from;
}

static int fold(struct folding *folding, size_t from, size_t to)
{
    int r = 0;

    while (from < to && r == 0) {
        size_t unit = 1, transfer = transfer_of(folding, from, to);
        size_t run = transfer < TRANSFER_MIN ? longest_run(folding, from, to, &unit) : 0;
        size_t first = from + SHOWN_FIRST * unit, last = from + run - unit;

        if (transfer >= TRANSFER_MIN) {
            first = from + TRANSFER_FIRST;
            last = from + transfer - TRANSFER_LAST;
            r = emit(folding, from, first, false);
            if (r == 0)
                r = fold_away(folding, first, last, 0);
            if (r == 0)
                r = emit(folding, last, from + transfer, false);
            from += transfer;
        } else if (run > 0) {
            r = fold(folding, from, first);
            if (r == 0)
                r = fold_away(folding, first, last, unit);
            if (r == 0)
                r = fold(folding, last, from + run);
            from += run;
        } else {
            r = emit(folding, from, from + 1, false);
            from++;
        }
    }
    return r;
}

int ladder_fold(struct ladder *ladder)
{
    struct folding folding = {.ladder = ladder};
    int r = -ENOMEM;

    folding.like = calloc(ladder->n_rows + 1, sizeof(*folding.like));
    if (folding.like) {
        for (size_t i = 0; i < ladder->n_rows; i++)
            folding.like[i] = likeness(ladder, &ladder->rows[i]);
        r = fold(&folding, 0, ladder->n_rows);
    }
    free(folding.like);
    if (r < 0) {
        free(folding.out.rows);
        return r;
    }
    free(ladder->rows);
    ladder->rows = folding.out.rows;
    ladder->n_rows = folding.out.n_rows;
    ladder->room_rows = folding.out.room_rows;
    return 0;
}
