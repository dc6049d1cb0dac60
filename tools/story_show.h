/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_STORY_SHOW_H
#define IDLEWALL_STORY_SHOW_H

/* A story that was played, simulated or live: printed, drawn, written as captures, and judged by
 * its expectations. */

#include "tools/output_file.h"
#include "tools/scenario/scenario.h"
#include "tools/timeline/timeline.h"

#include <stdbool.h>

struct story_show {
    const char *command; /* whose messages these are */
    bool json, quiet, outcome;
    const char *svg, *pcap;     /* NULL: not asked for */
    struct output_file picture; /* to svg */
};

/* Before the story is played: who cannot get what he asked for need not wait. DONE, or COULD_NOT
 * after a message. */
int story_show_open(struct story_show *show);
/* DONE; NO if an expectation is not met; or COULD_NOT after a message. */
int story_show(struct story_show *show, const struct scenario *scenario,
               const struct timeline *timeline);
/* The picture is complete; DONE, or a message and COULD_NOT. */
int story_show_picture(struct story_show *show, int written);
/* What was not completed is removed. */
void story_show_drop(struct story_show *show);
/* What could not be written to standard output is a failure. */
int story_show_flush(const struct story_show *show, int status);

#endif
