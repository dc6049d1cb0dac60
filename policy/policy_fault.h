/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_POLICY_FAULT_H
#define IDLEWALL_POLICY_FAULT_H

/* Inside policy/ only: positions, words and faults of a policy text. */

#include "policy/policy_parse.h"

/* Both count from 1; columns are bytes. */
struct policy_at {
    unsigned line, column;
};

/* A piece of the text being parsed; not NUL-terminated, lives as long as the text. */
struct policy_word {
    const char *text;
    size_t len;
    struct policy_at at;
};

/* For a fault's "%.*s": no fault repeats more of a word than this. */
#define POLICY_WORD_SHOWN 60
#define POLICY_WORD_ARG(word)                                                                      \
    (int)((word).len < POLICY_WORD_SHOWN ? (word).len : POLICY_WORD_SHOWN), (word).text

#define POLICY_FAULTS_MAX 100

struct policy_faults {
    const char *name;
    policy_fault_fn report;
    void *arg;
    unsigned count;
    int error; /* -ENOMEM, or 0 */
};

__attribute__((format(printf, 3, 4))) void
policy_fault(struct policy_faults *faults, struct policy_at at, const char *format, ...);

#endif
