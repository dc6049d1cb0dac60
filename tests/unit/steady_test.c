/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The short cut of steady.h beside the long way: the same of everything, after every segment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "middlebox/engine/steady.h"
#include "tests/unit/random_seed.h"
#include "tests/unit/wire.h"

#define FLOWS 6
#define SEGMENTS 4000
#define ROOM 64

struct side {
    uint32_t next, acked; /* sent; of the other's, acknowledged */
};

/* One connection, as its ends see it. */
struct ends {
    struct side side[2];
    struct packet last;
};

struct subject {
    struct engine *engine;
    struct judgement judgement;
    struct engine_seen seen; /* as last told */
    unsigned told;
    struct segment segments[ROOM];
    struct event events[ROOM];
    struct outcome out;
};

static void packet(void *arg, void *beside, const struct packet *p, const struct engine_seen *seen)
{
    struct subject *s = arg;
    uint64_t *count = beside;

    (void)p;
    s->seen = *seen;
    s->told++;
    ++*count;
}

static void stray(void *arg, const struct packet *p, const struct engine_stray *stray)
{
    (void)p;
    (void)stray;
    ((struct subject *)arg)->told++;
}

static void ended(void *arg, void *beside, const struct flow *flow, enum flow_end reason,
                  mtime_t at)
{
    (void)beside;
    (void)flow;
    (void)reason;
    (void)at;
    ((struct subject *)arg)->told++;
}

static bool adopt(void *arg, const struct packet *p)
{
    (void)arg;
    return p->window % 2;
}

static const struct engine_watch watch = {
    .room = 8, .packet = packet, .stray = stray, .ended = ended, .adopt = adopt};

static struct subject *subject_new(struct policy *policy, bool watched)
{
    struct subject *s = calloc(1, sizeof(*s));
    struct engine_config config = {.wants = UINT32_MAX,
                                   .linger = 5 * MTIME_SEC,
                                   .hash_secret = {1, 2},
                                   .classify = wire_classify,
                                   .watch = watched ? &watch : NULL,
                                   .arg = s};

    assert_non_null(s);
    assert_int_equal(engine_create(&s->engine, &config, policy), 0);
    s->out = (struct outcome){.judgements = &s->judgement,
                              .segments = s->segments,
                              .max_segments = ROOM,
                              .events = s->events,
                              .max_events = ROOM};
    return s;
}

static void subject_free(struct subject *s)
{
    assert_null(engine_check(s->engine));
    engine_destroy(s->engine);
    free(s);
}

static void give(struct subject *s, const struct packet *p)
{
    s->told = 0;
    s->seen = (struct engine_seen){0};
    s->out.n_segments = s->out.n_events = 0;
    assert_int_equal(engine_packets(s->engine, p, 1, &s->out), 1);
}

/* Was it the short cut that took it? The engine is not to be asked anything else then. */
static bool takes(struct subject *s, const struct packet *p)
{
    struct engine *e = s->engine;
    uint32_t slot = flow_table_find(&e->table, &p->key, flow_table_hash(&e->table, &p->key));

    if (slot == STORE_NONE)
        return false;
    go_on_to(e, p->time);
    return e->now < live_at(e, slot).r->deadline && steady_packet(e, live_at(e, slot), p);
}

static void expect_same_records(const struct engine *a, const struct engine *b)
{
    const struct flow_store *sa = &a->table.store, *sb = &b->table.store;
    uint32_t slot = flow_store_next(sa, 0);

    for (; slot != STORE_NONE; slot = flow_store_next(sa, slot + 1)) {
        assert_memory_equal(flow_store_at(sa, slot), flow_store_at(sb, slot), sa->stride);
        assert_int_equal(*flow_store_opened(sa, slot), *flow_store_opened(sb, slot));
    }
    assert_int_equal(sa->used, sb->used);
    assert_memory_equal(a->wheel.head, b->wheel.head, sizeof(a->wheel.head));
}

