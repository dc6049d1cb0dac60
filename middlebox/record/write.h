/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_WRITE_H
#define IDLEWALL_WRITE_H

/*
 * Flows, events and counters as text, JSON, CSV or conntrack's own lines, appended to a buffer.
 * JSON and CSV are a contract (docs/control.md); text may get better at any time. No locale, no
 * stdio.
 */

#include "middlebox/engine/engine.h"
#include "middlebox/record/event.h"
#include "middlebox/record/flow.h"

#include <stddef.h>
#include <stdint.h>

/* Start with zeros; grows as needed. The caller empties it by len = 0 and frees data. Not
 * NUL-terminated. */
struct record_buf {
    char *data;
    size_t len, cap;
};

/* Events and status know text and JSON; the others give -EINVAL. */
enum record_format { RECORD_TEXT, RECORD_JSON, RECORD_CSV, RECORD_CONNTRACK };

/* Turns engine time into what people read. */
struct record_clock {
    mtime_t now;           /* engine time: idle and remaining times refer to it */
    mtime_t start;         /* engine time that is t_s 0 */
    int64_t wall_start_ns; /* Unix time at start */
    unsigned speed;        /* engine seconds a wall second; 0 counts as 1 */
};

/* The counters of `status`, of all engines together. */
struct record_status {
    struct engine_stats engine;
    const char *version;
    const char *profile; /* of the default rule */
    const char *policy;  /* the file, NULL with --profile */
    const char *hook;    /* "forward", "local" */
    const char *metrics; /* where counters are served, `127.0.0.1:9180`; NULL: nowhere */
    unsigned queue_first, queues;
    mtime_t uptime;         /* wall time */
    uint64_t queue_dropped; /* the kernel's queue was full */
    uint64_t user_dropped;  /* the kernel could not put it into our socket's buffer */
    uint64_t enobufs;       /* times our socket reported such a loss */
    uint64_t injected, inject_failed;
    uint32_t largest_batch; /* packets in one receive */
    mtime_t backlog_max;    /* wall time: the longest a batch was late */
    uint64_t reloads, reloads_failed;
    uint32_t clients;     /* of the control socket, now */
    uint64_t lost_events; /* that slow readers missed */
    uint64_t rss_bytes;
};

/* All append whole lines, or on -ENOMEM nothing, and return 0, -ENOMEM or -EINVAL. */

/* The header line of a table of flows in TEXT and CSV; nothing for the others. */
int record_flow_header(struct record_buf *buf, enum record_format format);
int record_flow(struct record_buf *buf, enum record_format format, const struct record_clock *clock,
                const struct flow *flow);
int record_event(struct record_buf *buf, enum record_format format,
                 const struct record_clock *clock, const struct event *event);
/* A reader was too slow and missed count events. */
int record_lost(struct record_buf *buf, enum record_format format, uint64_t count);
int record_status(struct record_buf *buf, enum record_format format,
                  const struct record_clock *clock, const struct record_status *status);

#endif
