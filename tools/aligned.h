/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_ALIGNED_H
#define IDLEWALL_ALIGNED_H

/* A table for people: columns as wide as what is in them, two spaces between. */

#include <stdint.h>
#include <stdio.h>

struct aligned {
    FILE *to; /* cells, each ended by NUL; in memory */
    char *cells;
    size_t len, n_columns, n_cells;
    uint64_t right; /* a bit for each column of numbers, the first is bit 0; the caller's to set */
};
/* 0 or -ENOMEM; to be finished after 0. */
int aligned_init(struct aligned *table, size_t n_columns);
/* Row after row, from the left. */
void aligned_add(struct aligned *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* 0 or -ENOMEM. */
int aligned_finish(struct aligned *table, FILE *to);

#endif
