/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/policy_read.h"
#include "tools/replay_command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char replay_help[] =
    "usage: idlewall replay CAPTURE... --profile NAME | --policy FILE [OPTION...]\n"
    "       idlewall replay --at NAME CAPTURE [--at NAME CAPTURE] [OPTION...]\n"
    "       idlewall replay merge FILE...\n"
    "Which connections of this traffic would that firewall have broken? Captures (pcap, pcapng,\n"
    "gzip, zstd, - for standard input) go through the engine in capture time, as if it had stood\n"
    "there. Several are read as one, in time order.\n"
    "\n"
    "  --profile NAME        a shipped firewall; `idlewall profile list` shows them\n"
    "  --policy FILE         a policy, - for standard input\n"
    "  --compare NAME,...    the same traffic under these profiles, side by side\n"
    "  --sweep A..B          what every value of one timeout from A to B would break and cost, in\n"
    "                        one pass; or a list: 1min,5min,1h\n"
    "  --timeout NAME        which timeout that is (default: tcp-established)\n"
    "  --svg FILE            a picture of the sweep\n"
    "  --at NAME CAPTURE     a capture of that place. Of two places: what one end sent and the "
    "other\n"
    "                        never saw, what arrived that nobody sent, and after what silence\n"
    "                        something between forgot connections. Of one: resets that do not "
    "look\n"
    "                        as if their sender had made them. No firewall is named. Again with\n"
    "                        the same NAME: another capture of that place\n"
    "  --flows               every connection, too, when it is over\n"
    "  --independent         each capture on its own, as not of one time and place; one summary\n"
    "  --checksums           a packet with a wrong checksum is dropped (a sender's own capture\n"
    "                        holds unfinished ones)\n"
    "  --fail-on-broken      exit status 1 if a connection would have been broken\n"
    "  -o, --output FORM     text (default), json (an object a line), csv (the connections)\n"
    "  --quiet               no output but errors\n"
    "  --threads N           default: as many as there are processors\n"
    "  --help                this text\n"
    "\n"
    "Exit status: 0 done, 1 --fail-on-broken and one was, 2 wrong use, 3 a capture could not be\n"
    "read to its end; what could be is shown.\n"
    "Example: idlewall replay monday.pcap --profile aws-nat-gateway --flows\n";

enum {
    PROFILE = 256,
    POLICY,
    COMPARE,
    FLOWS,
    INDEPENDENT,
    CHECKSUMS,
    FAIL,
    QUIET,
    THREADS,
    SWEEP,
    TIMEOUT,
    SVG,
    AT
};

static const struct option longs[] = {
    {"profile", required_argument, NULL, PROFILE},
    {"policy", required_argument, NULL, POLICY},
    {"compare", required_argument, NULL, COMPARE},
    {"sweep", required_argument, NULL, SWEEP},
    {"timeout", required_argument, NULL, TIMEOUT},
    {"svg", required_argument, NULL, SVG},
    {"at", required_argument, NULL, AT},
    {"flows", no_argument, NULL, FLOWS},
    {"independent", no_argument, NULL, INDEPENDENT},
    {"checksums", no_argument, NULL, CHECKSUMS},
    {"fail-on-broken", no_argument, NULL, FAIL},
    {"output", required_argument, NULL, 'o'},
    {"quiet", no_argument, NULL, QUIET},
    {"threads", required_argument, NULL, THREADS},
    COMMAND_HELP,
    {0},
};

/* The command line's own, before it is understood as a whole. */
struct request {
    struct replay_command command;
    const char *profile, *policy, *sweep, *timeout;
    char *compare; /* owned: a list, taken apart */
    char *others;  /* of it: those beside the firewall */
};

static int read_form(struct replay_command *command, const char *text)
{
    static const char *const forms[] = {
        [REPLAY_TEXT] = "text", [REPLAY_JSON] = "json", [REPLAY_CSV] = "csv"};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (strcmp(text, forms[i]) == 0) {
            command->form = (enum replay_form)i;
            return DONE;
        }
    return command_misused("replay", "-o %s: it is text, json or csv", text);
}

static int read_threads(struct replay_command *command, const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || n < 1 || n > 64)
        return command_misused("replay", "--threads %s: a number from 1 to 64 is needed", text);
    command->threads = (unsigned)n;
    return DONE;
}

static int take(struct request *request, int code, const char *value)
{
    struct replay_command *command = &request->command;

    switch (code) {
    case PROFILE:
        request->profile = value;
        break;
    case POLICY:
        request->policy = value;
        break;
    case COMPARE:
        free(request->compare);
        request->compare = strdup(value);
        break;
    case SWEEP:
        request->sweep = value;
        break;
    case TIMEOUT:
        request->timeout = value;
        break;
    case SVG:
        command->svg = value;
        break;
    case FLOWS:
        command->flows = true;
        break;
    case INDEPENDENT:
        command->independent = true;
        break;
    case CHECKSUMS:
        command->checksums = true;
        break;
    case FAIL:
        command->fail_on_broken = true;
        break;
    case 'o':
        return read_form(command, value);
    case QUIET:
        command->quiet = true;
        break;
    case THREADS:
        return read_threads(command, value);
    default:
        break;
    }
    return DONE;
}

