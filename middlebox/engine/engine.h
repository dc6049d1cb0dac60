/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ENGINE_H
#define IDLEWALL_ENGINE_H

/*
 * The engine: packets and time in, verdicts, segments and events out. No I/O, no clock, no globals,
 * and no allocation per packet once a flow exists. One engine belongs to one thread at a time;
 * several may stand side by side. Times given to one engine should not run backwards; one that does
 * counts as the latest seen.
 *
 * A flow is expired when now >= deadline, judged by each packet's own time, never by when
 * engine_advance() happened to run (as nf_ct_is_expired() in the kernel's nf_conntrack.h). One
 * exception: adaptive timeouts go by the number of entries, and one that is over counts until it is
 * swept, as pf's do.
 */

#include "middlebox/engine/packet.h"
#include "middlebox/engine/segment.h"
#include "middlebox/record/event.h"
#include "middlebox/record/flow.h"
#include "policy/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine; /* opaque */

/* What a packet was to its flow. */
struct engine_seen {
    mtime_t now, last; /* engine time; activity before it, as flow.last */
    uint8_t side;      /* flow_side of its sender */
    uint8_t timeout;   /* enum policy_timeout that was in force until now */
    uint16_t rule;
    uint32_t slot;  /* for engine_show() */
    bool opened;    /* the flow's first: last is now */
    bool accepted;  /* counted in the flow; else out of window, or blocked */
    bool refreshed; /* restarted the idle time */
    bool keepalive; /* a probe, or the answer to one */
    bool doubted; /* a deadline two minutes off or more came nearer, to tcp-unacknowledged from now
                   */
    uint16_t choice; /* what named its timeout again, whatever the durations are; ENGINE_NO_CHOICE:
                        nothing did, and if it refreshed, it is the flow's last */
};
#define ENGINE_CHOICES 0x440
#define ENGINE_NO_CHOICE UINT16_MAX
/* Which timeout of a profile like the flow's, but for its durations, that would have been. */
enum policy_timeout engine_choice(const struct policy_profile *profile, unsigned choice);

/* A packet that has no flow: late, refused, or nonsense by itself. */
struct engine_stray {
    mtime_t now;
    uint8_t client; /* which end of the key is the client, as far as it can be told */
    bool guessed;
    bool accepted;
    uint8_t reason; /* enum reason */
    uint8_t action; /* enum event_action: what is done about it */
    uint16_t rule;
};

/* A front end that keeps facts of its own beside every flow. Called as packets are judged, in their
 * order. */
struct engine_watch {
    size_t
        room; /* bytes a flow, a multiple of 8: zeroed when it opens, asked for with its record */
    /* Of TCP, UDP, echo and other flows; not ICMP errors about them. */
    void (*packet)(void *arg, void *beside, const struct packet *p, const struct engine_seen *seen);
    void (*stray)(void *arg, const struct packet *p, const struct engine_stray *stray);
    /* The flow is gone; `at` is when its time was over, whenever that was found. There is no late
     * memory where this is told. */
    void (*ended)(void *arg, void *beside, const struct flow *flow, enum flow_end reason,
                  mtime_t at);
    /* May this segment without a flow be picked up mid-stream, whatever on-late says? In place of
     * adopt-at-start. */
    bool (*adopt)(void *arg, const struct packet *p);
};

struct engine_config {
    uint32_t max_flows; /* this engine's share; 0: the policy's max-flows */
    uint8_t hash_secret[16];
    bool quick_hash; /* packets are out of a file: nobody who makes them sees how long they take */
    mtime_t start;   /* the first moment: adopt-at-start counts from here */
    mtime_t linger; /* how long a flow we reset is remembered, to answer what its ends still send */
    uint32_t wants; /* EVENT_BIT()s to report; may be changed by engine_want() */
    /* Which rule of policy a flow opened by this packet falls under, oriented as flow (client and
     * server decided). Called once a flow, with the engine's current policy. Must return <
     * policy->n_rules. */
    unsigned (*classify)(void *arg, const struct policy *policy, const struct flow *flow);
    /* Latest activity of the flow known elsewhere (a kernel fast path), or 0. NULL: there is none.
     */
    mtime_t (*activity)(void *arg, const struct flow_key *key);
    void *arg;
    const struct engine_watch *watch; /* NULL: none; else its calls are given arg */
    bool unlimited;                   /* inject-rate does not count: nothing is really sent */
    bool many; /* flows are to be expected: in huge pages from the first on */
};

