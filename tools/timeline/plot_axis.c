/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/plot_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE 60.0
#define HOUR 3600.0
#define DAY 86400.0

/* Steps between durations that people count in. */
static const double steps[] = {
    1e-3,    2e-3,     5e-3,       1e-2,       2e-2,        5e-2,        0.1,
    0.2,     0.5,      1,          2,          5,           10,          15,
    30,      MINUTE,   2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
    HOUR,    2 * HOUR, 3 * HOUR,   6 * HOUR,   12 * HOUR,   DAY,         2 * DAY,
    5 * DAY, 10 * DAY, 20 * DAY,   50 * DAY,   100 * DAY,   200 * DAY,   500 * DAY};
/* Durations for a logarithmic axis, the roundest first. */
static const double round_durations[][12] = {
    {1, MINUTE, HOUR, DAY},
    {0.001, 0.01, 0.1, 10, 10 * MINUTE, 4 * HOUR, 10 * DAY, 100 * DAY, 1000 * DAY},
    {30, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 12 * HOUR, 3 * DAY, 30 * DAY, 300 * DAY},
    {0.003, 0.03, 0.3, 3, 5, 2 * MINUTE, 15 * MINUTE, 8 * HOUR, 2 * DAY, 5 * DAY},
    {2, 15, 20, 3 * MINUTE, 20 * MINUTE, 3 * HOUR, 6 * HOUR, 7 * DAY, 20 * DAY},
};
#define RANKS (sizeof(round_durations) / sizeof(round_durations[0]))

bool plot_axis_shows(const struct plot_axis *axis, double value)
{
    return isfinite(value) && (!axis->log || value > 0);
}

void plot_axis_see(struct plot_axis *axis, double value)
{
    if (!plot_axis_shows(axis, value))
        return;
    axis->least = fmin(axis->least, value);
    axis->most = fmax(axis->most, value);
}

double plot_axis_at(const struct plot_axis *axis, double value)
{
    double part = axis->log ? log(value / axis->least) / log(axis->most / axis->least)
                            : (value - axis->least) / (axis->most - axis->least);

    return axis->from + part * (axis->to - axis->from);
}

/* 1, 2 or 5 times a power of ten, not below least. */
static double round_number(double least)
{
    double power = pow(10, floor(log10(least)));

    for (unsigned i = 0; i < 4; i++) {
        static const double of[] = {1, 2, 5, 10};

        if (of[i] * power >= least * (1 - 1e-9))
            return of[i] * power;
    }
    return 10 * power;
}

static double round_step(const struct plot_axis *axis, double least)
{
    if (axis->unit == PLOT_DURATION)
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
            if (steps[i] >= least)
                return steps[i];
    least = round_number(least);
    /* Nobody counts half connections. */
    return axis->unit == PLOT_NUMBER && axis->most >= 3 && least < 1 ? 1 : least;
}

static void add_tick(struct plot_axis *axis, double value)
{
    if (axis->n_ticks < PLOT_TICKS)
        axis->ticks[axis->n_ticks++] = value;
}

static void settle_linear(struct plot_axis *axis, double apart, bool from_zero)
{
    double room = fmax(2, fabs(axis->to - axis->from) / apart);

    if (from_zero || (axis->least > 0 && axis->least < 0.15 * axis->most)) {
        axis->least = fmin(0, axis->least);
        axis->most = fmax(0, axis->most);
    }
    if (!(axis->most - axis->least > 1e-9 * fmax(1, fabs(axis->most)))) {
        axis->most = axis->least + fmax(1, 0.1 * fabs(axis->least));
    }
    axis->step = round_step(axis, (axis->most - axis->least) / room);
    if (from_zero) {
        axis->least = floor(axis->least / axis->step + 1e-9) * axis->step;
        axis->most = ceil(axis->most / axis->step - 1e-9) * axis->step;
    }
    for (double i = ceil(axis->least / axis->step - 1e-9);
         i <= floor(axis->most / axis->step + 1e-9) && axis->n_ticks < PLOT_TICKS; i++)
        add_tick(axis, i * axis->step);
}

