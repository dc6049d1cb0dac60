/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ENGINE_PRIVATE_H
#define IDLEWALL_ENGINE_PRIVATE_H

/* The engine's own parts, for its own files: engine.c, judge.c, late.c, life.c, reset.c, command.c.
 */

#include "middlebox/engine/age.h"
#include "middlebox/engine/engine.h"
#include "middlebox/engine/flow_extra.h"
#include "middlebox/engine/flow_table.h"
#include "middlebox/engine/fragment.h"
#include "middlebox/engine/late_memory.h"
#include "middlebox/engine/tcp_state.h"
#include "middlebox/engine/wheel.h"

/* What steady.c must know of a rule's profile. */
#define STEADY_KINDS 8
struct steady_kind {
    mtime_t timeout;
    uint16_t choice; /* as engine_seen.choice */
    uint8_t name;    /* enum policy_timeout */
};
struct steady {
    bool applies;
    bool any_state; /* every TCP segment that is taken restarts the idle time, and nothing else */
    unsigned max_retrans;
    struct steady_kind kinds[STEADY_KINDS];
};

/* Stays at least until the next call once no flow needs it: events borrow the policy till then. */
struct engine_policy {
    struct policy *policy; /* NULL: free slot */
    uint32_t flows;
    uint32_t (*by_profile)[FLOW_STATES]; /* owned; a row a profile; without those that linger */
    struct steady *steady;               /* owned; by rule */
    uint8_t (*choices)[TCP_CHOICES];     /* owned; by profile: enum policy_timeout */
};

struct engine {
    struct engine_config config;
    struct engine_policy *policies; /* a flow's record.policy is an index */
    uint32_t n_policies;
    uint32_t policy_hand; /* the next to look at whether it is needed */
    uint16_t current;
    struct flow_table table;
    struct wheel wheel;
    struct late_memory late;
    struct fragment_cache *fragments;
    struct extra_pool extras;
    struct age age; /* in use for on-full evict-oldest */
    uint32_t adaptive_hand;
    uint32_t adaptive_above; /* flows; UINT32_MAX: never */
    mtime_t now;             /* the latest time seen */
    mtime_t adopt_until;
    uint64_t next_id;
    uint32_t evict_hand;
    uint32_t max_flows; /* as configured; the store's limit is higher while more flows live */
    /* inject-rate: a token bucket in nanoseconds of credit; one segment costs 1 s / rate */
    mtime_t credit, credit_at;
    mtime_t stalled_until; /* expiry waits, or waited, for credit */
    mtime_t dcd_turn;      /* the next that a probe held up by inject-rate gets */
    uint32_t lingering;
    struct engine_stats stats;
};

/* A flow at hand. Small enough to be passed in registers. */
struct live {
    uint32_t slot;
    struct record *r;
};

static inline struct live live_at(const struct engine *e, uint32_t slot)
{
    return (struct live){slot, flow_store_at(&e->table.store, slot)};
}

static inline mtime_t opened_of(const struct engine *e, struct live f)
{
    return *flow_store_opened(&e->table.store, f.slot);
}

static inline struct policy *policy_of(const struct engine *e, const struct record *r)
{
    return e->policies[r->policy].policy;
}

static inline const struct policy_profile *profile_of(const struct engine *e,
                                                      const struct record *r)
{
    const struct policy *p = policy_of(e, r);

    return &p->profiles[p->rules[r->rule].profile];
}

static inline struct flow_extra *extra_of(const struct engine *e, struct live f)
{
    return f.r->has_extra ? extra_pool_at(&e->extras, *flow_store_extra(&e->table.store, f.slot))
                          : NULL;
}

/* Are there so many flows that pf's adaptive timeouts rule? */
static inline bool adaptive(const struct engine *e)
{
    return e->stats.flows > e->adaptive_above;
}

static inline unsigned client_end(const struct record *r)
{
    return !!(r->flags & RECORD_CLIENT_IS_1);
}

static inline const struct steady *steady_of(const struct engine *e, const struct record *r)
{
    return &e->policies[r->policy].steady[r->rule];
}

/* As tcp_choice_timeout() for its profile. */
static inline enum policy_timeout choice_timeout(const struct engine *e, const struct record *r,
                                                 unsigned choice)
{
    const struct engine_policy *of = &e->policies[r->policy];

    return (enum policy_timeout)of->choices[of->policy->rules[r->rule].profile][choice];
}

/* An event to fill in, zeroed, or NULL if nobody wants that kind. */
static inline struct event *event_take(struct engine *e, struct outcome *out, enum event_kind kind)
{
    struct event *ev;

    if (!(e->config.wants & EVENT_BIT(kind)))
        return NULL;
    ev = &out->events[out->n_events++];
    *ev = (struct event){.kind = kind, .time = e->now};
    return ev;
}

/* Before anything about it changes. */
static inline struct engine_seen watch_before(const struct engine *e, struct live f, unsigned dir)
{
    return (struct engine_seen){.now = e->now,
                                .last = f.r->last,
                                .side = (uint8_t)dir,
                                .timeout = f.r->timeout_name,
                                .rule = f.r->rule,
                                .slot = f.slot,
                                .choice = ENGINE_NO_CHOICE};
}

