/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/options.h"
#include "middlebox/live/clock.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

const char options_help[] =
    "usage: idlewalld --policy FILE | --profile NAME [OPTION...]\n"
    "Forgets idle connections of the traffic that passes, as a chosen firewall would.\n"
    "\n"
    "  --policy FILE            the policy; read again on SIGHUP and `idlewall reload`\n"
    "  --profile NAME           a shipped profile for everything (idlewall profile list)\n"
    "  --hook forward|local     traffic that is routed (default), or of this machine itself\n"
    "  --scope PROTO/PORT,...   only these ports, both directions (tcp/1521,udp/5000-5010);\n"
    "                           --hook local needs it\n"
    "  --queue N[:M]            the kernel's queue, or several with a thread each (default 0)\n"
    "  --control PATH           control socket (default " OPTIONS_CONTROL ")\n"
    "  --rules auto|none        install the rules that bring packets to the queue, and remove\n"
    "                           them at the end (default auto)\n"
    "  --speed N                the firewall's time runs N times as fast (default 1)\n"
    "  --record FILE            write packets, times and verdicts (pcapng)\n"
    "  --metrics ADDRESS:PORT   serve counters over HTTP (OpenMetrics), on loopback only\n"
    "  --help, --version\n";

static bool parse_number(const char **text, unsigned long max, unsigned long *out)
{
    char *end;

    if (**text < '0' || **text > '9')
        return false;
    *out = strtoul(*text, &end, 10);
    *text = end;
    return *out <= max;
}

static bool parse_queue(struct rules_plan *plan, const char *text)
{
    unsigned long first, last;

    if (!parse_number(&text, UINT16_MAX, &first))
        return false;
    last = first;
    if (*text == ':') {
        text++;
        if (!parse_number(&text, UINT16_MAX, &last))
            return false;
    }
    plan->queue_first = (uint16_t)first;
    plan->queue_last = (uint16_t)last;
    return *text == '\0' && first <= last && last - first < OPTIONS_QUEUES;
}

static bool parse_word(const char *text, const char *zero, const char *one, bool *out)
{
    *out = strcmp(text, one) == 0;
    return *out || strcmp(text, zero) == 0;
}

enum {
    POLICY = 1,
    PROFILE,
    HOOK,
    SCOPE,
    QUEUE,
    CONTROL,
    RULES,
    SPEED,
    RECORD,
    METRICS,
    HELP,
    VERSION
};
static const struct option known[] = {
    {"policy", required_argument, NULL, POLICY},
    {"profile", required_argument, NULL, PROFILE},
    {"hook", required_argument, NULL, HOOK},
    {"scope", required_argument, NULL, SCOPE},
    {"queue", required_argument, NULL, QUEUE},
    {"control", required_argument, NULL, CONTROL},
    {"rules", required_argument, NULL, RULES},
    {"speed", required_argument, NULL, SPEED},
    {"record", required_argument, NULL, RECORD},
    {"metrics", required_argument, NULL, METRICS},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {0},
};

/* NULL, or what is wrong with this one. */
static const char *take(struct options *o, int code, const char *value)
{
    const char *why = NULL;
    unsigned long number;
    bool flag;

    switch (code) {
    case POLICY:
        o->policy = value;
        return NULL;
    case PROFILE:
        o->profile = value;
        return NULL;
    case HOOK:
        if (!parse_word(value, "forward", "local", &flag))
            return "--hook is forward or local";
        o->plan.hook = flag ? RULES_LOCAL : RULES_FORWARD;
        return NULL;
    case SCOPE:
        rules_scope_parse(&o->plan, value, &why);
        return why;
    case QUEUE:
        return parse_queue(&o->plan, value)
                   ? NULL
                   : "--queue is N or N:M, from 0 to 65535, at most 64 queues";
    case CONTROL:
        o->control = value;
        if (strlen(value) == 0 || strlen(value) >= sizeof(((struct sockaddr_un *)0)->sun_path))
            return "--control is a path of at most 107 bytes";
        return NULL;
    case RULES:
        return parse_word(value, "none", "auto", &o->rules) ? NULL : "--rules is auto or none";
    case SPEED:
        if (!parse_number(&value, CLOCK_SPEED_MAX, &number) || number == 0 || *value)
            return "--speed is a whole number from 1 to 10000";
        o->speed = (unsigned)number;
        return NULL;
    case RECORD:
        o->record = value;
        return NULL;
    case METRICS:
        o->metrics = value;
        return metrics_address_parse(&o->metrics_address, value);
    }
    return "unknown option";
}

static const char *together(const struct options *o)
{
    if (!o->policy == !o->profile)
        return "give either --policy FILE or --profile NAME";
    if (o->plan.hook == RULES_LOCAL && o->plan.n_scope == 0)
        return "--hook local needs --scope, so that you do not lock yourself out";
    if (o->record && o->plan.queue_first != o->plan.queue_last)
        return "--record works with a single queue: the order of several is not kept";
    return NULL;
}

enum options_result options_parse(struct options *options, int argc, char *argv[], char *why,
                                  size_t why_size)
{
    const char *wrong = NULL;
    int code;

    *options = (struct options){.rules = true, .control = OPTIONS_CONTROL, .speed = 1};
    opterr = 0;
    optind = 0; /* GNU: start over, also for a second call */
    while (!wrong && (code = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (code == HELP)
            return OPTIONS_HELP;
        if (code == VERSION)
            return OPTIONS_VERSION;
        if (code == '?') {
            snprintf(why, why_size, "%s: unknown option, or its value is missing",
                     argv[optind - 1]);
            return OPTIONS_WRONG;
        }
        wrong = take(options, code, optarg);
        if (wrong) {
            snprintf(why, why_size, "%s: %s", optarg, wrong);
            return OPTIONS_WRONG;
        }
    }
    if (optind < argc) {
        snprintf(why, why_size, "%s: no such argument", argv[optind]);
        return OPTIONS_WRONG;
    }
    wrong = together(options);
    if (wrong)
        snprintf(why, why_size, "%s", wrong);
    return wrong ? OPTIONS_WRONG : OPTIONS_RUN;
}
