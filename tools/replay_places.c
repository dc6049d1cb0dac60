/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/places.h"
#include "tools/replay_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void replay_places_finish(struct replay_places *places)
{
    for (size_t i = 0; i < places->n; i++)
        free(places->list[i].paths);
    *places = (struct replay_places){0};
}

/* `--at NAME FILE`: getopt knows options of one value only, and is moved on by a word. */
int replay_places_add(struct replay_places *places, const char *name, int argc, char **argv)
{
    struct place *place = NULL;
    const char **more;

    if (optind >= argc || (argv[optind][0] == '-' && argv[optind][1] != '\0'))
        return command_misused("replay", "--at %s: which capture? --at NAME FILE", name);
    if (*name == '\0')
        return command_misused("replay", "--at: a place has a name: --at NAME FILE");
    if (strcmp(argv[optind], "-") == 0)
        return command_misused("replay",
                               "--at %s -: captures of places are read twice: not from "
                               "standard input",
                               name);
    for (size_t i = 0; i < places->n; i++)
        if (strcmp(places->list[i].name, name) == 0)
            place = &places->list[i];
    if (!place && places->n == PLACES_MAX)
        return command_misused("replay", "--at %s: a third place; two are compared", name);
    if (!place) {
        place = &places->list[places->n++];
        place->name = name;
    }
    more = reallocarray(place->paths, place->n + 1, sizeof(*more));
    if (!more)
        return command_failed("replay", "%s", strerror(ENOMEM));
    place->paths = more;
    place->paths[place->n++] = argv[optind++];
    return DONE;
}

struct watched {
    const struct replay_command *command;
    struct progress progress;
    char what[80];
};

static void progress(void *arg, double done, uint64_t packets)
{
    struct watched *watched = arg;

    if (!watched->progress.terminal)
        return;
    snprintf(watched->what, sizeof(watched->what), "%.1f million packets, read twice",
             (double)packets / 1e6);
    progress_show(&watched->progress, done);
}

static void fault(void *arg, const char *path, int error, const struct capture_fault *fault)
{
    struct watched *watched = arg;

    progress_finish(&watched->progress);
    replay_complain(path, error, fault);
}

static int show(const struct replay_command *command, const struct places_totals *totals)
{
    const struct place *list = command->places.list;
    uint64_t broken = 0;

    if (totals->n == 2 && totals->clock.packets == 0)
        return command_failed("replay",
                              "no packet of TCP was captured at both %s and %s: other traffic, "
                              "another time, or something between that rewrites it",
                              list[0].name, list[1].name);
    if (totals->n == 1 && totals->capture[0].packets == 0)
        return command_failed("replay", "%s: no packets", list[0].paths[0]);
    if (!command->quiet && command->form == REPLAY_JSON)
        places_json(stdout, totals, list);
    else if (!command->quiet)
        places_text(stdout, totals, list, command->flows);
    for (unsigned i = 0; i < PLACES_OUTCOMES; i++) {
        struct places_connection one = {.outcome = (enum places_outcome)i};

        if (places_is_broken(&one))
            broken += totals->by_outcome[i];
    }
    return command->fail_on_broken && broken > 0 ? NO : DONE;
}

int replay_places(const struct replay_command *command)
{
    struct watched watched = {.command = command, .what = "reading"};
    struct places_options options = {
        .places = command->places.list,
        .n = command->places.n,
        .fault = fault,
        .progress = command->quiet ? NULL : progress,
        .arg = &watched,
        .stop = replay_stopped(),
    };
    struct places_totals totals;
    int status = DONE, shown, r;

    if (command->form == REPLAY_CSV)
        return command_misused("replay", "-o csv: --at writes text or json");
    progress_init(&watched.progress, watched.what);
    r = places_run(&options, &totals);
    progress_finish(&watched.progress);
    if (r == -ENOENT || r == -EBADMSG)
        status = COULD_NOT; /* fault() has said why */
    else if (r < 0)
        status = command_failed("replay", "%s", strerror(-r));
    else if (atomic_load(options.stop))
        status = command_failed("replay", "interrupted; this is what was read so far");
    if (r == 0 || (r == -EBADMSG && (totals.n == 1 || totals.clock.packets > 0))) {
        shown = show(command, &totals);
        status = status != DONE ? status : shown;
    }
    places_totals_finish(&totals);
    return status;
}