/* Of a flow without TCP the name is all. */
static inline uint16_t plain_choice(enum policy_timeout timeout)
{
    return (uint16_t)(TCP_CHOICES + (unsigned)timeout);
}

/* While the flow is there. */
static inline void watch_packet(const struct engine *e, struct live f, const struct packet *p,
                                const struct engine_seen *seen)
{
    const struct engine_watch *watch = e->config.watch;

    if (watch)
        watch->packet(e->config.arg, flow_store_beside(&e->table.store, f.slot), p, seen);
}

static inline void watch_stray(const struct engine *e, const struct packet *p, unsigned client,
                               bool guessed, uint16_t rule, struct judgement j,
                               enum event_action action)
{
    struct engine_stray stray = {.now = e->now,
                                 .client = (uint8_t)client,
                                 .guessed = guessed,
                                 .accepted = j.verdict == VERDICT_ACCEPT,
                                 .reason = j.reason,
                                 .action = (uint8_t)action,
                                 .rule = rule};

    if (e->config.watch)
        e->config.watch->stray(e->config.arg, p, &stray);
}

static inline bool outcome_has_room(const struct outcome *out)
{
    return out->max_segments - out->n_segments >= OUTCOME_SEGMENTS &&
           out->max_events - out->n_events >= OUTCOME_EVENTS;
}

/* Every call begins with this: what the one before put out is not borrowed any more. */
void engine_begin(struct engine *e, mtime_t now);

static inline void go_on_to(struct engine *e, mtime_t now)
{
    if (now > e->now)
        e->now = now;
}

static inline bool in_use(const struct engine *e, uint32_t slot)
{
    return e->policies[slot].flows > 0 || slot == e->current;
}

/* ---- life.c, life_show.c, life_open.c, life_end.c: a flow's birth, refreshing and end ---- */

/* Who is client in a packet that has no flow: its sender, unless only the other port is a server's
 * and the packet does not itself open a connection. Returns the end of the key; *guessed if the
 * packet does not say. */
unsigned life_client_end(const struct policy *policy, const struct packet *p, bool *guessed);
/* What classify() and events are shown of a packet without a flow. */
void life_sketch(const struct engine *e, const struct packet *p, unsigned client, struct flow *out);

enum life_open { LIFE_OPENED, LIFE_FULL };
enum life_open life_open(struct engine *e, const struct packet *p, uint64_t hash, unsigned client,
                         bool guessed, uint16_t rule, struct outcome *out);
/* Fills in and counts the fresh record of a flow, but for its protocol and its deadline. */
void life_born(struct engine *e, struct live f, uint8_t flags, uint16_t rule, enum flow_state state,
               mtime_t opened, mtime_t last);
/* Restarts the idle time where the profile says so. dir: flow_side of the sender. state_changed:
 * the new state's timeout starts now whoever sent it. True if it did. */
bool life_refresh(struct engine *e, struct live f, unsigned dir, bool payload,
                  enum policy_timeout timeout, bool state_changed);
static inline void life_note_idle(struct live f, mtime_t now)
{
    mtime_t idle = now - f.r->last;

    if (__builtin_expect(idle >= ((mtime_t)f.r->longest_idle_ms + 1) * MTIME_MSEC, false))
        f.r->longest_idle_ms =
            idle / MTIME_MSEC > UINT32_MAX ? UINT32_MAX : (uint32_t)(idle / MTIME_MSEC);
}
/* When the timeout in force is over, counted from a moment, or the flow's whole life. */
mtime_t life_deadline(const struct engine *e, struct live f, mtime_t from);
void life_count(struct live f, unsigned dir, const struct packet *p);
void life_set_state(struct engine *e, struct live f, enum flow_state state);
/* Ends a flow: event (EXPIRED for an idle or active timeout of a flow that was not closed), late
 * memory, and the record is freed, or lingers on the sides in the mask, which were reset. */
void life_end(struct engine *e, struct live f, enum flow_end reason, enum event_action action,
              unsigned linger_sides, struct outcome *out);
/* Frees the record of a lingering flow. */
void life_bury(struct engine *e, struct live f);
/* When its time will be over: the deadline, put off by dead connection detection, shrunk by
 * adaptive timeouts. */
mtime_t life_over_at(const struct engine *e, struct live f);
/* The flow's extra entry, made if need be; NULL without memory. */
struct flow_extra *life_extra(struct engine *e, struct live f);
/* The idle time begins anew, whatever refresh says. */
void life_renew(struct engine *e, struct live f);
/* What on-expiry comes to once nobody answered. */
static inline enum policy_on_expiry life_on_expiry(const struct policy_profile *profile)
{
    return profile->on_expiry == ON_EXPIRY_DCD ? profile->dcd_then : profile->on_expiry;
}
/* Is its time over at e->now? Asks for activity elsewhere first, which may put it off. */
bool life_is_over(struct engine *e, struct live f);
/* The flow's time is over at e->now: does what on-expiry says. True if it lingers. */
bool life_expire(struct engine *e, struct live f, struct outcome *out);
/* Would life_expire() send something that inject-rate forbids right now? */
bool life_expiry_must_wait(struct engine *e, struct live f);
void life_show(const struct engine *e, struct live f, struct flow *out);
/* pf.conf(5), adaptive.start: what is left of a deadline. */
mtime_t life_shrunk(const struct engine *e, struct live f, mtime_t over);
/* Out of the wheel: before its record is freed, or filed elsewhere. */
void life_unwheel(struct engine *e, struct live f);
void life_set_deadline(struct engine *e, struct live f, mtime_t deadline);

