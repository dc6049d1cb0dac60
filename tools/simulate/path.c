/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/world_private.h"

#include <errno.h>

struct wire_packet *path_packet(struct world *world, uint32_t *index)
{
    struct wire_packet *p;

    *index = slab_take(&world->packet_slab);
    if (*index == SLAB_NONE) {
        world_fail(world, -ENOMEM);
        return NULL;
    }
    p = slab_at(&world->packet_slab, *index);
    *p = (struct wire_packet){.id = ++world->packets};
    return p;
}

void path_end(struct world *world, uint32_t index)
{
    slab_give(&world->packet_slab, index);
}

unsigned path_link_after(const struct world *world, unsigned place, unsigned side)
{
    unsigned last = (unsigned)world->scenario->n_firewalls;

    if (side == FLOW_CLIENT)
        return place < last ? place : last;
    return place > 0 ? place - 1 : 0;
}

static struct host *host_at(struct world *world, unsigned place)
{
    if (place == SCENARIO_CLIENT)
        return &world->host[FLOW_CLIENT];
    return place == scenario_server(world->scenario) ? &world->host[FLOW_SERVER] : NULL;
}

/* Does this one get lost? Counts it. */
static bool loses(struct world *world, unsigned n, unsigned side)
{
    const struct scenario_link *as = &world->scenario->link[n];
    struct path_link *link = &world->links[n];

    link->sent[side]++;
    if (link->listed[side] < as->n_lose[side] &&
        as->lose[side][link->listed[side]] == link->sent[side]) {
        link->listed[side]++;
        return true;
    }
    if (link->lose[side] > 0) {
        link->lose[side]--;
        return true;
    }
    return as->loss > 0 && random_unit(&world->random) < as->loss;
}

/* A host's link that is down is down both ways. */
static bool cut(struct world *world, unsigned from, unsigned to)
{
    const struct host *a = host_at(world, from), *b = host_at(world, to);

    return (a && !a->link_up) || (b && !b->link_up);
}

void path_send(struct world *world, uint32_t index, unsigned place)
{
    struct wire_packet *p = slab_at(&world->packet_slab, index);
    unsigned n = path_link_after(world, place, p->from);
    struct watch_passage lost = {.passage = PASSAGE_LOST};
    const struct host *host;
    int r;

    p->place = (uint8_t)(p->from == FLOW_CLIENT ? place + 1 : place - 1);
    host = host_at(world, p->place);
    lost.silent_link = cut(world, place, p->place) || (host && host->unreachable);
    if (lost.silent_link || loses(world, n, p->from)) {
        watch_packet(world, p, place, lost);
        if (host && host->unreachable)
            path_answer_icmp(world, p, place, ICMP_HOST_UNREACHABLE);
        path_end(world, index);
        return;
    }
    r = queue_append(&world->queue, n, mtime_add(world->now, world->scenario->link[n].delay),
                     WORLD_PACKET, index);
    if (r < 0) {
        path_end(world, index);
        world_fail(world, r);
    }
}

static uint32_t address_of(struct world *world, unsigned place)
{
    const struct host *host = host_at(world, place);

    if (!host)
        return WIRE_ROUTERS | place;
    return (host->side == FLOW_CLIENT ? WIRE_CLIENTS : WIRE_SERVERS) | host->address;
}

bool path_is_own(struct world *world, const struct wire_packet *p, unsigned place)
{
    return p->icmp && p->icmp_from == address_of(world, place);
}

void path_arrival(struct world *world, uint32_t index)
{
    const struct wire_packet *p = slab_at(&world->packet_slab, index);
    unsigned place = p->place, before = p->from == FLOW_CLIENT ? place - 1 : place + 1;
    struct host *host = host_at(world, place);

    if (host && cut(world, before, place) && !path_is_own(world, p, place)) {
        watch_packet(world, p, before,
                     (struct watch_passage){.passage = PASSAGE_LOST, .silent_link = true});
        path_end(world, index);
    } else if (host) {
        host_arrival(world, host, index);
    } else {
        gateway_arrival(world, &world->gateway[place - 1], index);
    }
}

void path_answer_icmp(struct world *world, const struct wire_packet *to, unsigned place,
                      uint8_t code)
{
    const struct host *host = host_at(world, place);
    struct wire_packet *p;
    uint32_t index;
    mtime_t wait = 0;

    /* RFC 1122 3.2.2; and whom would an error for a RST help? */
    if (to->icmp || to->segment.flags & TCP_RST)
        return;
    p = path_packet(world, &index);
    if (!p)
        return;
    p->segment = to->segment;
    p->segment.note = NOTE_NONE;
    p->segment.nth = 0;
    p->tuple = to->tuple;
    p->connection = to->connection;
    for (unsigned i = 0; i < 2; i++) {
        p->isn[i] = to->isn[i];
        p->isn_known[i] = to->isn_known[i];
    }
    p->from = !to->from;
    p->icmp = true;
    p->icmp_type = ICMP_UNREACHABLE_TYPE;
    p->icmp_code = code;
    p->icmp_from = address_of(world, place);
    if (!host || host->side != to->from) {
        world->injected++;
        watch_packet(world, p, place, (struct watch_passage){.passage = PASSAGE_INJECTED});
        path_send(world, index, place);
        return;
    }
    /* From the sender's own packet filter; or without a firewall from a router on the one link. */
    if (code == ICMP_HOST_UNREACHABLE) {
        wait = 2 * world->scenario->link[path_link_after(world, place, to->from)].delay;
        p->icmp_from = WIRE_ROUTERS | 1;
    }
    p->place = (uint8_t)place;
    world_fail(world, queue_push(&world->queue, mtime_add(world->now, wait), WORLD_PACKET, index));
}

void path_lose(struct world *world, unsigned place, bool both, unsigned side, uint32_t number)
{
    for (unsigned i = 0; i < 2; i++)
        if (both || i == side)
            world->links[path_link_after(world, place, i)].lose[i] += number;
}
