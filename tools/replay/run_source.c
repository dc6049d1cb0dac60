/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/run_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 128

struct input {
    struct capture *capture;
    struct capture_batch batch;
    size_t at; /* the next to hand out */
    bool over;
};

struct run_source {
    struct input *inputs;
    size_t n;
};

static int input_open(struct input *input, const char *path, struct capture_fault *fault)
{
    input->batch.room = ROOM;
    input->batch.packets = calloc(ROOM, sizeof(*input->batch.packets));
    input->batch.numbers = calloc(ROOM, sizeof(*input->batch.numbers));
    if (!input->batch.packets || !input->batch.numbers)
        return -ENOMEM;
    return capture_open(&input->capture, path, fault);
}

int run_source_open(struct run_source **out, const char *const *paths, size_t n,
                    struct capture_fault *fault, size_t *broken)
{
    struct run_source *source = calloc(1, sizeof(*source));
    int r = 0;

    *out = NULL;
    *fault = (struct capture_fault){0};
    *broken = 0;
    if (!source)
        return -ENOMEM;
    source->inputs = calloc(n + 1, sizeof(*source->inputs));
    source->n = n;
    if (!source->inputs)
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && i < n; i++) {
        *broken = i;
        r = input_open(&source->inputs[i], paths[i], fault);
    }
    *out = r == 0 ? source : run_source_close(source);
    return r;
}

struct run_source *run_source_close(struct run_source *source)
{
    if (!source)
        return NULL;
    for (size_t i = 0; source->inputs && i < source->n; i++) {
        capture_close(source->inputs[i].capture);
        free(source->inputs[i].batch.packets);
        free(source->inputs[i].batch.numbers);
    }
    free(source->inputs);
    free(source);
    return NULL;
}

static bool is_empty(const struct input *input)
{
    return input->at == input->batch.n;
}

bool run_source_lets_go(const struct run_source *source)
{
    for (size_t i = 0; i < source->n; i++)
        if (!source->inputs[i].over && is_empty(&source->inputs[i]))
            return true;
    return false;
}

static int fill(struct input *input, struct capture_fault *fault)
{
    int r = capture_read(input->capture, &input->batch, fault);

    input->at = 0;
    if (r <= 0) {
        input->batch.n = 0;
        input->over = true;
    }
    return r;
}

static mtime_t stamp_of(const struct input *input)
{
    return input->batch.packets[input->at].time;
}

/* How many of the earliest come before any of another; of equal stamps the first capture's go
 * first. */
static size_t stretch_of(const struct run_source *source, size_t first)
{
    const struct input *input = &source->inputs[first];
    mtime_t until = MTIME_NEVER;
    bool inclusive = true;
    size_t n = 0, left = input->batch.n - input->at;

    for (size_t i = 0; i < source->n; i++) {
        const struct input *other = &source->inputs[i];

        if (i == first || is_empty(other) || stamp_of(other) >= until)
            continue;
        until = stamp_of(other);
        inclusive = first < i;
    }
    if (source->n == 1)
        return left;
    while (n < left && (input->batch.packets[input->at + n].time < until ||
                        (inclusive && input->batch.packets[input->at + n].time == until)))
        n++;
    return n ? n : 1;
}

int run_source_next(struct run_source *source, struct run_stretch *stretch,
                    struct capture_fault *fault, size_t *broken)
{
    struct input *best = NULL;

    for (size_t i = 0; i < source->n; i++) {
        struct input *input = &source->inputs[i];
        int r = 1;

        if (is_empty(input) && !input->over)
            r = fill(input, fault);
        if (r < 0) {
            *broken = i;
            return r;
        }
        if (!is_empty(input) && (!best || stamp_of(input) < stamp_of(best)))
            best = input;
    }
    if (!best)
        return 0;
    stretch->capture = (uint32_t)(best - source->inputs);
    stretch->n = stretch_of(source, stretch->capture);
    stretch->packets = best->batch.packets + best->at;
    stretch->numbers = best->batch.numbers + best->at;
    best->at += stretch->n;
    return 1;
}

void run_source_stats(const struct run_source *source, struct capture_stats *out)
{
    *out = (struct capture_stats){0};
    for (size_t i = 0; i < source->n; i++) {
        struct capture_stats one;

        capture_stats(source->inputs[i].capture, &one);
        out->bytes += one.bytes;
        out->size += one.size;
        out->packets += one.packets;
        out->ip += one.ip;
        out->not_ip += one.not_ip;
        out->link_broken += one.link_broken;
        out->unknown_link += one.unknown_link;
        out->tunnels += one.tunnels;
        out->backwards += one.backwards;
    }
}
