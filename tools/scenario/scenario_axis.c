/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A grid is a text with several choices: a point of it is the text with one of them. */
#include "tools/scenario/scenario_build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* What trying the values may cost, in bytes parsed; a deed costs as much as so many. */
#define TRIES_MAX ((size_t)64 << 20)
#define DEED_COST 4
/* So many points are all tried, else only the values one by one. */
#define POINTS_TRIED 1000

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

/* Faults of a text with other choices, told of the words that gave them. */
struct trial {
    struct policy_faults faults;
    const struct scenario *scenario;
    const size_t *choice;
};

/* Where the value stands: in a list, its own place. */
static struct policy_at value_at(const struct scenario *scenario, const struct axis *axis, size_t k)
{
    const char *from = scenario->text + axis->offset, *word = from;

    if (memchr(from, ',', axis->len))
        for (; k > 0; k--)
            word = strchr(word, ',') + 1;
    return (struct policy_at){axis->line, axis->column + (unsigned)(word - from)};
}

static void trial_fault(void *arg, const char *message)
{
    struct trial *trial = arg;
    const struct scenario *s = trial->scenario;
    struct policy_at at = {1, 1};
    char which[512] = "";
    size_t used = 0;
    unsigned line, column;
    int skip = 0;

    for (size_t i = 0; i < s->n_axes; i++)
        if (trial->choice[i] > 0) {
            at = value_at(s, &s->axis[i], trial->choice[i]);
            if (used < sizeof(which))
                used += (size_t)snprintf(which + used, sizeof(which) - used, "%s%s %s",
                                         used > 0 ? ", " : "", s->axis[i].label,
                                         s->axis[i].values[trial->choice[i]]);
        }
    message += strlen(s->name);
    if (sscanf(message, ":%u:%u: %n", &line, &column, &skip) != 2)
        skip = 0;
    policy_fault(&trial->faults, at, "with %s: %s", which, message + skip);
}

static int try_choice(struct trial *trial, const size_t *choice)
{
    struct scenario *point = NULL;
    int r;

    trial->choice = choice;
    r = scenario_point(&point, trial->scenario, choice, trial_fault, trial);
    scenario_destroy(point);
    return r;
}

/* Every value once, beside the first values of the other axes. */
static int try_values(struct trial *trial)
{
    const struct scenario *s = trial->scenario;
    int r = 0;

    for (size_t i = 0; i < s->n_axes; i++)
        for (size_t k = 1; k < s->axis[i].n_values; k++) {
            size_t choice[SCENARIO_AXES] = {0};
            int tried;

            choice[i] = k;
            tried = try_choice(trial, choice);
            if (tried == -ENOMEM)
                return tried;
            r = tried < 0 ? tried : r;
        }
    return r;
}

/* Values that do not go together. Up to the first: there could be many of the same kind. */
static int try_points(struct trial *trial)
{
    const struct scenario *s = trial->scenario;
    size_t points = scenario_points(s);
    int r = 0;

    for (size_t point = 0; r == 0 && point < points; point++) {
        size_t choice[SCENARIO_AXES] = {0}, rest = point, beside = 0;

        for (size_t i = s->n_axes; i-- > 0;) {
            choice[i] = rest % s->axis[i].n_values;
            rest /= s->axis[i].n_values;
            beside += choice[i] > 0;
        }
        if (beside > 1)
            r = try_choice(trial, choice);
    }
    return r;
}

static int try_axes(const struct scenario *scenario, policy_fault_fn fault, void *arg)
{
    struct trial trial = {.faults = {.name = scenario->name, .report = fault, .arg = arg},
                          .scenario = scenario};
    size_t cost = strlen(scenario->text) + DEED_COST * scenario->n_deeds, tries = 0;
    int r;

    for (size_t i = 0; i < scenario->n_axes; i++)
        tries += scenario->axis[i].n_values;
    if (tries > 0 && cost > TRIES_MAX / tries) {
        policy_fault(
            &trial.faults, (struct policy_at){scenario->axis[0].line, scenario->axis[0].column},
            "too many values for so long a story; allowed: fewer values, or a shorter text "
            "with fewer deeds");
        return -EINVAL;
    }
    r = try_values(&trial);
    if (r == 0 && scenario_points(scenario) <= POINTS_TRIED && cost <= TRIES_MAX / POINTS_TRIED)
        r = try_points(&trial);
    return r;
}

static int refuse(const char *name, struct policy_at at, const char *what, policy_fault_fn fault,
                  void *arg)
{
    struct policy_faults faults = {.name = name, .report = fault, .arg = arg};

    policy_fault(&faults, at, "%s", what);
    return faults.error ? faults.error : -EINVAL;
}

static struct policy_at position(const char *text, const char *of)
{
    struct policy_at at = {1, 1};

    for (; text < of; text++) {
        at.column++;
        if (*text == '\n')
            at = (struct policy_at){at.line + 1, 1};
    }
    return at;
}

int scenario_parse(struct scenario **out, const char *name, const char *text, size_t len,
                   const char *directory, policy_fault_fn fault, void *arg)
{
    struct scenario *scenario = NULL;
    const char *nul;
    int r;

    if (len > SCENARIO_TEXT_MAX)
        return refuse(name, (struct policy_at){1, 1},
                      "the text is too long; allowed: at most 1 MiB", fault, arg);
    nul = len > 0 ? memchr(text, '\0', len) : NULL;
    if (nul)
        return refuse(name, position(text, nul), "a NUL byte in the text; allowed: UTF-8", fault,
                      arg);
    r = scenario_parse_text(&scenario, name, text, len, directory, fault, arg);
    if (r == 0)
        r = try_axes(scenario, fault, arg);
    if (r < 0)
        scenario = scenario_destroy(scenario);
    *out = scenario;
    return r;
}
