/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_STORY_H
#define IDLEWALL_STORY_H

/* Connections without an entry, or with a past: few beside those that only have one. Found by key.
 */

#include "tools/replay/connection.h"

/* After its last packet: what is over is waited for no longer. Stragglers come within RFC 9293's
 * maximum segment lifetime, a SYN again after 64 s at most (Linux, tcp_syn_retries 6). */
#define STORY_LINGER (120 * MTIME_SEC)

enum story_fate {
    STORY_NEVER,     /* has never had an entry: began with a segment that opens none */
    STORY_ENTERED,   /* has one now */
    STORY_FORGOTTEN, /* its entry's time was over */
    STORY_EVICTED,   /* its entry had to make room */
    STORY_CLOSED,
    STORY_REFUSED,
};

struct story {
    struct flow_key key;
    uint64_t first_number;
    struct connection c;           /* unless STORY_ENTERED */
    struct flow flow;              /* as its entry was last seen; opened: the connection's */
    uint64_t packets[2], bytes[2]; /* beyond those of the entry it has */
    struct replay_late late;
    uint64_t late_packets;
    mtime_t last;           /* packet; not kept up while STORY_ENTERED */
    mtime_t filed;          /* last, when it became mortal */
    mtime_t quiet;          /* since when nothing came that would have refreshed it */
    uint32_t chain;         /* the next of that hash; or of the free ones */
    uint32_t before, after; /* among those that are let go */
    uint8_t fate;           /* enum story_fate */
    uint8_t end;            /* enum flow_end */
    uint8_t client;         /* end of the key */
    uint8_t fins;           /* by flow_side */
    bool mortal;            /* nothing is expected of it any more */
};

struct story_book; /* opaque */

struct story_book *story_book_create(void);
struct story_book *story_book_destroy(struct story_book *book);
/* NULL: none. Also one that should have been let go, see story_is_over(). */
struct story *story_find(const struct story_book *book, const struct flow_key *key);
/* Zeroed but for its key; NULL without memory. Not mortal. */
struct story *story_add(struct story_book *book, const struct flow_key *key);
void story_remove(struct story_book *book, struct story *story);
struct story *story_at(const struct story_book *book, uint32_t number);
uint32_t story_number(const struct story_book *book, const struct story *story);
/* Puts it among those that are let go, by its last packet, or takes it out of them. last must be
 * within STORY_LINGER of the latest time that the book was told of. */
void story_set_mortal(struct story_book *book, struct story *story, bool mortal);
static inline bool story_is_over(const struct story *story, mtime_t now)
{
    return story->mortal && now >= mtime_add(story->last, STORY_LINGER);
}
/* One that is over; NULL: none. now never goes back. */
struct story *story_overdue(struct story_book *book, mtime_t now);
/* Any one, NULL when there is none. */
struct story *story_any(struct story_book *book);

#endif
