/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/sweep_private.h"

#include "middlebox/engine/tcp_state.h"
#include "tools/replay/story.h"

#include <errno.h>
#include <netinet/in.h>

/* What is beyond its entry, for a class in the side world. 0: no memory. */
static uint32_t copy_story(struct sweep_shard *shard, const struct story *s,
                           const struct parted *parted, unsigned value)
{
    struct story_book *book = shard->side->connections.book;
    struct flow_key key = class_key(parted, value);
    struct story *copy = story_add(book, &key);
    uint32_t chain;

    if (!copy) {
        shard->error = -ENOMEM;
        return 0;
    }
    chain = copy->chain;
    *copy = *s;
    copy->key = key;
    copy->chain = chain;
    copy->before = copy->after = 0;
    copy->mortal = false;
    if (copy->flow.proto)
        class_take_flow(&copy->flow, parted, value);
    return story_number(book, copy);
}

/* The entry as it was before the packet; what a sweep does not count is as it is after it. */
static struct flow entry_before(const struct world *world, const struct class *class,
                                const struct engine_seen *seen)
{
    struct flow flow;

    engine_show(world->engine, seen, &flow);
    flow.last = seen->last;
    if (class->choice < TCP_CHOICES)
        flow.state = (enum flow_state)(class->choice & CHOICE_STATE);
    return flow;
}

void step_part(struct world *world, struct parted *parted, struct class *class,
               const struct sweep_entry *entry, const struct engine_seen *seen)
{
    struct sweep_shard *shard = world->shard;
    struct value_set over = class_over(shard, class, seen->now);
    struct sweep_entry ghost = {.c = entry->c};
    struct flow flow;
    unsigned value;
    bool closed;

    if (!set_any(&over))
        return;
    if (set_has(&over, class->world)) { /* its own engine would have known */
        shard->error = -EDOM;
        return;
    }
    class_closed(shard, class, &over, seen->now, false);
    flow = entry_before(world, class, seen);
    set_leave(&class->values, &over);
    if (shard->quiet && flow.proto == IPPROTO_TCP && quiet_state(flow.state)) {
        quiet_part(world, parted, &over, entry, &flow);
        return;
    }
    value = (unsigned)set_greatest(&over);
    if (!world_side(shard) || !parted_split(shard, parted, &over))
        return;
    shard->side->connections.now = seen->now;
    if (entry->c.story != 0)
        ghost.c.story =
            copy_story(shard, story_at(world->connections.book, entry->c.story), parted, value);
    class_take_flow(&flow, parted, value);
    closed = flow.state == FLOW_TIME_WAIT || flow.state == FLOW_CLOSE;
    connections_watch.ended(&shard->side->connections, &ghost.c, &flow,
                            closed ? FLOW_END_DETECTED : FLOW_END_IDLE, seen->now);
    parted->stale = true;
}

/* A plain segment of a connection that is forgotten changes nothing but how many were late: that
 * stays so until it comes to an end, or begins anew. */
static void note_deaf(const struct sweep_shard *shard, const struct parted *parted,
                      struct class *class, const struct packet *p)
{
    struct flow_key key = class_key(parted, class->world);
    const struct story *s;

    if (!is_plain(p))
        class->deaf[0] = class->deaf[1] = false;
    if (class->alive || !is_plain(p) || shard->run->options->checksums)
        return;
    s = story_find(shard->side->connections.book, &key);
    if (s && s->fate == STORY_FORGOTTEN && !s->mortal)
        class->deaf[p->side] = true;
}

void step_packet(struct sweep_shard *shard, struct parted *parted, const struct packet *p,
                 mtime_t now, struct sweep_entry *entry, const struct engine_seen *seen)
{
    const struct connections *cs = &shard->main->connections;
    uint64_t order = cs->origins[p - cs->packets].order;
    unsigned n = parted->n;

    if (parted->order == order)
        return;
    parted->order = order;
    if (shard->side)
        world_advance(shard->side, now);
    for (unsigned i = 1; i < n; i++) {
        if (!parted->classes[i].alive)
            continue;
        parted->classes[i].fed = order;
        world_feed(shard, parted, &parted->classes[i], p);
    }
    if (entry)
        step_part(shard->main, parted, &parted->classes[0], entry, seen);
    if (parted->stale)
        class_merge(shard, parted, now);
    if (!parted->classes[0].alive && p->kind == PACKET_TCP &&
        tcp_kind_of(p->flags) == TCP_KIND_SYN && tcp_flags_valid(p->flags))
        class_begin(shard, parted, p, now);
    n = parted->n;
    for (unsigned i = 1; i < n; i++) {
        struct class *class = &parted->classes[i];
        unsigned value = class->world;

        if (class->fed == order || (class->deaf[p->side] && is_plain(p)))
            continue;
        class->fed = order;
        if (quiet_packet(shard, parted, class, p, now))
            continue;
        world_feed(shard, parted, class, p);
        class = parted_class(parted, value);
        if (class && shard->error == 0)
            note_deaf(shard, parted, class, p);
    }
}

void step_unpart(struct sweep_shard *shard, struct parted *parted)
{
    if (parted->n == 1 && !parted->classes[0].odd && !set_any(&parted->broken))
        parted_remove(shard, parted);
}
