/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/play/play_private.h"

#include "tools/command.h"
#include "tools/lab/child.h"
#include "tools/lab/directory.h"
#include "tools/lab/play/prompt.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK (8 * MTIME_MSEC) /* sockets are looked at so often, in wall time */

static int64_t clock_ns(clockid_t which)
{
    struct timespec now;

    clock_gettime(which, &now);
    return now.tv_sec * MTIME_SEC + now.tv_nsec;
}

static int hear(struct play *play, unsigned side)
{
    for (;;) {
        struct agent_report report;
        int r = agent_hear(&play->agent[side], &report);

        if (r <= 0)
            return 0; /* one that is gone was killed by the story, or is missed at the next deed */
        if (play->n_reports[side] == play->room_reports[side]) {
            size_t room = play->room_reports[side] ? 2 * play->room_reports[side] : 64;
            struct agent_report *reports = realloc(play->reports[side], room * sizeof(*reports));

            if (!reports)
                return -ENOMEM;
            play->reports[side] = reports;
            play->room_reports[side] = room;
        }
        play->reports[side][play->n_reports[side]++] = report;
    }
}

static int take_all(struct play *play)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < play->chain.n; i++)
        for (unsigned to = 0; r == 0 && to < 2; to++)
            if (play->tape[i][to].fd >= 0)
                r = tape_take(&play->tape[i][to]);
    for (size_t i = 0; r == 0 && i < play->scenario->n_firewalls; i++)
        r = play_listener_take(&play->listener[i]);
    for (unsigned side = 0; r == 0 && side < 2; side++) {
        r = hear(play, side);
        if (r == 0)
            r = socket_watch_take(&play->sockets[side]);
    }
    return r == 0 ? DONE
                  : command_failed("lab", "what happens cannot be written down: %s", strerror(-r));
}

static int64_t wall_of(const struct play *play, mtime_t story)
{
    return play->start_ns + story / (mtime_t)play->options->speed;
}

static int do_due(struct play *play)
{
    const struct scenario *s = play->scenario;
    int r = DONE;

    while (r == DONE && play->n_done < s->n_deeds &&
           wall_of(play, s->deeds[play->n_done].at) <= clock_ns(CLOCK_MONOTONIC)) {
        const struct deed *deed = &s->deeds[play->n_done];

        /* What its application has reported must not be lost with it. */
        if (deed->verb == DEED_KILL || deed->verb == DEED_CRASH || deed->verb == DEED_REBOOT)
            take_all(play);
        play->done[play->n_done] = (struct play_done){clock_ns(CLOCK_MONOTONIC), deed};
        r = play_deed(play, deed);
        /* What takes programs to do counts from when it is done. */
        if (deed->verb > DEED_USER_TIMEOUT)
            play->done[play->n_done].wall_ns = clock_ns(CLOCK_MONOTONIC);
        play->n_done++;
    }
    return r;
}

static void show_progress(const struct play *play, int64_t now)
{
    if (play->options->progress)
        fprintf(stderr, "\r%.1f of %.0f s ",
                mtime_seconds((now - play->start_ns) * (mtime_t)play->options->speed),
                mtime_seconds(play->scenario->until));
}

static int follow(struct play *play)
{
    int64_t end = wall_of(play, play->scenario->until), now;
    siginfo_t caught;
    int r = DONE;

    while (r == DONE && (now = clock_ns(CLOCK_MONOTONIC)) < end) {
        int64_t next = now + LOOK;

        if (play->n_done < play->scenario->n_deeds) {
            int64_t due = wall_of(play, play->scenario->deeds[play->n_done].at);

            next = due < next ? due : next;
        }
        next = end < next ? end : next;
        if (next > now)
            nanosleep(&(struct timespec){.tv_nsec = next - now}, NULL);
        r = do_due(play);
        if (r == DONE)
            r = take_all(play);
        show_progress(play, now);
        if (child_interrupted(&caught))
            r = 128 + caught.si_signo;
        for (size_t i = 0; r == DONE && i < play->scenario->n_firewalls; i++)
            if (daemon_lost(&play->daemon[i]))
                r = COULD_NOT;
    }
    if (play->options->progress)
        fputs("\r                              \r", stderr);
    return r;
}

/* Only now: making namespaces takes much, and other stories may be playing. Real programs, too:
 * they have to be done with their greetings before the line is cut. */
static void be_prompt(const struct play *play)
{
    for (size_t i = 0; i < play->scenario->n_firewalls; i++)
        prompt_tree(play->daemon[i].pid);
    for (unsigned side = 0; side < 2; side++)
        prompt_tree(play->agent[side].pid);
    prompt_self(true);
}

int play_run(const struct scenario *scenario, const struct play_options *options,
             struct timeline *timeline)
{
    struct play *play = calloc(1, sizeof(*play));
    int r;

    if (!play)
        return command_failed("lab", "out of memory");
    play->scenario = scenario;
    play->options = options;
    play->program[FLOW_SERVER] = play->program[FLOW_CLIENT] = play_program(NULL, scenario);
    child_init();
    space_remove_leftovers();
    directory_remove_leftovers();
    r = play_set_up(play);
    if (r == DONE) {
        be_prompt(play);
        play->start_ns = clock_ns(CLOCK_MONOTONIC) + 20 * MTIME_MSEC;
        play->realtime_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
        r = follow(play);
        prompt_self(false);
    }
    if (r == DONE)
        r = play_stop(play);
    if (r == DONE) {
        int error = assemble(play, timeline);

        if (error < 0)
            r = command_failed("lab", "the story cannot be put together: %s", strerror(-error));
    }
    play_take_down(play);
    free(play);
    return r;
}
