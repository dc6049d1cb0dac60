/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SCRIPT_H
#define IDLEWALL_SCRIPT_H

/*
 * Packet scripts: what is sent, when, and what the engine must make of it, in virtual time. The
 * language is in tests/scripts/README.md. This header is between the runner's own files.
 */

#include "middlebox/engine/engine.h"
#include "policy/filter.h"

#include <stdbool.h>
#include <stdio.h>

#define SCRIPT_WORDS 48
#define SCRIPT_FLOWS 16
#define SCRIPT_SEGMENTS 256
#define SCRIPT_EVENTS 256
#define SCRIPT_POLICIES 64
#define SCRIPT_TEXT 16384

/* Two ends that talk. */
struct script_flow {
    char name[16];
    uint8_t family, proto;
    uint8_t addr[2][16]; /* by flow_side */
    uint16_t port[2];
    uint32_t isn[2]; /* sequence number that scripts call 0 */
};

struct script_policy {
    struct policy *policy;
    struct filter **filters; /* by rule */
};

/* One variant of one case, running. */
struct script {
    const char *file;
    unsigned line;
    char fault[600];

    char text[SCRIPT_TEXT]; /* of the policy, as changed by `set` and `global` */
    struct script_flow flows[SCRIPT_FLOWS];
    unsigned n_flows;
    mtime_t origin; /* engine time of the script's 0 */
    mtime_t now;    /* script time */
    mtime_t linger;
    bool forget_all; /* run with late-memory 0 0: every verdict must be the same */

    struct engine *engine;
    struct script_policy policies[SCRIPT_POLICIES];
    unsigned n_policies;

    struct outcome out;
    struct segment segments[SCRIPT_SEGMENTS];
    struct event events[SCRIPT_EVENTS];
    size_t seen_segments, seen_events;
};

/* Notes the first fault; returns false, to be returned. */
bool script_fault(struct script *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- script_packet.c ---- */
#define SCRIPT_PACKET_MAX 2048
struct script_packet {
    uint8_t data[SCRIPT_PACKET_MAX];
    uint32_t caplen, len;
    uint32_t mark;
    bool checksum_unready;
};
struct script_flow *script_flow_find(struct script *s, const char *name);
/* `client@NAME`, `server`: the flow and the side. NULL: fault noted. */
struct script_flow *script_end(struct script *s, const char *word, unsigned *side);
bool script_number(struct script *s, const char *word, uint32_t *out);
/* `1:101(100)` */
bool script_range(struct script *s, const char *word, uint32_t *seq, uint32_t *len);
bool script_tcp_flags(struct script *s, const char *word, uint8_t *flags);
/* words: what stands after the end, up to `->`. */
bool script_packet(struct script *s, struct script_flow *flow, unsigned side, char **words,
                   unsigned n, struct script_packet *out);

/* ---- script_expect.c ---- */
/* Segments that nobody expected, and what must hold after every line. */
bool script_settled(struct script *s);
bool script_sane(struct script *s);
bool script_expect_segment(struct script *s, char **words, unsigned n);
bool script_expect_event(struct script *s, char **words, unsigned n);
bool script_expect_state(struct script *s, const char *flow, char **words, unsigned n);
bool script_expect_gone(struct script *s, const char *flow);
bool script_expect_count(struct script *s, char **words, unsigned n);
bool script_flow_matches(const struct script_flow *flow, const struct flow *shown);

/* ---- script_policy.c ---- */
bool script_policy_set(struct script *s, char **words, unsigned n, bool global);
bool script_policy_rule(struct script *s, const char *line);
struct policy *script_policy_make(struct script *s);
unsigned script_classify(void *arg, const struct policy *policy, const struct flow *flow);
void script_policies_free(struct script *s);

/* ---- script_line.c ---- */
bool script_time(struct script *s, const char *word, mtime_t *out);
bool script_start(struct script *s);
bool script_line(struct script *s, char *line);
void script_finish(struct script *s);

#endif
