/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/command.h"
#include "tools/request.h"

const char events_help[] =
    "usage: idlewall events [OPTION...] [FILTER]\n"
    "Shows new flows, changes of state, expiries, late packets and ends as they happen, until it\n"
    "is interrupted. The first figure is the firewall's own time in seconds.\n"
    "\n"
    "  -o, --output FORM     text (default) or json\n" REQUEST_HELP "\n" REQUEST_FILTER_HELP "\n"
    "Example: idlewall events -o json tcp port 22 | jq 'select(.kind == \"late\")'\n";

int events_run(int argc, char **argv)
{
    static const struct option longs[] = {
        {"output", required_argument, NULL, 'o'}, REQUEST_OPTIONS, {0}};
    static const char *const forms[] = {"text", "json", NULL};
    struct request request;
    int status = DONE;
    int code;

    request_init(&request, argv);
    request.endless = true;
    while (status == DONE && (code = command_option(argc, argv, ":o:h", longs, &status)) != -1) {
        if (code == COMMAND_OVER)
            goto out;
        if (code == 'o')
            status = request_word(&request, "-o", "output", optarg, forms);
        else
            request.control = optarg;
    }
    if (status == DONE)
        status = request_filter(&request, argc - optind, argv + optind);
    if (status == DONE)
        return request_run(&request);
out:
    request_drop(&request);
    return status;
}
