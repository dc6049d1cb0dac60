/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SWEEP_PRIVATE_H
#define IDLEWALL_SWEEP_PRIVATE_H

/*
 * How a sweep goes. A world is a firewall, and what is known of connections there. The main one has
 * the greatest value, and sees all packets. As long as a connection's state is the same for all
 * values, that is all there is to it. When a silence parts it, those values for which the entry is
 * over become a class: the greatest of them carries on for all of it, in the side world, where
 * every class is a connection of its own, opened under the policy with that value.
 */

#include "tools/replay/connection.h"
#include "tools/replay/feed.h"
#include "tools/replay/story.h"
#include "tools/replay/sweep_lives.h"
#include "tools/replay/sweep_span.h"

#include <pthread.h>

struct filter;

#define SWEEP_WORDS (SWEEP_VALUES / 64)
struct value_set {
    uint64_t bits[SWEEP_WORDS];
};

/* Deadlines that are no longer one moment and a span: an entry in doubt, or one whose limit grew
 * for some values only. */
struct odd_deadlines {
    mtime_t deadline[SWEEP_VALUES], idle[SWEEP_VALUES];
    struct value_set closed; /* said so already, though no packet came */
};

/* Values that share what became of a connection. */
struct class
{
    struct value_set values;
    struct odd_deadlines *odd; /* NULL: none */
    uint64_t fed;              /* the packet that its world was last shown */
    mtime_t last;              /* alive: activity, */
    uint16_t choice, rule;     /* and what says how long it may be idle */
    uint16_t world;            /* the value it is there with: the greatest */
    uint16_t closed;           /* as odd_deadlines.closed: the values below */
    bool alive;                /* has an entry */
    /* Forgotten, and its world knows nothing of it: */
    bool quiet, mortal, syn; /* syn: isn is known */
    uint8_t client, fins;
    uint32_t isn;
    bool deaf[2]; /* by side: it will say nothing new to a plain segment */
};

struct parted {
    struct flow_key key;
    struct class *classes;   /* the first is that of the greatest value */
    struct value_set broken; /* connections that are not over yet, and were late */
    uint64_t order;          /* the packet that was last seen to */
    uint32_t number, chain;
    uint16_t n, room;
    bool stale;            /* classes may have become alike */
    struct class first[2]; /* classes, while there are no more: side by side with all else */
};

/* Beside every entry. What most packets need comes last: it is prefetched. */
struct sweep_entry {
    struct connection c;
    union {
        mtime_t heard;   /* the last packet, if fins or mortal */
        uint32_t parted; /* apart: number, perhaps of one that is over */
    };
    uint16_t closed; /* as a class has it */
    uint16_t choice;
    uint16_t
        forgot; /* the values below have forgotten it, and were late. As a quiet class has it: */
    uint8_t fins : 2;
    uint8_t mortal : 1;
    uint8_t apart : 1; /* parted; or not in the main world */
};

struct world {
    struct connections connections; /* first: it is the engine's arg */
    struct sweep_shard *shard;
    struct engine *engine;
};

struct sweep_count {
    uint64_t flows, broken;
};

struct sweep_run;

struct sweep_shard {
    struct sweep_run *run;
    unsigned number;
    struct spans spans;
    struct value_set values;   /* all */
    bool quiet;                /* classes may be */
    struct world *main, *side; /* NULL until needed */
    int *policies;             /* of the side world, by value: number in its engine; -1: none yet */
    struct lives lives;
    struct sweep_count all, *count; /* of all values, and beside that by value */
    uint64_t *broken_below;         /* all: how many are broken for the values below that */
    /* Parted connections, by number from 1 on, chained by hash. */
    struct parted **parted;
    uint32_t n_parted, parted_room, parted_free, *chains, mask;
    struct parted *ending;           /* whose entry has just ended */
    const struct sweep_entry *light; /* the same, not parted */
    bool settling;
    uint64_t place;     /* of the capture: how often it was tidied */
    uint64_t tidied;    /* packets judged when parted ones were last looked through */
    mtime_t first, now; /* now: of the whole capture, as far as it was judged */
    uint64_t judged, packets, bytes;
    struct judgement *judgements;
    size_t n_judgements;
    struct segment *segments;
    int error;
    pthread_t thread;
};

struct sweep_run {
    const struct replay_options *options;
    const char *const *paths;
    size_t n_paths;
    struct sweep *sweep;
    struct filter **filters;
    unsigned threads;
    struct feed *feed;
    struct sweep_shard *shards;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t turned;
    uint64_t highest, settle_at; /* places; settle_at: all meet there */
    uint64_t turn;               /* how often they met */
    unsigned waiting, gone;
    struct lives_total total;
    int error;
};

