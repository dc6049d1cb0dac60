/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/connection_private.h"
#include "tools/replay/sweep_private.h"

#include "tools/replay/story.h"

#include <stdlib.h>

static struct flow_key key_of(const struct flow *flow)
{
    struct flow_key key;
    unsigned client = connections_key(flow, &key);

    if (flow->icmp_type)
        flow_key_set_asker(&key, client);
    return key;
}

static struct class whole(const struct sweep_shard *shard, mtime_t last, unsigned choice,
                          unsigned rule)
{
    return (struct class){.values = shard->values,
                          .world = (uint16_t)(shard->spans.sweep.n - 1),
                          .last = last,
                          .choice = (uint16_t)choice,
                          .rule = (uint16_t)rule,
                          .alive = true};
}

void sweep_over(struct sweep_shard *shard, struct parted *parted, const struct class *class,
                bool broken)
{
    size_t lo, hi = 0;

    while (set_next(&class->values, &lo, &hi))
        for (size_t v = lo; v < hi; v++) {
            shard->count[v].flows++;
            shard->count[v].broken += broken || set_has(&parted->broken, v);
        }
    set_leave(&parted->broken, &class->values);
    parted->stale = true;
}

void sweep_emit(void *arg, const struct replay_flow *out)
{
    struct world *world = arg;
    struct sweep_shard *shard = world->shard;
    bool broken = out->outcome == REPLAY_BROKEN;
    struct parted *parted = NULL;
    struct class *class;

    if (!world_is_main(world)) {
        parted = class_of_addr(shard, out->flow.addr, &class);
        sweep_over(shard, parted, class, broken);
        return;
    }

    if (shard->ending) {
        parted = shard->ending;
    } else if (shard->light) {
        shard->broken_below[shard->light->forgot]++;
    } else if (shard->n_parted > 0) {
        struct flow_key key = key_of(&out->flow);

        parted = parted_find(shard, &key);
    }
    if (parted) {
        sweep_over(shard, parted, &parted->classes[0], broken);
        return;
    }
    shard->all.flows++;
    shard->all.broken += broken;
}

static void note_open(struct sweep_shard *shard, const struct value_set *values, mtime_t now)
{
    size_t lo, hi = 0;

    while (set_next(values, &lo, &hi))
        lives_note(&shard->lives, &shard->lives.opens, now, (unsigned)lo, (unsigned)hi);
}

/* In a world that carries on for a class. */
static void class_packet(struct world *world, struct sweep_entry *entry, const struct packet *p,
                         const struct engine_seen *seen)
{
    struct sweep_shard *shard = world->shard;
    struct class *class;
    struct parted *parted = class_of_addr(shard, p->key.addr, &class);

    if (!seen->opened) {
        step_part(world, parted, class, entry, seen);
        class_of_addr(shard, p->key.addr, &class);
    }
    connections_watch.packet(&world->connections, &entry->c, p, seen);
    class_seen(shard, class, seen);
    if (!seen->opened)
        return;
    entry->apart = true;
    class->deaf[0] = class->deaf[1] = false;
    note_open(shard, &class->values, seen->now);
}

static void opened(struct world *world, struct sweep_entry *entry, const struct packet *p,
                   const struct engine_seen *seen)
{
    struct sweep_shard *shard = world->shard;
    struct parted *parted = parted_find(shard, &p->key);

    entry->choice = seen->choice;
    if (parted)
        step_packet(shard, parted, p, seen->now, NULL, NULL);
    connections_watch.packet(&world->connections, &entry->c, p, seen);
    if (!parted) {
        lives_note(&shard->lives, &shard->lives.opens, seen->now, 0,
                   (unsigned)shard->spans.sweep.n);
        return;
    }
    entry_part(entry, parted);
    class_seen(shard, &parted->classes[0], seen);
    note_open(shard, &parted->classes[0].values, seen->now);
    step_unpart(shard, parted);
}

