/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/policy_parse.h"
#include "tools/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char check_help[] =
    "usage: idlewall check FILE\n"
    "Reads a policy and shows all its faults, FILE:LINE:COLUMN: what is wrong, what is allowed.\n"
    "The exit status is 0 without faults, 1 with. FILE `-` is standard input.\n"
    "\n"
    "  --help                this text\n"
    "\n"
    "Example: idlewall check /etc/idlewall/policy.conf\n";

static void show_fault(void *arg, const char *message)
{
    (void)arg;
    fprintf(stderr, "%s\n", message);
}

/* Reads at most one byte more than a policy may have: the parser says that it is too long. */
static int read_file(FILE *file, char **text, size_t *len)
{
    size_t cap = 0;
    size_t n = 0;

    *text = NULL;
    *len = 0;
    do {
        if (*len == cap) {
            char *grown = realloc(*text, cap = cap == 0 ? 65536 : cap * 2);

            if (!grown)
                return -ENOMEM;
            *text = grown;
        }
        n = fread(*text + *len, 1, cap - *len, file);
        *len += n;
    } while (n > 0 && *len <= POLICY_TEXT_MAX);
    return ferror(file) ? -errno : 0;
}

static int check(const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "re");
    struct policy *policy = NULL;
    char *text = NULL;
    size_t len;
    int r;

    if (!file)
        return command_failed("check", "%s: %s", path, strerror(errno));
    r = read_file(file, &text, &len);
    if (!standard)
        fclose(file);
    if (r == 0) {
        r = policy_parse(&policy, standard ? "standard input" : path, text, len, show_fault, NULL);
        if (r == 0)
            printf("%s: no fault, %zu rules, %zu profiles\n", path, policy->n_rules,
                   policy->n_profiles);
        policy_unref(policy);
    }
    free(text);
    if (r == -EINVAL)
        return NO;
    return r < 0 ? command_failed("check", "%s: %s", path, strerror(-r)) : DONE;
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
