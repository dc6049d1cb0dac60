/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/places_match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void seen_list_finish(struct seen_list *list)
{
    free(list->items);
    *list = (struct seen_list){0};
}

static int make_room(struct seen_list *list)
{
    size_t room = list->room ? list->room * 2 : 1;
    void *more;

    if (list->n < list->room)
        return 0;
    if (list->from > list->n / 2) {
        memmove(list->items, list->items + list->from,
                (list->n - list->from) * sizeof(*list->items));
        list->n -= list->from;
        list->from = 0;
        return 0;
    }
    more = reallocarray(list->items, room, sizeof(*list->items));
    if (!more)
        return -ENOMEM;
    list->items = more;
    list->room = room;
    return 0;
}

int seen_list_add(struct seen_list *list, const struct seen *seen)
{
    int r = make_room(list);

    if (r == 0)
        list->items[list->n++] = *seen;
    return r;
}

static void take_out(struct seen_list *list, size_t at)
{
    if (at == list->from)
        list->from++;
    else
        memmove(&list->items[at], &list->items[at + 1], (--list->n - at) * sizeof(*list->items));
    if (list->from == list->n)
        list->from = list->n = 0;
}

#define TELLING (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)

static bool is_alike(const struct seen *a, const struct seen *b)
{
    if (a->kind != b->kind || a->start != b->start || a->end != b->end)
        return false;
    if (a->kind == SEEN_ICMP)
        return a->icmp_type == b->icmp_type && a->icmp_code == b->icmp_code && a->id == b->id;
    if (a->kind == SEEN_RESET)
        return true; /* a firewall may touch its acknowledgement, which means nothing */
    return (a->flags & TELLING) == (b->flags & TELLING) && a->ack == b->ack;
}

/* The same packet beyond doubt, or else the oldest of those that look like it. */
static size_t find_alike(const struct seen_list *list, const struct seen *seen, bool *exact)
{
    size_t first = SIZE_MAX;

    *exact = false;
    for (size_t i = list->from; i < list->n; i++) {
        if (!is_alike(&list->items[i], seen))
            continue;
        if (seen->identity != 0 && list->items[i].identity == seen->identity) {
            *exact = true;
            return i;
        }
        if (first == SIZE_MAX)
            first = i;
    }
    return first;
}

static bool overlap(const struct seen *a, const struct seen *b)
{
    return a->kind == SEEN_SEGMENT && b->kind == SEEN_SEGMENT && a->start < b->end &&
           b->start < a->end;
}

/* What of `from` lies outside of `by`: 0, 1 or 2 pieces. */
static size_t subtract(const struct seen *from, const struct seen *by, struct seen out[2])
{
    size_t n = 0;

    if (from->start < by->start) {
        out[n] = *from;
        out[n++].end = by->start;
    }
    if (by->end < from->end) {
        out[n] = *from;
        out[n++].start = by->end;
    }
    return n;
}

/* The i-th entry becomes n pieces. */
static int replace(struct seen_list *list, size_t i, const struct seen *pieces, size_t n)
{
    int r;

    if (n == 0) {
        take_out(list, list->from + i);
        return 0;
    }
    list->items[list->from + i] = pieces[0];
    if (n == 1)
        return 0;
    r = make_room(list);
    if (r < 0)
        return r;
    i += list->from + 1;
    memmove(&list->items[i + 1], &list->items[i], (list->n - i) * sizeof(*list->items));
    list->items[i] = pieces[1];
    list->n++;
    return 0;
}

static size_t find_overlap(const struct seen *entry, const struct seen *rest, size_t n)
{
    size_t k = 0;

    while (k < n && !overlap(entry, &rest[k]))
        k++;
    return k;
}

/* Each byte of `here` from one entry: a retransmission is another sight. */
static int match_bytes(struct seen_list *there, const struct seen *here, seen_passed *passed,
                       void *arg, struct seen *rest, size_t *n_rest)
{
    for (size_t i = 0; i < seen_list_count(there) && *n_rest > 0;) {
        struct seen entry = there->items[there->from + i], pieces[2], left[2];
        size_t k = find_overlap(&entry, rest, *n_rest), n, n_left;
        int r;

        if (k == *n_rest) {
            i++;
            continue;
        }
        n = subtract(&entry, &rest[k], pieces);
        n_left = subtract(&rest[k], &entry, left);
        passed(arg, here, &entry);
        if (n_left == 0) {
            rest[k] = rest[--*n_rest];
        } else {
            rest[k] = left[0];
            if (n_left == 2 && *n_rest < PLACES_PIECES)
                rest[(*n_rest)++] = left[1];
        }
        r = replace(there, i, pieces, n);
        if (r < 0)
            return r;
    }
    return 0;
}

int seen_list_match(struct seen_list *there, const struct seen *here, seen_passed *passed,
                    void *arg, struct seen rest[PLACES_PIECES], size_t *n_rest)
{
    bool exact;
    size_t at = find_alike(there, here, &exact);

    *n_rest = 0;
    if (at != SIZE_MAX && (exact || here->kind != SEEN_SEGMENT || here->start == here->end)) {
        struct seen entry = there->items[at];

        take_out(there, at);
        passed(arg, here, &entry);
        return 0;
    }
    rest[0] = *here;
    *n_rest = 1;
    if (here->kind != SEEN_SEGMENT || here->start == here->end)
        return 0;
    return match_bytes(there, here, passed, arg, rest, n_rest);
}

void ranges_finish(struct ranges *ranges)
{
    free(ranges->items);
    *ranges = (struct ranges){0};
}

int ranges_add(struct ranges *ranges, int64_t start, int64_t end)
{
    uint32_t at = ranges->n, over;

    if (start >= end)
        return 0;
    while (at > 0 && ranges->items[at - 1].end >= start)
        at--;
    for (over = at; over < ranges->n && ranges->items[over].start <= end; over++) {
        start = start < ranges->items[over].start ? start : ranges->items[over].start;
        end = end > ranges->items[over].end ? end : ranges->items[over].end;
    }
    if (over == at) {
        if (ranges->n == ranges->room) {
            uint32_t room = ranges->room ? ranges->room * 2 : 1;
            void *more = reallocarray(ranges->items, room, sizeof(*ranges->items));

            if (!more)
                return -ENOMEM;
            ranges->items = more;
            ranges->room = room;
        }
        memmove(&ranges->items[at + 1], &ranges->items[at],
                (ranges->n - at) * sizeof(*ranges->items));
        ranges->n++;
        over = at + 1;
    }
    ranges->items[at] = (struct range){start, end};
    memmove(&ranges->items[at + 1], &ranges->items[over],
            (ranges->n - over) * sizeof(*ranges->items));
    ranges->n -= over - at - 1;
    if (ranges->n == RANGES_MAX) { /* the lowest hole is closed */
        ranges->items[1].start = ranges->items[0].start;
        memmove(ranges->items, ranges->items + 1, (ranges->n - 1) * sizeof(*ranges->items));
        ranges->n--;
    }
    return 0;
}

bool ranges_hold(const struct ranges *ranges, int64_t start, int64_t end)
{
    for (uint32_t i = ranges->n; i-- > 0;)
        if (ranges->items[i].start <= start)
            return ranges->items[i].end >= end;
    return false;
}
