/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/command.h"
#include "tools/request.h"

const char reload_help[] =
    "usage: idlewall reload [OPTION...]\n"
    "Makes idlewalld read its policy file again. The table stays, and flows keep the policy they\n"
    "were opened under. A faulty file changes nothing: its faults are shown, and the status is 1.\n"
    "\n" REQUEST_HELP "\n"
    "Example: idlewall reload && idlewall status\n";

int reload_run(int argc, char **argv)
{
    static const struct option longs[] = {REQUEST_OPTIONS, {0}};
    struct request request;
    int status = DONE;
    int code;

    request_init(&request, argv);
    while ((code = command_option(argc, argv, ":h", longs, &status)) != -1) {
        if (code == COMMAND_OVER)
            goto out;
        request.control = optarg;
    }
    if (optind < argc)
        status = command_misused(argv[0], "unexpected argument %s", argv[optind]);
    else
        return request_run(&request);
out:
    request_drop(&request);
    return status;
}
