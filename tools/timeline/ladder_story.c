/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events become rows: a packet with all places it passes is one, and what an application did is
 * said beside the packet that made it, or that it made. */
#include "tools/timeline/ladder_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Live, what belongs together is not at the very same nanosecond. */
#define TOGETHER (2 * MTIME_MSEC)
#define WAITING_MAX 16

struct telling {
    struct ladder *ladder;
    size_t *row_of; /* packet id -> row, open addressing */
    size_t mask;
    size_t last_row[SCENARIO_FIREWALLS + 2]; /* the last that touched that place */
    mtime_t last_t[SCENARIO_FIREWALLS + 2];
    const struct timeline_event *waiting[WAITING_MAX]; /* for the packet that they may lead to */
    size_t n_waiting;
};

int ladder_reserve(void **array, size_t *room, size_t n, size_t size)
{
    size_t more = *room ? 2 * *room : 64;
    void *bigger;

    if (n < *room)
        return 0;
    bigger = reallocarray(*array, more, size);
    if (!bigger)
        return -ENOMEM;
    *array = bigger;
    *room = more;
    return 0;
}

int ladder_add_row(struct ladder *ladder, const struct ladder_row *row)
{
    int r = ladder_reserve((void **)&ladder->rows, &ladder->room_rows, ladder->n_rows,
                           sizeof(*ladder->rows));

    if (r == 0)
        ladder->rows[ladder->n_rows++] = *row;
    return r;
}

static int new_row(struct ladder *ladder, enum ladder_row_kind kind,
                   const struct timeline_event *event)
{
    const struct ladder_row row = {.kind = kind,
                                   .t = event->t,
                                   .until = event->t,
                                   .event = event,
                                   .hops = LADDER_NONE,
                                   .last_hop = LADDER_NONE,
                                   .notes = LADDER_NONE,
                                   .last_note = LADDER_NONE};

    return ladder_add_row(ladder, &row);
}

static int add_note(struct ladder *ladder, size_t row, const struct timeline_event *event)
{
    struct ladder_row *to = &ladder->rows[row];
    int r = ladder_reserve((void **)&ladder->notes, &ladder->room_notes, ladder->n_notes,
                           sizeof(*ladder->notes));

    if (r < 0)
        return r;
    ladder->notes[ladder->n_notes] = (struct ladder_note){event, LADDER_NONE};
    if (to->last_note == LADDER_NONE)
        to->notes = ladder->n_notes;
    else
        ladder->notes[to->last_note].next = ladder->n_notes;
    to->last_note = ladder->n_notes++;
    return 0;
}

static int add_hop(struct ladder *ladder, size_t row, const struct timeline_event *e)
{
    struct ladder_row *to = &ladder->rows[row];
    int r = ladder_reserve((void **)&ladder->hops, &ladder->room_hops, ladder->n_hops,
                           sizeof(*ladder->hops));

    if (r < 0)
        return r;
    ladder->hops[ladder->n_hops] = (struct ladder_hop){
        .t = e->t, .packet = &e->packet, .place = e->place, .next = LADDER_NONE};
    if (to->last_hop == LADDER_NONE)
        to->hops = ladder->n_hops;
    else
        ladder->hops[to->last_hop].next = ladder->n_hops;
    to->last_hop = ladder->n_hops++;
    to->until = e->t;
    return 0;
}

/* What led to nothing on the wire gets a row of its own: the first, the others stand there too. */
static int flush(struct telling *telling)
{
    struct ladder *ladder = telling->ladder;
    int r = 0;

    for (size_t i = 0; i < telling->n_waiting && r == 0; i++) {
        const struct timeline_event *e = telling->waiting[i];
        struct ladder_row *row = ladder->n_rows ? &ladder->rows[ladder->n_rows - 1] : NULL;

        if (!row || row->kind != LADDER_NOTE || e->t - row->t > TOGETHER)
            r = new_row(ladder, LADDER_NOTE, e);
        if (r == 0 && e->kind != TIMELINE_SOCKET)
            r = add_note(ladder, ladder->n_rows - 1, e);
    }
    telling->n_waiting = 0;
    return r;
}