static void expect_same(const struct subject *a, const struct subject *b)
{
    const struct engine_seen *x = &a->seen, *y = &b->seen;

    assert_int_equal(a->judgement.verdict, b->judgement.verdict);
    assert_int_equal(a->judgement.reason, b->judgement.reason);
    assert_int_equal(a->out.n_segments, b->out.n_segments);
    assert_int_equal(a->out.n_events, b->out.n_events);
    assert_int_equal(a->told, b->told);
    assert_true(x->now == y->now && x->last == y->last && x->side == y->side &&
                x->timeout == y->timeout && x->rule == y->rule && x->slot == y->slot &&
                x->opened == y->opened && x->accepted == y->accepted &&
                x->refreshed == y->refreshed && x->keepalive == y->keepalive &&
                x->doubted == y->doubted && x->choice == y->choice);
    assert_memory_equal(a->engine->stats.packets, b->engine->stats.packets,
                        sizeof(a->engine->stats.packets));
    expect_same_records(a->engine, b->engine);
}

static uint32_t near(struct random *r, uint32_t value)
{
    static const uint32_t off[] = {1, 2, 70000, 66000, 60000, 200};
    uint32_t by = off[random_below(r, 6)];

    switch (random_below(r, 40)) {
    case 0:
        return value + by;
    case 1:
        return value - by;
    default:
        return value;
    }
}

static struct packet segment(struct random *r, struct ends *ends, unsigned flow, mtime_t now)
{
    static const uint16_t windows[] = {0, 1, 100, 60000, 65535, 501};
    static const uint8_t odd[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_FIN | TCP_ACK,
                                  TCP_RST, TCP_RST | TCP_ACK, TCP_ACK | TCP_URG,
                                  0,       TCP_SYN | TCP_FIN};
    static const uint32_t lengths[] = {0, 0, 0, 1, 2, 100, 1448, 30000};
    unsigned side = random_below(r, 2);
    struct side *me = &ends->side[side], *peer = &ends->side[!side];
    uint8_t flags = random_below(r, 90) ? TCP_ACK : odd[random_below(r, 8)];
    struct packet p = ends->last;
    struct wire w;

    if (p.data && random_below(r, 6) == 0) { /* once more */
        p.time = now;
        return p;
    }
    if (random_below(r, 3) == 0)
        me->acked = peer->next;
    wire_tcp(&w, flow, side, flags | (random_below(r, 2) ? TCP_PSH : 0), 0, 0, 0, 0);
    p = wire_packet(&w, now);
    p.data = (const uint8_t *)""; /* nobody looks at it */
    p.payload_len = lengths[random_below(r, random_below(r, 20) ? 7 : 8)];
    p.len = p.caplen + p.payload_len;
    p.mark = random_below(r, 3);
    p.seq = random_below(r, 300) ? near(r, me->next) : me->next - 1;
    p.ack_field = near(r, me->acked);
    p.ack = p.sack = flags & TCP_ACK ? p.ack_field : 0;
    if (random_below(r, 10) == 0)
        p.sack += random_below(r, 3000);
    p.window = windows[random_below(r, 40) ? 2 + random_below(r, 4) : random_below(r, 2)];
    p.has_wscale = p.sack_permitted = flags & TCP_SYN && random_below(r, 3);
    p.wscale = (uint8_t)random_below(r, 10);
    p.has_timestamp = random_below(r, 2);
    if (p.seq == me->next)
        me->next = tcp_segment_end(&p);
    return ends->last = p;
}

static void open_one(struct random *r, struct ends *ends, unsigned flow, mtime_t now,
                     struct packet out[3])
{
    for (unsigned side = 0; side < 2; side++)
        ends->side[side].next = (uint32_t)random_any_size(r, 32);
    ends->last.data = NULL;
    for (unsigned i = 0; i < 3; i++) {
        static const uint8_t flags[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK};
        struct side *me = &ends->side[i & 1], *peer = &ends->side[!(i & 1)];
        struct wire w;

        wire_tcp(&w, flow, i & 1, flags[i], me->next, i ? peer->next : 0, 60000, 0);
        out[i] = wire_packet(&w, now);
        out[i].data = (const uint8_t *)"";
        out[i].has_wscale = out[i].sack_permitted = i < 2 && random_below(r, 3);
        out[i].wscale = (uint8_t)random_below(r, 10);
        me->acked = peer->next;
        me->next += i < 2;
    }
}

/* Of each ten policies a few are such that the short cut never applies. */
static struct policy *random_policy(struct random *r)
{
    struct policy *policy = wire_policy();