/* Begins to keep values apart if there is need. */
static struct parted *part(struct sweep_shard *shard, struct sweep_entry *entry,
                           const struct packet *p, const struct engine_seen *seen)
{
    struct class class = whole(shard, seen->last, entry->choice, seen->rule);
    struct value_set over = class_over(shard, &class, seen->now);
    struct parted *parted;

    if (!set_any(&over))
        return NULL;
    parted = parted_add(shard, &p->key);
    if (!parted)
        return NULL;
    parted->classes[0] = class;
    parted->classes[0].closed = entry->closed;
    entry_part(entry, parted);
    return parted;
}

static void parted_packet(struct sweep_shard *shard, struct parted *parted,
                          struct sweep_entry *entry, const struct packet *p,
                          const struct engine_seen *seen)
{
    struct class *main = &parted->classes[0];

    main->last = seen->last;
    main->choice = entry->choice;
    step_packet(shard, parted, p, seen->now, entry, seen);
    connections_watch.packet(&shard->main->connections, &entry->c, p, seen);
    class_seen(shard, &parted->classes[0], seen);
    entry->choice = parted->classes[0].choice;
    if (parted->n == 2)
        light_unpart(shard, parted, entry);
    else
        step_unpart(shard, parted);
}

/* It did not restart the idle time of one that is not parted: that may part it, too. */
static void unrefreshed(struct sweep_shard *shard, struct sweep_entry *entry,
                        const struct packet *p, const struct engine_seen *seen)
{
    struct class class = whole(shard, seen->last, entry->choice, seen->rule);
    struct parted *parted;

    class_unrefreshed(shard, &class, seen);
    entry->choice = class.choice;
    if (!class.odd)
        return;
    parted = parted_add(shard, &p->key);
    if (!parted) {
        free(class.odd);
        return;
    }
    parted->classes[0] = class;
    entry_part(entry, parted);
}

static void packet(void *arg, void *beside, const struct packet *p, const struct engine_seen *seen)
{
    struct world *world = arg;
    struct sweep_shard *shard = world->shard;
    struct sweep_entry *entry = beside;
    struct parted *parted = NULL;

    if (__builtin_expect(light_passes(shard, entry, p, seen), true))
        return;
    if (!world_is_main(world)) {
        class_packet(world, entry, p, seen);
        return;
    }
    if (seen->opened) {
        opened(world, entry, p, seen);
        return;
    }
    if (!entry->apart && light_packet(shard, entry, p, seen)) {
        if (p->kind == PACKET_TCP && p->flags & TCP_SYN)
            connections_watch.packet(&world->connections, &entry->c, p, seen);
        return;
    }
    if (entry->apart) {
        parted = parted_at(shard, entry->parted, &p->key);
        if (!parted)
            entry_unpart(entry, 0);
    }
    if (!parted && seen->now - seen->last >= shard->spans.least)
        parted = part(shard, entry, p, seen);
    if (parted) {
        parted_packet(shard, parted, entry, p, seen);
        return;
    }
    connections_watch.packet(&world->connections, &entry->c, p, seen);
    if (!seen->refreshed) {
        if (seen->doubted || (seen->choice != ENGINE_NO_CHOICE && seen->choice != entry->choice))
            unrefreshed(shard, entry, p, seen);
    } else if (seen->choice != ENGINE_NO_CHOICE) {
        entry->choice = seen->choice;
    }
}

static void stray(void *arg, const struct packet *p, const struct engine_stray *stray)
{
    struct world *world = arg;
    struct sweep_shard *shard = world->shard;
    struct parted *parted = world_is_main(world) ? parted_find(shard, &p->key) : NULL;

    if (parted)
        step_packet(shard, parted, p, stray->now, NULL, NULL);
    connections_watch.stray(&world->connections, p, stray);
    if (parted)
        step_unpart(shard, parted);
}

static bool adopt(void *arg, const struct packet *p)
{
    struct world *world = arg;
    struct parted *parted = world_is_main(world) ? parted_find(world->shard, &p->key) : NULL;

    if (parted)
        step_packet(world->shard, parted, p, p->time, NULL, NULL);
    return connections_watch.adopt(&world->connections, p);
}

