/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_EXPECT_H
#define IDLEWALL_EXPECT_H

#include "tools/timeline/timeline.h"

#include <stdio.h>

struct expect_result {
    const struct expectation *expectation;
    bool met;
    char seen[192]; /* what was seen instead, or as asked: "ETIMEDOUT at 7min0.2s" */
};

/* results has room for scenario->n_expectations. True if all are met. */
bool expect_check(const struct timeline *timeline, struct expect_result *results);
/* `FILE:LINE: expected ..., seen ...` for those that are not met, one a line. */
void expect_report(FILE *to, const struct scenario *scenario, const struct expect_result *results);

#endif
