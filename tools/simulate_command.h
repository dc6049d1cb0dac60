/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SIMULATE_COMMAND_H
#define IDLEWALL_SIMULATE_COMMAND_H

/* `idlewall simulate`: what its files share. */

#include "tools/output_file.h"
#include "tools/scenario/scenario.h"

#include <stdbool.h>

enum simulate_form { SIMULATE_TEXT, SIMULATE_JSON, SIMULATE_CSV };

struct simulate {
    const char *what; /* FILE, CASE or - */
    enum simulate_form form;
    const char *svg, *pcap;     /* NULL: not asked for */
    struct output_file picture; /* to svg */
    bool quiet, outcome;
    unsigned threads; /* 0: all cores */
};

/* Each returns the exit status. */
int simulate_story(struct simulate *simulate, const struct scenario *scenario);
int simulate_grid(struct simulate *simulate, const struct scenario *scenario);

int simulate_list(void);
int simulate_show(const char *name);
int simulate_systems(void);
int simulate_softwares(void);

/* From now on a signal to end only raises a flag; a second one ends. */
void simulate_catch(void);
bool simulate_stopped(void);
/* The picture is complete; DONE, or a message and COULD_NOT. */
int simulate_picture(struct simulate *simulate, int written);
/* What could not be written to standard output is a failure. */
int simulate_flush(int status);

#endif
