/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The simulator: a shipped story, a day of connections, a grid on one thread and on two.
 * usage: bench_simulate story CASE TIMES | day CLIENTS | grid CLIENTS */

#include "tools/scenario/scenario_parse.h"
#include "tools/simulate/experiment.h"
#include "tools/simulate/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void show_fault(void *arg, const char *message)
{
    (void)arg;
    fprintf(stderr, "bench_simulate: %s\n", message);
}

/* Sessions as behind a NAT gateway: most idle for seconds, some for longer than its 350 s, a server
 * that probes, one client in fifty that vanishes. */
static struct scenario *day(unsigned clients, const char *idle)
{
    struct scenario *scenario;
    char *text;

    if (asprintf(&text,
                 "client linux\n"
                 "firewall aws-nat-gateway max-flows 16777216\n"
                 "server linux keepalive idle %s\n"
                 "repeat %u clients over 1d arrivals random idle lognormal 20s 1.5 requests 2..6 "
                 "request 200 answer 1400 vanish 2%%\n"
                 "until 1d\n",
                 idle, clients) < 0)
        return NULL;
    if (scenario_parse(&scenario, "day", text, strlen(text), NULL, show_fault, NULL) < 0)
        scenario = NULL;
    free(text);
    return scenario;
}

static int bench_story(const char *name, unsigned times)
{
    const struct scenario_shipped *shipped = scenario_shipped_find(name);
    double start, best = 1e9;
    size_t events = 0;

    for (unsigned i = 0; shipped && i < times; i++) {
        struct scenario *scenario;
        struct timeline *timeline = NULL;

        start = seconds(CLOCK_THREAD_CPUTIME_ID);
        if (scenario_parse(&scenario, name, shipped->text, shipped->len, NULL, show_fault, NULL) <
            0)
            return 3;
        if (timeline_create(&timeline, scenario) < 0 ||
            world_play(scenario, timeline, NULL, NULL) < 0)
            return 3;
        events = timeline->n_events;
        timeline_destroy(timeline);
        scenario_destroy(scenario);
        start = seconds(CLOCK_THREAD_CPUTIME_ID) - start;
        best = start < best ? start : best;
    }
    if (!shipped || times == 0)
        return 2;
    printf("story_ms case=%s %.3f events=%zu\n", name, best * 1e3, events);
    return 0;
}

static int bench_day(unsigned clients)
{
    struct scenario *scenario = day(clients, "300");
    struct tally tally = {0};
    struct rusage usage;
    double start = seconds(CLOCK_THREAD_CPUTIME_ID);
    uint64_t packets;

    if (!scenario || world_play(scenario, NULL, &tally, NULL) < 0)
        return 3;
    start = seconds(CLOCK_THREAD_CPUTIME_ID) - start;
    getrusage(RUSAGE_SELF, &usage);
    packets = tally.packets[0] + tally.packets[1];
    printf("day_seconds clients=%u %.2f\n", clients, start);
    printf("day_mib clients=%u %.0f\n", clients, (double)usage.ru_maxrss / 1024);
    printf("day_us_per_client clients=%u %.3f\n", clients, start * 1e6 / clients);
    printf("day_ns_per_packet clients=%u %.0f packets=%llu\n", clients,
           start * 1e9 / (double)packets, (unsigned long long)packets);
    fprintf(
        stderr, "%u clients: %llu broken, %llu probes, table entries at most %u, %.0f on average\n",
        clients, (unsigned long long)tally.broken, (unsigned long long)tally.probes[FLOW_SERVER],
        tally.firewall[0].flows_peak, tally.firewall[0].flows_mean);
    tally_finish(&tally);
    scenario_destroy(scenario);
    return 0;
}

static double grid_seconds(const struct scenario *scenario, unsigned threads)
{
    struct experiment experiment;
    double start = seconds(CLOCK_MONOTONIC);
    int r = experiment_run(&experiment, scenario, threads, NULL, NULL);

    start = seconds(CLOCK_MONOTONIC) - start;
    experiment_finish(&experiment);
    return r < 0 ? -1 : start;
}

static int bench_grid(unsigned clients)
{
    struct scenario *scenario = day(clients, "60,120,180,240,300,360,600,900");
    double one, two;

    if (!scenario)
        return 3;
    one = grid_seconds(scenario, 1);
    two = grid_seconds(scenario, 2);
    scenario_destroy(scenario);
    if (one <= 0 || two <= 0)
        return 3;
    printf("grid_speedup threads=2 %.2f seconds=%.2f,%.2f\n", one / two, one, two);
    return 0;
}

int main(int argc, char **argv)
{
    int status = 2;

    if (argc == 4 && strcmp(argv[1], "story") == 0)
        status = bench_story(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
    else if (argc == 3 && strcmp(argv[1], "day") == 0)
        status = bench_day((unsigned)strtoul(argv[2], NULL, 10));
    else if (argc == 3 && strcmp(argv[1], "grid") == 0)
        status = bench_grid((unsigned)strtoul(argv[2], NULL, 10));
    if (status == 2)
        fprintf(stderr, "usage: bench_simulate story CASE TIMES | day CLIENTS | grid CLIENTS\n");
    if (status == 3)
        fprintf(stderr, "bench_simulate: could not play\n");
    return status;
}
