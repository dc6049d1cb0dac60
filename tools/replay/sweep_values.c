/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/duration.h"
#include "tools/replay/sweep.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

mtime_t sweep_own(const struct policy *policy, enum policy_timeout timeout)
{
    mtime_t own = 0;

    for (size_t i = 0; i < policy->n_rules; i++) {
        mtime_t here = policy->profiles[policy->rules[i].profile].timeout[timeout];

        if (policy->rules[i].action != ACTION_USE)
            continue;
        if (own != 0 && here != own)
            return 0;
        own = here;
    }
    return own == MTIME_NEVER ? 0 : own;
}

/* As round as its neighbours leave room for: 73 min rather than 4373 s. */
static mtime_t rounded(mtime_t t)
{
    static const mtime_t steps[] = {
        86400 * MTIME_SEC, 21600 * MTIME_SEC, 3600 * MTIME_SEC, 1800 * MTIME_SEC, 600 * MTIME_SEC,
        300 * MTIME_SEC,   60 * MTIME_SEC,    30 * MTIME_SEC,   10 * MTIME_SEC,   5 * MTIME_SEC,
        MTIME_SEC,         100 * MTIME_MSEC,  10 * MTIME_MSEC,  MTIME_MSEC};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (steps[i] <= t / 32 || (steps[i] == MTIME_SEC && t >= 10 * MTIME_SEC))
            return (t + steps[i] / 2) / steps[i] * steps[i];
    return t;
}

static int add(struct sweep *sweep, mtime_t t, const char **why)
{
    if (sweep->n == SWEEP_VALUES) {
        *why = "too many values";
        return -EINVAL;
    }
    sweep->points[sweep->n++] = (struct sweep_point){.timeout = t};
    return 0;
}

static int read_one(const char *text, size_t len, mtime_t *t, const char **why)
{
    char one[DURATION_TEXT];

    *why = "a duration is needed, as 350s or 2h4min";
    if (len == 0 || len >= sizeof(one))
        return -EINVAL;
    memcpy(one, text, len);
    one[len] = '\0';
    if (duration_parse(one, t, why) < 0)
        return -EINVAL;
    *why = "a sweep needs limits that end";
    return *t == MTIME_NEVER ? -EINVAL : 0;
}

static int spread(struct sweep *sweep, mtime_t from, mtime_t to, const char **why)
{
    double ratio = log((double)to / (double)from);
    int r = add(sweep, from, why);

    for (unsigned i = 1; r == 0 && i + 1 < SWEEP_STEPS; i++) {
        mtime_t t = rounded((mtime_t)((double)from * exp(ratio * i / (SWEEP_STEPS - 1))));

        if (t > sweep->points[sweep->n - 1].timeout && t < to)
            r = add(sweep, t, why);
    }
    return r == 0 ? add(sweep, to, why) : r;
}

static int read_range(struct sweep *sweep, const char *text, const char *dots, const char **why)
{
    mtime_t from, to;

    if (read_one(text, (size_t)(dots - text), &from, why) < 0 ||
        read_one(dots + 2, strlen(dots + 2), &to, why) < 0)
        return -EINVAL;
    *why = "it ends before it begins";
    return from < to ? spread(sweep, from, to, why) : -EINVAL;
}

static int read_list(struct sweep *sweep, const char *text, const char **why)
{
    for (;;) {
        size_t len = strcspn(text, ",");
        mtime_t t;

        if (read_one(text, len, &t, why) < 0 || add(sweep, t, why) < 0)
            return -EINVAL;
        if (text[len] == '\0')
            return 0;
        text += len + 1;
    }
}

static int by_value(const void *a, const void *b)
{
    mtime_t x = ((const struct sweep_point *)a)->timeout;
    mtime_t y = ((const struct sweep_point *)b)->timeout;

    return (x > y) - (x < y);
}

int sweep_values(struct sweep *sweep, const char *text, mtime_t own, const char **why)
{
    const char *dots = strstr(text, "..");
    size_t n = 0;
    int r;

    *why = strerror(ENOMEM);
    sweep->n = 0;
    sweep->points = calloc(SWEEP_VALUES, sizeof(*sweep->points));
    if (!sweep->points)
        return -ENOMEM;
    r = dots ? read_range(sweep, text, dots, why) : read_list(sweep, text, why);
    if (r == 0 && own > 0)
        r = add(sweep, own, why);
    if (r < 0)
        return r;
    qsort(sweep->points, sweep->n, sizeof(*sweep->points), by_value);
    for (size_t i = 0; i < sweep->n; i++)
        if (n == 0 || sweep->points[i].timeout != sweep->points[n - 1].timeout)
            sweep->points[n++] = sweep->points[i];
    sweep->n = n;
    return 0;
}

const struct sweep_point *sweep_safe(const struct sweep *sweep)
{
    const struct sweep_point *safe = NULL;

    for (size_t i = sweep->n; i-- > 0 && sweep->points[i].broken == 0;)
        safe = &sweep->points[i];
    return safe;
}
