/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_POLICY_LEX_H
#define IDLEWALL_POLICY_LEX_H

/* Inside policy/ only: between policy_parse.c and the generated lexer. */

#include "policy/policy_fault.h"

#include <stddef.h>

struct policy_lex {
    const char *text; /* what is scanned */
    size_t offset;    /* of the end of the last token */
    struct policy_at at;
    bool line_open;           /* tokens since the last end of line */
    struct policy_word *last; /* the last word, text or brace */
    struct policy_faults *faults;
    /* What flex allocates, a few hundred bytes a scanner: it would exit(2) if there were none. */
    _Alignas(max_align_t) unsigned char memory[1024];
    size_t memory_used;
};

#endif
