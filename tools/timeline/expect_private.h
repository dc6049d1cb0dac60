/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_EXPECT_PRIVATE_H
#define IDLEWALL_EXPECT_PRIVATE_H

#include "tools/timeline/expect.h"

/* Of what lasts: states, timers, numbers of sockets, flows. True if it held at any moment of the
 * expectation's time. Fills in what was seen. */
bool expect_lasting(const struct timeline *timeline, const struct expectation *e,
                    struct expect_result *result);

#endif
