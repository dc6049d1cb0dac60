/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/connection.h"

#include "tools/replay/connection_private.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const mtime_t *timeouts_of(const struct connections *cs, unsigned rule)
{
    return cs->policy->profiles[cs->policy->rules[rule].profile].timeout;
}

static void note_time(struct connections *cs, struct occupancy_times *times, mtime_t at)
{
    int r = occupancy_note(times, at);

    if (r < 0)
        cs->error = r;
}

static bool is_syn(const struct packet *p)
{
    return p->kind == PACKET_TCP && (p->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

/* A packet that restarts the idle time, or would have. */
static void note_silence(const struct connections *cs, struct connection *c, mtime_t now,
                         mtime_t since, unsigned timeout, unsigned rule, bool keepalive)
{
    mtime_t idle = now - since, quiet;

    if (idle > c->longest) {
        c->longest = idle;
        c->longest_at = since;
        c->limit = (uint8_t)timeout;
    }
    if (keepalive)
        return;
    quiet = now - c->last_payload;
    c->last_payload = now;
    if (quiet > c->longest_payload)
        c->longest_payload = quiet;
    /* Keepalives came in between, and nothing else. */
    if (quiet != idle && timeout < POLICY_TIMEOUTS && quiet >= timeouts_of(cs, rule)[timeout])
        c->flags |= CONNECTION_SAVED;
}

static void begin(struct connection *c, const struct connection_origin *o, const struct packet *p,
                  mtime_t now, unsigned rule)
{
    *c = (struct connection){
        .order = o->order, .last_number = o->number, .last_payload = now, .rule = (uint16_t)rule};
    if (is_syn(p)) {
        c->isn = p->seq;
        c->flags = CONNECTION_SYN;
    } else if (p->kind == PACKET_TCP) {
        c->flags = CONNECTION_MIDSTREAM;
    }
}

/* Room for what the engine's entry has no place for. NULL without memory. */
static struct story *story_of(struct connections *cs, struct connection *c, const struct packet *p,
                              unsigned side)
{
    struct story *s;

    if (c->story != 0)
        return story_at(cs->book, c->story);
    s = story_add(cs->book, &p->key);
    if (!s) {
        cs->error = -ENOMEM;
        return NULL;
    }
    s->fate = STORY_ENTERED;
    s->client = side == FLOW_CLIENT ? p->side : !p->side;
    s->first_number = c->order;
    c->story = story_number(cs->book, s);
    return s;
}

/* What is remembered of the key, unless it is over by now. */
static struct story *recall(struct connections *cs, const struct packet *p, mtime_t now)
{
    struct story *s = story_find(cs->book, &p->key);

    if (!s || !story_is_over(s, now))
        return s;
    connections_finish_story(cs, s);
    return NULL;
}

static bool same_syn(const struct story *s, const struct packet *p)
{
    return s->c.flags & CONNECTION_SYN && s->c.isn == p->seq && s->client == p->side;
}

/* What was in force when its entry went. */
static unsigned limit_of(const struct story *s)
{
    return s->fate == STORY_NEVER || s->fate == STORY_REFUSED ? POLICY_TIMEOUTS
                                                              : s->flow.timeout_name;
}

/* An entry was opened by p: for a new connection, or for one that goes on. */
static void opened(struct connections *cs, struct connection *c, const struct packet *p,
                   const struct engine_seen *seen)
{
    const struct connection_origin *o = &cs->origins[p - cs->packets];
    struct story *s = recall(cs, p, seen->now);

    note_time(cs, &cs->opens, seen->now);
    if (s && (p->kind != PACKET_TCP || (is_syn(p) && !same_syn(s, p)))) {
        connections_finish_story(cs, s);
        s = NULL;
    }
    if (!s) {
        begin(c, o, p, seen->now, seen->rule);
        if (cs->many) {
            s = story_of(cs, c, p, seen->side);
            if (s)
                s->first_number = o->number;
        }
        return;
    }
    *c = s->c;
    c->story = story_number(cs->book, s);
    c->last_number = o->number;
    c->rule = seen->rule;
    if (is_syn(p) && s->fate == STORY_FORGOTTEN)
        c->flags |= CONNECTION_SYN_LATE;
    /* Picked up from its other end. */
    c->flags &= (uint8_t)~CONNECTION_SWAPPED;
    if (s->client != (seen->side == FLOW_CLIENT ? p->side : !p->side))
        c->flags |= CONNECTION_SWAPPED;
    note_silence(cs, c, seen->now, s->quiet, limit_of(s), seen->rule, false);
    s->fate = STORY_ENTERED;
    story_set_mortal(cs->book, s, false);
}

/* A SYN of another number, while there is an entry still: another connection on the same ports. */
static void begin_anew(struct connections *cs, struct connection *c, const struct packet *p,
                       const struct engine_seen *seen)
{
    struct connection before = *c;
    struct story *s;
    struct flow flow;

    engine_show(cs->engine, seen, &flow);
    if (seen->accepted) {
        flow.packets[seen->side]--;
        flow.bytes[seen->side] -= p->len;
    }
    connections_finish_entry(cs, &before, &flow, FLOW_END_DETECTED);
    begin(c, &cs->origins[p - cs->packets], p, seen->now, seen->rule);
    s = story_of(cs, c, p, seen->side);
    if (!s)
        return;
    s->first_number = cs->origins[p - cs->packets].number;
    s->flow.opened = seen->now;
    /* The entry goes on counting: less what was the other's. */
    for (unsigned d = 0; d < 2; d++) {
        s->packets[d] = 0 - flow.packets[d];
        s->bytes[d] = 0 - flow.bytes[d];
        s->flow.keepalive[d].seen = 0 - flow.keepalive[d].seen;
        s->flow.keepalive[d].answered = 0 - flow.keepalive[d].answered;
    }
    if (!seen->accepted) {
        s->packets[seen->side]++;
        s->bytes[seen->side] += p->len;
    }
}

static void packet(void *arg, void *beside, const struct packet *p, const struct engine_seen *seen)
{
    struct connections *cs = arg;
    struct connection *c = beside;

    if (__builtin_expect(seen->opened, false)) {
        opened(cs, c, p, seen);
        return;
    }
    if (__builtin_expect(is_syn(p), false) && seen->side == FLOW_CLIENT && seen->accepted &&
        !(c->flags & CONNECTION_SWAPPED) && (!(c->flags & CONNECTION_SYN) || c->isn != p->seq)) {
        begin_anew(cs, c, p, seen);
        return;
    }
    c->last_number = cs->origins[p - cs->packets].number;
    if (seen->refreshed) {
        note_silence(cs, c, seen->now, seen->last, seen->timeout, seen->rule, seen->keepalive);
    } else if (!seen->accepted) {
        unsigned side = seen->side ^ !!(c->flags & CONNECTION_SWAPPED);
        struct story *s = story_of(cs, c, p, side);

        if (s) {
            s->packets[side]++;
            s->bytes[side] += p->len;
        }
    }
}

static struct story *new_story(struct connections *cs, const struct packet *p,
                               const struct engine_stray *stray)
{
    const struct connection_origin *o = &cs->origins[p - cs->packets];
    struct story *s = story_add(cs->book, &p->key);

    if (!s) {
        cs->error = -ENOMEM;
        return NULL;
    }
    begin(&s->c, o, p, stray->now, stray->rule);
    s->first_number = o->number;
    s->client = stray->client;
    s->fate =
        stray->reason == REASON_RULE || stray->reason == REASON_FULL ? STORY_REFUSED : STORY_NEVER;
    s->flow = connections_sketch(cs, p, stray);
    s->quiet = stray->now;
    return s;
}

static void note_late(struct connections *cs, struct story *s, const struct packet *p,
                      const struct engine_stray *stray, unsigned side)
{
    const struct connection_origin *o = &cs->origins[p - cs->packets];

    if (s->late_packets++ > 0)
        return;
    s->late = (struct replay_late){.number = o->number,
                                   .capture = o->capture,
                                   .time = stray->now,
                                   .silence = stray->now - s->quiet,
                                   .side = (enum flow_side)side,
                                   .tcp_flags = p->flags,
                                   .action = (enum event_action)stray->action};
}

static void stray(void *arg, const struct packet *p, const struct engine_stray *stray)
{
    struct connections *cs = arg;
    struct story *s = recall(cs, p, stray->now);
    unsigned side;
    bool forgotten, mortal;

    if (s && is_syn(p) && !same_syn(s, p)) {
        connections_finish_story(cs, s);
        s = NULL;
    }
    if (!s)
        s = new_story(cs, p, stray);
    if (!s)
        return;
    side = p->side != s->client;
    s->packets[side]++;
    s->bytes[side] += p->len;
    s->c.last_number = cs->origins[p - cs->packets].number;
    forgotten = s->fate == STORY_FORGOTTEN || s->fate == STORY_EVICTED;
    if (forgotten && !stray->accepted)
        note_late(cs, s, p, stray, side);
    if (s->fate != STORY_CLOSED) {
        note_silence(cs, &s->c, stray->now, s->quiet, limit_of(s), stray->rule, false);
        s->quiet = s->flow.last = stray->now;
    }
    s->last = stray->now;
    s->fins |= p->flags & TCP_FIN ? 1u << side : 0;
    mortal = !forgotten || p->flags & TCP_RST || s->fins == 3 || s->mortal;
    if (mortal)
        story_set_mortal(cs->book, s, true);
}

static bool adopt(void *arg, const struct packet *p)
{
    struct story *s = recall(arg, p, p->time);

    return !s || s->fate == STORY_NEVER;
}

static enum story_fate fate_of(enum flow_end reason)
{
    switch (reason) {
    case FLOW_END_IDLE:
    case FLOW_END_ACTIVE:
        return STORY_FORGOTTEN;
    case FLOW_END_RESOURCES:
        return STORY_EVICTED;
    case FLOW_END_NONE:
        return STORY_ENTERED;
    case FLOW_END_DETECTED:
    case FLOW_END_FORCED:
        break;
    }
    return STORY_CLOSED;
}

static bool half_open(enum flow_state state)
{
    return state == FLOW_SYN_SENT || state == FLOW_SYN_SENT2 || state == FLOW_SYN_RECV;
}

static void ended(void *arg, void *beside, const struct flow *flow, enum flow_end reason,
                  mtime_t at)
{
    struct connections *cs = arg;
    struct connection *c = beside;
    struct story *s;
    bool closed = reason == FLOW_END_DETECTED;

    if (reason != FLOW_END_NONE)
        note_time(cs, &cs->closes, at);
    if (reason == FLOW_END_NONE || flow->proto != IPPROTO_TCP ||
        (closed && at >= mtime_add(flow->last, STORY_LINGER))) {
        connections_finish_entry(cs, c, flow, reason);
        return;
    }
    s = connections_detach(cs, c, flow, reason);
    if (!s)
        return;
    s->fate = (uint8_t)fate_of(reason);
    s->quiet = s->last = s->flow.last;
    if (!closed && !half_open(flow->state))
        return;
    if ((at > cs->now ? at : cs->now) >= mtime_add(s->last, STORY_LINGER))
        connections_finish_story(cs, s);
    else
        story_set_mortal(cs->book, s, true);
}

const struct engine_watch connections_watch = {
    .room = sizeof(struct connection),
    .packet = packet,
    .stray = stray,
    .ended = ended,
    .adopt = adopt,
};

int connections_init(struct connections *cs)
{
    cs->book = story_book_create();
    return cs->book ? 0 : -ENOMEM;
}

void connections_finish(struct connections *cs)
{
    cs->book = story_book_destroy(cs->book);
    occupancy_times_finish(&cs->opens);
    occupancy_times_finish(&cs->closes);
}
