/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/align.h"
#include "policy/duration.h"
#include "tools/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char align_help[] =
    "usage: idlewall align [--table FILE|SOCKET] [--path HOP,...] [options] [FILTER]\n"
    "       idlewall align --plan --path HOP,... --server SOFTWARE --client SOFTWARE\n"
    "Which connections the firewall will forget before their keepalive speaks, what each end will\n"
    "see, and which lines to put into which file. Exit status 1 if any will break.\n"
    "\n"
    "Where the limits come from (default: the idlewalld that runs here):\n"
    "  --table FILE|SOCKET   idlewalld's control socket, or what `idlewall list -o json` wrote\n"
    "  --path HOP,...        what lies between, from the client to the server: profiles of\n"
    "                        `idlewall profile list`, PROFILE=D with another idle limit, or D\n"
    "                        alone: a firewall that drops what comes after it\n"
    "  --policy FILE         where the profiles are from that do not ship with idlewall\n"
    "Where the sockets come from (default: this host):\n"
    "  --sockets FILE        what `ss -tanoie` or `netstat -tnpo` printed elsewhere; - is "
    "standard\n"
    "                        input\n"
    "  --peer-sockets FILE   the same of the other end\n"
    "  --watch D             look for that long: countdowns show how soon keepalive is\n"
    "  --plan                no sockets: what is known of the software as it ships\n"
    "  --server, --client SOFTWARE\n"
    "                        of `idlewall simulate --apps` and `--systems`: postgresql, aix,\n"
    "                        java@windows\n"
    "And:\n"
    "  --arrivals N          connections per second that fall silent for good, for the price\n"
    "  -o, --output text|json\n"
    "  --help                this text\n"
    "\n"
    "FILTER is a pcap-filter expression about the connection, client to server.\n"
    "\n"
    "Example: ss -tanoie | idlewall align --sockets - --path aws-nlb-tcp,linux-ipvs\n";

enum { TABLE = 256, PATH, POLICY, SOCKETS, PEERS, WATCH, PLAN, SERVER, CLIENT, ARRIVALS };
static const struct option longs[] = {
    {"table", required_argument, NULL, TABLE},
    {"path", required_argument, NULL, PATH},
    {"policy", required_argument, NULL, POLICY},
    {"sockets", required_argument, NULL, SOCKETS},
    {"peer-sockets", required_argument, NULL, PEERS},
    {"watch", required_argument, NULL, WATCH},
    {"plan", no_argument, NULL, PLAN},
    {"server", required_argument, NULL, SERVER},
    {"client", required_argument, NULL, CLIENT},
    {"arrivals", required_argument, NULL, ARRIVALS},
    {"output", required_argument, NULL, 'o'},
    COMMAND_HELP,
    {0},
};

static int take_number(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    if (end == text || *end != '\0' || !(*out >= 0) || *out > 1e9)
        return command_misused("align", "--arrivals %s: a number of connections per second", text);
    return DONE;
}

static int take(struct align *align, int code, const char *value)
{
    const char *why = "for ever is no time to watch";

    switch (code) {
    case TABLE:
        align->table_from = value;
        break;
    case PATH:
        align->path_text = value;
        break;
    case POLICY:
        align->policy_from = value;
        break;
    case SOCKETS:
        align->sockets_from = value;
        break;
    case PEERS:
        align->peers_from = value;
        break;
    case WATCH:
        if (duration_parse(value, &align->watch, &why) < 0 || align->watch == MTIME_NEVER)
            return command_misused("align", "--watch %s: %s", value, why);
        break;
    case PLAN:
        align->plan = true;
        break;
    case SERVER:
        align->planned.server = value;
        break;
    case CLIENT:
        align->planned.client = value;
        break;
    case ARRIVALS:
        return take_number(value, &align->arrivals);
    default:
        if (strcmp(value, "text") != 0 && strcmp(value, "json") != 0)
            return command_misused("align", "-o %s: it is text or json", value);
        align->json = strcmp(value, "json") == 0;
    }
    return DONE;
}

static int check(const struct align *align)
{
    if (!align->plan && (align->planned.server || align->planned.client))
        return command_misused("align", "--server and --client belong to --plan");
    if (!align->plan)
        return align->watch > 0 && align->sockets_from
                   ? command_misused("align", "--watch looks at this host's sockets, not at a file")
                   : DONE;
    if (!align->planned.server && !align->planned.client)
        return command_misused("align", "--plan needs --server SOFTWARE or --client SOFTWARE");
    if (!align->path_text)
        return command_misused("align", "--plan needs --path HOP,...");
    if (align->table_from || align->sockets_from || align->peers_from || align->watch > 0)
        return command_misused("align", "--plan has no sockets and no table");
    return DONE;
}

int align_run(int argc, char **argv)
{
    struct align align;
    int status = DONE, code;

    align_init(&align);
    while (status == DONE && (code = command_option(argc, argv, ":o:h", longs, &status)) != -1) {
        if (code == COMMAND_OVER)
            goto out;
        status = take(&align, code, optarg);
    }
    if (status == DONE)
        status = check(&align);
    if (status == DONE)
        status = align_filter(&align, argc - optind, argv + optind);
    if (status == DONE)
        status = align_read(&align);
    if (status == DONE)
        status = align_judge(&align);
out:
    align_finish(&align);
    return status;
}
