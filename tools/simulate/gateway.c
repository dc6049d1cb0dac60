/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/simulate/world_private.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* As idlewalld: an end that did not take its reset shows itself by a retransmission, at the latest
 * after TCP_RTO_MAX, 120 s, and an eighth more by the timer wheel. */
#define LINGER (140 * MTIME_SEC)
#define EXPIRE_BUDGET 256

static unsigned classify(void *arg, const struct policy *policy, const struct flow *flow)
{
    const struct gateway *gateway = arg;
    struct filter_tuple tuple = {.family = flow->family,
                                 .proto = flow->proto,
                                 .client_port = flow->port[FLOW_CLIENT],
                                 .server_port = flow->port[FLOW_SERVER]};
    unsigned last = (unsigned)policy->n_rules - 1;

    memcpy(tuple.client, flow->addr[FLOW_CLIENT], sizeof(tuple.client));
    memcpy(tuple.server, flow->addr[FLOW_SERVER], sizeof(tuple.server));
    for (unsigned i = 0; i < last; i++)
        if (filter_match(gateway->filters[i], &tuple))
            return i;
    return last;
}

int gateway_start_engine(struct gateway *gateway)
{
    struct world *world = gateway->world;
    struct engine_config config = {.start = world->now + WORLD_ORIGIN,
                                   .linger = LINGER,
                                   .wants = world->timeline ? (1u << EVENT_KINDS) - 1 : 0,
                                   .classify = classify,
                                   .arg = gateway};
    uint64_t secret = world->scenario->seed + gateway->place;

    for (unsigned i = 0; i < 2; i++) {
        uint64_t word = random_next(&secret);

        memcpy(config.hash_secret + 8 * i, &word, sizeof(word));
    }
    return engine_create(&gateway->engine, &config, gateway->policy);
}

int gateway_init(struct gateway *gateway, struct world *world, unsigned place)
{
    struct policy *policy = world->scenario->firewall[place - 1].policy;
    char why[256];

    *gateway = (struct gateway){.world = world, .policy = policy, .place = (uint8_t)place};
    gateway->commands_end = &gateway->commands;
    wake_init(&gateway->wake);
    gateway->filters = calloc(policy->n_rules + 1, sizeof(struct filter *));
    if (!gateway->filters)
        return -ENOMEM;
    for (size_t i = 0; i < policy->n_rules; i++) {
        int r = 0;

        if (policy->rules[i].match)
            r = filter_compile(&gateway->filters[i], policy->rules[i].match, why, sizeof(why));
        if (r < 0)
            return r;
    }
    return gateway_start_engine(gateway);
}

void gateway_finish(struct gateway *gateway)
{
    while (gateway->commands) {
        struct gateway_command *next = gateway->commands->next;

        free(gateway->commands);
        gateway->commands = next;
    }
    engine_destroy(gateway->engine);
    for (size_t i = 0; gateway->filters && i < gateway->policy->n_rules; i++)
        filter_destroy(gateway->filters[i]);
    free(gateway->filters);
}

static uint32_t be32(const uint8_t *d)
{
    return (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3];
}

/* Whoever the engine takes for the client. */
static wire_tuple tuple_of(const struct flow *flow)
{
    unsigned client = (be32(flow->addr[FLOW_CLIENT]) & ~UINT32_C(255)) == WIRE_CLIENTS
                          ? FLOW_CLIENT
                          : FLOW_SERVER;

    return wire_tuple_of(flow->addr[client][3], flow->addr[!client][3], flow->port[client]);
}

static uint32_t number_of(const struct world *world, wire_tuple tuple)
{
    uint32_t number = lookup_find(&world->numbers, tuple);

    return number == LOOKUP_NONE ? 0 : number;
}

/* What the other end's sequence numbers are relative to, for the timeline. */
static void identify(const struct world *world, struct wire_packet *p)
{
    for (unsigned side = 0; side < 2; side++) {
        uint32_t found = lookup_find(&world->host[side].lookup, p->tuple);
        const struct connection *c;

        if (found == LOOKUP_NONE)
            continue;
        c = connection_at(world, found);
        p->connection = c->number;
        memcpy(p->isn, c->isn, sizeof(p->isn));
        memcpy(p->isn_known, c->isn_known, sizeof(p->isn_known));
    }
    if (p->connection == 0)
        p->connection = number_of(world, p->tuple);
}

