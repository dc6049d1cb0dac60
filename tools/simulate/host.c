/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/world_private.h"

#include <errno.h>

/* net.ipv4.ip_local_port_range; a workload uses all that need no privilege. */
#define PORTS_FROM 32768
#define PORTS_TO 60999
#define WORKLOAD_PORTS_FROM 1024
#define WORKLOAD_PORTS_TO 65535

static void transmit(void *arg, struct tcp *tcp, const struct tcp_segment *segment);
static void notify(void *arg, struct tcp *tcp, enum tcp_notice notice, int error);
static bool routed(void *arg, struct tcp *tcp);
static const struct tcp_wiring wiring = {transmit, notify, routed};

void host_draw(struct host *host)
{
    struct world *world = host->world;

    host->tcp.ts_offset = (uint32_t)random_next(&world->random);
    host->tcp.random = random_next(&world->random);
}

int host_init(struct host *host, struct world *world, unsigned side)
{
    const struct scenario *scenario = world->scenario;
    const struct scenario_host *from = &scenario->host[side];
    uint64_t drawn = random_next(&world->random);
    uint64_t jiffy = from->jiffy_given ? from->jiffy : drawn >> 32;
    bool many = side == FLOW_CLIENT && scenario->workload.clients > 0;

    *host = (struct host){.world = world,
                          .tcp = {.system = &from->system, .wiring = &wiring, .arg = host},
                          .behaviour = from->behaviour,
                          .side = (uint8_t)side,
                          .place = (uint8_t)world_place_of(world, side),
                          .address = HOST_FIRST_ADDRESS,
                          .first_address = HOST_FIRST_ADDRESS,
                          .n_addresses = 1,
                          .up = true,
                          .link_up = true,
                          .runs = true,
                          .ports_from = many ? WORKLOAD_PORTS_FROM : PORTS_FROM,
                          .ports_to = many ? WORKLOAD_PORTS_TO : PORTS_TO,
                          .current = SLAB_NONE};
    if (from->system.clock == CLOCK_TICKS && from->system.tick > 0)
        jiffy %= (uint64_t)from->system.tick;
    host->tcp.jiffy = jiffy;
    host->options = (struct tcp_options){
        .keepalive = from->keepalive == SOFTWARE_KEEPALIVE_ON ||
                     (from->keepalive == SOFTWARE_KEEPALIVE_UNSET && from->system.keepalive_always),
        .times = from->times,
        .user_timeout = from->user_timeout};
    host_draw(host);
    lookup_init(&host->lookup);
    if (many) {
        uint32_t ports = WORKLOAD_PORTS_TO - WORKLOAD_PORTS_FROM + 1;
        uint32_t n = scenario->workload.clients / ports + 1;

        host->n_addresses = (uint8_t)(n > HOST_LAST_ADDRESS - HOST_FIRST_ADDRESS + 1
                                          ? HOST_LAST_ADDRESS - HOST_FIRST_ADDRESS + 1
                                          : n);
    } else {
        host->next_tuple = (uint32_t)(random_next(&world->random) >> 32);
    }
    if (scenario->workload.clients > 0) {
        host->piece = side == FLOW_CLIENT ? scenario->workload.answer_bytes
                                          : scenario->workload.request_bytes;
        if (side == FLOW_SERVER) {
            host->behaviour.answer_bytes = scenario->workload.answer_bytes;
            host->behaviour.answer_after = scenario->workload.answer_after;
        }
    }
    return 0;
}

void host_finish(struct host *host)
{
    lookup_finish(&host->lookup);
}

bool host_choose_tuple(struct world *world, wire_tuple *tuple)
{
    struct host *client = &world->host[FLOW_CLIENT];
    uint32_t ports = (uint32_t)client->ports_to - client->ports_from + 1;
    uint32_t all = ports * client->n_addresses;

    for (uint32_t n = 0; n < all; n++) {
        uint32_t at = client->next_tuple++ % all;

        *tuple = wire_tuple_of((uint8_t)(client->first_address + at / ports),
                               world->host[FLOW_SERVER].address,
                               (uint16_t)(client->ports_from + at % ports));
        if (lookup_find(&client->lookup, *tuple) == LOOKUP_NONE)
            return true;
    }
    return false;
}