/* ---- sweep_set.c ---- */
void set_add(struct value_set *set, size_t lo, size_t hi);
/* The next stretch of values at or after *hi: false at the end. */
bool set_next(const struct value_set *set, size_t *lo, size_t *hi);
static inline bool set_has(const struct value_set *set, size_t v)
{
    return set->bits[v / 64] >> v % 64 & 1;
}
static inline bool set_any(const struct value_set *set)
{
    uint64_t any = 0;

    for (unsigned i = 0; i < SWEEP_WORDS; i++)
        any |= set->bits[i];
    return any != 0;
}
static inline void set_join(struct value_set *set, const struct value_set *more)
{
    for (unsigned i = 0; i < SWEEP_WORDS; i++)
        set->bits[i] |= more->bits[i];
}
static inline void set_leave(struct value_set *set, const struct value_set *less)
{
    for (unsigned i = 0; i < SWEEP_WORDS; i++)
        set->bits[i] &= ~less->bits[i];
}
size_t set_greatest(const struct value_set *set);
size_t set_first(const struct value_set *set);

/* ---- sweep_world.c ---- */
/* NULL without memory; the shard's error says so too. */
struct world *world_main(struct sweep_shard *shard);
struct world *world_side(struct sweep_shard *shard);
struct world *world_destroy(struct world *world);
static inline bool world_is_main(const struct world *world)
{
    return world == world->shard->main;
}
/* Its clock goes on to now, and what is over goes. */
void world_advance(struct world *world, mtime_t now);
/* Shows the side world a packet of the main world's batch, as one of that class. */
void world_feed(struct sweep_shard *shard, const struct parted *parted, const struct class *class,
                const struct packet *p);

/* ---- sweep_key.c ---- */
/* What the side world knows a class by. */
struct flow_key class_key(const struct parted *parted, unsigned world);
/* That of a class of all that there are in any world. */
struct flow_key class_key_in(const struct sweep_shard *shard, const struct parted *parted,
                             const struct class *class);
/* Which end of the key that address is. */
unsigned class_end(const uint8_t *addr);
/* The other way round, by a key's or a flow's addresses. class may be NULL. */
struct parted *class_of_addr(const struct sweep_shard *shard, const uint8_t addr[2][16],
                             struct class **class);
/* A flow of another world becomes the class's. */
void class_take_flow(struct flow *flow, const struct parted *parted, unsigned world);

/* ---- sweep_parted.c ---- */
struct parted *parted_find(const struct sweep_shard *shard, const struct flow_key *key);
/* The one an entry says it is, or NULL. */
struct parted *parted_at(const struct sweep_shard *shard, uint32_t number,
                         const struct flow_key *key);
static inline void entry_part(struct sweep_entry *entry, const struct parted *parted)
{
    *entry = (struct sweep_entry){
        .c = entry->c, .choice = entry->choice, .parted = parted->number, .apart = true};
}
static inline void entry_unpart(struct sweep_entry *entry, unsigned forgot)
{
    *entry =
        (struct sweep_entry){.c = entry->c, .choice = entry->choice, .forgot = (uint16_t)forgot};
}
/* One class of all values. NULL without memory. */
struct parted *parted_add(struct sweep_shard *shard, const struct flow_key *key);
struct class *parted_class(struct parted *parted, unsigned world);
/* A class without an entry, of those values. May move the others. NULL without memory. */
struct class *parted_split(struct sweep_shard *shard, struct parted *parted,
                           const struct value_set *values);
void parted_drop_class(struct parted *parted, struct class *class);
void parted_remove(struct sweep_shard *shard, struct parted *parted);
void parted_finish(struct sweep_shard *shard);