static void part_ended(struct sweep_shard *shard, struct sweep_entry *entry,
                       const struct flow *flow)
{
    struct flow_key key;
    unsigned client = connections_key(flow, &key);
    struct parted *parted = light_part(shard, entry, &key, client, flow->rule);

    if (!parted)
        return;
    parted->classes[0].last = flow->last;
    parted->classes[0].choice = entry->choice;
}

/* Parted ones are elsewhere. */
static void settle(struct sweep_shard *shard, struct sweep_entry *entry, const struct flow *flow)
{
    struct flow_key key;

    if (entry->apart) {
        key = key_of(flow);
        if (parted_at(shard, entry->parted, &key))
            return;
        entry_unpart(entry, 0);
    }
    light_settle(shard, entry, flow);
}

/* With its entry, for all values. */
static bool is_over(const struct world *world, const struct sweep_entry *entry,
                    const struct flow *flow, enum flow_end reason)
{
    mtime_t now = world->connections.now;

    return reason == FLOW_END_NONE || (reason == FLOW_END_DETECTED && light_is_over(entry, now) &&
                                       now >= mtime_add(flow->last, STORY_LINGER));
}

static void ended(void *arg, void *beside, const struct flow *flow, enum flow_end reason,
                  mtime_t at)
{
    struct world *world = arg;
    struct sweep_shard *shard = world->shard;
    struct sweep_entry *entry = beside;
    bool over = reason != FLOW_END_NONE;
    struct parted *parted = NULL;
    struct class *class, all;

    if (shard->settling) {
        settle(shard, entry, flow);
        return;
    }
    if (world_is_main(world) && !entry->apart && entry->forgot > 0 &&
        !is_over(world, entry, flow, reason))
        part_ended(shard, entry, flow);
    if (!world_is_main(world)) {
        parted = class_of_addr(shard, flow->addr, &class);
    } else if (entry->apart) {
        struct flow_key key = key_of(flow);

        parted = parted_at(shard, entry->parted, &key);
        class = parted ? &parted->classes[0] : NULL;
    }
    if (!parted) {
        struct value_set forgot = {0};

        all = whole(shard, flow->last, entry->choice, flow->rule);
        set_add(&forgot, 0, entry->forgot);
        set_leave(&all.values, &forgot);
        all.closed = entry->closed;
        class = &all;
    }
    class_closed(shard, class, &class->values, at, over);
    shard->ending = parted; /* no other connection is over by it */
    shard->light = parted || !world_is_main(world) ? NULL : entry;
    connections_watch.ended(&world->connections, &entry->c, flow, reason, at);
    shard->ending = NULL;
    shard->light = NULL;
    if (!parted || !over)
        return;
    free(class->odd);
    class->odd = NULL;
    class->alive = false;
    parted->stale = true;
}

const struct engine_watch sweep_watch = {
    .room = sizeof(struct sweep_entry),
    .packet = packet,
    .stray = stray,
    .ended = ended,
    .adopt = adopt,
};

void sweep_tidy(struct sweep_shard *shard)
{
    struct world *const worlds[] = {shard->side, shard->main};

    for (unsigned i = 0; i < 2; i++) {
        struct world *world = worlds[i];

        if (!world)
            continue;
        world_advance(world, shard->now);
        connections_sweep(&world->connections, shard->now);
        world->connections.opens.n = world->connections.closes.n = 0;
        if (world->connections.error)
            shard->error = world->connections.error;
    }
    if (shard->judged - shard->tidied < 16u * (uint64_t)shard->n_parted)
        return;
    shard->tidied = shard->judged;
    for (uint32_t i = 0; i < shard->parted_room && shard->parted[i]; i++) {
        struct parted *parted = shard->parted[i];

        if (parted->n == 0)
            continue;
        parted->order = UINT64_MAX;
        class_merge(shard, parted, shard->now);
        step_unpart(shard, parted);
    }
}
