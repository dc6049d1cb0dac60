/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ALIGN_SHOW_H
#define IDLEWALL_ALIGN_SHOW_H

/* What came of it, for people and for machines. */

#include "tools/align/advice.h"

#include <stdio.h>

struct shown {
    const struct join *join;
    const struct advices *advices;
    const struct price *prices;
    size_t n_prices;
    const struct path *path; /* for the heading; may be empty */
};
/* 0 or -ENOMEM. */
int align_text(FILE *to, const struct shown *shown);
int align_json(FILE *to, const struct shown *shown);

/* Shared words. Of durations: rounded to three digits or so, `2h15min`, `78.8s`. */
#define SHOW_TIME 48
const char *show_time(char buf[SHOW_TIME], mtime_t t);
const char *show_keepalive(char *buf, size_t size, const struct end *end);
const char *show_refresh(const struct limit *limit);
/* In a few sentences: why, what the ends see, and whose settings to change. */
int show_reason(FILE *to, const struct row *row);
/* What to set for one software, and what the remedies at one hop cost; text. 0 or a negative errno.
 */
int show_advice(FILE *to, const struct advice *item);
void show_price(FILE *to, const struct price *price);

#endif
