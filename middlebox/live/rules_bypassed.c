/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/command.h"
#include "middlebox/live/rules.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool run_mentions(const char *const argv[], const char *what)
{
    struct command_output out;
    bool found;

    if (command_run(&out, argv, NULL, 0) < 0)
        return false;
    found = out.status == 0 && strstr(out.out, what);
    command_output_finish(&out);
    return found;
}

static bool switched_on(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char value = '0';

    if (fd < 0)
        return false;
    if (read(fd, &value, 1) != 1)
        value = '0';
    close(fd);
    return value == '1';
}

void rules_say_bypassed(const struct rules_plan *plan, rules_say_fn say)
{
    static const char *const ruleset[] = {"nft", "list", "ruleset", NULL};
    static const char *const ports[] = {"ip", "-o", "link", "show", "type", "bridge_slave", NULL};

    if (plan->hook != RULES_FORWARD)
        return;
    if (run_mentions(ruleset, "flow add @") || run_mentions(ruleset, "flow offload @"))
        say("a flow table offloads connections (nft `flow add`): their packets do not reach the "
            "queue, and their flows here run out while they are in use");
    if (run_mentions(ports, ":") && (!switched_on("/proc/sys/net/bridge/bridge-nf-call-iptables") ||
                                     !switched_on("/proc/sys/net/bridge/bridge-nf-call-ip6tables")))
        say("there are bridge ports here and br_netfilter is off: what is bridged does not reach "
            "the queue, only what is routed does");
}
