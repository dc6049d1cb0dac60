/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SUMMARY_MEMBER_H
#define IDLEWALL_SUMMARY_MEMBER_H

/* The members of one flat JSON object. What is missing or of another kind sets broken and gives 0:
 * to be looked at once, at the end. */

#include "policy/mtime.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct member_line {
    const char *text; /* borrowed */
    json_t *object;
    bool broken;
};
/* False: no object. To be finished either way. */
bool member_line_init(struct member_line *line, const char *text);
void member_line_finish(struct member_line *line);

const char *member_text(struct member_line *line, const char *name); /* NULL where it is null */
uint64_t member_number(struct member_line *line, const char *name, uint64_t most);
bool member_bool(struct member_line *line, const char *name);
/* To the nanosecond, and never below 0. null: MTIME_NEVER. */
mtime_t member_seconds(struct member_line *line, const char *name);
mtime_t member_seconds_or_none(struct member_line *line, const char *name); /* null: 0 */
/* 4 or 6. */
uint8_t member_address(struct member_line *line, const char *name, uint8_t address[16]);
/* Which of n words it is. */
unsigned member_word(struct member_line *line, const char *name, unsigned n,
                     const char *(*word)(unsigned));
const char *state_word(unsigned i), *side_word(unsigned i), *action_word(unsigned i);
const char *outcome_word(unsigned i), *end_word(unsigned i);

#endif
