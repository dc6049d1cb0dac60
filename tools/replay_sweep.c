/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/output_file.h"
#include "tools/replay/sweep.h"
#include "tools/replay_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int read_timeout(const char *name, enum policy_timeout *out)
{
    for (unsigned t = 0; t < POLICY_TIMEOUTS; t++)
        if (strcmp(policy_timeout_name((enum policy_timeout)t), name) == 0) {
            *out = (enum policy_timeout)t;
            return DONE;
        }
    return command_misused("replay",
                           "--timeout %s: there is no such timeout; tcp-established is one", name);
}

static int cannot_draw(const struct replay_command *command, int r)
{
    return command_failed("replay", "%s: %s", command->svg, strerror(-r));
}

static int draw(const struct replay_command *command, struct output_file *file,
                const struct sweep *sweep, const struct sweep_about *about)
{
    int r = sweep_svg(file->to, sweep, about);

    if (r == 0)
        r = output_file_commit(file);
    return r < 0 ? cannot_draw(command, r) : DONE;
}

static int show(const struct replay_command *command, const struct sweep *sweep,
                const struct sweep_about *about)
{
    int r = 0;

    if (!command->quiet)
        switch (command->form) {
        case REPLAY_TEXT:
            r = sweep_text(stdout, sweep, about);
            break;
        case REPLAY_JSON:
            sweep_json(stdout, sweep, about);
            break;
        case REPLAY_CSV:
            sweep_csv(stdout, sweep);
            break;
        }
    if (r < 0)
        return command_failed("replay", "%s", strerror(-r));
    return DONE;
}

/* picture: NULL if none is wanted. */
static int play(struct replay_command *command, struct sweep *sweep, struct output_file *picture)
{
    struct replay_options options = {0};
    struct replay_totals totals;
    struct sweep_about about = {.subject = strcmp(command->firewall, "-") == 0 ? "the given policy"
                                                                               : command->firewall,
                                .capture = command->captures[0],
                                .own = sweep_own(command->policy, sweep->timeout),
                                .totals = &totals};
    char many[64];
    int status = DONE, shown;

    if (command->n_captures > 1) {
        snprintf(many, sizeof(many), "%zu captures", command->n_captures);
        about.capture = many;
    }
    command->sweep = sweep;
    if (!replay_take(command, command->captures, command->n_captures, &options, &totals, &status) ||
        (status != DONE && sweep->points[sweep->n - 1].flows == 0))
        return status;
    if (status == DONE && totals.packets == 0)
        return command_failed("replay", "%s: no packets", about.capture);
    shown = show(command, sweep, &about);
    if (shown == DONE && picture)
        shown = draw(command, picture, sweep, &about);
    return shown != DONE ? shown : status;
}

/* Where the picture cannot be written that is said at once, not after an hour. */
static int play_and_draw(struct replay_command *command, struct sweep *sweep)
{
    struct output_file picture;
    int r, status;

    if (!command->svg)
        return play(command, sweep, NULL);
    r = output_file_create(&picture, command->svg);
    if (r < 0)
        return cannot_draw(command, r);
    status = play(command, sweep, &picture);
    output_file_drop(&picture);
    return status;
}

int replay_sweep(struct replay_command *command, const char *values, const char *timeout)
{
    struct sweep sweep = {0};
    const char *why;
    int status = read_timeout(timeout ? timeout : "tcp-established", &sweep.timeout), r;

    if (status != DONE)
        return status;
    r = sweep_values(&sweep, values, sweep_own(command->policy, sweep.timeout), &why);
    if (r < 0) {
        status = command_misused("replay", "--sweep %s: %s", values, why);
    } else {
        why = sweep_refused(command->policy, &sweep);
        status = why ? command_failed("replay", "no exact sweep of %s under %s: %s",
                                      policy_timeout_name(sweep.timeout), command->firewall, why)
                     : play_and_draw(command, &sweep);
    }
    free(sweep.points);
    return status;
}
