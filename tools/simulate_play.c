/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/command.h"
#include "tools/progress.h"
#include "tools/simulate/experiment.h"
#include "tools/simulate/world.h"
#include "tools/simulate_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool story_progress(void *arg, mtime_t reached, mtime_t until)
{
    progress_show(arg, until > 0 ? (double)reached / (double)until : 0);
    return !simulate_stopped();
}

/* What went wrong, for people. */
static const char *reason(int r)
{
    return r == -ELOOP ? "the two ends answer each other's ACKs without end" : strerror(-r);
}

static int not_played(const struct simulate *simulate, int r)
{
    if (r == -ECANCELED)
        return command_failed("simulate", "stopped before the end; nothing is shown");
    return command_failed("simulate", "%s: %s", simulate->what, reason(r));
}

int simulate_story(struct simulate *simulate, const struct scenario *scenario)
{
    struct progress progress;
    const struct world_watch watch = {story_progress, &progress};
    struct timeline *timeline = NULL;
    int status, r;

    simulate->show.json = simulate->form == SIMULATE_JSON;
    if (simulate->form == SIMULATE_CSV)
        return command_misused("simulate", "-o csv is for tables: of parameters that are lists or "
                                           "ranges, or of `repeat`");
    status = story_show_open(&simulate->show);
    if (status != DONE)
        return status;
    progress_init(&progress, "playing");
    r = timeline_create(&timeline, scenario);
    if (r == 0)
        r = world_play(scenario, timeline, NULL, &watch);
    progress_finish(&progress);
    status = r < 0 ? not_played(simulate, r) : story_show(&simulate->show, scenario, timeline);
    timeline_destroy(timeline);
    return status;
}

static bool grid_progress(void *arg, double done)
{
    progress_show(arg, done);
    return !simulate_stopped();
}

static int grid_not_played(const struct simulate *simulate, const struct experiment *experiment,
                           int r)
{
    char *point;
    int status;

    if (r == -ECANCELED)
        return command_failed("simulate",
                              "stopped when %zu of %zu points were played; nothing is "
                              "shown",
                              experiment->n_done, experiment->n_points);
    if (experiment->failed >= experiment->n_points)
        return not_played(simulate, r);
    point = experiment_point_text(experiment, experiment->failed);
    status = command_failed("simulate", "%s: %s%s%s", simulate->what, point ? point : "",
                            point && *point ? ": " : "", reason(r));
    free(point);
    return status;
}

/* The unmet expectations of each point, below its values. */
static int judge_grid(const struct experiment *experiment)
{
    int status = DONE;

    fflush(stdout);
    for (size_t i = 0; i < experiment->n_points; i++) {
        char *point;

        if (!experiment->unmet[i])
            continue;
        point = experiment_point_text(experiment, i);
        fprintf(stderr, "with %s:\n%s", point ? point : "?", experiment->unmet[i]);
        free(point);
        status = NO;
    }
    return status;
}

static int show_grid(struct simulate *simulate, const struct experiment *experiment)
{
    int status = DONE;
    int r = 0;

    if (!simulate->show.quiet)
        switch (simulate->form) {
        case SIMULATE_TEXT:
            r = experiment_text(stdout, experiment);
            break;
        case SIMULATE_JSON:
            r = experiment_json(stdout, experiment);
            break;
        case SIMULATE_CSV:
            r = experiment_csv(stdout, experiment);
            break;
        }
    if (r < 0)
        return command_failed("simulate", "standard output: %s", strerror(-r));
    status = story_show_flush(&simulate->show, DONE);
    if (status == DONE && simulate->show.svg) {
        r = experiment_svg(simulate->show.picture.to, experiment);
        if (r == -E2BIG)
            status = command_failed("simulate",
                                    "%s: more curves than can be told apart: give "
                                    "fewer values of the other parameters",
                                    simulate->show.svg);
        else
            status = story_show_picture(&simulate->show, r);
    }
    return status == DONE ? judge_grid(experiment) : status;
}

int simulate_grid(struct simulate *simulate, const struct scenario *scenario)
{
    struct experiment experiment;
    struct progress progress;
    int status, r;

    if (simulate->show.pcap)
        return command_misused("simulate", "--write-pcap is for single stories: of a grid or "
                                           "`repeat` no packets are kept");
    if (simulate->show.outcome)
        return command_misused("simulate", "--outcome is for single stories");
    status = story_show_open(&simulate->show);
    if (status != DONE)
        return status;
    progress_init(&progress, "playing");
    r = experiment_run(&experiment, scenario, simulate->threads, grid_progress, &progress);
    progress_finish(&progress);
    status = r < 0 ? grid_not_played(simulate, &experiment, r) : show_grid(simulate, &experiment);
    experiment_finish(&experiment);
    return status;
}
