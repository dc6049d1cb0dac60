/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_REPLAY_COMMAND_H
#define IDLEWALL_REPLAY_COMMAND_H

/* `idlewall replay`, as its command line was understood (replay.c), and what is done then
 * (replay_play.c). */

#include "tools/command.h"
#include "tools/progress.h"
#include "tools/replay/places.h"
#include "tools/replay/replay_summary.h"

enum replay_form { REPLAY_TEXT, REPLAY_JSON, REPLAY_CSV };

/* --at NAME FILE, as often as one likes. */
struct replay_places {
    struct place list[PLACES_MAX]; /* their paths are owned */
    size_t n;
};

struct replay_command {
    const char *const *captures;
    size_t n_captures;
    struct policy *policy;
    const char *firewall; /* its name for people: the profile, or the policy's file */
    const char **compare; /* profiles */
    size_t n_compare;
    enum replay_form form;
    const char *svg;
    unsigned threads;
    bool flows, independent, fail_on_broken, quiet, checksums;
    struct sweep *sweep; /* NULL: no sweep */
    struct replay_places places;
    bool told; /* what is wrong with the captures */
};

/* Each returns the exit status. */
int replay_play(const struct replay_command *command);
int replay_compare(const struct replay_command *command);
/* --sweep VALUES of that timeout; NULL: tcp-established. */
int replay_sweep(struct replay_command *command, const char *values, const char *timeout);
int replay_places(const struct replay_command *command);
/* NAME, and FILE, which argv[optind] is. */
int replay_places_add(struct replay_places *places, const char *name, int argc, char **argv);
void replay_places_finish(struct replay_places *places);
/* `replay merge`: results that were written as JSON, joined. argv[0] is "merge". */
int replay_merge(int argc, char **argv);

/* One run with everything around it: progress, an interrupt, the message about a capture that is
 * broken. *status is COULD_NOT then, and what there is can be shown unless nothing was read. */
bool replay_take(const struct replay_command *command, const char *const *captures, size_t n,
                 struct replay_options *options, struct replay_totals *totals, int *status);
/* An interrupt leads to a result, not to none. */
void replay_catch(void);
const atomic_bool *replay_stopped(void); /* was there one? */
/* A capture that cannot be read on. */
void replay_complain(const char *path, int error, const struct capture_fault *fault);
int replay_flush(int status);

#endif
