/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/plot_axis.h"

#include <math.h>

#define WANTED 6 /* about so many marks */

/* Steps that people count time in, in seconds. */
static const double times[] = {1,      2,       5,       10,      15,      30,     60,
                               120,    300,     600,     900,     1800,    3600,   7200,
                               10800,  21600,   43200,   86400,   172800,  432000, 604800,
                               864000, 1728000, 2592000, 7776000, 31536000};
#define N_TIMES (sizeof(times) / sizeof(times[0]))

static double round_step(double raw)
{
    double scale = pow(10, floor(log10(raw))), part = raw / scale;

    return (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10) * scale;
}

static double step_of(enum plot_unit unit, double span)
{
    double raw = span / WANTED;

    if (unit != PLOT_DURATION || raw < times[0] || raw > times[N_TIMES - 1])
        return round_step(raw);
    for (size_t i = 0; i < N_TIMES; i++)
        if (times[i] >= raw)
            return times[i];
    return round_step(raw);
}

static void add(struct plot_axis *axis, double value)
{
    if (axis->n_ticks < PLOT_TICKS)
        axis->ticks[axis->n_ticks++] = value;
}

static void linear(struct plot_axis *axis, double low, double high)
{
    double step;

    if (low > 0 && low < 0.6 * high)
        low = 0;
    if (!(high > low))
        high = low + 1;
    step = step_of(axis->unit, high - low);
    axis->low = floor(low / step) * step;
    axis->high = ceil(high / step - 1e-9) * step;
    for (double v = axis->low; v <= axis->high + step / 1000; v += step)
        add(axis, fabs(v) < step / 1000 ? 0 : v);
}

/* Marks of a logarithmic axis: times as people say them, else 1, 2, 5 of each decade; thinned. */
static void logarithmic(struct plot_axis *axis, double low, double high)
{
    double candidates[256];
    size_t n = 0, every;

    low = low > 0 ? low : 1;
    high = high > low ? high : low * 10;
    axis->low = low;
    axis->high = high;
    for (size_t i = 0; axis->unit == PLOT_DURATION && i < N_TIMES; i++)
        if (times[i] >= low / 1.001 && times[i] <= high * 1.001)
            candidates[n++] = times[i];
    for (double decade = pow(10, floor(log10(low))); axis->unit != PLOT_DURATION && decade <= high;
         decade *= 10)
        for (int k = 0; k < 3 && n < 250; k++) {
            double v = decade * (k == 0 ? 1 : k == 1 ? 2 : 5);

            if (v >= low / 1.001 && v <= high * 1.001)
                candidates[n++] = v;
        }
    every = n / 12 + 1;
    for (size_t i = 0; i < n; i += every)
        add(axis, candidates[i]);
}

void plot_axis_init(struct plot_axis *axis, enum plot_unit unit, bool log, double low, double high)
{
    *axis = (struct plot_axis){.unit = unit, .log = log};
    if (log)
        logarithmic(axis, low, high);
    else
        linear(axis, low, high);
}

double plot_axis_share(const struct plot_axis *axis, double value)
{
    if (axis->log)
        return log(fmax(value, axis->low) / axis->low) / log(axis->high / axis->low);
    return (value - axis->low) / (axis->high - axis->low);
}

static char *duration_text(double value, char *text, size_t size)
{
    static const struct {
        double seconds;
        const char *unit;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}, {0.001, "ms"}};

    if (value == 0) {
        snprintf(text, size, "0");
        return text;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        double n = value / units[i].seconds;

        /* The largest unit that says it without a fraction; two hours are not 0.0833 days. */
        if (n >= 1 && fabs(n - round(n)) < 1e-6) {
            snprintf(text, size, "%.0f%s", n, units[i].unit);
            return text;
        }
    }
    snprintf(text, size, "%.3gs", value);
    return text;
}

char *plot_axis_text(const struct plot_axis *axis, double value, char *text, size_t size)
{
    switch (axis->unit) {
    case PLOT_DURATION:
        return duration_text(value, text, size);
    case PLOT_PERCENT:
        snprintf(text, size, "%.3g%%", value);
        break;
    case PLOT_NUMBER:
        if (fabs(value) >= 1e9)
            snprintf(text, size, "%.4gG", value / 1e9);
        else if (fabs(value) >= 1e6)
            snprintf(text, size, "%.4gM", value / 1e6);
        else if (fabs(value) >= 1e4)
            snprintf(text, size, "%.4gk", value / 1e3);
        else
            snprintf(text, size, "%.4g", value);
        break;
    }
    return text;
}
