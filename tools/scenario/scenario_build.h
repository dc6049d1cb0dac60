/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SCENARIO_BUILD_H
#define IDLEWALL_SCENARIO_BUILD_H

/* Inside tools/scenario only: what the parser works with. */

#include "policy/policy_fault.h"
#include "tools/scenario/scenario_parse.h"

#include <stddef.h>
#include <string.h>

struct scenario_lex {
    const char *text; /* what is scanned */
    size_t offset;    /* of the end of the last token */
    struct policy_at at;
    bool line_open; /* tokens since the last end of line */
    struct policy_faults *faults;
    _Alignas(max_align_t) unsigned char memory[1024]; /* what flex allocates */
    size_t memory_used;
};

struct build_word {
    struct policy_word word;
    bool quoted;
};
struct build_statement {
    size_t first, n;        /* of words */
    struct policy_at brace; /* line 0: none */
    bool broken;            /* what follows the words is a fault already reported */
};

struct scenario_build {
    struct policy_faults faults;
    const char *directory; /* where policy files are; NULL: nowhere */
    struct scenario *scenario;
    struct build_word *words; /* owned; of all statements */
    size_t n_words, room_words, statement_start;
    size_t line_start; /* in braces: the first word of the line */
    struct policy_at brace;
    struct build_statement *statements; /* owned */
    size_t n_statements, room_statements;
    struct policy_at end;
    unsigned line[2]; /* where client and server stand; 0: not yet */
    unsigned place;   /* how many hosts and firewalls stand above */
    bool link_given[SCENARIO_FIREWALLS + 1];
    unsigned once[16];     /* lines of the statements that may stand once */
    bool cut;              /* an unclosed brace swallowed the rest */
    bool until_given;      /* and it is a time */
    struct axis *replaced; /* owned; of settings that `set` replaced, whose words are still used */
    size_t n_replaced, room_replaced;
    size_t room_deeds, room_expectations, room_axes;
    mtime_t last_deed; /* `after` counts from it */
    struct build_firewall {
        struct policy_at at;
        struct policy_word profile; /* text NULL: the default */
        struct policy_word file;    /* quoted; text NULL: none */
        struct build_pair {
            struct policy_word setting, value, second;
        } * settings; /* owned */
        size_t n_settings, room_settings;
    } firewalls[SCENARIO_FIREWALLS];
};

/* One text, whose lists stand for their first values. */
int scenario_parse_text(struct scenario **out, const char *name, const char *text, size_t len,
                        const char *directory, policy_fault_fn fault, void *arg);

void scenario_axis_finish(struct axis *axis);

/* What a firewall of a story has unless said: nothing is adopted but what the story says, and who
 * came too late is known at its end. */
#define FIREWALL_ADOPTS "adopt-at-start none"
#define FIREWALL_REMEMBERS "late-memory 400d 100000"

/* What the grammar calls. */
void scenario_build_word(struct scenario_build *build, struct policy_word word, bool quoted);
void scenario_build_statement(struct scenario_build *build);
void scenario_build_broken(struct scenario_build *build);
void scenario_build_open(struct scenario_build *build, struct policy_at at);
void scenario_build_line(struct scenario_build *build);
void scenario_build_drop(struct scenario_build *build);
void scenario_build_unclosed(struct scenario_build *build, struct policy_at at);

/* The array with room for one more than n, possibly moved. NULL after noting -ENOMEM. */
void *scenario_build_room(struct scenario_build *build, void *array, size_t n, size_t *room,
                          size_t size);
/* A copy as C string, without quotes and escapes if quoted. NULL after noting -ENOMEM. */
char *scenario_build_string(struct scenario_build *build, struct policy_word word, bool quoted);

/* The words of one statement, read one by one; a fault is reported where they do not fit. */
struct words {
    struct scenario_build *build;
    const struct build_word *all;
    size_t n, i;
    struct policy_at end; /* of the line */
    bool faulty;          /* reported: the rest of the line is passed over */
    unsigned fault_line;
    bool broken;   /* what is missing at the end has been reported */
    bool replaces; /* `set`: what comes later wins */
};
__attribute__((format(printf, 2, 3))) void words_fault(struct words *words, const char *format,
                                                       ...);