/* No more than an acknowledgement, with or without data: nothing that opens or ends. */
static inline bool is_plain(const struct packet *p)
{
    return p->kind == PACKET_TCP && (p->flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK;
}

/* ---- sweep_class.c ---- */
/* Those of its values for which its entry is over by now. */
struct value_set class_over(struct sweep_shard *shard, const struct class *class, mtime_t now);
/* Closed as the span says, from lo to below hi. */
void lives_closed(struct lives *lives, const struct span *span, mtime_t last, size_t lo, size_t hi);
/* Entries of those values closed: when their time was over, or at that moment. */
void class_closed(struct sweep_shard *shard, const struct class *class,
                  const struct value_set *values, mtime_t at, bool ended);
/* Those closed by now are. */
void class_settle(struct sweep_shard *shard, struct class *class);
/* What a packet to its entry did to its time. */
void class_seen(struct sweep_shard *shard, struct class *class, const struct engine_seen *seen);
/* The same of one that did not restart it. */
void class_unrefreshed(struct sweep_shard *shard, struct class *class,
                       const struct engine_seen *seen);
/* p opens a connection; the world of the greatest value has no entry. */
void class_begin(struct sweep_shard *shard, struct parted *parted, const struct packet *p,
                 mtime_t now);
/* Classes that have become one do so. */
void class_merge(struct sweep_shard *shard, struct parted *parted, mtime_t now);

/* ---- sweep_quiet.c ---- */
bool quiet_can_be(const struct sweep_run *run);
/* Those values have forgotten the entry, which was as flow says. */
void quiet_part(struct world *world, struct parted *parted, const struct value_set *values,
                const struct sweep_entry *entry, const struct flow *flow);
/* False: its world must see the packet. */
bool quiet_packet(struct sweep_shard *shard, struct parted *parted, struct class *class,
                  const struct packet *p, mtime_t now);
bool quiet_is_over(const struct class *class, mtime_t now);
/* The connection is over for it. */
void quiet_end(struct sweep_shard *shard, struct parted *parted, struct class *class);
/* A firewall that forgets it then takes a packet without SYN for a late one. */
static inline bool quiet_state(unsigned state)
{
    return state == FLOW_ESTABLISHED || state == FLOW_FIN_WAIT || state == FLOW_CLOSE_WAIT ||
           state == FLOW_LAST_ACK;
}
struct story;
/* Is that the same? */
bool quiet_like(const struct class *class, const struct story *story);

/* ---- sweep_light.c ---- */
/* Most packets: nobody's time was over, and nothing else is to be noted. */
static inline bool light_passes(struct sweep_shard *shard, struct sweep_entry *entry,
                                const struct packet *p, const struct engine_seen *seen)
{
    mtime_t silent = seen->now - seen->last;
    const struct span *span;

    if (seen->opened || seen->doubted || !seen->refreshed || !is_plain(p) || entry->apart ||
        entry->fins || entry->mortal)
        return false;
    if (silent >= shard->spans.least) {
        span = shard->spans.of_rule[seen->rule][entry->choice];
        if (!span || silent >= span->idle[entry->forgot])
            return false;
    }
    if (entry->choice != seen->choice && seen->choice != ENGINE_NO_CHOICE)
        entry->choice = seen->choice;
    return true;
}
/* A packet to an entry of the main world that is not parted. False: it must be looked at in every
 * world, and is parted now if values forgot it. */
bool light_packet(struct sweep_shard *shard, struct sweep_entry *entry, const struct packet *p,
                  const struct engine_seen *seen);
/* Is the connection over for those that forgot it? */
static inline bool light_is_over(const struct sweep_entry *entry, mtime_t now)
{
    return entry->mortal && now >= mtime_add(entry->heard, STORY_LINGER);
}
/* client: end of the key. NULL without memory. */
struct parted *light_part(struct sweep_shard *shard, struct sweep_entry *entry,
                          const struct flow_key *key, unsigned client, unsigned rule);
/* As class_settle(). */
void light_settle(struct sweep_shard *shard, struct sweep_entry *entry, const struct flow *flow);
/* The way back, if it is that simple. */
void light_unpart(struct sweep_shard *shard, struct parted *parted, struct sweep_entry *entry);

/* ---- sweep_step.c ---- */
/* A packet of a parted connection, before the main world has it: parts what is to be parted, and
 * shows it to all other classes. entry, seen: its entry in the main world; NULL: it has none. */
void step_packet(struct sweep_shard *shard, struct parted *parted, const struct packet *p,
                 mtime_t now, struct sweep_entry *entry, const struct engine_seen *seen);
/* Parts off those values for which its entry is over. It may have moved. */
void step_part(struct world *world, struct parted *parted, struct class *class,
               const struct sweep_entry *entry, const struct engine_seen *seen);
/* Removes it if all values share everything again. */
void step_unpart(struct sweep_shard *shard, struct parted *parted);

/* ---- sweep_settle.c ---- */
/* After sweep_tidy(), at the same places of the capture in all shards. */
void sweep_settle(struct sweep_shard *shard);
/* What all shards hold, in the first of them. */
void sweep_gather(struct sweep_run *run);
/* It will not come to another. */
void sweep_depart(struct sweep_shard *shard);

/* ---- sweep_watch.c ---- */
extern const struct engine_watch sweep_watch; /* its arg: struct world */
/* It is over for a class: counted. */
void sweep_over(struct sweep_shard *shard, struct parted *parted, const struct class *class,
                bool broken);
/* A connection is over in that world. */
void sweep_emit(void *arg, const struct replay_flow *flow);
/* Looks through the parted ones, and forgets those that are not. */
void sweep_tidy(struct sweep_shard *shard);

/* ---- sweep_shard.c ---- */
void sweep_shard_run(struct sweep_shard *shard);
/* It has no thread. */
void sweep_shard_leave(struct sweep_shard *shard);
void sweep_shard_finish(struct sweep_shard *shard);

#endif