void host_count(struct host *host, mtime_t now, int more)
{
    host->sockets_area += (double)host->sockets * (double)(now - host->area_until);
    host->area_until = now;
    host->sockets += (uint32_t)more;
    if (host->sockets > host->sockets_peak)
        host->sockets_peak = host->sockets;
}

bool host_has_address(const struct host *host, wire_tuple tuple)
{
    uint8_t address = host->side == FLOW_CLIENT ? wire_client(tuple) : wire_server(tuple);

    return (uint8_t)(address - host->first_address) < host->n_addresses;
}

/* What its TCP sends gets past its own packet filter, or not. */
static void leave(struct world *world, struct host *host, uint32_t index)
{
    struct wire_packet *p = slab_at(&world->packet_slab, index);

    /* A source that is not the host's own has no route: nothing leaves
     * (ip_route_output_key_hash_rcu(), the no_route of __ip_queue_xmit()). */
    if (!host_has_address(host, p->tuple)) {
        path_end(world, index);
        return;
    }
    host->packets++;
    watch_packet(world, p, host->place, (struct watch_passage){.passage = PASSAGE_SENT});
    if (host->blocked[host->side] || host->prohibited[host->side]) {
        watch_packet(world, p, host->place, (struct watch_passage){.passage = PASSAGE_LOST});
        if (host->prohibited[host->side])
            path_answer_icmp(world, p, host->place, ICMP_PROHIBITED);
        path_end(world, index);
        return;
    }
    path_send(world, index, host->place);
}

/* Two stacks that answer each segment out of window and disagree about the numbers do so without
 * end (docs/kernel-endpoints.md). A story of that is told by its error. */
#define ANSWERS_MAX 100000
#define ANSWERS_PAUSE MTIME_SEC

static void count_answers(struct world *world, struct connection *c,
                          const struct tcp_segment *segment)
{
    if (segment->len > 0 || segment->flags != TCP_ACK ||
        world->now - c->answered_at > ANSWERS_PAUSE)
        c->answers = 0;
    c->answered_at = world->now;
    if (++c->answers > ANSWERS_MAX)
        world_fail(world, -ELOOP);
}

static void transmit(void *arg, struct tcp *tcp, const struct tcp_segment *segment)
{
    struct host *host = arg;
    struct world *world = host->world;
    struct connection *c = connection_at(world, connection_slot_of(tcp)->connection);
    unsigned side = host->side;
    uint32_t index;
    struct wire_packet *p = path_packet(world, &index);

    if (!p)
        return;
    count_answers(world, c, segment);
    if (segment->flags & TCP_SYN) {
        c->isn[side] = segment->seq;
        c->isn_known[side] = true;
        c->wscale[side] = segment->wscale;
    }
    p->segment = *segment;
    p->tuple = c->tuple;
    p->connection = c->number;
    p->from = (uint8_t)side;
    for (unsigned i = 0; i < 2; i++) {
        p->isn[i] = c->isn[i];
        p->isn_known[i] = c->isn_known[i];
    }
    if (!(segment->flags & TCP_SYN) && c->wscale[0] != TCP_NO_WSCALE &&
        c->wscale[1] != TCP_NO_WSCALE)
        p->shift = c->wscale[side];
    leave(world, host, index);
}

static bool routed(void *arg, struct tcp *tcp)
{
    const struct host *host = arg;
    const struct connection *c = connection_at(host->world, connection_slot_of(tcp)->connection);

    return host_has_address(host, c->tuple);
}

static void notify(void *arg, struct tcp *tcp, enum tcp_notice notice, int error)
{
    struct host *host = arg;
    struct connection *c = connection_at(host->world, connection_slot_of(tcp)->connection);

    c->notices[host->side] |= (uint16_t)(1u << notice);
    if (notice == TCP_ERROR)
        c->error[host->side] = error;
}

