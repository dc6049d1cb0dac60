/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/command.h"
#include "tools/lab/lab.h"

#include "policy/policy_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char lab_help[] =
    "usage: idlewall lab --profile NAME|--policy FILE [OPTION...] [--] COMMAND [ARGUMENT...]\n"
    "       idlewall lab --profile NAME|--policy FILE [OPTION...] --shell\n"
    "       idlewall lab [--verify] [OPTION...] FILE|CASE\n"
    "Puts a firewall between a client and a server, each in a network namespace of its own, and\n"
    "runs COMMAND on the client's side. The exit status is COMMAND's. Everything is removed\n"
    "afterwards. Without root it uses user namespaces, where those are allowed.\n"
    "\n"
    "  --profile NAME        a shipped firewall (`idlewall profile list`)\n"
    "  --policy FILE         or a policy of your own; `adopt-at-start none` in it makes packets\n"
    "                        late from the first second on, as with --profile\n"
    "  --speed N             the firewall's time runs N times as fast (1 to 10000); the sockets'\n"
    "                        and programs' own timers do not\n"
    "  --server CMD          a shell command to run on the server's side; COMMAND starts when it\n"
    "                        listens, and it ends with COMMAND (also: --server-command)\n"
    "  --shell               an interactive shell on the client's side\n"
    "  --client-netns X      use namespaces that exist (of containers, of virtual machines): a\n"
    "  --server-netns Y      name of `ip netns`, a path, or the pid of a process inside. Both are\n"
    "                        needed; they get an interface, addresses and routes, and lose them\n"
    "                        afterwards\n"
    "  --record FILE         write packets, times and verdicts (pcapng)\n"
    "  --help                this text\n"
    "\n"
    "With a scenario (idlewall-scenario(5)): plays that with the kernel's sockets, an idlewalld "
    "in\n"
    "each of its firewalls, and prints what `idlewall simulate` prints. 1: an expectation is not "
    "met.\n"
    "\n"
    "  --verify              simulates it as well, prints both side by side; 1 if they differ\n"
    "  --speed N             divides what the scenario says; retransmission, window probes and\n"
    "                        TIME_WAIT are the kernel's and stay\n"
    "  -o, --output FORM     text (default) or json\n"
    "  --svg FILE, --write-pcap DIR, --outcome, --quiet, --set 'WHO SETTING'\n"
    "                        as `idlewall simulate` has them\n"
    "  --record DIR          keeps the firewalls' recordings (pcapng)\n"
    "\n"
    "COMMAND finds in its environment:\n"
    "  IDLEWALL_SERVER, IDLEWALL_SERVER6, IDLEWALL_CLIENT, IDLEWALL_CLIENT6   addresses\n"
    "  IDLEWALL_CONTROL      so that `idlewall list` and the others speak to this firewall\n"
    "  IDLEWALL_CLIENT_NETNS, IDLEWALL_SERVER_NETNS, IDLEWALL_FIREWALL_NETNS\n"
    "                        for `ip netns exec`\n"
    "IDLEWALLD names the idlewalld to start, if not the one beside this program or in PATH.\n"
    "\n"
    "Example: idlewall lab --profile aws-nat-gateway --speed 60 \\\n"
    "             --server 'python3 -m http.server 80' -- sh -c 'curl http://$IDLEWALL_SERVER/'\n";

enum { PROFILE = 256, POLICY, SPEED, SERVER, SHELL, CLIENT_NETNS, SERVER_NETNS, RECORD };

static const struct option longs[] = {
    {"profile", required_argument, NULL, PROFILE},
    {"policy", required_argument, NULL, POLICY},
    {"speed", required_argument, NULL, SPEED},
    {"server", required_argument, NULL, SERVER},
    {"server-command", required_argument, NULL, SERVER},
    {"shell", no_argument, NULL, SHELL},
    {"client-netns", required_argument, NULL, CLIENT_NETNS},
    {"server-netns", required_argument, NULL, SERVER_NETNS},
    {"record", required_argument, NULL, RECORD},
    COMMAND_HELP,
    {0},
};

int lab_speed(unsigned *out, const char *text)
{
    unsigned long speed;
    char *end;

    errno = 0;
    speed = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno || speed < 1 || speed > 10000)
        return command_misused("lab", "--speed %s: a whole number from 1 to 10000 is needed", text);
    *out = (unsigned)speed;
    return DONE;
}

static int set(struct lab *lab, int code, const char *value)
{
    switch (code) {
    case PROFILE:
        lab->daemon.profile = value;
        break;
    case POLICY:
        lab->daemon.policy = value;
        break;
    case SPEED:
        return lab_speed(&lab->daemon.speed, value);
    case SERVER:
        lab->server_command = value;
        break;
    case SHELL:
        lab->shell = true;
        break;
    case CLIENT_NETNS:
        lab->client_netns = value;
        break;
    case SERVER_NETNS:
        lab->server_netns = value;
        break;
    case RECORD:
        lab->daemon.record = value;
        break;
    }
    return DONE;
}

static int consistent(const struct lab *lab)
{
    if (!lab->daemon.profile == !lab->daemon.policy)
        return command_misused("lab", "either --profile NAME or --policy FILE is needed");
    if (lab->daemon.profile &&
        !policy_shipped_find(lab->daemon.profile, strlen(lab->daemon.profile)))
        return command_misused("lab", "%s: no such profile; `idlewall profile list` names them",
                               lab->daemon.profile);
    if (!lab->client_netns != !lab->server_netns)
        return command_misused("lab", "--client-netns and --server-netns belong together");
    if (lab->client_netns && strcmp(lab->client_netns, lab->server_netns) == 0)
        return command_misused("lab", "client and server must be different namespaces");
    if (lab->shell && lab->command)
        return command_misused("lab", "--shell takes no COMMAND");
    if (!lab->shell && !lab->command)
        return command_misused("lab", "a COMMAND is needed, or --shell");
    if (lab->shell && !isatty(STDIN_FILENO))
        return command_misused("lab", "--shell needs a terminal");
    return DONE;
}

int lab_options(struct lab *lab, int argc, char **argv, int *status)
{
    int code;

    lab->daemon.speed = 1;
    /* `+`: the options after COMMAND are its own. */
    while ((code = command_option(argc, argv, "+:h", longs, status)) != -1) {
        int r;

        if (code == COMMAND_OVER)
            return COMMAND_OVER;
        r = set(lab, code, optarg);
        if (r != DONE)
            return r;
    }
    lab->command = optind < argc ? argv + optind : NULL;
    return consistent(lab);
}
