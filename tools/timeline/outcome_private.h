/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_OUTCOME_PRIVATE_H
#define IDLEWALL_OUTCOME_PRIVATE_H

#include "tools/timeline/outcome.h"

/* Each writes sentences, a blank after each. */

/* What happened to hosts and path while the connection was there, from from until before until. */
void outcome_causes(FILE *to, const struct timeline *timeline, const struct outcome_connection *o,
                    mtime_t from, mtime_t until);
/* What would have prevented it, or ended it sooner. */
void outcome_remedy(FILE *to, const struct timeline *timeline, const struct outcome_connection *o);

/* `client`. */
const char *outcome_end(unsigned side);
/* What the application asks for last; false: keepalive is off. */
bool outcome_keepalive(const struct timeline *timeline, unsigned side,
                       struct keepalive_times *times);
/* Was the forced end a deed of the scenario? */
bool outcome_was_told(const struct timeline *timeline, const struct outcome_connection *o);

#endif
