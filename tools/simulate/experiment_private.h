/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_EXPERIMENT_PRIVATE_H
#define IDLEWALL_EXPERIMENT_PRIVATE_H

/* What the experiment's files share: points, axes as numbers, and the table's columns. */

#include "tools/simulate/experiment.h"

/* All points chosen, none played. 0 or -ENOMEM; to be finished either way. */
int experiment_init(struct experiment *out, const struct scenario *scenario);
/* One choice an axis. */
const size_t *experiment_choice(const struct experiment *experiment, size_t point);

/* What the values of an axis are, taken together. */
enum axis_kind {
    AXIS_WORD,
    AXIS_NUMBER,
    AXIS_SECONDS, /* durations, at least one with a unit, or a keepalive's idle time or interval */
    AXIS_PERCENT,
};
enum axis_kind axis_kind(const struct axis *axis);
/* Of a kind that is not AXIS_WORD; in seconds or per cent. */
double axis_number(const struct axis *axis, size_t value);

/* A figure of a row. */
enum column_form { COLUMN_COUNT, COLUMN_MEAN, COLUMN_SHARE, COLUMN_SECONDS, COLUMN_ERRNO };
enum column_scope {
    COLUMN_ALL,
    COLUMN_SIDE,     /* once for client and server each */
    COLUMN_FIREWALL, /* once for each firewall */
};
struct column {
    const char *name;    /* in CSV and JSON, with its unit; NULL: not there */
    const char *heading; /* in the table for people; NULL: not there */
    enum column_form form;
    enum column_scope scope;
    /* which: the side or firewall. NAN: there is none. */
    double (*value)(const struct tally *tally, size_t which);
};
extern const struct column experiment_columns[];
extern const size_t experiment_column_count;
size_t column_times(const struct column *column, const struct scenario *scenario);
/* "client", a firewall's name, or "". */
const char *column_owner(const struct column *column, const struct scenario *scenario,
                         size_t which);
/* A value that says nothing: 0, or there is none. */
bool column_silent(double value);

double tally_broken_share(const struct tally *tally);
double tally_packets_a_day(const struct tally *tally);

#endif