static int wait_for_packet(struct telling *telling, const struct timeline_event *e)
{
    int r = 0;

    if (telling->n_waiting == WAITING_MAX)
        r = flush(telling);
    telling->waiting[telling->n_waiting++] = e;
    return r;
}

/* Those who waited for this packet of their own stand beside it. */
static int join(struct telling *telling, size_t row)
{
    int r = 0;

    for (size_t i = 0; i < telling->n_waiting && r == 0; i++)
        if (telling->waiting[i]->kind != TIMELINE_SOCKET)
            r = add_note(telling->ladder, row, telling->waiting[i]);
    telling->n_waiting = 0;
    return r;
}

static size_t *find(struct telling *telling, uint64_t id)
{
    const struct ladder *ladder = telling->ladder;
    size_t i = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 17) & telling->mask;

    while (telling->row_of[i] != LADDER_NONE) {
        const struct ladder_row *row = &ladder->rows[telling->row_of[i]];

        if (row->event->packet.id == id)
            break;
        i = (i + 1) & telling->mask;
    }
    return &telling->row_of[i];
}

static bool waiting_elsewhere(const struct telling *telling, const struct timeline_event *e)
{
    for (size_t i = 0; i < telling->n_waiting; i++) {
        const struct timeline_event *w = telling->waiting[i];

        if (w->place != e->place || w->connection != e->connection || e->t - w->t > TOGETHER)
            return true;
    }
    return false;
}

static int tell_packet(struct telling *telling, const struct timeline_event *e)
{
    struct ladder *ladder = telling->ladder;
    size_t *row = find(telling, e->packet.id);
    int r = 0;

    if (*row == LADDER_NONE) {
        if (waiting_elsewhere(telling, e))
            r = flush(telling);
        if (r == 0)
            r = new_row(ladder, LADDER_PACKET, e);
        if (r < 0)
            return r;
        *row = ladder->n_rows - 1;
        r = join(telling, *row);
    }
    if (r == 0)
        r = add_hop(ladder, *row, e);
    if (r == 0)
        r = ladder_entry_packet(ladder, e, ladder->n_hops - 1);
    telling->last_row[e->place] = *row;
    telling->last_t[e->place] = e->t;
    return r;
}

static bool just_now(const struct telling *telling, const struct timeline_event *e)
{
    size_t row = telling->last_row[e->place];

    return row != LADDER_NONE && e->t - telling->last_t[e->place] <= TOGETHER &&
           telling->ladder->rows[row].event->connection == e->connection;
}

/* True for what an application does because something came. */
static bool follows(enum app_act act)
{
    return act == APP_EOF || act == APP_ERROR;
}

static int tell_app(struct telling *telling, const struct timeline_event *e)
{
    switch (e->app.act) {
    case APP_CONNECTED: /* the state says it */
    case APP_ACCEPTED:
    case APP_READ:
        return 0;
    case APP_CONNECT:
    case APP_SEND:
    case APP_EOF:
    case APP_ERROR:
    case APP_CLOSE:
    case APP_READ_TIMEOUT:
    case APP_HEARTBEAT_TIMEOUT:
    case APP_IDLE_CLOSE:
    case APP_ENDED:
    case APP_EXITED:
        break;
    }
    if (follows(e->app.act) && just_now(telling, e))
        return add_note(telling->ladder, telling->last_row[e->place], e);
    return wait_for_packet(telling, e);
}

/* A state that changes by itself; what packets change is said at the end of each burst. */
static int tell_socket(struct telling *telling, const struct timeline_event *e)
{
    unsigned side = e->place == SCENARIO_CLIENT ? FLOW_CLIENT : FLOW_SERVER;
    enum socket_state *state = &telling->ladder->states[2 * (size_t)e->connection + side];
    bool same = *state == e->socket.state;

    *state = e->socket.state;
    return same || just_now(telling, e) ? 0 : wait_for_packet(telling, e);
}