static void inject(struct world *world, struct gateway *gateway, const struct segment *segment)
{
    uint32_t index;
    struct wire_packet *p = path_packet(world, &index);

    if (!p)
        return;
    if (!wire_decode(p, world->port, segment->data, segment->len)) {
        path_end(world, index);
        return;
    }
    if (segment->kind == SEGMENT_PROBE)
        p->segment.note = NOTE_DCD;
    if (world->timeline)
        identify(world, p);
    world->injected++;
    watch_packet(world, p, gateway->place, (struct watch_passage){.passage = PASSAGE_INJECTED});
    path_send(world, index, gateway->place);
}

/* Tells and sends what the engine put out. */
void gateway_drain(struct world *world, struct gateway *gateway)
{
    struct outcome *out = &world->outcome;
    size_t n_segments = out->n_segments;

    for (size_t i = 0; i < out->n_events; i++)
        watch_flow(world, gateway->place, number_of(world, tuple_of(&out->events[i].flow)),
                   gateway->ids, &out->events[i]);
    out->n_events = out->n_segments = 0;
    for (size_t i = 0; i < n_segments; i++)
        inject(world, gateway, &out->segments[i]);
}

static void count_flows(struct world *world, struct gateway *gateway, uint32_t flows)
{
    gateway->flows_area += (double)gateway->flows * (double)(world->now - gateway->area_until);
    gateway->area_until = world->now;
    gateway->flows = flows;
    if (flows > gateway->peak)
        gateway->peak = flows;
}

/* After every call: counts, and asks to be woken. */
void gateway_settle(struct world *world, struct gateway *gateway)
{
    struct engine_stats stats;
    mtime_t when;

    if (world->tally) {
        engine_stats(gateway->engine, &stats);
        count_flows(world, gateway, stats.flows);
    }
    if (!engine_next_deadline(gateway->engine, &when))
        return;
    when -= WORLD_ORIGIN;
    if (when <= world->now) /* it has just looked */
        when = world->now + 1;
    world_fail(world,
               wake_need(&gateway->wake, &world->queue, when, WORLD_GATEWAY, gateway->place - 1u));
}

static struct judgement judge(struct world *world, struct gateway *gateway,
                              const struct wire_packet *p)
{
    uint8_t bytes[WIRE_MAX];
    struct judgement judgement = {VERDICT_DROP, REASON_MALFORMED};
    struct packet packet = {.time = world->now + WORLD_ORIGIN, .data = bytes};

    packet.caplen = wire_encode(p, world->port, false, bytes);
    packet.len = wire_length(p);
    packet_decode(&packet);
    world->outcome.judgements = &judgement;
    engine_packets(gateway->engine, &packet, 1, &world->outcome);
    return judgement;
}

void gateway_arrival(struct world *world, struct gateway *gateway, uint32_t index)
{
    const struct wire_packet *p = slab_at(&world->packet_slab, index);
    struct watch_passage passage = {.passage = PASSAGE_DROPPED, .reason = REASON_RULE};
    struct judgement judgement;

    if (gateway->prohibited[p->from]) {
        watch_packet(world, p, gateway->place, passage);
        path_answer_icmp(world, p, gateway->place, ICMP_PROHIBITED);
        path_end(world, index);
        return;
    }
    judgement = judge(world, gateway, p);
    passage.reason = (enum reason)judgement.reason;
    if (judgement.verdict == VERDICT_ACCEPT)
        passage.passage = PASSAGE_FORWARDED;
    watch_packet(world, p, gateway->place, passage);
    gateway_drain(world, gateway);
    gateway_settle(world, gateway);
    if (judgement.verdict == VERDICT_ACCEPT)
        path_send(world, index, gateway->place);
    else
        path_end(world, index);
}

void gateway_wake(struct world *world, struct gateway *gateway, mtime_t at)
{
    bool more;

    if (!wake_take(&gateway->wake, at))
        return;
    do {
        more = engine_advance(gateway->engine, world->now + WORLD_ORIGIN, EXPIRE_BUDGET,
                              &world->outcome);
        gateway_drain(world, gateway);
    } while (more && world->error == 0);
    gateway_go_on(world, gateway);
    gateway_settle(world, gateway);
}
