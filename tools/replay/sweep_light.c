/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nearly all connections that a silence parts, in a few bytes beside their entry. The values that
 * forgot one are those below some value, and to all of them it is the same from then on: late, as
 * long as nothing is picked up again and no SYN comes. What is not so simple becomes a struct
 * parted, and comes back from there when it is.
 */
#include "tools/replay/connection_private.h"
#include "tools/replay/sweep_private.h"

#include "middlebox/engine/tcp_state.h"

#include <errno.h>

/* Would a firewall that forgets it now know no more of it than the entry says? */
static bool is_whole(const struct sweep_shard *shard, const struct sweep_entry *entry,
                     unsigned client)
{
    const struct story *s;

    if (entry->c.story == 0)
        return true;
    s = story_at(shard->main->connections.book, entry->c.story);
    return s->fins == 0 && s->late_packets == 0 && s->client == client &&
           !(entry->c.flags & CONNECTION_SWAPPED);
}

static unsigned client_of(const struct packet *p, const struct engine_seen *seen)
{
    return seen->side == FLOW_CLIENT ? p->side : !p->side;
}

/* It ends, begins, or makes no sense: what a quiet class is not told of. */
static bool is_strange(const struct packet *p)
{
    return p->kind != PACKET_TCP || !tcp_flags_valid(p->flags) || p->flags & TCP_SYN;
}

/* Its time is over for the values below. */
static void light_closed(struct sweep_shard *shard, const struct sweep_entry *entry,
                         const struct span *span, mtime_t last, size_t over)
{
    size_t from = entry->closed > entry->forgot ? entry->closed : entry->forgot;

    lives_closed(&shard->lives, span, last, from, over);
}

void light_settle(struct sweep_shard *shard, struct sweep_entry *entry, const struct flow *flow)
{
    const struct span *span = spans_of(&shard->spans, flow->rule, entry->choice);
    size_t over;

    if (!span) {
        shard->error = -ENOMEM;
        return;
    }
    over = span_over(span, flow->last, shard->now, entry->forgot, shard->spans.sweep.n);
    light_closed(shard, entry, span, flow->last, over);
    entry->closed = (uint16_t)over;
}

/* More values forgot it, and p is late for them. False: not so simple. */
static bool forget(struct sweep_shard *shard, struct sweep_entry *entry, const struct packet *p,
                   const struct engine_seen *seen)
{
    const struct span *span = spans_of(&shard->spans, seen->rule, entry->choice);
    size_t n = shard->spans.sweep.n, over;

    if (!span)
        return false;
    if (seen->now - seen->last < span->idle[entry->forgot])
        return true;
    if (!shard->quiet || is_strange(p) || entry->fins || entry->mortal ||
        !quiet_state(entry->choice & CHOICE_STATE) || !is_whole(shard, entry, client_of(p, seen)))
        return false;
    over = span_over(span, seen->last, seen->now, entry->forgot, n);
    if (over == n) /* its own engine would have known */
        return false;
    light_closed(shard, entry, span, seen->last, over);
    entry->forgot = (uint16_t)over;
    return true;
}

/* For those that forgot it: as quiet_packet(). */
static bool hear(struct sweep_entry *entry, const struct packet *p, const struct engine_seen *seen)
{
    if (is_strange(p) || light_is_over(entry, seen->now))
        return false;
    entry->heard = seen->now;
    if (p->flags & TCP_FIN)
        entry->fins |= 1u << seen->side & 3;
    entry->mortal = entry->mortal || p->flags & TCP_RST || entry->fins == 3;
    return true;
}

bool light_packet(struct sweep_shard *shard, struct sweep_entry *entry, const struct packet *p,
                  const struct engine_seen *seen)
{
    bool changed = seen->choice != ENGINE_NO_CHOICE && seen->choice != entry->choice;

    if (!seen->doubted && (seen->refreshed || !changed) &&
        (seen->now - seen->last < shard->spans.least || forget(shard, entry, p, seen)) &&
        (entry->forgot == 0 || (is_plain(p) && !entry->fins && !entry->mortal) ||
         hear(entry, p, seen))) {
        if (changed)
            entry->choice = seen->choice;
        return true;
    }
    if (entry->forgot > 0)
        light_part(shard, entry, &p->key, client_of(p, seen), seen->rule);
    return false;
}

struct parted *light_part(struct sweep_shard *shard, struct sweep_entry *entry,
                          const struct flow_key *key, unsigned client, unsigned rule)
{
    struct parted *parted = parted_add(shard, key);
    struct value_set forgot = {0};
    struct class *class;

    if (!parted)
        return NULL;
    set_add(&forgot, 0, entry->forgot);
    set_leave(&parted->classes[0].values, &forgot);
    parted->classes[0].alive = true;
    parted->classes[0].rule = (uint16_t)rule;
    parted->classes[0].closed = entry->closed;
    class = parted_split(shard, parted, &forgot);
    if (!class)
        return NULL;
    class->quiet = true;
    class->last = entry->heard;
    class->rule = (uint16_t)rule;
    class->isn = entry->c.isn;
    class->syn = entry->c.flags & CONNECTION_SYN;
    class->client = (uint8_t)client;
    class->fins = entry->fins;
    class->mortal = entry->mortal;
    parted->broken = forgot;
    entry_part(entry, parted);
    return parted;
}

void light_unpart(struct sweep_shard *shard, struct parted *parted, struct sweep_entry *entry)
{
    const struct class *main = &parted->classes[0], *class = &parted->classes[1];
    size_t lo, hi = 0;

    if (parted->n != 2 || !main->alive || main->odd || !class->quiet || class->fins ||
        class->mortal || class->syn != !!(entry->c.flags & CONNECTION_SYN) ||
        class->isn != entry->c.isn || !is_whole(shard, entry, class->client))
        return;
    for (unsigned i = 0; i < SWEEP_WORDS; i++)
        if (class->values.bits[i] != parted->broken.bits[i])
            return;
    set_next(&class->values, &lo, &hi);
    if (lo > 0 || hi < set_first(&main->values))
        return;
    entry_unpart(entry, (unsigned)hi);
    parted_remove(shard, parted);
}
