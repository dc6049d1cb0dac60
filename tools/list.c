/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/flow.h"
#include "tools/command.h"
#include "tools/request.h"

#include <ctype.h>
#include <string.h>

const char list_help[] =
    "usage: idlewall list [OPTION...] [FILTER]\n"
    "Shows the flows that the firewall knows, with what is left of their idle time.\n"
    "\n"
    "  --state STATE         only in this state: SYN_SENT, ESTABLISHED, FIN_WAIT, UNREPLIED, ...\n"
    "  --idle-over D         idle for at least that long\n"
    "  --due-within D        that will expire within that time unless refreshed\n"
    "  --rule NAME           opened under that rule\n"
    "  --id N                only this flow\n"
    "  -o, --output FORM     text (default), json, csv, or conntrack (its own lines)\n" REQUEST_HELP
    "\n" REQUEST_FILTER_HELP "D is a duration of the firewall's time: 350s, 2h4min, 500ms, 1d.\n\n"
    "Example: idlewall list --state ESTABLISHED --due-within 1min tcp port 5432\n";

static int set_state(struct request *request, const char *text)
{
    const char *names[FLOW_STATES + 1] = {0};
    char upper[32] = "";

    for (size_t i = 0; text[i] != '\0' && i + 1 < sizeof(upper); i++)
        upper[i] = (char)toupper((unsigned char)text[i]);
    for (int i = 0; i < FLOW_STATES; i++)
        names[i] = flow_state_name((enum flow_state)i);
    return request_word(request, "--state", "state", upper, names);
}

int list_run(int argc, char **argv)
{
    static const struct option longs[] = {
        {"state", required_argument, NULL, 's'},
        {"idle-over", required_argument, NULL, 'I'},
        {"due-within", required_argument, NULL, 'd'},
        {"rule", required_argument, NULL, 'r'},
        {"id", required_argument, NULL, 'i'},
        {"output", required_argument, NULL, 'o'},
        REQUEST_OPTIONS,
        {0},
    };
    static const char *const forms[] = {"text", "json", "csv", "conntrack", NULL};
    struct request request;
    int status = DONE;
    int code;

    request_init(&request, argv);
    while (status == DONE && (code = command_option(argc, argv, ":o:h", longs, &status)) != -1) {
        if (code == COMMAND_OVER)
            goto out;
        if (code == 's')
            status = set_state(&request, optarg);
        else if (code == 'I')
            status = request_duration(&request, "--idle-over", "idle_over_s", optarg);
        else if (code == 'd')
            status = request_duration(&request, "--due-within", "due_within_s", optarg);
        else if (code == 'r')
            status = request_text(&request, "rule", optarg);
        else if (code == 'i')
            status = request_id(&request, optarg);
        else if (code == 'o')
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