enum verdict { VERDICT_ACCEPT, VERDICT_DROP };

/* Why each packet got its verdict; the counters of `status`. */
enum reason {
    REASON_FLOW,     /* belongs to a flow */
    REASON_NEW,      /* opened one */
    REASON_NO_FLOW,  /* passes without one: ICMP without id, an ICMP error for an existing flow */
    REASON_ADOPTED,  /* opened one mid-stream */
    REASON_LATE,     /* needs a flow, has none */
    REASON_INVALID,  /* out of window, impossible flags */
    REASON_BLOCKED,  /* by `block` */
    REASON_RULE,     /* drop or reject */
    REASON_FULL,     /* the table is full */
    REASON_DEAD,     /* belongs to a flow that was reset a moment ago */
    REASON_FRAGMENT, /* a later fragment: follows its first */
    REASON_FRAGMENT_LOST, /* a later fragment whose first was not seen */
    REASON_TRUNCATED,
    REASON_MALFORMED,
    REASON_CHECKSUM,
    REASON_PROBE, /* answers a probe of ours, and dcd-answers says swallow */
};
#define REASONS (REASON_PROBE + 1)
const char *reason_name(enum reason reason); /* "out of window"; static */

struct judgement {
    uint8_t verdict; /* enum verdict */
    uint8_t reason;  /* enum reason */
};

/* Where outcomes go. The arrays are the caller's; the counts are raised by the engine, reset by the
 * caller. */
struct outcome {
    struct judgement
        *judgements; /* engine_packets(): one a packet consumed; may be NULL elsewhere */
    struct segment *segments;
    size_t n_segments, max_segments;
    struct event *events;
    size_t n_events, max_events;
};
/* Room that one packet or one expiry can need; engine calls return early when there is less. */
#define OUTCOME_SEGMENTS 8
#define OUTCOME_EVENTS 4

/* 0, -ENOMEM, or -EINVAL for a policy this engine cannot carry out. Takes its own policy reference.
 */
int engine_create(struct engine **out, const struct engine_config *config, struct policy *policy);
struct engine *engine_destroy(struct engine *engine);

/* Judges packets in order; every one must have been through packet_decode(). Returns how many were
 * consumed: fewer than n means out is full: drain it and call again with the rest. */
size_t engine_packets(struct engine *engine, const struct packet *packets, size_t n,
                      struct outcome *out);

/* An ICMP error that arrived on another engine's queue: true if this engine has the flow it quotes,
 * which is then judged (a REASON_NO_FLOW accept or a drop) in *judgement. Only for
 * PACKET_ICMP_ERROR. */
bool engine_owns(struct engine *engine, const struct packet *packet, struct judgement *judgement);

/* Expires what is due at now, at most budget flows. True while more is due (also when out filled
 * up). Resets wait for inject-rate: then true is not returned, and engine_next_deadline() says when
 * to go on. */
bool engine_advance(struct engine *engine, mtime_t now, unsigned budget, struct outcome *out);

/* False if nothing is ever due. *when may be earlier than the first expiry, never later; only while
 * adaptive timeouts rule, events may come 10 ms later than they could. */
bool engine_next_deadline(const struct engine *engine, mtime_t *when);

/* From now on new flows are opened under policy. max_flows does not shrink below the flows that
 * live. 0; -EINVAL as engine_create(); -EUSERS with 65535 older policies still in use; -ENOMEM. On
 * error nothing changed. */
