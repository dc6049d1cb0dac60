/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The pure engine, packets already in memory: nanoseconds a packet by number of flows, and bytes a
 * flow. usage: bench_engine FLOWS PACKETS */

#include "tests/bench/subject.h"
#include "tests/bench/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Bytes resident in this process. */
static double resident(void)
{
    FILE *statm = fopen("/proc/self/statm", "r");
    long pages = 0;

    if (!statm || fscanf(statm, "%*s %ld", &pages) != 1)
        pages = 0;
    if (statm)
        fclose(statm);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

int main(int argc, char **argv)
{
    double before = resident();
    static uint8_t bytes[SUBJECT_BATCH][TRAFFIC_BYTES];
    static struct packet packets[SUBJECT_BATCH];
    static struct subject s;
    uint64_t seed = 88172645463325252u;
    uint32_t flows = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 64;
    uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000, dropped = 0;
    double spent = 0;

    if (flows == 0 || flows > TRAFFIC_MOST_FLOWS || subject_init(&s, flows) < 0) {
        fprintf(stderr, "bench_engine: cannot open %u flows\n", flows);
        return 3;
    }
    for (uint64_t done = 0; done < n; done += SUBJECT_BATCH) {
        for (unsigned i = 0; i < SUBJECT_BATCH; i++) {
            memset(&packets[i], 0, sizeof(packets[i]));
            packets[i].data = bytes[i];
            packets[i].caplen = packets[i].len = (uint32_t)traffic_packet(
                bytes[i], (uint32_t)(traffic_random(&seed) % flows), TRAFFIC_DATA);
            packets[i].time = 2 * MTIME_SEC;
        }
        double start = now_ns();
        for (unsigned i = 0; i < SUBJECT_BATCH; i++)
            packet_decode(&packets[i]);
        dropped += subject_judge(&s, packets, SUBJECT_BATCH);
        spent += now_ns() - start;
    }
    printf("engine_ns_per_packet flows=%u %.1f\n", flows, spent / (double)n);
    printf("bytes_per_flow flows=%u %.1f\n", flows, subject_bytes_a_flow(&s));
    printf("resident_bytes_per_flow flows=%u %.1f\n", flows, (resident() - before) / flows);
    subject_finish(&s);
    if (dropped) {
        fprintf(stderr, "bench_engine: %llu packets were dropped: not the path that was meant\n",
                (unsigned long long)dropped);
        return 1;
    }
    return 0;
}
