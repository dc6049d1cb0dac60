/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a lab can play, and what its speed does to it. */
#include "tools/lab/play/play.h"

#include "tools/command.h"
#include "tools/scenario/host_setting.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#define DELAY_MOST (20 * MTIME_MSEC) /* the lab's own links take no time */

/* CONFIG_HZ: the coarse clock moves once a jiffy. */
unsigned play_kernel_hz(void)
{
    struct timespec tick;

    if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0 || tick.tv_sec > 0 || tick.tv_nsec <= 0)
        return 0;
    return (unsigned)((MTIME_SEC + tick.tv_nsec / 2) / tick.tv_nsec);
}

__attribute__((format(printf, 2, 3))) static void against(unsigned *faults, const char *format, ...)
{
    char text[256];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    command_misused("lab", "this cannot be played live: %s", text);
    ++*faults;
}

static void check_host(const struct scenario *s, unsigned side, unsigned *faults)
{
    static const char *const fixed[] = {"rto-initial", "time-wait", "zero-window-abort", "mss"};
    const struct scenario_host *host = &s->host[side];
    const char *name = flow_side_name((enum flow_side)side);

    if (strcmp(host->system.name, "linux") != 0) {
        against(faults, "the %s is %s, and here is a Linux kernel", name, host->system.product);
        return;
    }
    for (size_t i = 0; i < host_setting_count; i++)
        for (size_t k = 0; k < sizeof(fixed) / sizeof(fixed[0]); k++)
            if (host->set & UINT64_C(1) << i && strcmp(host_settings[i].name, fixed[k]) == 0)
                against(faults, "the %s's %s cannot be set in a kernel", name, fixed[k]);
    if (host->set & UINT64_C(1) << (host_setting_find("hz", 2) - host_settings) &&
        host->system.hz != play_kernel_hz())
        against(faults, "the %s's hz is not this kernel's", name);
}

static bool whole(mtime_t t, unsigned speed)
{
    return t % (MTIME_SEC * (mtime_t)speed) == 0 && t >= MTIME_SEC * (mtime_t)speed;
}

static void check_times(const struct keepalive_times *times, const char *who, unsigned speed,
                        unsigned *faults)
{
    if (!whole(times->idle, speed) || !whole(times->interval, speed))
        against(faults, "--speed leaves no whole seconds of %s keepalive", who);
}

static void check_speed(const struct scenario *s, unsigned speed, unsigned *faults)
{
    for (unsigned side = 0; side < 2; side++)
        if (s->host[side].keepalive == SOFTWARE_KEEPALIVE_ON)
            check_times(&s->host[side].times, side == FLOW_CLIENT ? "the client's" : "the server's",
                        speed, faults);
    for (size_t i = 0; i < s->n_deeds; i++)
        if (s->deeds[i].verb == DEED_KEEPALIVE && s->deeds[i].keepalive == SOFTWARE_KEEPALIVE_ON)
            check_times(&s->deeds[i].times, "a later", speed, faults);
}

static void check_path(const struct scenario *s, unsigned *faults)
{
    for (size_t i = 0; i <= s->n_firewalls; i++) {
        if (s->link[i].loss > 0)
            against(faults, "loss by chance: say which packets, `lose client 3`");
        if (s->link[i].delay > DELAY_MOST)
            against(faults, "a link's delay above 20ms: those of the lab take no time");
    }
    for (size_t i = 0; i < s->n_deeds; i++)
        if (s->deeds[i].verb == DEED_PROHIBIT || s->deeds[i].verb == DEED_UNREACHABLE)
            against(faults, "`%s`", deed_name(s->deeds[i].verb));
}

const struct program *play_program(FILE *to, const struct scenario *scenario)
{
    const struct software *software = scenario->host[FLOW_SERVER].software;
    const struct program *found = software ? program_find(software->name) : NULL;
    char missing[256];

    if (found && program_installed(found, missing, sizeof(missing)) == 1)
        return found;
    if (to && found)
        fprintf(to, "%s is not installed (Debian: %s): sockets of the lab's own play its part.\n",
                software->name, missing);
    else if (to && software)
        fprintf(to, "%s is no program that the lab can start: sockets of its own play its part.\n",
                software->name);
    return NULL;
}

/* A real program does what it does. */
static void check_program(const struct scenario *s, unsigned *faults)
{
    if (!play_program(NULL, s))
        return;
    for (size_t i = 0; i < s->n_deeds; i++) {
        const struct deed *deed = &s->deeds[i];
        bool server = deed->place == scenario_server(s);

        if (deed->verb <= DEED_USER_TIMEOUT && deed->verb != DEED_CONNECT &&
            deed->verb != DEED_KILL && deed->verb != DEED_CLOSE && deed->verb != DEED_SEND)
            against(faults, "`%s` of a real %s", deed_name(deed->verb),
                    server ? "server" : "client");
        if (server && deed->verb == DEED_CLOSE)
            against(faults, "`%s` of a real server", deed_name(deed->verb));
    }
}

int play_possible(const struct scenario *scenario, const struct play_options *options)
{
    unsigned faults = 0;

    if (scenario->n_axes > 0 || scenario->workload.clients > 0)
        against(&faults, "it has %s: `idlewall simulate` plays that",
                scenario->n_axes > 0 ? "lists or ranges of values" : "`repeat`");
    if (scenario->virtual_only)
        against(&faults, "it is virtual only, as it says itself");
    for (unsigned side = 0; side < 2; side++)
        check_host(scenario, side, &faults);
    check_path(scenario, &faults);
    check_program(scenario, &faults);
    check_speed(scenario, options->speed, &faults);
    return faults == 0 ? DONE : WRONG_USE;
}

void play_unscaled(FILE *to, const struct scenario *scenario, const struct play_options *options)
{
    if (options->speed == 1)
        return;
    fprintf(to,
            "At speed %u a story of %.0f s takes %.0f s. The firewalls' times, keepalive, "
            "TCP_USER_TIMEOUT and the applications'\nown times are divided; retransmission, window "
            "probes, delayed ACKs and TIME_WAIT are the kernel's and stay as they are.\n",
            options->speed, mtime_seconds(scenario->until),
            mtime_seconds(scenario->until) / options->speed);
}
