/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/story_show.h"

#include "tools/command.h"
#include "tools/timeline/expect.h"
#include "tools/timeline/ladder.h"
#include "tools/timeline/outcome.h"
#include "tools/timeline/timeline_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 80 /* of the outcome's paragraph */

int story_show_open(struct story_show *show)
{
    int r = show->svg ? output_file_create(&show->picture, show->svg) : 0;

    return r < 0 ? command_failed(show->command, "%s: %s", show->svg, strerror(-r)) : DONE;
}

void story_show_drop(struct story_show *show)
{
    output_file_drop(&show->picture);
}

int story_show_picture(struct story_show *show, int written)
{
    if (written == 0)
        written = output_file_commit(&show->picture);
    return written == 0 ? DONE
                        : command_failed(show->command, "%s: %s", show->svg, strerror(-written));
}

int story_show_flush(const struct story_show *show, int status)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    return command_failed(show->command, "standard output: %s", strerror(errno ? errno : EIO));
}

static int print(const struct story_show *show, const struct timeline *timeline)
{
    int r = 0;

    if (show->quiet)
        return 0;
    if (!show->outcome)
        r = show->json ? timeline_write_json(stdout, timeline)
                       : timeline_write_text(stdout, timeline);
    if (r == 0 && !show->outcome && !show->json)
        putchar('\n');
    if (r == 0)
        r = show->json ? story_outcome_json(stdout, timeline)
                       : story_outcome_text(stdout, timeline, WIDTH);
    return r;
}

static int judge(const struct story_show *show, const struct scenario *scenario,
                 const struct timeline *timeline)
{
    struct expect_result *results = calloc(scenario->n_expectations + 1, sizeof(*results));
    bool met;

    if (!results)
        return command_failed(show->command, "%s", strerror(ENOMEM));
    met = expect_check(timeline, results);
    if (!met) {
        fflush(stdout);
        expect_report(stderr, scenario, results);
    }
    free(results);
    return met ? DONE : NO;
}

static int draw(struct story_show *show, const struct timeline *timeline)
{
    int r = ladder_write(show->picture.to, timeline);

    if (r == -E2BIG)
        return command_failed(show->command, "%s: the story has too many events for a picture",
                              show->svg);
    return story_show_picture(show, r);
}

int story_show(struct story_show *show, const struct scenario *scenario,
               const struct timeline *timeline)
{
    int status = DONE;
    int r = print(show, timeline);

    if (r < 0)
        status = command_failed(show->command, "standard output: %s", strerror(-r));
    if (status == DONE)
        status = story_show_flush(show, DONE);
    if (status == DONE && show->pcap) {
        r = timeline_write_pcap(show->pcap, timeline);
        if (r < 0)
            status = command_failed(show->command, "%s: %s", show->pcap, strerror(-r));
    }
    if (status == DONE && show->svg)
        status = draw(show, timeline);
    if (timeline->dropped_events > 0)
        status = command_failed(show->command, "%zu events beyond the first %d are not shown",
                                timeline->dropped_events, TIMELINE_EVENTS_MAX);
    return status == DONE ? judge(show, scenario, timeline) : status;
}
