/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define AFTER_NS INT64_C(500000000) /* before this nobody waits */
#define EVERY_NS INT64_C(100000000)
#define BAR_MOST 40
#define ERASE "\r\033[K"

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void progress_init(struct progress *progress, const char *what)
{
    const char *term = getenv("TERM");

    *progress = (struct progress){
        .what = what,
        .terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0,
        .start_ns = now_ns(),
    };
}

/* 0:07, 12:30, 1:02:03 */
static void show_time(char *to, size_t size, double seconds)
{
    unsigned s = seconds < 0 ? 0 : seconds > 359999 ? 359999 : (unsigned)seconds;

    if (s >= 3600)
        snprintf(to, size, "%u:%02u:%02u", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(to, size, "%u:%02u", s / 60, s % 60);
}

static unsigned columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void draw(const struct progress *progress, double done, double seconds)
{
    char gone[16], left[16] = "?", figures[80];
    unsigned width = columns(), used, bar, full;

    show_time(gone, sizeof(gone), seconds);
    if (done > 0.001)
        show_time(left, sizeof(left), seconds / done * (1 - done));
    snprintf(figures, sizeof(figures), " %3u%%  %s, %s left", (unsigned)(done * 100), gone, left);
    used = (unsigned)(strlen(progress->what) + strlen(figures)) + 4;
    if (used + 4 > width) { /* no room for a bar */
        fprintf(stderr, ERASE "%.*s", (int)width - 1, figures + 1);
        return;
    }
    bar = width - used < BAR_MOST ? width - used : BAR_MOST;
    full = (unsigned)(done * bar);
    fprintf(stderr, ERASE "%s [", progress->what);
    for (unsigned i = 0; i < bar; i++)
        fputc(i < full ? '#' : '.', stderr);
    fprintf(stderr, "]%s", figures);
}

void progress_show(struct progress *progress, double done)
{
    int64_t now;

    if (!progress->terminal)
        return;
    now = now_ns();
    if (now - progress->start_ns < AFTER_NS || now - progress->drawn_ns < EVERY_NS)
        return;
    draw(progress, done < 0 ? 0 : done > 1 ? 1 : done, (double)(now - progress->start_ns) / 1e9);
    fflush(stderr);
    progress->drawn_ns = now;
    progress->shown = true;
}

void progress_finish(struct progress *progress)
{
    if (progress->shown)
        fputs(ERASE, stderr);
    progress->shown = false;
}
