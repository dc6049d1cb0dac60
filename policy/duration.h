/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_DURATION_H
#define IDLEWALL_DURATION_H

#include "policy/mtime.h"

#include <stddef.h>

/* Long enough for every text duration_format() writes, with its NUL. */
#define DURATION_TEXT 48

/*
 * Parse `350s`, `2h4min`, `500ms`, `1d`, a bare number of seconds (decimals allowed: `1.5`), or
 * `never`. Units: d h min s ms us ns (`m` is refused as ambiguous). 0, a negative value, a unit out
 * of order or repeated, and anything above 292 years are errors. Returns 0, or -EINVAL and *why (a
 * static text, never freed) saying what is wrong.
 */
int duration_parse(const char *text, mtime_t *out, const char **why);

/* The same notation, exact: duration_parse() of the text gives the same duration. Returns buf. */
char *duration_format(mtime_t duration, char *buf, size_t size);

#endif
