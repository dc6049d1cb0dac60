/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/story.h"

#include "tools/command.h"
#include "tools/lab/lab.h"
#include "tools/lab/play/play.h"
#include "tools/story_options.h"
#include "tools/verify/compare.h"
#include "tools/verify/from_silence.h"
#include "tools/verify/virtual.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPEED = 256, VERIFY, RECORD };

static const struct option longs[] = {
    {"speed", required_argument, NULL, SPEED},
    STORY_OPTIONS,
    {"verify", no_argument, NULL, VERIFY},
    {"record", required_argument, NULL, RECORD},
    COMMAND_HELP,
    {0},
};

struct request {
    const char *what; /* FILE, CASE or - */
    struct story_show show;
    struct play_options play;
    bool verify;
    struct story_options options;
};

bool story_asked(int argc, char **argv)
{
    static const char *const others[] = {"--profile", "--policy", "--shell", "--help"};

    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
            size_t len = strlen(others[k]);

            if (strncmp(argv[i], others[k], len) == 0 &&
                (argv[i][len] == '\0' || argv[i][len] == '='))
                return false;
        }
        if (argv[i][0] != '-' || strcmp(argv[i], "-") == 0 || strcmp(argv[i], "--verify") == 0)
            return true;
    }
    return false;
}

static int take(struct request *request, int code, const char *value)
{
    switch (code) {
    case SPEED:
        return lab_speed(&request->play.speed, value);
    case 'o':
        if (strcmp(value, "text") != 0 && strcmp(value, "json") != 0)
            return command_misused("lab", "-o %s: of a story it is text or json", value);
        request->show.json = strcmp(value, "json") == 0;
        break;
    case VERIFY:
        request->verify = true;
        break;
    case RECORD:
        request->play.record = value;
        break;
    default:
        return story_options_take(&request->options, code, value);
    }
    return DONE;
}

/* Both from the first silence on, where real programs talk. The copies' events are kept for as long
 * as the comparison is looked at. */
static int compare_all(struct compare *compare, struct timeline silent[2],
                       const struct scenario *scenario, const struct timeline *live,
                       const struct timeline *virtual, unsigned speed)
{
    int r;

    if (!play_program(NULL, scenario))
        return compare_timelines(compare, live, virtual, speed);
    r = timeline_from_silence(&silent[0], live, SILENCE * (mtime_t)speed);
    if (r == 0)
        r = timeline_from_silence(&silent[1], virtual, SILENCE * (mtime_t)speed);
    return r < 0 ? r : compare_timelines(compare, &silent[0], &silent[1], speed);
}

/* Prints both side by side; NO if they differ. */
static int verify(struct request *request, const struct scenario *scenario,
                  const struct timeline *live)
{
    struct scenario *divided = NULL;
    struct timeline *virtual = NULL;
    struct compare compare = {0};
    struct timeline silent[2] = {0};
    int r = virtual_timeline(scenario, request->play.speed, play_kernel_hz(), &divided, &virtual);
    int status;

    if (r == 0)
        r = compare_all(&compare, silent, scenario, live, virtual, request->play.speed);
    if (r == 0 && !request->show.quiet)
        r = compare_write(stdout, &compare, scenario);
    status = r < 0                     ? command_failed("lab", "%s", strerror(-r))
             : compare.differences > 0 ? NO
                                       : DONE;
    if (r == 0)
        status = story_show_flush(&request->show, status);
    compare_finish(&compare);
    free(silent[0].events);
    free(silent[1].events);
    timeline_destroy(virtual);
    scenario_destroy(divided);
    return status;
}

static int show(struct request *request, const struct scenario *scenario,
                const struct timeline *timeline)
{
    int verified = DONE, status;

    if (!request->verify)
        return story_show(&request->show, scenario, timeline);
    verified = verify(request, scenario, timeline);
    if (verified == COULD_NOT)
        return verified;
    /* The comparison stands for the text; files and expectations are as without it. */
    request->show.quiet = true;
    status = story_show(&request->show, scenario, timeline);
    return status == DONE ? verified : status;
}

static int play(struct request *request, const struct scenario *scenario)
{
    struct timeline *timeline = NULL;
    int status = play_possible(scenario, &request->play), r;

    lab_extend_path();
    if (status == DONE && geteuid() != 0)
        status = space_without_root();
    if (status == DONE)
        status = story_show_open(&request->show);
    if (status != DONE)
        return status;
    if (!request->show.quiet)
        play_unscaled(stderr, scenario, &request->play);
    if (!request->show.quiet)
        play_program(stderr, scenario);
    request->play.progress = !request->show.quiet && isatty(STDERR_FILENO);
    r = timeline_create(&timeline, scenario);
    if (r < 0)
        status = command_failed("lab", "%s", strerror(-r));
    else
        timeline->speed = request->play.speed;
    if (status == DONE)
        status = play_run(scenario, &request->play, timeline);
    if (status == DONE)
        status = show(request, scenario, timeline);
    story_show_drop(&request->show);
    timeline_destroy(timeline);
    return status;
}

static int read_and_play(struct request *request)
{
    struct scenario *scenario = NULL;
    int status, r = story_options_read(&request->options, request->what, &scenario);

    if (r == -ENOENT && !strchr(request->what, '/'))
        return command_misused(
            "lab",
            "no file and no case %s (`idlewall simulate --list` shows the cases); "
            "to run a command, give --profile or --policy",
            request->what);
    if (r == -EINVAL)
        return WRONG_USE;
    if (r < 0)
        return command_failed("lab", "%s: %s", request->what, strerror(-r));
    status = play(request, scenario);
    scenario_destroy(scenario);
    return status;
}

int story_run(int argc, char **argv)
{
    struct request request = {.show.command = "lab", .play.speed = 1};
    int status = DONE, code;

    if (story_options_init(&request.options, &request.show, argc) < 0)
        return command_failed("lab", "%s", strerror(ENOMEM));
    while (status == DONE && (code = command_option(argc, argv, ":o:h", longs, &status)) != -1) {
        if (code == COMMAND_OVER)
            goto out;
        status = take(&request, code, optarg);
    }
    if (status == DONE && argc - optind != 1)
        status = command_misused("lab", "one FILE or CASE at a time");
    if (status == DONE && request.verify && request.show.json)
        status = command_misused("lab", "--verify prints text");
    if (status == DONE) {
        request.what = argv[optind];
        status = read_and_play(&request);
    }
out:
    story_options_finish(&request.options);
    return status;
}