static bool free_there(const struct plot_axis *axis, double value, double apart)
{
    if (value < axis->least * (1 - 1e-9) || value > axis->most * (1 + 1e-9))
        return false;
    for (size_t i = 0; i < axis->n_ticks; i++)
        if (fabs(plot_axis_at(axis, value) - plot_axis_at(axis, axis->ticks[i])) < apart)
            return false;
    return true;
}

static void settle_log(struct plot_axis *axis, double apart)
{
    static const double digits[] = {1, 3, 2, 5};

    if (!(axis->most / axis->least > 1.0001)) {
        axis->least /= 2;
        axis->most *= 2;
    }
    if (axis->unit == PLOT_DURATION) {
        for (size_t rank = 0; rank < RANKS; rank++)
            for (size_t i = 0; i < 12 && round_durations[rank][i] > 0; i++)
                if (free_there(axis, round_durations[rank][i], apart))
                    add_tick(axis, round_durations[rank][i]);
        return;
    }
    for (size_t d = 0; d < sizeof(digits) / sizeof(digits[0]); d++)
        for (double power = floor(log10(axis->least)); power <= log10(axis->most); power++)
            if (free_there(axis, digits[d] * pow(10, power), apart))
                add_tick(axis, digits[d] * pow(10, power));
}

void plot_axis_settle(struct plot_axis *axis, double apart, bool from_zero)
{
    axis->n_ticks = 0;
    if (axis->least > axis->most) { /* nothing was seen */
        axis->least = axis->log ? 1 : 0;
        axis->most = axis->log ? 10 : 1;
    }
    if (axis->log)
        settle_log(axis, apart);
    else
        settle_linear(axis, apart, from_zero);
}

/* Only what matters of a number, with a point in every locale and thousands set apart. */
static char *number(double value, char text[PLOT_TEXT])
{
    double whole = fabs(value) < 1e15 ? round(value) : value;
    char digits[PLOT_TEXT], *p = text;
    size_t len;

    if (fabs(value) >= 1e15 || (value != 0 && fabs(value) < 1e-3)) {
        snprintf(text, PLOT_TEXT, "%.1e", value);
    } else if (fabs(value - whole) > 1e-9 * fabs(value)) {
        snprintf(text, PLOT_TEXT, "%.4g", value);
    } else {
        snprintf(digits, sizeof(digits), "%.0f", fabs(whole));
        len = strlen(digits);
        if (value < 0)
            *p++ = '-';
        for (size_t i = 0; i < len; i++) {
            if (i > 0 && (len - i) % 3 == 0 && len > 4)
                *p++ = ' ';
            *p++ = digits[i];
        }
        *p = '\0';
    }
    for (p = text; *p; p++)
        if (*p == ',')
            *p = '.';
    return text;
}

/* The largest units that say it exactly: `90min` is said `1h30min`. */
static char *duration(double value, char text[PLOT_TEXT])
{
    static const struct {
        double seconds;
        const char *name;
    } units[] = {{DAY, "d"}, {HOUR, "h"}, {MINUTE, "min"}};
    size_t used = 0;
    char rest[PLOT_TEXT];

    if (value == 0)
        return strcpy(text, "0");
    if (value < 0 || value < 1 || value > 1e9 * DAY) {
        bool small = value > 0 && value < 1;

        number(small ? value * 1000 : value, rest);
        snprintf(text, PLOT_TEXT, "%.20s%s", rest, small ? "ms" : "s");
        return text;
    }
    for (size_t i = 0; i < 3; i++) {
        double n = floor(value / units[i].seconds + 1e-9);

        if (n < 1)
            continue;
        used += (size_t)snprintf(text + used, PLOT_TEXT - used, "%.0f%s", n, units[i].name);
        value -= n * units[i].seconds;
    }
    if (value > 1e-6)
        snprintf(text + used, PLOT_TEXT - used, "%.8ss", number(round(value * 1e3) / 1e3, rest));
    return text;
}

char *plot_axis_text(const struct plot_axis *axis, double value, char text[PLOT_TEXT])
{
    char digits[PLOT_TEXT];

    switch (axis->unit) {
    case PLOT_DURATION:
        return duration(value, text);
    case PLOT_PERCENT:
        snprintf(text, PLOT_TEXT, "%.24s%%", number(value, digits));
        return text;
    case PLOT_NUMBER:
        break;
    }
    return number(value, text);
}
