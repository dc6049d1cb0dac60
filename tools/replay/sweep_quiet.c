/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Classes that have forgotten a connection, in a few bytes. Unless a firewall picks connections up
 * again, all that comes for one is late, whatever came before: no world need be asked. As
 * connection.c's stray() has it for a story that is forgotten; where it is not so simple, such a
 * story is made.
 */
#include "tools/replay/connection_private.h"
#include "tools/replay/sweep_private.h"

#include "middlebox/engine/tcp_state.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

bool quiet_can_be(const struct sweep_run *run)
{
    const struct policy *policy = run->options->policy;

    for (size_t i = 0; i < policy->n_profiles; i++)
        if (policy->profiles[i].on_late == ON_LATE_ADOPT)
            return false;
    return !run->options->checksums;
}

static bool same(const struct class *a, const struct class *b)
{
    return a->quiet && b->quiet && a->client == b->client && a->fins == b->fins &&
           a->mortal == b->mortal && (!a->mortal || a->last == b->last) && a->syn == b->syn &&
           a->isn == b->isn;
}

void quiet_part(struct world *world, struct parted *parted, const struct value_set *values,
                const struct sweep_entry *entry, const struct flow *flow)
{
    struct class *class = parted_split(world->shard, parted, values);
    struct flow_key key;

    if (!class)
        return;
    class->quiet = true;
    class->last = flow->last;
    class->rule = flow->rule;
    class->isn = entry->c.isn;
    class->syn = entry->c.flags & CONNECTION_SYN;
    if (entry->c.story != 0) {
        const struct story *s = story_at(world->connections.book, entry->c.story);

        class->client = s->client;
        class->fins = s->fins;
        if (s->late_packets > 0)
            set_join(&parted->broken, values);
    } else {
        class->client = (uint8_t)connections_key(flow, &key);
    }
    for (unsigned i = 1; i + 1u < parted->n; i++)
        if (same(&parted->classes[i], class) && parted->classes[i].fed != parted->order) {
            set_join(&parted->classes[i].values, values);
            parted->classes[i].world = (uint16_t)set_greatest(&parted->classes[i].values);
            parted_drop_class(parted, class);
            return;
        }
}

bool quiet_is_over(const struct class *class, mtime_t now)
{
    return class->mortal && now >= mtime_add(class->last, STORY_LINGER);
}

void quiet_end(struct sweep_shard *shard, struct parted *parted, struct class *class)
{
    sweep_over(shard, parted, class, false);
    class->quiet = class->mortal = false;
    class->fins = 0;
}

static void wake(struct sweep_shard *shard, struct parted *parted, struct class *class)
{
    struct world *world = world_side(shard);
    struct flow_key key = class_key(parted, class->world);
    struct story *s = world ? story_add(world->connections.book, &key) : NULL;

    class->quiet = false;
    if (!s) {
        shard->error = -ENOMEM;
        return;
    }
    s->fate = STORY_FORGOTTEN;
    s->end = FLOW_END_IDLE;
    s->client = class->client;
    s->fins = class->fins;
    s->last = s->quiet = class->last;
    s->c = (struct connection){
        .isn = class->isn, .rule = class->rule, .flags = class->syn ? CONNECTION_SYN : 0};
    s->flow = (struct flow){.family = parted->key.family,
                            .proto = parted->key.proto,
                            .last = class->last,
                            .rule = class->rule,
                            .policy = world->connections.policy};
    for (unsigned d = 0; d < 2; d++) {
        unsigned end = d == FLOW_CLIENT ? class->client : !class->client;

        memcpy(s->flow.addr[d], key.addr[end], sizeof(s->flow.addr[d]));
        s->flow.port[d] = key.port[end];
    }
    if (class->mortal)
        story_set_mortal(world->connections.book, s, true);
    class->mortal = false;
}

bool quiet_packet(struct sweep_shard *shard, struct parted *parted, struct class *class,
                  const struct packet *p, mtime_t now)
{
    unsigned side = p->side != class->client;

    if (!class->quiet)
        return false;
    if (quiet_is_over(class, now)) {
        quiet_end(shard, parted, class);
        return false;
    }
    if (!tcp_flags_valid(p->flags) || tcp_kind_of(p->flags) == TCP_KIND_SYN) {
        wake(shard, parted, class);
        return false;
    }
    set_join(&parted->broken, &class->values);
    class->last = now;
    if (p->flags & TCP_FIN)
        class->fins |= (uint8_t)(1u << side);
    class->mortal = class->mortal || p->flags & TCP_RST || class->fins == 3;
    return true;
}

bool quiet_like(const struct class *class, const struct story *s)
{
    return class->quiet && s && s->fate == STORY_FORGOTTEN && s->client == class->client &&
           s->fins == class->fins && s->mortal == class->mortal &&
           (!s->mortal || s->last == class->last) &&
           !(s->c.flags & CONNECTION_SYN) == !class->syn && s->c.isn == class->isn;
}
