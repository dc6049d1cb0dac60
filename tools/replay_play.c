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

static void show_summary(const struct replay_command *command, const struct summary *summary)
{
    if (command->quiet)
        return;
    switch (command->form) {
    case REPLAY_TEXT:
        if (command->flows)
            putchar('\n');
        summary_text(stdout, summary);
        break;
    case REPLAY_JSON:
        summary_json(stdout, summary);
        break;
    case REPLAY_CSV:
        break;
    }
}

/* One run, added to what the summary has. */
static int play_some(struct reader *reader, const char *const *captures, size_t n, bool *any)
{
    const struct replay_command *command = reader->command;
    struct replay_options options = {.flow = take_flow, .arg = reader};
    struct replay_totals totals;
    int status = COULD_NOT;

    summary_set_captures(reader->summary, captures, n);
    if (replay_take(command, captures, n, &options, &totals, &status)) {
        summary_totals(reader->summary, &totals);
        *any = true;
        if (status == DONE && command->fail_on_broken && totals.by_outcome[REPLAY_BROKEN] > 0)
            status = NO;
    }
    if (reader->error < 0)
        status = command_failed("replay", "%s", strerror(-reader->error));
    return status;
}

static void show_heading(const struct replay_command *command)
{
    if (command->quiet)
        return;
    if (command->form == REPLAY_CSV)
        replay_flow_csv(stdout, NULL);
    else if (command->form == REPLAY_TEXT && command->flows)
        replay_flow_text(stdout, NULL);
}

int replay_play(const struct replay_command *command)
{
    struct reader reader = {.command = command, .summary = summary_create()};
    size_t step = command->independent ? 1 : command->n_captures;
    int worst = DONE;
    bool any = false;

    if (!reader.summary || summary_set_policy(reader.summary, command->firewall) < 0) {
        summary_destroy(reader.summary);
        return command_failed("replay", "%s", strerror(ENOMEM));
    }
    show_heading(command);
    for (size_t i = 0; reader.error == 0 && i < command->n_captures; i += step) {
        int status = play_some(&reader, command->captures + i, step, &any);

        if (status > worst)
            worst = status;
    }
    if (any)
        show_summary(command, reader.summary);
    summary_destroy(reader.summary);
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