int engine_set_policy(struct engine *engine, struct policy *policy);
/* Makes ready to open flows under another policy now and then, which differs from the current one in
 * the durations of timeouts at most. Its number, -ENOMEM, -EUSERS or -EINVAL. The caller keeps a
 * reference as long as it uses the number. */
int engine_add_policy(struct engine *engine, struct policy *policy);
/* From now on new flows are opened under the policy of that number. */
void engine_use_policy(struct engine *engine, unsigned number);
void engine_want(struct engine *engine, uint32_t wants);

/* Tells watch->ended of every flow that lives, with FLOW_END_NONE; they live on. */
void engine_watch_all(struct engine *engine);
/* The flow that watch->packet is being told of, as it is now. */
void engine_show(const struct engine *engine, const struct engine_seen *seen, struct flow *out);

enum engine_verb { ENGINE_EXPIRE, ENGINE_FORGET, ENGINE_KILL, ENGINE_BLOCK, ENGINE_UNBLOCK };
struct engine_command {
    enum engine_verb verb;
    bool side_given; /* BLOCK, UNBLOCK: only packets from this side; else both */
    enum flow_side side;
    bool (*match)(void *arg, const struct flow *flow); /* NULL: all */
    void *arg;
    uint64_t cursor;  /* start with 0 */
    uint64_t matched; /* raised by one for every flow acted on */
};
/* One slice of a command. True: not finished; drain out and call again (not before
 * engine_next_deadline() if nothing was put out: inject-rate). */
bool engine_command(struct engine *engine, mtime_t now, struct engine_command *command,
                    struct outcome *out);

/* Copies up to n flows; start with *cursor 0. Returns how many; 0 is the end. Every flow that lives
 * through the whole reading comes exactly once; one that is opened or ends meanwhile at most once.
 * Flows that are due at now, or were reset, do not come. */
size_t engine_read(struct engine *engine, mtime_t now, uint64_t *cursor, struct flow *flows,
                   size_t n);

/* Puts back a flow of a saved table, under the current policy and its rules. 0, -EEXIST, -ENOSPC,
 * -EINVAL. */
int engine_restore(struct engine *engine, mtime_t now, const struct flow *flow);

/* Bounds of engine_stats.late_idle, ascending: a bucket holds what is not above its bound. */
#define ENGINE_LATE_IDLE 15
extern const mtime_t engine_late_idle[ENGINE_LATE_IDLE];

struct engine_stats {
    uint64_t packets[REASONS]; /* by reason, both verdicts */
    uint64_t accepted, dropped;
    uint64_t opened, expired, ended[FLOW_END_RESOURCES + 1]; /* ended: by reason */
    uint64_t late, late_remembered;
    uint64_t late_action[ACTED_RATE_LIMITED + 1]; /* by enum event_action */
    /* How long the remembered flow had been idle when the packet came: up to each bound, and more.
     */
    uint64_t late_idle[ENGINE_LATE_IDLE + 1], late_idle_ms;
    uint64_t segments[SEGMENT_PROBE + 1], rate_limited;
    uint32_t flows, max_flows, peak_flows;
    uint32_t policies;  /* in use, the current one included */
    uint32_t lingering; /* reset a moment ago, still answered */
    uint32_t by_state[FLOW_STATES];
    uint64_t memory; /* bytes the tables hold */
};
void engine_stats(const struct engine *engine, struct engine_stats *out);

/* Flows of one profile of one policy, without those that were reset a moment ago. */
struct engine_census {
    const struct policy *policy; /* borrowed until the next engine call */
    uint32_t profile;            /* index in policy->profiles */
    uint32_t by_state[FLOW_STATES];
};
/* Up to n rows that are not all 0; start with *cursor 0. Fewer than n: that was the end. */
size_t engine_census(const struct engine *engine, uint64_t *cursor, struct engine_census *rows,
                     size_t n);

/* Walks all invariants, slowly. NULL if they hold, else a static text naming the first that does
 * not. */
const char *engine_check(const struct engine *engine);

#endif
