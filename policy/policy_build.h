/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_POLICY_BUILD_H
#define IDLEWALL_POLICY_BUILD_H

/* Inside policy/ only: what the grammar calls to build a policy, statement by statement. */

#include "policy/policy_names.h"

#define POLICY_GLOBALS 9
#define POLICY_PROFILES_MAX 4096
#define POLICY_RULES_MAX 32767
#define POLICY_NAME_MAX 63
/* The squares of all filters' terms, because libpcap's time goes by them. Enough for 32767 filters
 * of four terms; some seconds at worst. */
#define POLICY_FILTER_COST_MAX (UINT64_C(1) << 20)

/* What may follow a figure of a profile. */
struct policy_note {
    bool unverified, has_source;
    struct policy_word source; /* as written, with its quotes */
};

struct policy_does {
    enum policy_action action;
    struct policy_word use; /* ACTION_USE: the profile's name */
};

struct policy_build {
    struct policy_faults faults;
    bool shipped; /* the text of a shipped profile: one profile, nothing else */
    struct policy *policy;
    struct policy_names profiles, rules;
    size_t room_profiles, room_rules, room_does;
    struct policy_does *does; /* owned; one a rule: profiles are looked up at the end */

    struct policy_profile open; /* the profile being read */
    struct policy_at open_at;
    unsigned set_line[POLICY_SETTINGS]; /* 0: not set */
    unsigned product_line;

    unsigned global_line[POLICY_GLOBALS];
    struct policy_word *args; /* owned; of the statement being read */
    size_t n_args, room_args;
    unsigned default_line;
    uint64_t filter_cost;    /* so far, see POLICY_FILTER_COST_MAX */
    struct policy_word last; /* the lexer's last word, for faults */
    struct policy_at end;    /* of the text */
};

/* 0 or -ENOMEM. The faults' name, report and arg are the caller's to fill in. */
int policy_build_init(struct policy_build *build);
void policy_build_finish(struct policy_build *build);
/* At the end of the text: what only shows when all of it is known. */
void policy_build_complete(struct policy_build *build);

void policy_build_open(struct policy_build *build, struct policy_at at,
                       const struct policy_word *name, const struct policy_word *base);
void policy_build_setting(struct policy_build *build, struct policy_word word,
                          struct policy_word value, struct policy_note note);
void policy_build_product(struct policy_build *build, struct policy_word word,
                          struct policy_word string);
void policy_build_close(struct policy_build *build);
void policy_build_unclosed(struct policy_build *build);

void policy_build_rule(struct policy_build *build, struct policy_word name,
                       struct policy_word match, struct policy_does does);
void policy_build_default(struct policy_build *build, struct policy_word word,
                          struct policy_does does);

/* A default whose line has a reported fault: it is there, so its absence is none. */
void policy_build_default_faulty(struct policy_build *build, struct policy_word word);

void policy_build_arg(struct policy_build *build, struct policy_word arg);
void policy_build_global(struct policy_build *build, struct policy_word word);
/* Faults of globals that do not go together. */
void policy_build_check_globals(struct policy_build *build);
/* The ports that count as a server's where the policy names none. */
int policy_build_default_ports(struct policy *policy);

/* A quoted text without quotes and escapes, to be freed; NULL after noting -ENOMEM. */
char *policy_build_string(struct policy_build *build, struct policy_word string);
/* A word as a C string likewise. */
char *policy_build_word(struct policy_build *build, struct policy_word word);

/* Whether the word can name a profile or rule; a fault if not. */
bool policy_build_name_fits(struct policy_build *build, struct policy_word name);
void policy_build_unknown_profile(struct policy_build *build, struct policy_word name,
                                  const char *allowed);
/* The array with room for one more than n, possibly moved. NULL after noting -ENOMEM. */
void *policy_build_room(struct policy_build *build, void *array, size_t n, size_t *room,
                        size_t size);
void policy_build_profiles_finish(struct policy_build *build);
/* Finds the profiles that rules use; faults where there is none, and without a default. */
void policy_build_rules_complete(struct policy_build *build);

/* Parses one text into build; what policy_parse() and the shipped profiles share. */
void policy_build_text(struct policy_build *build, const char *text, size_t len);

/* The shipped profile of that name into profile (owned by the caller then). 0, -ENOENT, -ENOMEM. */
int policy_build_shipped(struct policy_profile *profile, struct policy_word name);

#endif