/* ---- reset.c: segments in the ends' names ---- */

/* May n segments be sent now? Takes the credit. */
bool reset_allowed(struct engine *e, unsigned n);
/* How much time n segments take of inject-rate. */
mtime_t reset_cost(const struct engine *e, unsigned n);
/* When n segments will be allowed. */
mtime_t reset_allowed_at(const struct engine *e, unsigned n);
/* At most this many for one side. */
#define RESETS_A_SIDE 2
/* Resets the sides in the mask (1 << flow_side), each at every sequence number it may expect.
 * Without asking for credit. */
/* Probes a side in the other's name (RFC 9293 3.8.4), with the other's latest timestamp (RFC 7323).
 */
void reset_probe(struct engine *e, struct live f, unsigned side, const struct flow_extra *extra,
                 struct outcome *out);
void reset_sides(struct engine *e, struct live f, unsigned sides, struct outcome *out);
/* The sides that on-expiry resets; 0 for a flow that is closed already, or not TCP. */
unsigned reset_sides_of(const struct record *r, enum policy_on_expiry on_expiry);
/* Answers p with a reset (TCP) or an ICMP error. False if inject-rate forbade it or p cannot be
 * answered. */
bool reset_answer(struct engine *e, const struct packet *p, enum policy_reset_form form,
                  uint64_t flow_id, bool to_client, struct outcome *out);
bool reset_prohibit(struct engine *e, const struct packet *p, uint64_t flow_id, bool to_client,
                    struct outcome *out);

/* ---- census.c: flows by profile and state, and at which idle times packets were late ---- */
/* Room for counts, and what the policy comes to for packets. 0 or -ENOMEM. */
int census_start(struct engine_policy *of, const struct policy *policy);
void census_finish(struct engine_policy *of);
bool census_agrees(const struct engine *e);
void census_late_idle(struct engine_stats *stats, mtime_t idle);
static inline uint32_t *census_of(struct engine *e, const struct record *r)
{
    const struct engine_policy *of = &e->policies[r->policy];

    return of->by_profile[of->policy->rules[r->rule].profile];
}

/* ---- late.c: packets that need a flow and have none ---- */
struct judgement late_judge(struct engine *e, const struct packet *p, uint64_t hash,
                            struct outcome *out);

/* p is from a side of f that was reset, and did not believe it or did not know yet: reset it where
 * it says it is. */
void late_answer_dead(struct engine *e, const struct packet *p, uint64_t hash, struct live f,
                      unsigned dir, struct outcome *out);

/* ---- dcd.c: dead connection detection: ask the ends before forgetting them ---- */
/* Is this a flow that is probed before it is forgotten? Half-closed ones are not. */
bool dcd_covers(const struct engine *e, struct live f);
/* How long beyond the idle limit the flow lives on while it is asked. */
mtime_t dcd_grace(const struct engine *e, struct live f);
/* When to look at it next, before its time is over. */
mtime_t dcd_look_at(const struct engine *e, struct live f);
/* Sends what is due at e->now. */
void dcd_step(struct engine *e, struct live f, struct outcome *out);
/* Is p, in window and from dir, what a living end says to a probe of ours? */
bool dcd_is_answer(const struct engine *e, struct live f, unsigned dir, const struct packet *p);
/* Takes the answer; all in: the idle time begins anew. */
void dcd_answer(struct engine *e, struct live f, unsigned dir);
/* There was activity: nothing to ask any more. */
void dcd_stop(struct flow_extra *extra);

/* ---- steady.h: the short cut for a segment in the middle of a connection ---- */
struct steady *steady_create(const struct policy *policy); /* by rule; NULL without memory */
uint8_t (*steady_choices(const struct policy *policy))[TCP_CHOICES]; /* by profile; the same */

/* ---- judge.c: one packet ---- */
/* An ICMP error about a packet of f: it comes from where that was going. */
struct judgement judge_error(struct live f, const struct packet *p);
/* slot: its flow's, STORE_NONE: it has none. */
struct judgement judge_packet(struct engine *e, const struct packet *p, uint64_t hash,
                              uint32_t slot, struct outcome *out);
/* Few are: the rest of it is not asked then. */
static inline bool judge_may_be_over(const struct engine *e, const struct record *r)
{
    return e->now >= r->deadline || adaptive(e);
}
/* What rule a packet without a flow falls under. */
uint16_t judge_classify(struct engine *e, const struct packet *p, unsigned client, bool guessed);
static inline struct judgement judged(enum verdict verdict, enum reason reason)
{
    return (struct judgement){.verdict = (uint8_t)verdict, .reason = (uint8_t)reason};
}

#endif
