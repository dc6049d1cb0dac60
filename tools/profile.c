/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "policy/duration.h"
#include "policy/policy_parse.h"
#include "policy/policy_print.h"
#include "tools/command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char profile_help[] =
    "usage: idlewall profile list [--dies-at D]\n"
    "       idlewall profile show NAME\n"
    "The firewalls that come with idlewall: how long they remember an idle connection, what they\n"
    "do then, and where each figure comes from.\n"
    "\n"
    "  --dies-at D           only those behind which a TCP connection that is idle for that long\n"
    "                        is lost\n"
    "  --help                this text\n"
    "\n"
    "Example: idlewall profile list --dies-at 1h\n";

/* The one profile that policy_from_profile() uses for everything. */
static const struct policy_profile *only_profile(const struct policy *policy)
{
    return &policy->profiles[policy->rules[policy->n_rules - 1].profile];
}

/*
 * Is an established connection that is silent for so long lost? One that is forgotten silently and
 * then adopted mid-stream is not, and dead connection detection keeps one whose ends still answer.
 */
static bool dies_at(const struct policy_profile *profile, mtime_t idle)
{
    if (profile->timeout[TIMEOUT_ACTIVE] <= idle)
        return true;
    if (profile->timeout[TIMEOUT_TCP_ESTABLISHED] > idle || profile->on_expiry == ON_EXPIRY_DCD)
        return false;
    return profile->on_expiry != ON_EXPIRY_SILENT || profile->on_late != ON_LATE_ADOPT;
}

/* One value, marked by where it comes from. */
static void print_marked(const char *text, enum policy_origin origin, int width)
{
    static const char marks[] = {
        [ORIGIN_ASSUMED] = '~', [ORIGIN_SET] = ' ', [ORIGIN_UNVERIFIED] = '?'};

    printf("%s%c%*s", text, marks[origin], width - (int)strlen(text), "");
}

static void print_time(const struct policy_profile *profile, enum policy_timeout timeout)
{
    char text[64];

    *put_duration(text, profile->timeout[timeout]) = '\0';
    print_marked(text, profile->origin[timeout], 9);
}

static const char *refresh_text(const struct policy_profile *profile, char *buf, size_t size)
{
    snprintf(buf, size, "%s%s", policy_refresh_name(profile->refresh),
             profile->refresh_by == REFRESH_BY_PAYLOAD ? ", payload" : "");
    return buf;
}

/* Names differ much in length, and a column that is full would run into the next. */
static int name_width(void)
{
    size_t longest = 0;

    for (size_t i = 0; i < policy_shipped_count; i++) {
        size_t len = strlen(policy_shipped[i].name);

        if (len > longest)
            longest = len;
    }
    return (int)longest;
}

static void print_profile(const struct policy_profile *profile)
{
    enum policy_timeout half =
        profile->timeout[TIMEOUT_TCP_CLOSE_WAIT] < profile->timeout[TIMEOUT_TCP_FIN_WAIT]
            ? TIMEOUT_TCP_CLOSE_WAIT
            : TIMEOUT_TCP_FIN_WAIT;
    char refresh[64];

    printf("%-*s ", name_width(), profile->name);
    print_time(profile, TIMEOUT_TCP_ESTABLISHED);
    print_time(profile, half);
    print_time(profile, TIMEOUT_UDP_STREAM);
    print_marked(policy_on_expiry_name(profile->on_expiry), profile->origin[SETTING_ON_EXPIRY], 13);
    print_marked(policy_on_late_name(profile->on_late), profile->origin[SETTING_ON_LATE], 13);
    print_marked(refresh_text(profile, refresh, sizeof(refresh)), profile->origin[SETTING_REFRESH],
                 14);
    printf("%s\n", profile->product ? profile->product : "");
}

static int list(mtime_t idle)
{
    size_t shown = 0;

    for (size_t i = 0; i < policy_shipped_count; i++) {
        const struct policy_profile *profile;
        struct policy *policy;
        int r = policy_from_profile(&policy, policy_shipped[i].name);

        if (r < 0)
            return command_failed("profile", "%s: %s", policy_shipped[i].name, strerror(-r));
        profile = only_profile(policy);
        if (idle == MTIME_NEVER || dies_at(profile, idle)) {
            if (shown++ == 0)
                printf("%-*s %-10s%-10s%-10s%-14s%-14s%-15s%s\n", name_width(), "NAME", "TCP IDLE",
                       "CLOSING", "UDP", "AT EXPIRY", "LATE PACKET", "REFRESHED BY", "PRODUCT");
            print_profile(profile);
        }
        policy_unref(policy);
    }
    if (shown > 0)
        fprintf(stderr, "? not verified   ~ assumed: the product's documents are silent\n");
    else
        fprintf(stderr, "a connection that is idle for so long lives behind all of them\n");
    return DONE;
}

static int show(const char *name)
{
    struct policy *policy;
    int r = policy_from_profile(&policy, name);

    if (r == -ENOENT)
        return command_misused("profile", "no profile %s; `idlewall profile list` shows them",
                               name);
    if (r < 0)
        return command_failed("profile", "%s: %s", name, strerror(-r));
    policy_print_profile(only_profile(policy), stdout);
    policy_unref(policy);
    return DONE;
}

int profile_run(int argc, char **argv)
{
    static const struct option longs[] = {
        {"dies-at", required_argument, NULL, 'd'}, COMMAND_HELP, {0}};
    mtime_t idle = MTIME_NEVER;
    const char *why = "never is no idle time that ends";
    int status = DONE;
    int code;

    while ((code = command_option(argc, argv, ":h", longs, &status)) != -1) {
        if (code == COMMAND_OVER)
            return status;
        if (duration_parse(optarg, &idle, &why) < 0 || idle == MTIME_NEVER)
            return command_misused(argv[0], "--dies-at %s: %s", optarg, why);
    }
    argc -= optind;
    argv += optind;
    if (argc == 1 && strcmp(argv[0], "list") == 0)
        return list(idle);
    if (argc == 2 && strcmp(argv[0], "show") == 0 && idle == MTIME_NEVER)
        return show(argv[1]);
    return command_misused("profile", "it is `profile list [--dies-at D]` or `profile show NAME`");
}
