/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_POLICY_SETTING_H
#define IDLEWALL_POLICY_SETTING_H

/* Inside policy/ only: the settings of a profile by number, their words, and what blanks mean. */

#include "policy/policy_fault.h"

#include <stdio.h>

/* Long enough for the text of every setting. */
#define POLICY_SETTING_TEXT 48

/* The built-in base of every profile without `from`: the kernel's nf_conntrack defaults, all
 * assumed. */
void policy_setting_defaults(struct policy_profile *profile);
/* All of base's values, all assumed, without sources. */
void policy_setting_inherit(struct policy_profile *profile, const struct policy_profile *base);

/* The setting of that name, or POLICY_SETTINGS. */
unsigned policy_setting_find(struct policy_word word);
/* Sets the value the word means. Reports a fault when it means none. */
void policy_setting_assign(struct policy_profile *profile, unsigned setting,
                           struct policy_word word, struct policy_faults *faults);
/* The word that policy_setting_assign() takes for the value. Returns buf, or a static text. */
const char *policy_setting_text(const struct policy_profile *profile, unsigned setting,
                                char buf[POLICY_SETTING_TEXT]);
bool policy_setting_equal(const struct policy_profile *a, const struct policy_profile *b,
                          unsigned setting);

/* A word as a duration. False after reporting a fault. */
bool policy_setting_duration(struct policy_word word, mtime_t *out, struct policy_faults *faults);

#endif
