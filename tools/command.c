/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct command commands[] = {
    {"list", list_run, "show the flows the firewall knows", list_help},
    {"events", events_run, "show what happens to flows, as it happens", events_help},
    {"wait", wait_run, "wait for one event", wait_help},
    {"expire", act_run, "end flows as if their idle time were over", expire_help},
    {"forget", act_run, "drop flows from the table silently", forget_help},
    {"kill", act_run, "reset both ends of flows", kill_help},
    {"block", act_run, "drop the packets of flows silently", block_help},
    {"unblock", act_run, "let blocked flows pass again", unblock_help},
    {"status", status_run, "show counters and losses", status_help},
    {"reload", reload_run, "read the policy file again", reload_help},
    {"check", check_run, "check a policy file", check_help},
    {"profile", profile_run, "list and show the firewalls that come with it", profile_help},
    {"simulate", simulate_run, "play a scenario in virtual time", simulate_help},
    {"replay", replay_command_run, "which connections of a capture a firewall would have broken",
     replay_help},
    {"align", align_run, "show which connections will break, and what to set", align_help},
    {"lab", lab_run, "run a command behind a firewall, in namespaces", lab_help},
};
const size_t command_count = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void complain(const char *name, const char *format, va_list args)
{
    fprintf(stderr, "idlewall %s: ", name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

int command_misused(const char *name, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(name, format, args);
    va_end(args);
    fprintf(stderr, "`idlewall %s --help` says more.\n", name);
    return WRONG_USE;
}

int command_failed(const char *name, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(name, format, args);
    va_end(args);
    return COULD_NOT;
}

int command_option(int argc, char **argv, const char *shorts, const struct option *longs,
                   int *status)
{
    int before = optind;
    int code;

    opterr = 0;
    code = getopt_long(argc, argv, shorts, longs, NULL);
    if (code == 'h') {
        fputs(command_find(argv[0])->help, stdout);
        *status = DONE;
        return COMMAND_OVER;
    }
    if (code != '?' && code != ':')
        return code;
    if (optopt != 0 && (code == ':' || strchr(shorts, optopt)))
        *status = command_misused(argv[0], "%s needs a value", argv[optind - 1]);
    else
        *status = command_misused(argv[0], "unknown option %s",
                                  optind > before ? argv[optind - 1] : argv[optind]);
    return COMMAND_OVER;
}
