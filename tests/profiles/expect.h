/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_EXPECT_H
#define IDLEWALL_EXPECT_H

/*
 * What firewalls.tsv says about a profile, as far as packets can show it. Nothing in here looks at
 * policy/profiles/.
 */

#include "tests/profiles/play.h"

enum column {
    COLUMN_ID,
    COLUMN_PRODUCT,
    COLUMN_SYN_SENT,
    COLUMN_SYN_RECV,
    COLUMN_ESTABLISHED,
    COLUMN_HALF_CLOSED,
    COLUMN_CLOSE_WAIT,
    COLUMN_LAST_ACK,
    COLUMN_TIME_WAIT,
    COLUMN_CLOSE_RESET,
    COLUMN_UDP_SINGLE,
    COLUMN_UDP_MULTIPLE,
    COLUMN_ICMP,
    COLUMN_GENERIC,
    COLUMN_MIN,
    COLUMN_MAX,
    COLUMN_ON_EXPIRY,
    COLUMN_REFRESH,
    COLUMN_OTHER,
    COLUMN_SOURCE,
    COLUMN_QUOTED,
    COLUMN_VERIFIED,
    COLUMN_UNVERIFIED,
};
#define COLUMNS (COLUMN_UNVERIFIED + 1)

struct row {
    char *cell[COLUMNS];
};

struct survey {
    char *text; /* owned; the cells point into it */
    struct row *rows;
    size_t n;
};

/* False, with *why, when the file is not the table. */
bool survey_read(struct survey *survey, const char *path, const char **why);
void survey_finish(struct survey *survey);

enum expect_expiry { EXPIRY_UNSAID, EXPIRY_SILENT, EXPIRY_RESETS, EXPIRY_PROBES };
enum expect_late {
    LATE_UNSAID,
    LATE_DROP,
    LATE_RESET,
    LATE_RESET_INSIDE,
    LATE_RESET_OUTSIDE,
    LATE_LOOSE,
};
enum expect_refresh {
    REFRESH_IS_UNSAID,
    REFRESH_IS_BOTH,
    REFRESH_IS_EACH,
    REFRESH_IS_CLIENT, /* UDP only */
    REFRESH_IS_PAYLOAD,
    REFRESH_IS_IN_ESTABLISHED,
};

struct expect_probes {
    const char *row;
    bool to_both; /* false: it is not said who is asked */
    unsigned interval_s, count, before_s;
    enum column where; /* the survey's words */
    const char *quote;
};

struct expect {
    const struct row *row;
    char profile[64];
    mtime_t figure[SCENES]; /* 0 is a figure too; EXPECT_NONE: none is given */
    enum expect_expiry expiry;
    enum expect_late late;
    enum expect_refresh tcp, udp;
    const struct expect_probes *probes;
    bool proxy;
};
#define EXPECT_NONE (-1)

/* The rows that say nothing a profile could: NULL, or why. */
const char *expect_no_profile(const char *row);
/* How many profiles a row has, at least 1. */
unsigned expect_variants(const char *row);
/* False, with why, when a cell is of a kind that nobody has thought about. */
bool expect_read(struct expect *out, const struct row *row, unsigned variant, char *why,
                 size_t size);
/* An entry of the tables that no cell of the survey answers to; NULL if there is none. */
const char *expect_unused(void);

#endif
