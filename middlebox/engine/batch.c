/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/engine/steady.h"

/* Packets whose memory is asked for together: their page walks overlap. */
#define GROUP 16
#define AHEAD 64 /* at least three groups, a power of two */
_Static_assert(AHEAD % GROUP == 0, "a group is in one piece");

static bool has_key(const struct packet *p)
{
    return p->kind <= PACKET_GENERIC;
}

static void look_at_buckets(const struct engine *e, const struct packet *packets, size_t from,
                            size_t to, struct flow_guess *guesses)
{
    for (size_t i = from; i < to; i++) {
        uint64_t hash = has_key(&packets[i]) ? flow_table_hash(&e->table, &packets[i].key) : 0;

        guesses[i % AHEAD].hash = hash;
        flow_table_prefetch_bucket(&e->table, hash);
    }
}

static inline bool is_whole_tcp(const struct packet *p)
{
    return (p->kind == PACKET_TCP) & ((p->more_fragments | p->checksum_ready) == 0);
}

/* What the packet's flow is, if it has one. */
static inline struct live flow_of(const struct engine *e, const struct packet *p,
                                  const struct flow_guess *guess)
{
    struct live f = {guess->slot, guess->r};

    if (__builtin_expect(guess->removals == e->table.removals && f.r, true) &&
        __builtin_expect(flow_key_equal(&f.r->key, &p->key), true))
        return f;
    f.slot = flow_table_find(&e->table, &p->key, guess->hash);
    f.r = f.slot != STORE_NONE ? flow_store_at(&e->table.store, f.slot) : NULL;
    return f;
}

/* False: the packet went the short way. */
static inline bool take_long_way(struct engine *e, const struct packet *p,
                                 const struct flow_guess *guess, struct outcome *out,
                                 struct judgement *j)
{
    struct live f = {STORE_NONE, NULL};

    go_on_to(e, p->time);
    if (__builtin_expect(has_key(p), true)) {
        f = flow_of(e, p, guess);
        if (f.r && is_whole_tcp(p) && !judge_may_be_over(e, f.r) && steady_packet(e, f, p))
            return false;
    }
    *j = judge_packet(e, p, guess->hash, f.slot, out);
    e->stats.packets[j->reason]++;
    if (j->verdict == VERDICT_ACCEPT)
        e->stats.accepted++;
    else
        e->stats.dropped++;
    return true;
}

static size_t upto(size_t i, size_t n)
{
    return i < n ? i : n;
}

/* Memory answers late: while a group is judged, the records of the next and the buckets of the one
 * after it are on their way. */
size_t engine_packets(struct engine *e, const struct packet *packets, size_t n, struct outcome *out)
{
    struct flow_guess guesses[AHEAD];
    uint64_t steady = 0;
    size_t i = 0;

    engine_begin(e, e->now);
    look_at_buckets(e, packets, 0, upto(2 * GROUP, n), guesses);
    flow_table_guess(&e->table, guesses, upto(GROUP, n));
    while (i < n && outcome_has_room(out)) {
        size_t next = upto(i + GROUP, n), end = next;

        flow_table_guess(&e->table, &guesses[next % AHEAD], upto(next + GROUP, n) - next);
        look_at_buckets(e, packets, upto(next + GROUP, n), upto(next + 2 * GROUP, n), guesses);
        for (; i < end; i++) {
            struct judgement *j = &out->judgements[i];

            if (take_long_way(e, &packets[i], &guesses[i % AHEAD], out, j)) {
                if (!outcome_has_room(out))
                    end = i + 1;
                continue;
            }
            *j = judged(VERDICT_ACCEPT, REASON_FLOW);
            steady++;
        }
    }
    e->stats.packets[REASON_FLOW] += steady;
    e->stats.accepted += steady;
    return i;
}
