/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/command.h"
#include "tools/request.h"

const char status_help[] =
    "usage: idlewall status [OPTION...]\n"
    "Shows flows, packets by what became of them, answers sent, and what was lost on the way.\n"
    "\n"
    "  -o, --output FORM     text (default) or json\n" REQUEST_HELP "\n"
    "Example: idlewall status -o json | jq .queue_dropped\n";

int status_run(int argc, char **argv)
{
    static const struct option longs[] = {
        {"output", required_argument, NULL, 'o'}, REQUEST_OPTIONS, {0}};
    static const char *const forms[] = {"text", "json", NULL};
    struct request request;
    int status = DONE;
    int code;

    request_init(&request, argv);
    while (status == DONE && (code = command_option(argc, argv, ":o:h", longs, &status)) != -1) {
        if (code == COMMAND_OVER)
            goto out;
        if (code == 'o')
            status = request_word(&request, "-o", "output", optarg, forms);
        else
            request.control = optarg;
    }
    if (status == DONE && optind < argc)
        status = command_misused(argv[0], "unexpected argument %s", argv[optind]);
    if (status == DONE)
        return request_run(&request);
out:
    request_drop(&request);
    return status;
}