__attribute__((format(printf, 3, 4))) void words_fault_at(struct words *words, struct policy_at at,
                                                          const char *format, ...);
/* At the word that was taken last. */
__attribute__((format(printf, 2, 3))) void words_fault_last(struct words *words, const char *format,
                                                            ...);
bool words_more(const struct words *words);
/* As words_more(); but a fault in braces is forgotten at the next line. */
bool words_resume(struct words *words);
/* False, reported, if bit is in given already; else it is now. At the word that was taken last. */
bool words_once(struct words *words, uint64_t *given, unsigned bit, const char *label);
bool words_next_is(const struct words *words, const char *text);
/* Takes the word if it is this one. */
bool words_accept(struct words *words, const char *text);
/* Takes it, or reports what is missing. */
bool words_take(struct words *words, struct policy_word *out, const char *what);
bool words_take_string(struct words *words, struct policy_word *out, const char *what);
/* The statement must end here. */
void words_finish(struct words *words);
static inline bool word_equals(struct policy_word word, const char *text)
{
    return strlen(text) == word.len && memcmp(text, word.text, word.len) == 0;
}

enum value_kind {
    VALUE_DURATION, /* limits in ns */
    VALUE_SECONDS,  /* whole seconds; limits in seconds, out in ns */
    VALUE_NUMBER,
    VALUE_PERCENT, /* out: millionths */
    VALUE_WORD,    /* taken as it is */
};
struct value {
    uint64_t number; /* DURATION, SECONDS: ns */
    struct policy_word word;
};
/* One value without a grid. False after reporting a fault. never: allowed for durations, becomes
 * MTIME_NEVER. */
bool value_parse(struct words *words, struct policy_word word, enum value_kind kind, uint64_t least,
                 uint64_t most, bool never, struct value *out);
/* The next word as value of the setting called label: a list or range becomes an axis, and the
 * first of its values is given. */
bool value_take(struct words *words, const char *label, enum value_kind kind, uint64_t least,
                uint64_t most, bool never, struct value *out);
/* The axis of that label is no more. */
void value_replace(struct words *words, const char *label);
/* A single value, no list. */
bool value_take_one(struct words *words, const char *what, enum value_kind kind, uint64_t least,
                    uint64_t most, struct value *out);
/* `A..B`, or `A` for both. */
bool value_take_range(struct words *words, const char *what, enum value_kind kind, uint64_t least,
                      uint64_t most, uint64_t *from, uint64_t *to);

/* By statement. */
void host_statement(struct words *words, enum flow_side side, bool again);
/* A deed's `set`: keepalive and user timeout of that side. */
void host_settings_finish(struct scenario_build *build);
/* `on|off|IDLE INTERVAL COUNT|idle N ...` */
bool keepalive_take(struct words *words, const char *label, struct scenario_host *host);
/* TCP_USER_TIMEOUT is an int of milliseconds (net/ipv4/tcp.c). */
#define USER_TIMEOUT_MAX (INT32_MAX * (uint64_t)MTIME_MSEC)
void firewall_statement(struct words *words);
void firewall_set(struct words *words, size_t which);
void firewalls_finish(struct scenario_build *build);
/* What it named. */
enum { LINK_DELAY, LINK_LOSS };
uint64_t link_statement(struct words *words, struct scenario_link *link, const char *label);
void deed_statement(struct words *words);
void deeds_finish(struct scenario_build *build);
void expect_statement(struct words *words, struct policy_at at);
void workload_statement(struct words *words);

/* The place of that name: client, server, a firewall's, or `firewall` for the only one. -1 after
 * reporting. */
int place_take(struct words *words, const char *allowed);
int place_find(const struct scenario_build *build, struct policy_word word);
/* "client, server, gateway"; in buf. */
const char *place_names(const struct scenario_build *build, char *buf, size_t size);

#endif
