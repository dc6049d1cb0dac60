/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A grid is a text with several choices: a point of it is the text with one of them. */
#include "tools/scenario/scenario_build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* What trying every value may cost, in bytes parsed. */
#define TRIES_MAX ((size_t)256 << 20)

size_t scenario_points(const struct scenario *scenario)
{
    size_t points = 1;

    for (size_t i = 0; i < scenario->n_axes; i++) {
        if (points > SIZE_MAX / 2 / scenario->axis[i].n_values)
            return SIZE_MAX;
        points *= scenario->axis[i].n_values;
    }
    return points;
}

static int in_text(const void *a, const void *b)
{
    const struct axis *const *x = a, *const *y = b;

    return (*x)->offset < (*y)->offset ? -1 : 1;
}

/* The text with its choices; NULL without memory. */
static char *chosen(const struct scenario *scenario, const size_t *choice, size_t *len)
{
    const struct axis *axes[SCENARIO_AXES];
    size_t done = 0;
    char *text = NULL;
    FILE *to = open_memstream(&text, len);

    if (!to)
        return NULL;
    for (size_t i = 0; i < scenario->n_axes; i++)
        axes[i] = &scenario->axis[i];
    qsort(axes, scenario->n_axes, sizeof(axes[0]), in_text);
    for (size_t i = 0; i < scenario->n_axes; i++) {
        fwrite(scenario->text + done, 1, axes[i]->offset - done, to);
        fputs(axes[i]->values[choice[axes[i] - scenario->axis]], to);
        done = axes[i]->offset + axes[i]->len;
    }
    fputs(scenario->text + done, to);
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

int scenario_point(struct scenario **out, const struct scenario *scenario, const size_t *choice,
                   policy_fault_fn fault, void *arg)
{
    size_t len = 0;
    char *text = chosen(scenario, choice, &len);
    int r;

    if (!text)
        return -ENOMEM;
    r = scenario_parse_text(out, scenario->name, text, len, scenario->directory, fault, arg);
    free(text);
    return r;
}

/* Every value once, beside the first values of the other axes. */
static int try_values(const struct scenario *scenario, policy_fault_fn fault, void *arg)
{
    int r = 0;

    for (size_t i = 0; i < scenario->n_axes; i++)
        for (size_t k = 1; k < scenario->axis[i].n_values; k++) {
            size_t choice[SCENARIO_AXES] = {0};
            struct scenario *point = NULL;
            int tried;

            choice[i] = k;
            tried = scenario_point(&point, scenario, choice, fault, arg);
            scenario_destroy(point);
            if (tried == -ENOMEM)
                return tried;
            if (tried < 0) { /* the same value may be wrong in more than one way; one is enough */
                r = tried;
                break;
            }
        }
    return r;
}

static int refuse(const char *name, unsigned line, unsigned column, const char *what,
                  policy_fault_fn fault, void *arg)
{
    struct policy_faults faults = {.name = name, .report = fault, .arg = arg};

    policy_fault(&faults, (struct policy_at){line, column}, "%s", what);
    return faults.error ? faults.error : -EINVAL;
}

int scenario_parse(struct scenario **out, const char *name, const char *text, size_t len,
                   const char *directory, policy_fault_fn fault, void *arg)
{
    struct scenario *scenario = NULL;
    size_t tries = 0;
    int r;

    if (len > SCENARIO_TEXT_MAX)
        return refuse(name, 1, 1, "the text is too long; allowed: at most 1 MiB", fault, arg);
    if (memchr(text, '\0', len))
        return refuse(name, 1, 1, "a NUL byte in the text; allowed: UTF-8", fault, arg);
    r = scenario_parse_text(&scenario, name, text, len, directory, fault, arg);
    for (size_t i = 0; r == 0 && i < scenario->n_axes; i++)
        tries += scenario->axis[i].n_values;
    if (r == 0 && tries > 0 && len > TRIES_MAX / tries)
        r = refuse(name, scenario->axis[0].line, scenario->axis[0].column,
                   "too many values for so long a text; allowed: 256 MiB, values times length",
                   fault, arg);
    if (r == 0)
        r = try_values(scenario, fault, arg);
    if (r < 0)
        scenario = scenario_destroy(scenario);
    *out = scenario;
    return r;
}
