/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "policy/duration.h"
#include "policy/policy_parse.h"
#include "policy/policy_print.h"
#include "tools/command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char profile_help[] =
    "usage: idlewall profile list [--dies-at D]\n"
    "       idlewall profile show NAME\n"
    "The firewalls that come with idlewall: how long they remember an idle connection, what they\n"
    "do then, and where each figure comes from.\n"
    "\n"
    "  --dies-at D           only those behind which a TCP connection that is idle for that long\n"
    "                        (350s, 2h4min, 1d) is lost\n"
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

/* The table, a line a profile; the width of its columns comes from what is in them. */
enum {
    CELL_NAME,
    CELL_ESTABLISHED,
    CELL_HALF_CLOSED,
    CELL_UDP,
    CELL_EXPIRY,
    CELL_LATE,
    CELL_REFRESH,
    CELL_KIND,
    CELL_VERIFIED,
    CELLS,
};
struct line {
    char cell[CELLS][64];
};
static const struct line heading = {{"NAME", "TCP IDLE", "1 FIN", "UDP", "AT EXPIRY", "LATE PACKET",
                                     "REFRESHED BY", "KIND", "VERIFIED"}};

/* Marks a value by where it comes from. */
static void mark(char *cell, enum policy_origin origin)
{
    static const char *const marks[] = {
        [ORIGIN_ASSUMED] = "~", [ORIGIN_SET] = "", [ORIGIN_UNVERIFIED] = "?"};

    strcat(cell, marks[origin]);
}

static void show_time(char *cell, const struct policy_profile *profile, enum policy_timeout timeout)
{
    *put_duration(cell, profile->timeout[timeout]) = '\0';
    mark(cell, profile->origin[timeout]);
}

/* How long a connection lives that one end has closed. */
static enum policy_timeout half_closed(const struct policy_profile *profile)
{
    if (profile->half_close == HALF_CLOSE_BOTH_FINS)
        return TIMEOUT_TCP_ESTABLISHED;
    return profile->timeout[TIMEOUT_TCP_CLOSE_WAIT] < profile->timeout[TIMEOUT_TCP_FIN_WAIT]
               ? TIMEOUT_TCP_CLOSE_WAIT
               : TIMEOUT_TCP_FIN_WAIT;
}

/* Without an answer, and with one where that is another time. */
static void show_udp(char *cell, const struct policy_profile *profile)
{
    show_time(cell, profile, TIMEOUT_UDP);
    if (profile->timeout[TIMEOUT_UDP] == profile->timeout[TIMEOUT_UDP_STREAM] &&
        profile->origin[TIMEOUT_UDP] == profile->origin[TIMEOUT_UDP_STREAM])
        return;
    strcat(cell, "/");
    show_time(cell + strlen(cell), profile, TIMEOUT_UDP_STREAM);
}

/* Of TCP, and of UDP where that is otherwise. */
static void show_refresh(char *cell, size_t size, const struct policy_profile *profile)
{
    unsigned from =
        profile->refresh_by == REFRESH_BY_PAYLOAD ? SETTING_REFRESH_BY : SETTING_REFRESH;

    if (profile->refresh_by == REFRESH_BY_PAYLOAD && profile->refresh == REFRESH_BOTH)
        snprintf(cell, size, "payload");
    else
        snprintf(cell, size, "%s%s", policy_refresh_name(profile->refresh),
                 profile->refresh_by == REFRESH_BY_PAYLOAD ? " payload" : "");
    mark(cell, profile->origin[from]);
    if (profile->refresh_udp == REFRESH_UDP_SAME)
        return;
    strcat(cell, "/");
    strcat(cell, policy_refresh_udp_name(profile->refresh_udp));
    mark(cell, profile->origin[SETTING_REFRESH_UDP]);
}

/* Of what the profile says itself. */
static const char *verified(const struct policy_profile *profile)
{
    size_t set = 0, marked = 0;

    for (unsigned i = 0; i < POLICY_SETTINGS; i++) {
        set += profile->origin[i] == ORIGIN_SET;
        marked += profile->origin[i] == ORIGIN_UNVERIFIED;
    }
    return set == 0 ? "no" : marked > 0 ? "partly" : "yes";
}