static void answer_closed(struct world *world, struct host *host, const struct wire_packet *to)
{
    uint32_t index;
    struct wire_packet *p;
    struct tcp_segment answer;

    if (!tcp_answer_closed(&to->segment, &answer))
        return;
    p = path_packet(world, &index);
    if (!p)
        return;
    p->segment = answer;
    p->tuple = to->tuple;
    p->connection = to->connection;
    p->from = host->side;
    for (unsigned i = 0; i < 2; i++) {
        p->isn[i] = to->isn[i];
        p->isn_known[i] = to->isn_known[i];
    }
    leave(world, host, index);
}

/* The client's end of the story's connection, or, when that is gone already, one without it. */
static void accept_it(struct world *world, struct host *host, const struct wire_packet *syn)
{
    uint32_t found = lookup_find(&world->host[FLOW_CLIENT].lookup, syn->tuple);
    struct connection *c = found == LOOKUP_NONE ? NULL : connection_at(world, found);
    struct tcp *tcp;

    /* A SYN again, after the first one's socket gave up, belongs to the same connection. */
    if (!c || c->number != syn->connection || c->app[FLOW_SERVER].connected) {
        c = connection_create(world, syn->connection);
        if (!c)
            return;
        c->tuple = syn->tuple;
        c->workload = world->scenario->workload.clients > 0;
        c->stands[FLOW_CLIENT] = SOCKET_ENDED;
        c->isn[FLOW_CLIENT] = syn->segment.seq;
        c->isn_known[FLOW_CLIENT] = true;
        c->wscale[FLOW_CLIENT] = syn->segment.wscale;
    }
    tcp = connection_open(world, c, host->side);
    if (!tcp)
        return;
    tcp_accept(tcp, world->now, &syn->segment);
    connection_settle(world, c);
}

static void take(struct world *world, struct host *host, const struct wire_packet *p)
{
    uint32_t found = lookup_find(&host->lookup, p->tuple);
    const uint8_t opening = TCP_SYN | TCP_ACK | TCP_RST;

    if (found != LOOKUP_NONE) {
        struct connection *c = connection_at(world, found);
        struct tcp *tcp = connection_tcp(world, c, host->side);

        if (p->icmp)
            tcp_icmp(tcp, world->now, p->icmp_type, p->icmp_code, p->segment.seq);
        else
            tcp_input(tcp, world->now, &p->segment);
        connection_settle(world, c);
    } else if (p->icmp) {
        return;
    } else if (host->side == FLOW_SERVER && host->runs && (p->segment.flags & opening) == TCP_SYN) {
        accept_it(world, host, p);
    } else {
        answer_closed(world, host, p);
    }
}

/* Nobody is there who could hear it. */
static bool deaf(const struct world *world, const struct host *host, wire_tuple tuple)
{
    uint32_t found;

    if (!host->up || !host_has_address(host, tuple))
        return true;
    found = lookup_find(&host->lookup, tuple);
    return found != LOOKUP_NONE &&
           connection_at(world, found)->stands[host->side] == SOCKET_VANISHED;
}

void host_arrival(struct world *world, struct host *host, uint32_t index)
{
    const struct wire_packet *p = slab_at(&world->packet_slab, index);
    struct watch_passage lost = {.passage = PASSAGE_LOST};

    if (deaf(world, host, p->tuple)) {
        lost.silent_link = true;
        watch_packet(world, p, host->place, lost);
    } else if (p->from != host->side && !path_is_own(world, p, host->place) &&
               (host->blocked[p->from] || host->prohibited[p->from])) {
        watch_packet(world, p, host->place, lost);
        if (host->prohibited[p->from])
            path_answer_icmp(world, p, host->place, ICMP_PROHIBITED);
    } else {
        watch_packet(world, p, host->place, (struct watch_passage){.passage = PASSAGE_RECEIVED});
        take(world, host, p);
    }
    path_end(world, index);
}
