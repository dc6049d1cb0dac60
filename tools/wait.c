/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/command.h"
#include "tools/request.h"

#include <stdbool.h>

const char wait_help[] =
    "usage: idlewall wait [FILTER] --for new|expired|late|ended [OPTION...]\n"
    "Waits for the first such event from now on and shows it.\n"
    "\n"
    "  --for KIND            new, expired, late or ended\n"
    "  --timeout D           wait no longer than that (10s, 5min; wall time): then the exit "
    "status\n"
    "                        is 1\n"
    "  -o, --output FORM     text (default) or json\n" REQUEST_HELP "\n" REQUEST_FILTER_HELP "\n"
    "Example: idlewall wait tcp port 5432 --for expired --timeout 10min\n";

int wait_run(int argc, char **argv)
{
    static const struct option longs[] = {
        {"for", required_argument, NULL, 'f'},
        {"timeout", required_argument, NULL, 't'},
        {"output", required_argument, NULL, 'o'},
        REQUEST_OPTIONS,
        {0},
    };
    static const char *const forms[] = {"text", "json", NULL};
    static const char *const kinds[] = {"new", "expired", "late", "ended", NULL};
    struct request request;
    bool kind = false;
    int status = DONE;
    int code;

    request_init(&request, argv);
    while (status == DONE && (code = command_option(argc, argv, ":o:h", longs, &status)) != -1) {
        if (code == COMMAND_OVER)
            goto out;
        if (code == 'f') {
            kind = true;
            status = request_word(&request, "--for", "for", optarg, kinds);
        } else if (code == 't') {
            status = request_duration(&request, "--timeout", "timeout_s", optarg);
        } else if (code == 'o') {
            status = request_word(&request, "-o", "output", optarg, forms);
        } else {
            request.control = optarg;
        }
    }
    if (status == DONE && !kind)
        status = command_misused(argv[0], "--for new, expired, late or ended is needed");
    if (status == DONE)
        status = request_filter(&request, argc - optind, argv + optind);
    if (status == DONE)
        return request_run(&request);
out:
    request_drop(&request);
    return status;
}
