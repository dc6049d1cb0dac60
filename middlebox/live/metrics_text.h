/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_METRICS_TEXT_H
#define IDLEWALL_METRICS_TEXT_H

/*
 * The counters as a monitoring system scrapes them: OpenMetrics 1.0
 * (draft-richih-opsawg-openmetrics), or the older Prometheus text format 0.0.4, which differs in
 * the names of counters, in units, and in how it ends. Names are a contract
 * (docs/idlewalld.8.scd).
 */

#include "middlebox/record/write.h"

/* Flows of all profiles of that name. */
struct metrics_census {
    const char *profile;
    uint64_t by_state[FLOW_STATES];
};

struct metrics {
    struct record_status status;
    const struct metrics_census *census;
    size_t n_census;
    bool has_deadline;
    mtime_t next_deadline; /* engine time; may be past */
    uint32_t waiting;      /* packets in the kernel's queues now */
};

enum metrics_form { METRICS_OPEN, METRICS_PLAIN };
extern const char *const metrics_content_type[2];

/* Allocated, for free(); *len characters, no NUL. NULL without memory. */
char *metrics_text(enum metrics_form form, const struct record_clock *clock,
                   const struct metrics *metrics, size_t *len);

#endif
