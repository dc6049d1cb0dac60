/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PLACES_MATCH_H
#define IDLEWALL_PLACES_MATCH_H

/*
 * Packets of one end, seen at one place and not yet at the other. Bytes are matched, not packets:
 * offloading makes one packet here of many there. What has no bytes is matched by its numbers and
 * flags. Of those that look alike the one with the same IP id or time stamp goes first, then the
 * oldest, so that as many are left as did not come through.
 */

#include "middlebox/engine/packet.h"

#define PLACES_UNMATCHED 8192 /* in a list; beyond that the oldest are given up */
#define PLACES_PIECES 16

enum seen_kind { SEEN_SEGMENT, SEEN_RESET, SEEN_ICMP };

struct seen {
    enum seen_kind kind;
    mtime_t time; /* by the first place's clock */
    mtime_t own;  /* by its own */
    uint64_t number;
    uint32_t capture;
    uint8_t place, side, flags, ttl;
    uint8_t icmp_type, icmp_code, family;
    uint8_t from[16];
    uint16_t id;       /* IP's; 0 in IPv6 */
    uint16_t usual_id; /* of the one before */
    bool id_differs;   /* does not go on from it */
    uint64_t identity; /* IP id and time stamp; 0: neither */
    uint32_t seq, ack;
    int64_t start, end; /* sequence numbers, SYN and FIN too, that do not wrap */
    mtime_t quiet;      /* before it, at both places; -1: unknown */
    mtime_t since;      /* when the last came through, as far as was known; -1: none */
    bool steady;        /* the connection was established, and nobody had closed it */
};

/* Each piece of a packet of which the middle came through is an entry of its own. */
struct seen_list {
    struct seen *items;
    size_t from, n, room; /* items[from .. n) */
};

void seen_list_finish(struct seen_list *list);
/* 0 or -ENOMEM. */
int seen_list_add(struct seen_list *list, const struct seen *seen);
static inline size_t seen_list_count(const struct seen_list *list)
{
    return list->n - list->from;
}

typedef void seen_passed(void *arg, const struct seen *here, const struct seen *there);

/* Takes out of `there` what `here` is the other sight of, calling passed() for each; what is left
 * of `here` comes back in rest, a number of pieces. */
int seen_list_match(struct seen_list *there, const struct seen *here, seen_passed *passed,
                    void *arg, struct seen rest[PLACES_PIECES], size_t *n_rest);

/* Sequence numbers that were seen at a place. Small holes stay; below the lowest kept one
 * everything counts as seen. */
#define RANGES_MAX 64
struct ranges {
    struct range {
        int64_t start, end;
    } * items;
    uint32_t n, room;
};
void ranges_finish(struct ranges *ranges);
int ranges_add(struct ranges *ranges, int64_t start, int64_t end);
bool ranges_hold(const struct ranges *ranges, int64_t start, int64_t end);

#endif
