/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/command.h"
#include "tools/request.h"

#include <stdbool.h>
#include <string.h>

/* The five commands that act on flows differ in their name, and in --from. */

#define ACT_HELP                                                                                   \
    "  --all                 act on all flows, without a FILTER\n" REQUEST_HELP                    \
    "\n" REQUEST_FILTER_HELP                                                                       \
    "It acts on the flows that match now, and says how many those were.\n"
#define FROM_HELP "  --from client|server  only what that side sends (default: both)\n"

const char expire_help[] =
    "usage: idlewall expire FILTER\n"
    "Ends the flows as if their idle time were over: on-expiry is carried out, and what still\n"
    "comes is late.\n\n" ACT_HELP "\nExample: idlewall expire tcp port 5432\n";
const char forget_help[] =
    "usage: idlewall forget FILTER\n"
    "Drops the flows from the table silently, as a failover to a firewall without its state does.\n"
    "\n" ACT_HELP "\nExample: idlewall forget --all\n";
const char kill_help[] = "usage: idlewall kill FILTER\n"
                         "Ends the flows with resets that both ends accept.\n"
                         "\n" ACT_HELP "\nExample: idlewall kill host 192.0.2.2 and tcp port 22\n";
const char block_help[] =
    "usage: idlewall block [--from client|server] FILTER\n"
    "Drops the packets of the flows silently from now on; what is dropped refreshes nothing.\n"
    "\n" FROM_HELP ACT_HELP "\nExample: idlewall block --from client tcp port 1521\n";
const char unblock_help[] = "usage: idlewall unblock [--from client|server] FILTER\n"
                            "Lets blocked flows pass again.\n"
                            "\n" FROM_HELP ACT_HELP "\nExample: idlewall unblock tcp port 1521\n";

int act_run(int argc, char **argv)
{
    static const struct option longs[] = {
        REQUEST_OPTIONS,
        {"all", no_argument, NULL, 'a'},
        {"from", required_argument, NULL, 'f'},
        {0},
    };
    /* expire, forget and kill have no --from. */
    static const struct option without_from[] = {
        REQUEST_OPTIONS, {"all", no_argument, NULL, 'a'}, {0}};
    static const char *const sides[] = {"client", "server", NULL};
    bool blocks = strcmp(argv[0], "block") == 0 || strcmp(argv[0], "unblock") == 0;
    struct request request;
    bool all = false;
    int status = DONE;
    int code;

    request_init(&request, argv);
    while (status == DONE && (code = command_option(argc, argv, ":h", blocks ? longs : without_from,
                                                    &status)) != -1) {
        if (code == COMMAND_OVER)
            goto out;
        if (code == 'f')
            status = request_word(&request, "--from", "from", optarg, sides);
        else if (code == 'a')
            all = true;
        else
            request.control = optarg;
    }
    if (status == DONE && all == (optind < argc))
        status = command_misused(argv[0], all ? "either --all or a FILTER, not both"
                                              : "say which flows: a FILTER, or --all");
    if (status == DONE)
        status = request_filter(&request, argc - optind, argv + optind);
    if (status == DONE)
        return request_run(&request);
out:
    request_drop(&request);
    return status;
}