static int tell_deed(struct telling *telling, const struct timeline_event *e)
{
    int r;

    switch (e->deed->verb) {
    case DEED_CONNECT: /* the application's own events say these */
    case DEED_SEND:
    case DEED_CLOSE:
    case DEED_ABORT:
    case DEED_KILL:
        return 0;
    case DEED_SHUTDOWN:
    case DEED_STOP_READING:
    case DEED_READ:
    case DEED_KEEPALIVE:
    case DEED_USER_TIMEOUT:
        return wait_for_packet(telling, e);
    case DEED_CRASH:
    case DEED_REBOOT:
    case DEED_LINK_DOWN:
    case DEED_LINK_UP:
    case DEED_BLOCK:
    case DEED_UNBLOCK:
    case DEED_LOSE:
    case DEED_PROHIBIT:
    case DEED_UNREACHABLE:
    case DEED_EXPIRE:
    case DEED_FORGET:
    case DEED_FLOW_KILL:
    case DEED_RESTART:
        break;
    }
    r = flush(telling);
    return r < 0 ? r : new_row(telling->ladder, LADDER_DEED, e);
}

static int tell_flow(struct telling *telling, const struct timeline_event *e)
{
    struct ladder *ladder = telling->ladder;
    size_t row = telling->last_row[e->place];
    bool forgot = false;
    int r = ladder_entry_flow(ladder, e, &forgot);

    if (r == 0 && e->flow.kind == EVENT_LATE && row != LADDER_NONE &&
        telling->last_t[e->place] == e->t)
        ladder->rows[row].late = e;
    if (r == 0 && forgot)
        r = flush(telling);
    if (r == 0 && forgot)
        r = new_row(ladder, LADDER_FLOW, e);
    return r;
}

static int tell(struct telling *telling, const struct timeline_event *e)
{
    int r = 0;

    if (e->place >= telling->ladder->places)
        return -EINVAL;
    if (telling->n_waiting > 0 && e->t - telling->waiting[telling->n_waiting - 1]->t > TOGETHER)
        r = flush(telling);
    if (r < 0)
        return r;
    switch (e->kind) {
    case TIMELINE_DEED:
        return tell_deed(telling, e);
    case TIMELINE_PACKET:
        return tell_packet(telling, e);
    case TIMELINE_SOCKET:
        return tell_socket(telling, e);
    case TIMELINE_APP:
        return tell_app(telling, e);
    case TIMELINE_FLOW:
        return tell_flow(telling, e);
    }
    return -EINVAL;
}

int ladder_tell(struct ladder *ladder)
{
    const struct timeline *timeline = ladder->timeline;
    struct telling telling = {.ladder = ladder, .mask = 63};
    const struct timeline_event end = {.t = timeline->end};
    int r = -ENOMEM;

    if (timeline->n_events > LADDER_EVENTS_MAX || ladder->connections > LADDER_CONNECTIONS_MAX)
        return -E2BIG;
    while (telling.mask < 2 * timeline->n_events)
        telling.mask = 2 * telling.mask + 1;
    telling.row_of = reallocarray(NULL, telling.mask + 1, sizeof(*telling.row_of));
    ladder->states = calloc(2 * ((size_t)ladder->connections + 1), sizeof(*ladder->states));
    ladder->last_entry =
        calloc(ladder->places * ((size_t)ladder->connections + 1), sizeof(*ladder->last_entry));
    if (!telling.row_of || !ladder->states || !ladder->last_entry)
        goto out;
    memset(telling.row_of, 0xff, (telling.mask + 1) * sizeof(*telling.row_of)); /* LADDER_NONE */
    memset(telling.last_row, 0xff, sizeof(telling.last_row));
    r = 0;
    for (size_t i = 0; i < timeline->n_events && r == 0; i++)
        r = tell(&telling, &timeline->events[i]);
    if (r == 0)
        r = flush(&telling);
    if (r == 0)
        r = new_row(ladder, LADDER_LAST, &end);
    if (r == 0)
        ladder->rows[ladder->n_rows - 1].event = NULL;
out:
    free(telling.row_of);
    return r;
}
