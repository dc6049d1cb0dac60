/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * compare_saved SCENARIO LIVE: what `idlewall lab SCENARIO -o json` wrote into LIVE some time ago,
 * beside a simulation made now, exactly as `idlewall lab --verify` compares. Status 0: alike;
 * 1: they differ; 3: it could not be done.
 */

#include "tests/lab/saved_timeline.h"
#include "tools/scenario/scenario_parse.h"
#include "tools/verify/compare.h"
#include "tools/verify/virtual.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT_MAX (1 << 20)

static void say(void *arg, const char *message)
{
    (void)arg;
    fprintf(stderr, "%s\n", message);
}

static int read_scenario(struct scenario **out, const char *path)
{
    FILE *from = fopen(path, "re");
    char *all = malloc(TEXT_MAX);
    int r = -ENOMEM;

    if (!from)
        r = -errno;
    else if (all)
        r = scenario_parse(out, path, all, fread(all, 1, TEXT_MAX, from), ".", say, NULL);
    free(all);
    if (from)
        fclose(from);
    return r;
}

static int read_live(struct timeline **out, const struct scenario *scenario, const char *path)
{
    FILE *from = fopen(path, "re");
    int r = from ? saved_timeline_read(out, scenario, from) : -errno;

    if (from)
        fclose(from);
    if (r == 0 && !(*out)->live) {
        fprintf(stderr, "%s: it was not played live\n", path);
        r = -EINVAL;
    }
    return r;
}

/* The lab's own kernel: play_kernel_hz(). */
static unsigned kernel_hz(void)
{
    struct timespec tick;

    if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0 || tick.tv_sec > 0 || tick.tv_nsec <= 0)
        return 0;
    return (unsigned)((MTIME_SEC + tick.tv_nsec / 2) / tick.tv_nsec);
}

int main(int argc, char *argv[])
{
    struct scenario *scenario = NULL, *divided = NULL;
    struct timeline *live = NULL, *virtual = NULL;
    struct compare compare = {0};
    bool alike = false;
    int r;

    if (argc != 3)
        return 2;
    r = read_scenario(&scenario, argv[1]);
    if (r == 0)
        r = read_live(&live, scenario, argv[2]);
    if (r == 0)
        r = virtual_timeline(scenario, 1, kernel_hz(), &divided, &virtual);
    if (r == 0)
        r = compare_timelines(&compare, live, virtual, 1);
    if (r == 0) {
        alike = compare.n > 0 && compare.differences == 0;
        r = compare_write(stdout, &compare, scenario);
    }
    if (r < 0)
        fprintf(stderr, "compare_saved: %s\n", strerror(-r));
    compare_finish(&compare);
    timeline_destroy(virtual);
    timeline_destroy(live);
    scenario_destroy(divided);
    scenario_destroy(scenario);
    return r < 0 ? 3 : !alike;
}
