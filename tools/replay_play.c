/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/policy_parse.h"
#include "tools/replay/compare.h"
#include "tools/replay_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    const struct replay_command *command;
    struct summary *summary;
    int error;
};

static void show_flow(const struct replay_command *command, const struct replay_flow *flow)
{
    switch (command->form) {
    case REPLAY_TEXT:
        replay_flow_text(stdout, flow);
        break;
    case REPLAY_JSON:
        replay_flow_json(stdout, flow);
        break;
    case REPLAY_CSV:
        replay_flow_csv(stdout, flow);
        break;
    }
}

static void take_flow(void *arg, const struct replay_flow *flow)
{
    struct reader *reader = arg;
    const struct replay_command *command = reader->command;
    int r = summary_add(reader->summary, flow);

    if (r < 0)
        reader->error = r;
    if (!command->quiet && (command->flows || command->form == REPLAY_CSV))
        show_flow(command, flow);
}

static void take_compared(void *arg, const struct replay_flow *flow)
{
    struct reader *reader = arg;
    int r = summary_add(reader->summary, flow);

    if (r < 0)
        reader->error = r;
}

static void show_summary(const struct reader *reader, bool after_flows)
{
    if (reader->command->quiet)
        return;
    switch (reader->command->form) {
    case REPLAY_TEXT:
        if (after_flows)
            putchar('\n');
        summary_text(stdout, reader->summary);
        break;
    case REPLAY_JSON:
        summary_json(stdout, reader->summary);
        break;
    case REPLAY_CSV:
        break;
    }
}

static int play_some(const struct replay_command *command, const char *const *captures, size_t n)
{
    struct reader reader = {.command = command, .summary = summary_create()};
    struct replay_options options = {.flow = take_flow, .arg = &reader};
    struct replay_totals totals;
    int status = COULD_NOT;

    if (!reader.summary)
        return command_failed("replay", "%s", strerror(ENOMEM));
    if (replay_take(command, captures, n, &options, &totals, &status)) {
        summary_totals(reader.summary, &totals);
        show_summary(&reader, command->flows && totals.flows > 0);
    }
    if (reader.error < 0)
        status = command_failed("replay", "%s", strerror(-reader.error));
    if (status == DONE && command->fail_on_broken && totals.by_outcome[REPLAY_BROKEN] > 0)
        status = NO;
    summary_destroy(reader.summary);
    return status;
}

int replay_play(const struct replay_command *command)
{
    int worst = DONE;

    if (command->form == REPLAY_CSV && !command->quiet)
        replay_flow_csv(stdout, NULL);
    if (!command->independent)
        return play_some(command, command->captures, command->n_captures);
    for (size_t i = 0; i < command->n_captures; i++) {
        int status;

        if (command->form == REPLAY_TEXT && !command->quiet)
            printf("%s%s:\n", i > 0 ? "\n" : "", command->captures[i]);
        status = play_some(command, command->captures + i, 1);
        if (status > worst)
            worst = status;
    }
    return worst;
}

/* The same captures under another firewall: its summary, or NULL with *status. */
static struct summary *play_under(const struct replay_command *command, struct policy *policy,
                                  int *status)
{
    struct reader reader = {.command = command, .summary = summary_create()};
    struct replay_options options = {.policy = policy, .flow = take_compared, .arg = &reader};
    struct replay_totals totals;
    bool some;

    if (!reader.summary) {
        *status = command_failed("replay", "%s", strerror(ENOMEM));
        return NULL;
    }
    some = replay_take(command, command->captures, command->n_captures, &options, &totals, status);
    if (reader.error < 0)
        *status = command_failed("replay", "%s", strerror(-reader.error));
    if (!some)
        return summary_destroy(reader.summary);
    summary_totals(reader.summary, &totals);
    if (*status == DONE && command->fail_on_broken && totals.by_outcome[REPLAY_BROKEN] > 0)
        *status = NO;
    return reader.summary;
}

static void show_compared(const struct replay_command *command, const struct compared *all,
                          size_t n)
{
    if (command->quiet)
        return;
    switch (command->form) {
    case REPLAY_TEXT:
        compare_text(stdout, all, n);
        break;
    case REPLAY_JSON:
        compare_json(stdout, all, n);
        break;
    case REPLAY_CSV:
        compare_csv(stdout, all, n);
        break;
    }
}

int replay_compare(const struct replay_command *given)
{
    struct replay_command again = *given, *command = &again;
    size_t n = command->n_compare + 1, done = 0;
    struct compared *all = calloc(n, sizeof(*all));
    struct policy **policies = calloc(n, sizeof(struct policy *));
    struct summary **summaries = calloc(n, sizeof(struct summary *));
    int worst = DONE, r = all && policies && summaries ? 0 : -ENOMEM;

    for (; r == 0 && done < n; done++) {
        const char *name = done == 0 ? command->firewall : command->compare[done - 1];
        int status = DONE;

        if (done == 0)
            policies[0] = policy_ref(command->policy);
        else
            r = policy_from_profile(&policies[done], name);
        if (r == 0)
            summaries[done] = play_under(command, policies[done], &status);
        if (status > worst)
            worst = status;
        command->told = worst == COULD_NOT;
        if (!summaries[done])
            break;
        all[done] = (struct compared){name, policies[done], summaries[done]};
    }
    if (r < 0)
        worst = command_failed("replay", "%s", strerror(-r));
    else if (done > 0)
        show_compared(command, all, done);
    for (size_t i = 0; policies && summaries && i < n; i++) {
        summary_destroy(summaries[i]);
        policy_unref(policies[i]);
    }
    free(all);
    free(policies);
    free(summaries);
    return worst;
}
