/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay_command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char merge_help[] =
    "usage: idlewall replay merge [-o text|json|csv] FILE...\n"
    "Joins results of `idlewall replay -o json` on disjoint captures, or on parts of one that "
    "were\n"
    "divided by connection, exactly: as one run with --independent would have counted them. - is\n"
    "standard input. Lines of single connections are left out. csv: the servers.\n"
    "\n"
    "Example: ls *.pcap | parallel idlewall replay {} --profile aws-nat-gateway -o json |\n"
    "           idlewall replay merge -\n";

static const struct option longs[] = {
    {"output", required_argument, NULL, 'o'},
    COMMAND_HELP,
    {0},
};

static int read_one(struct summary *into, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    struct summary *one = summary_create();
    FILE *from = standard ? stdin : fopen(path, "re");
    unsigned long line = 0;
    int r = !one ? -ENOMEM : !from ? -errno : summary_read(from, one, &line), status = DONE;

    if (from && !standard)
        fclose(from);
    if (r == 0 && summary_policy(into) && summary_policy(one) &&
        strcmp(summary_policy(into), summary_policy(one)) != 0)
        status = command_failed("replay merge", "%s: it is of %s, what came before of %s", name,
                                summary_policy(one), summary_policy(into));
    else if (r == 0)
        r = summary_merge(into, one);
    if (r == -EINVAL && line > 0)
        status = command_failed(
            "replay merge",
            "%s:%lu: no result of `idlewall replay -o json`, or one of another firewall", name,
            line);
    else if (r == -EINVAL)
        status = command_failed("replay merge",
                                "%s: no result of `idlewall replay -o json` is in it", name);
    else if (r < 0)
        status = command_failed("replay merge", "%s: %s", name, strerror(-r));
    summary_destroy(one);
    return status;
}

static int show(const struct summary *summary, const char *form)
{
    if (strcmp(form, "json") == 0)
        summary_json(stdout, summary);
    else if (strcmp(form, "csv") == 0)
        summary_csv(stdout, summary);
    else
        summary_text(stdout, summary);
    return replay_flush(DONE);
}

int replay_merge(int argc, char **argv)
{
    const char *form = "text";
    struct summary *summary;
    int status = DONE, code;

    while ((code = getopt_long(argc, argv, ":o:h", longs, NULL)) != -1) {
        if (code == 'h') {
            fputs(merge_help, stdout);
            return replay_flush(DONE);
        }
        if (code != 'o')
            return command_misused("replay merge", "%s: unknown, or its value is missing",
                                   argv[optind - 1]);
        form = optarg;
        if (strcmp(form, "text") != 0 && strcmp(form, "json") != 0 && strcmp(form, "csv") != 0)
            return command_misused("replay merge", "-o %s: it is text, json or csv", form);
    }
    if (optind == argc)
        return command_misused("replay merge", "a FILE is needed, - is standard input");
    summary = summary_create();
    if (!summary)
        return command_failed("replay merge", "%s", strerror(ENOMEM));
    for (int i = optind; status == DONE && i < argc; i++)
        status = read_one(summary, argv[i]);
    if (status == DONE)
        status = show(summary, form);
    summary_destroy(summary);
    return status;
}
