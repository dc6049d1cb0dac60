/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/command.h"
#include "tools/policy_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char check_help[] =
    "usage: idlewall check FILE\n"
    "Reads a policy and shows all its faults, FILE:LINE:COLUMN: what is wrong, what is allowed.\n"
    "The exit status is 0 without faults, 1 with. FILE `-` is standard input.\n"
    "\n"
    "  --help                this text\n"
    "\n"
    "Example: idlewall check /etc/idlewall/policy\n";

static void show_fault(void *arg, const char *message)
{
    (void)arg;
    fprintf(stderr, "%s\n", message);
}

static int check(const char *path)
{
    struct policy *policy;
    int r = policy_read(&policy, path, show_fault, NULL);

    if (r == -EINVAL)
        return NO;
    if (r < 0)
        return command_failed("check", "%s: %s", path, strerror(-r));
    printf("%s: no fault, %zu rules, %zu profiles\n", path, policy->n_rules, policy->n_profiles);
    policy_unref(policy);
    return DONE;
}

int check_run(int argc, char **argv)
{
    static const struct option longs[] = {COMMAND_HELP, {0}};
    int status;

    if (command_option(argc, argv, ":h", longs, &status) == COMMAND_OVER)
        return status;
    if (argc - optind != 1)
        return command_misused(argv[0], "one FILE is needed");
    return check(argv[optind]);
}