static void make_line(struct line *line, const struct policy_profile *profile)
{
    char(*cell)[sizeof(line->cell[0])] = line->cell;
    const size_t size = sizeof(line->cell[0]);

    snprintf(cell[CELL_NAME], size, "%s", profile->name);
    show_time(cell[CELL_ESTABLISHED], profile, TIMEOUT_TCP_ESTABLISHED);
    show_time(cell[CELL_HALF_CLOSED], profile, half_closed(profile));
    show_udp(cell[CELL_UDP], profile);
    snprintf(cell[CELL_EXPIRY], size, "%s", policy_on_expiry_name(profile->on_expiry));
    mark(cell[CELL_EXPIRY], profile->origin[SETTING_ON_EXPIRY]);
    snprintf(cell[CELL_LATE], size, "%s", policy_on_late_name(profile->on_late));
    mark(cell[CELL_LATE], profile->origin[SETTING_ON_LATE]);
    show_refresh(cell[CELL_REFRESH], size, profile);
    snprintf(cell[CELL_KIND], size, "%s", policy_kind_name(profile->kind));
    snprintf(cell[CELL_VERIFIED], size, "%s", verified(profile));
}

static void print_lines(const struct line *lines, size_t n)
{
    size_t width[CELLS] = {0};

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < CELLS; k++)
            if (strlen(lines[i].cell[k]) > width[k])
                width[k] = strlen(lines[i].cell[k]);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < CELLS; k++)
            printf("%-*s%s", k + 1 < CELLS ? (int)width[k] : 0, lines[i].cell[k],
                   k + 1 < CELLS ? " " : "\n");
}

/* Forgotten by then, but in vain: adopt is what most products' documents are silent about. */
static bool adopts_at(const struct policy_profile *profile, mtime_t idle)
{
    return profile->timeout[TIMEOUT_TCP_ESTABLISHED] <= idle &&
           profile->on_expiry == ON_EXPIRY_SILENT && profile->on_late == ON_LATE_ADOPT;
}

static int list(mtime_t idle)
{
    struct line *lines = calloc(policy_shipped_count + 1, sizeof(*lines));
    int status = DONE;
    size_t n = 1, adopting = 0;

    if (!lines)
        return command_failed("profile", "%s", strerror(ENOMEM));
    lines[0] = heading;
    for (size_t i = 0; i < policy_shipped_count; i++) {
        struct policy *policy;
        int r = policy_from_profile(&policy, policy_shipped[i].name);

        if (r < 0) {
            status = command_failed("profile", "%s: %s", policy_shipped[i].name, strerror(-r));
            goto out;
        }
        if (idle == MTIME_NEVER || dies_at(only_profile(policy), idle))
            make_line(&lines[n++], only_profile(policy));
        else
            adopting += adopts_at(only_profile(policy), idle);
        policy_unref(policy);
    }
    if (n == 1) {
        fprintf(stderr, "a connection that is idle for so long lives behind all of them\n");
        goto out;
    }
    print_lines(lines, n);
    fflush(stdout); /* the notes come below the table in a file, too */
    if (adopting > 0)
        fprintf(
            stderr,
            "%zu more forget it by then, but take its next packet for a new flow (adopt, mostly "
            "assumed)\n",
            adopting);
    fprintf(stderr, "? not verified   ~ assumed: the product's documents are silent   "
                    "A/B: UDP without and with an answer; TCP and UDP\n"
                    "proxy: ends connections itself; `idlewall profile show NAME` says what is not "
                    "modelled\n");
out:
    free(lines);
    return status;
}

/* The remarks above the profile's text, what is not modelled among them. */
static void print_remarks(const char *name)
{
    const char *line = "";

    for (size_t i = 0; i < policy_shipped_count; i++)
        if (strcmp(policy_shipped[i].name, name) == 0)
            line = policy_shipped[i].text;
    for (size_t len; *line == '#'; line += len + 1) {
        len = strcspn(line, "\n");
        if (!memmem(line, len, "SPDX", 4))
            fwrite(line, 1, len + 1, stdout);
    }
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
    print_remarks(name);
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
