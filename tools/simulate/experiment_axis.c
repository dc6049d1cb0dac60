/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/duration.h"
#include "tools/simulate/experiment_private.h"

#include <stdlib.h>
#include <string.h>

static bool plain_number(const char *text)
{
    char *end;

    if (text[strspn(text, "0123456789.")] != '\0' || *text == '\0')
        return false;
    strtod(text, &end);
    return *end == '\0';
}

static bool percent(const char *text)
{
    size_t digits = strspn(text, "0123456789.");

    return digits > 0 && strcmp(text + digits, "%") == 0;
}

static bool duration(const char *text)
{
    const char *why;
    mtime_t t;

    return duration_parse(text, &t, &why) == 0 && t != MTIME_NEVER;
}

/* Its numbers are seconds, though they are written without a unit. */
static bool counts_seconds(const char *label)
{
    static const char *const ends[] = {"keepalive idle", "keepalive interval"};
    size_t len = strlen(label);

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (len >= strlen(ends[i]) && strcmp(label + len - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

static bool all(const struct axis *axis, bool (*is)(const char *text))
{
    for (size_t i = 0; i < axis->n_values; i++)
        if (!is(axis->values[i]))
            return false;
    return true;
}

enum axis_kind axis_kind(const struct axis *axis)
{
    if (all(axis, plain_number))
        return counts_seconds(axis->label) ? AXIS_SECONDS : AXIS_NUMBER;
    if (all(axis, percent))
        return AXIS_PERCENT;
    return all(axis, duration) ? AXIS_SECONDS : AXIS_WORD;
}

double axis_number(const struct axis *axis, size_t value)
{
    const char *text = axis->values[value];
    const char *why;
    mtime_t t;

    if (axis_kind(axis) == AXIS_SECONDS && duration_parse(text, &t, &why) == 0)
        return mtime_seconds(t);
    return strtod(text, NULL);
}
