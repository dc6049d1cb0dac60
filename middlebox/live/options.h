/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_OPTIONS_H
#define IDLEWALL_OPTIONS_H

#include "middlebox/live/metrics_address.h"
#include "middlebox/live/rules_text.h"

#define OPTIONS_CONTROL "/run/idlewall/control"
#define OPTIONS_QUEUES 64

struct options {
    const char *policy;     /* a file; or */
    const char *profile;    /* a shipped profile's name */
    struct rules_plan plan; /* all but fail_open, which the policy says */
    bool rules;             /* install them */
    const char *control;
    const char *metrics; /* as given, or NULL */
    union metrics_address metrics_address;
    unsigned speed;
    const char *record; /* or NULL */
};

enum options_result { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_WRONG };
/* On OPTIONS_WRONG why says what is wrong and what is allowed. The strings of options are argv's.
 */
enum options_result options_parse(struct options *options, int argc, char *argv[], char *why,
                                  size_t why_size);
extern const char options_help[];

#endif
