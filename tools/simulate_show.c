/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "tools/aligned.h"
#include "tools/command.h"
#include "tools/scenario_read.h"
#include "tools/simulate_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed(int r)
{
    return r < 0 ? command_failed("simulate", "%s", strerror(-r)) : DONE;
}

int simulate_list(void)
{
    struct aligned table;
    int r = aligned_init(&table, 2);

    for (size_t i = 0; i < scenario_shipped_count && r == 0; i++) {
        const struct scenario_shipped *shipped = &scenario_shipped[i];
        struct scenario *scenario = NULL;

        r = scenario_parse(&scenario, shipped->name, shipped->text, shipped->len, NULL, NULL, NULL);
        if (r < 0) {
            command_failed("simulate", "%s: %s", shipped->name, strerror(-r));
            break;
        }
        aligned_add(&table, "%s", shipped->name);
        aligned_add(&table, "%s", scenario->title ? scenario->title : "");
        scenario_destroy(scenario);
    }
    if (table.to) {
        int printed = aligned_finish(&table, stdout);

        r = r == 0 ? printed : r;
    }
    return failed(r);
}

int simulate_show(const char *name)
{
    const struct scenario_shipped *shipped = scenario_shipped_find(name);

    if (!shipped)
        return command_misused("simulate", "no case %s; --list shows them", name);
    fwrite(shipped->text, 1, shipped->len, stdout);
    return DONE;
}

/* `-` for what is off. */
static void add_time(struct aligned *table, mtime_t t, const char *off)
{
    char text[PUT_LINE];

    if (t == 0) {
        aligned_add(table, "%s", off);
        return;
    }
    *put_duration(text, t) = '\0';
    aligned_add(table, "%s", text);
}

static void show_seconds(char *to, size_t size, mtime_t t)
{
    if (t == 0)
        snprintf(to, size, "=");
    else
        snprintf(to, size, "%g", mtime_seconds(t));
}

/* Idle, interval and count as the language writes them; `=` for the system's. */
static void add_keepalive(struct aligned *table, const char *before,
                          const struct keepalive_times *times, const char *after)
{
    char idle[24], interval[24], count[24] = "=";

    show_seconds(idle, sizeof(idle), times->idle);
    show_seconds(interval, sizeof(interval), times->interval);
    if (times->count > 0)
        snprintf(count, sizeof(count), "%u", times->count);
    aligned_add(table, "%s%s %s %s%s", before, idle, interval, count, after);
}

static void add_system(struct aligned *table, const struct system *system)
{
    aligned_add(table, "%s", system->name);
    if (system->keepalive_abort > 0) { /* given up by time: no number of probes */
        char idle[24], abort_after[PUT_LINE];

        show_seconds(idle, sizeof(idle), system->keepalive.idle);
        *put_duration(abort_after, system->keepalive_abort) = '\0';
        aligned_add(table, "%s, then %s%s", idle, abort_after,
                    system->keepalive_always ? " (always)" : "");
    } else
        add_keepalive(table, "", &system->keepalive, system->keepalive_always ? " (always)" : "");
    aligned_add(table, "%u", system->probe_bytes);
    aligned_add(table, "%u", system->syn_retries);
    aligned_add(table, "%u", system->retries);
    add_time(table, system->rto_max, "-");
    add_time(table, system->fin_timeout, "-");
    add_time(table, system->time_wait, "-");
    aligned_add(table, "%s", system->reset == RESET_EXACT ? "exact" : "in window");
    aligned_add(table, "%s", system->product);
}

int simulate_systems(void)
{
    static const char *const heading[] = {"NAME",    "KEEPALIVE", "PROBE BYTES", "SYN RETRIES",
                                          "RETRIES", "RTO MAX",   "FIN_WAIT_2",  "TIME_WAIT",
                                          "RESETS",  "WHAT"};
    const size_t n = sizeof(heading) / sizeof(heading[0]);
    struct aligned table;
    int r = aligned_init(&table, n);

    if (r < 0)
        return failed(r);
    for (size_t i = 0; i < n; i++)
        aligned_add(&table, "%s", heading[i]);
    for (size_t i = 0; i < system_count; i++)
        add_system(&table, &systems[i]);
    r = aligned_finish(&table, stdout);
    fflush(stdout);
    if (r == 0)
        fputs(
            "KEEPALIVE: idle, interval (seconds) and probes of a socket that asks for keepalive\n",
            stderr);
    return failed(r);
}

static void add_side(struct aligned *table, const struct software *software, enum flow_side side)
{
    const struct keepalive_times *times = &software->side[side].times;
    const char *mark = software->side[side].unverified ? "?" : "";

    if (!software->id[side])
        aligned_add(table, "-");
    else if (software->side[side].keepalive == SOFTWARE_KEEPALIVE_UNSET)
        aligned_add(table, "unset%s", mark);
    else if (software->side[side].keepalive == SOFTWARE_KEEPALIVE_OFF)
        aligned_add(table, "off%s", mark);
    else if (times->idle == 0 && times->interval == 0 && times->count == 0)
        aligned_add(table, "on%s", mark);
    else
        add_keepalive(table, "", times, mark);
}

static void say(FILE *to, const char *side, const char *what, mtime_t t)
{
    char text[PUT_LINE];

    if (t == 0)
        return;
    *put_duration(text, t) = '\0';
    fprintf(to, "%s%s %s %s", ftell(to) > 0 ? ", " : "", side, what, text);
}

static int add_behaviour(struct aligned *table, const struct software *software)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);

    if (!to)
        return -ENOMEM;
    for (size_t side = 0; side < 2; side++) {
        const char *name = flow_side_name((enum flow_side)side);
        const struct behaviour *behaviour = &software->side[side].behaviour;

        say(to, name, "user-timeout", software->side[side].user_timeout);
        say(to, name, "read-timeout", behaviour->read_timeout);
        say(to, name, "heartbeat", behaviour->heartbeat);
        say(to, name, "heartbeat timeout", behaviour->heartbeat_timeout);
        say(to, name, "idle-close", behaviour->idle_close);
    }
    if (fclose(to) == 0)
        aligned_add(table, "%s", text);
    free(text);
    return 0;
}

int simulate_softwares(void)
{
    static const char *const heading[] = {"NAME", "PORT", "CLIENT KEEPALIVE", "SERVER KEEPALIVE",
                                          "BY ITSELF"};
    const size_t n = sizeof(heading) / sizeof(heading[0]);
    struct aligned table;
    int r = aligned_init(&table, n);

    if (r < 0)
        return failed(r);
    for (size_t i = 0; i < n; i++)
        aligned_add(&table, "%s", heading[i]);
    for (size_t i = 0; i < software_count && r == 0; i++) {
        aligned_add(&table, "%s", softwares[i].name);
        if (softwares[i].port > 0)
            aligned_add(&table, "%u", softwares[i].port);
        else
            aligned_add(&table, "-");
        add_side(&table, &softwares[i], FLOW_CLIENT);
        add_side(&table, &softwares[i], FLOW_SERVER);
        r = add_behaviour(&table, &softwares[i]);
    }
    if (r == 0)
        r = aligned_finish(&table, stdout);
    else
        aligned_finish(&table, stderr);
    fflush(stdout);
    if (r == 0)
        fputs("keepalive: idle, interval (seconds) and probes; = the system's   unset: the system "
              "decides   ? not verified\n",
              stderr);
    return failed(r);
}
