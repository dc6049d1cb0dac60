/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SIMULATE_COMMAND_H
#define IDLEWALL_SIMULATE_COMMAND_H

/* `idlewall simulate`: what its files share. */

#include "tools/scenario/scenario.h"
#include "tools/story_show.h"

#include <stdbool.h>

enum simulate_form { SIMULATE_TEXT, SIMULATE_JSON, SIMULATE_CSV };

struct simulate {
    const char *what; /* FILE, CASE or - */
    enum simulate_form form;
    struct story_show show;
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

#endif