static void show_fault(void *arg, const char *message)
{
    (void)arg;
    fprintf(stderr, "%s\n", message);
}

static int unknown_profile(const char *name)
{
    return command_misused(
        "replay", "no shipped profile is called %s; `idlewall profile list` shows them", name);
}

static int read_firewall(struct request *request)
{
    struct replay_command *command = &request->command;
    int r;

    if (!request->profile == !request->policy)
        return command_misused("replay", request->profile
                                             ? "--profile or --policy, not both"
                                             : "which firewall? --profile NAME or --policy FILE");
    command->firewall = request->profile ? request->profile : request->policy;
    if (request->profile) {
        r = policy_from_profile(&command->policy, request->profile);
        if (r == -ENOENT)
            return unknown_profile(request->profile);
    } else {
        r = policy_read(&command->policy, request->policy, show_fault, NULL);
        if (r == -EINVAL)
            return WRONG_USE;
    }
    return r < 0 ? command_failed("replay", "%s: %s", command->firewall, strerror(-r)) : DONE;
}

/* Without --profile and --policy, the first of the list is the firewall. */
static void begin_compared(struct request *request)
{
    request->others = request->compare;
    if (request->profile || request->policy || !request->compare || !*request->compare)
        return;
    request->profile = request->compare;
    request->others = request->compare + strcspn(request->compare, ",");
    if (*request->others)
        *request->others++ = '\0';
}

static int read_compared(struct request *request)
{
    struct replay_command *command = &request->command;
    char *state = NULL;
    size_t room = 1;

    for (const char *c = request->others; *c; c++)
        room += *c == ',';
    command->compare = calloc(room, sizeof(*command->compare));
    if (!command->compare)
        return command_failed("replay", "%s", strerror(ENOMEM));
    for (char *name = strtok_r(request->others, ",", &state); name;
         name = strtok_r(NULL, ",", &state)) {
        if (!policy_shipped_find(name, strlen(name)))
            return unknown_profile(name);
        command->compare[command->n_compare++] = name;
    }
    if (command->n_compare == 0)
        return command_misused("replay", "--compare: at least two firewalls are needed");
    for (size_t i = 0; i < command->n_captures; i++)
        if (strcmp(command->captures[i], "-") == 0)
            return command_misused("replay", "--compare reads the captures several times: not from "
                                             "standard input");
    return DONE;
}

/* Without a firewall: the one that was there is looked for. */
static int understood_places(struct request *request)
{
    struct replay_command *command = &request->command;

    if (command->n_captures > 0)
        return command_misused("replay", "%s: of which place? --at NAME %s", command->captures[0],
                               command->captures[0]);
    if (request->profile || request->policy || request->compare || request->sweep ||
        request->timeout || command->svg || command->independent || command->checksums ||
        command->threads)
        return command_misused("replay", "--at looks for the firewall that was there: it takes "
                                         "--flows, --fail-on-broken, -o and --quiet only");
    replay_catch();
    return replay_flush(replay_places(command));
}

static int understood(struct request *request)
{
    struct replay_command *command = &request->command;
    size_t piped = request->policy && strcmp(request->policy, "-") == 0;
    int status;

    if (command->places.n > 0)
        return understood_places(request);
    if (command->n_captures == 0)
        return command_misused("replay", "a CAPTURE is needed, - is standard input");
    for (size_t i = 0; i < command->n_captures; i++)
        piped += strcmp(command->captures[i], "-") == 0;
    if (piped > 1)
        return command_misused("replay", "standard input can be read once");
    if (request->compare && command->independent)
        return command_misused("replay", "--compare or --independent, not both");
    begin_compared(request);
    if ((request->timeout || command->svg) && !request->sweep)
        return command_misused("replay", "--timeout and --svg belong to --sweep");
    if (request->sweep &&
        (request->compare || command->independent || command->flows || command->fail_on_broken))
        return command_misused("replay", "--sweep takes neither --compare nor --independent, "
                                         "--flows or --fail-on-broken");
    status = read_firewall(request);
    if (status == DONE && request->compare)
        status = read_compared(request);
    if (status != DONE)
        return status;
    replay_catch();
    if (request->sweep)
        return replay_flush(replay_sweep(command, request->sweep, request->timeout));
    return replay_flush(request->compare ? replay_compare(command) : replay_play(command));
}

int replay_command_run(int argc, char **argv)
{
    struct request request = {0};
    int status = DONE, code;

    if (argc > 1 && strcmp(argv[1], "merge") == 0)
        return replay_merge(argc - 1, argv + 1);
    while (status == DONE && (code = command_option(argc, argv, ":o:h", longs, &status)) != -1) {
        if (code == COMMAND_OVER)
            goto out;
        status = code == AT ? replay_places_add(&request.command.places, optarg, argc, argv)
                            : take(&request, code, optarg);
    }
    request.command.captures = (const char *const *)argv + optind;
    request.command.n_captures = (size_t)(argc - optind);
    if (status == DONE)
        status = understood(&request);
out:
    policy_unref(request.command.policy);
    replay_places_finish(&request.command.places);
    free(request.command.compare);
    free(request.compare);
    return status;
}