    for (unsigned i = 0; i < 2; i++) {
        struct policy_profile *p = &policy->profiles[i];

        p->timeout[TIMEOUT_TCP_UNACKNOWLEDGED] = (100 + random_below(r, 400)) * MTIME_SEC;
        p->timeout[TIMEOUT_TCP_MAX_RETRANS] = (100 + random_below(r, 400)) * MTIME_SEC;
        if (random_below(r, 4) == 0)
            p->timeout[TIMEOUT_TCP_ESTABLISHED] = MTIME_NEVER;
        if (random_below(r, 3) == 0)
            p->timeout[TIMEOUT_TCP_NO_DATA] = (20 + random_below(r, 400)) * MTIME_SEC;
        p->max_retrans = 1 + random_below(r, 4);
        p->half_close = (enum policy_half_close)random_below(r, 2);
        p->refresh_in = (enum policy_refresh_in)random_below(r, 2);
        p->on_invalid = (enum policy_on_invalid)random_below(r, 2);
        switch (random_below(r, 12)) {
        case 0:
            p->refresh = (enum policy_refresh)random_below(r, 5);
            break;
        case 1:
            p->refresh_by = REFRESH_BY_PAYLOAD;
            break;
        case 2:
            p->on_expiry = ON_EXPIRY_DCD;
            break;
        case 3:
            p->timeout[TIMEOUT_ACTIVE] = 1000 * MTIME_SEC;
            break;
        default:
            p->on_expiry = (enum policy_on_expiry)random_below(r, ON_EXPIRY_DCD);
        }
    }
    return policy;
}

static bool block_some(void *arg, const struct flow *flow)
{
    return flow->port[FLOW_CLIENT] == *(const unsigned *)arg;
}

static void command(struct subject *s, mtime_t now, unsigned port, enum engine_verb verb)
{
    struct engine_command c = {.verb = verb, .match = block_some, .arg = &port};

    engine_command(s->engine, now, &c, &s->out);
}

/* Flows that were refreshed go to later places of the wheel: only then can a deadline come nearer.
 */
static void advance(struct subject *s, mtime_t now)
{
    s->out.n_segments = s->out.n_events = 0;
    engine_advance(s->engine, now, 4, &s->out);
}

/* Returns how many the short cut took. */
static unsigned compare(struct random *r)
{
    struct policy *policy = random_policy(r);
    bool watched = random_below(r, 2);
    struct subject *a = subject_new(policy, watched), *b = subject_new(policy, watched);
    struct subject *c = subject_new(policy, watched);
    struct ends ends[FLOWS] = {0};
    unsigned taken = 0;
    mtime_t now = 0;

    for (size_t i = 0; i < policy->n_rules; i++)
        b->engine->policies[0].steady[i].applies = false;
    for (unsigned i = 0; i < SEGMENTS; i++) {
        unsigned flow = random_below(r, FLOWS), n = 1;
        struct packet p[3];

        now += (mtime_t)random_any_size(r, random_below(r, 30) ? 30 : 38);
        if (!ends[flow].last.data || random_below(r, 100) == 0) {
            open_one(r, &ends[flow], flow, now, p);
            ends[flow].last = p[2];
            n = 3;
        } else {
            p[0] = segment(r, &ends[flow], flow, now);
        }
        for (unsigned k = 0; k < n; k++) {
            give(a, &p[k]);
            give(b, &p[k]);
            expect_same(a, b);
            if (takes(c, &p[k]))
                taken++;
            else
                give(c, &p[k]);
        }
        expect_same_records(a->engine, c->engine);
        advance(a, now);
        advance(b, now);
        advance(c, now);
        if (random_below(r, 100) == 0) {
            enum engine_verb verb = random_below(r, 3) ? ENGINE_UNBLOCK : ENGINE_BLOCK;

            for (unsigned k = 0; k < 3; k++)
                command(k == 0 ? a : k == 1 ? b : c, now, 40000 + flow, verb);
        }
    }
    subject_free(a);
    subject_free(b);
    subject_free(c);
    policy_unref(policy);
    return taken;
}

static void short_and_long_way_agree(void **state)
{
    struct random r = random_start(__func__);
    unsigned taken = 0;

    (void)state;
    for (unsigned i = 0; i < 20; i++)
        taken += compare(&r);
    printf("# %u of %u segments took the short cut\n", taken, 20 * SEGMENTS);
    assert_in_range(taken, 20 * SEGMENTS / 40, 20 * SEGMENTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_and_long_way_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
