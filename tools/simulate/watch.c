/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/world_private.h"

static void add(struct world *world, struct timeline_event *event)
{
    event->t = world->now;
    world_fail(world, timeline_add(world->timeline, event));
}

static uint32_t relative(const struct wire_packet *p, unsigned side, uint32_t number)
{
    return p->isn_known[side] ? number - p->isn[side] : number;
}

void watch_packet_tell(struct world *world, const struct wire_packet *p, unsigned place,
                       struct watch_passage passage)
{
    const struct tcp_segment *s = &p->segment;
    unsigned sender = p->icmp ? !p->from : p->from; /* of the segment */
    uint8_t bytes[WIRE_MAX];
    struct timeline_event event = {
        .kind = TIMELINE_PACKET, .place = (uint8_t)place, .connection = p->connection};

    event.packet = (struct timeline_packet){
        .id = p->id,
        .passage = passage.passage,
        .from = (enum flow_side)p->from,
        .tcp = !p->icmp,
        .icmp_type = p->icmp_type,
        .icmp_code = p->icmp_code,
        .flags = s->flags,
        .seq = s->seq,
        .ack = s->ack,
        .rel_seq = relative(p, sender, s->seq),
        .rel_ack = s->flags & TCP_ACK ? relative(p, !sender, s->ack) : 0,
        .len = s->len,
        .window = (uint32_t)s->window << p->shift,
        .note = p->icmp ? NOTE_NONE : s->note,
        .nth = p->icmp ? 0 : s->nth,
        .reason = passage.reason,
        .silent_link = passage.silent_link,
        .data = bytes,
        .caplen = (uint16_t)wire_encode(p, world->port, true, bytes),
        .wire_len = wire_length(p),
    };
    add(world, &event);
}

static bool differs(const struct socket_view *a, const struct socket_view *b)
{
    return a->state != b->state || a->timer != b->timer || a->expires != b->expires ||
           a->retransmits != b->retransmits || a->probes != b->probes;
}

static void show(struct world *world, const struct connection *c, unsigned side,
                 const struct socket_view *view)
{
    struct timeline_event event = {.kind = TIMELINE_SOCKET,
                                   .place = (uint8_t)world_place_of(world, side),
                                   .connection = c->number,
                                   .socket = *view};

    add(world, &event);
}

void watch_socket_tell(struct world *world, struct connection *c, unsigned side)
{
    struct socket_view view;

    tcp_view(connection_tcp(world, c, side), &view);
    if (!differs(&view, connection_shown(world, c, side)))
        return;
    *connection_shown(world, c, side) = view;
    show(world, c, side, &view);
}

void watch_socket_gone(struct world *world, const struct connection *c, unsigned side)
{
    struct socket_view gone = {.state = SOCKET_GONE, .timer = TIMER_OFF, .expires = MTIME_NEVER};

    if (world->timeline && connection_shown(world, c, side)->state != SOCKET_GONE)
        show(world, c, side, &gone);
}

void watch_app_tell(struct world *world, unsigned side, uint32_t connection,
                    const struct timeline_app *app)
{
    struct timeline_event event = {.kind = TIMELINE_APP,
                                   .place = (uint8_t)world_place_of(world, side),
                                   .connection = connection,
                                   .app = *app};

    add(world, &event);
}

void watch_deed(struct world *world, const struct deed *deed)
{
    struct timeline_event event = {.kind = TIMELINE_DEED, .place = deed->place, .deed = deed};

    if (world->timeline)
        add(world, &event);
}

static void to_story(mtime_t *t)
{
    if (*t != MTIME_NEVER)
        *t -= WORLD_ORIGIN;
}

void watch_flow(struct world *world, unsigned place, uint32_t connection, uint64_t ids,
                const struct event *from)
{
    struct timeline_event event = {
        .kind = TIMELINE_FLOW, .place = (uint8_t)place, .connection = connection, .flow = *from};
    struct flow *flow = &event.flow.flow;

    if (!world->timeline)
        return;
    if (flow->id)
        flow->id += ids;
    flow->policy = world->scenario->firewall[place - 1].policy;
    to_story(&event.flow.time);
    to_story(&flow->opened);
    to_story(&flow->last);
    if (flow->deadline) /* 0: a packet without a flow */
        to_story(&flow->deadline);
    if (event.flow.remembered)
        to_story(&event.flow.expired_at);
    for (unsigned side = 0; side < 2; side++)
        if (flow->keepalive[side].seen)
            to_story(&flow->keepalive[side].last);
    add(world, &event);
}
