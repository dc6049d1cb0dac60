/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/story_options.h"

#include "tools/scenario_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int story_options_init(struct story_options *options, struct story_show *show, int argc)
{
    *options = (struct story_options){.show = show};
    options->sets = calloc((size_t)argc, sizeof(*options->sets));
    return options->sets ? 0 : -ENOMEM;
}

void story_options_finish(struct story_options *options)
{
    free(options->sets);
    *options = (struct story_options){0};
}

int story_options_take(struct story_options *options, int code, const char *value)
{
    struct story_show *show = options->show;

    switch (code) {
    case STORY_SVG:
        show->svg = value;
        break;
    case STORY_PCAP:
        show->pcap = value;
        break;
    case STORY_OUTCOME:
        show->outcome = true;
        break;
    case STORY_QUIET:
        show->quiet = true;
        break;
    case STORY_SET:
        if (strchr(value, '\n'))
            return command_misused(show->command, "--set: one setting, without a line's end in it");
        options->sets[options->n_sets++] = value;
        break;
    }
    return DONE;
}

static void show_fault(void *arg, const char *message)
{
    (void)arg;
    fprintf(stderr, "%s\n", message);
}

int story_options_read(const struct story_options *options, const char *what,
                       struct scenario **scenario)
{
    return scenario_read(scenario, what, options->sets, options->n_sets, show_fault, NULL);
}
