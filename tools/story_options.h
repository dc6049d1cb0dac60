/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_STORY_OPTIONS_H
#define IDLEWALL_STORY_OPTIONS_H

/* What `simulate` and `lab` are asked alike of a story. */

#include "tools/command.h"
#include "tools/story_show.h"

enum { STORY_SVG = 512, STORY_PCAP, STORY_OUTCOME, STORY_QUIET, STORY_SET };

/* clang-format off */
#define STORY_OPTIONS                                                                              \
    {"output", required_argument, NULL, 'o'},                                                      \
    {"svg", required_argument, NULL, STORY_SVG},                                                   \
    {"write-pcap", required_argument, NULL, STORY_PCAP},                                           \
    {"outcome", no_argument, NULL, STORY_OUTCOME},                                                 \
    {"quiet", no_argument, NULL, STORY_QUIET},                                                     \
    {"set", required_argument, NULL, STORY_SET}
/* clang-format on */

struct story_options {
    struct story_show *show;
    const char **sets;
    size_t n_sets;
};
/* For a command line of so many arguments. 0 or -ENOMEM. */
int story_options_init(struct story_options *options, struct story_show *show, int argc);
void story_options_finish(struct story_options *options);
/* One of STORY_OPTIONS but --output; others are passed over. DONE, or WRONG_USE after a message. */
int story_options_take(struct story_options *options, int code, const char *value);
/* scenario_read(): faults of the text go to standard error. */
int story_options_read(const struct story_options *options, const char *what,
                       struct scenario **scenario);

#endif
