/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "tools/simulate/experiment_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int print_string(FILE *to, const char *text)
{
    char *quoted = malloc(PUT_STRING(strlen(text)));

    if (!quoted)
        return -ENOMEM;
    fwrite(quoted, 1, (size_t)(put_json_string(quoted, text) - quoted), to);
    free(quoted);
    return 0;
}

static int print_parameters(FILE *to, const struct experiment *experiment, size_t point)
{
    static const char *const units[] = {[AXIS_WORD] = NULL,
                                        [AXIS_NUMBER] = "number",
                                        [AXIS_SECONDS] = "value_s",
                                        [AXIS_PERCENT] = "value_percent"};
    const struct scenario *scenario = experiment->scenario;

    for (size_t a = 0; a < scenario->n_axes; a++) {
        const struct axis *axis = &scenario->axis[a];
        size_t value = experiment_choice(experiment, point)[a];
        const char *unit = units[axis_kind(axis)];

        fputs(a > 0 ? ",{\"name\":" : "{\"name\":", to);
        if (print_string(to, axis->label) < 0)
            return -ENOMEM;
        fputs(",\"value\":", to);
        if (print_string(to, axis->values[value]) < 0)
            return -ENOMEM;
        if (unit)
            fprintf(to, ",\"%s\":%.12g", unit, axis_number(axis, value));
        fputc('}', to);
    }
    return 0;
}

static void print_figure(FILE *to, const char *comma, const struct column *column,
                         const struct tally *tally, size_t which)
{
    double value = column->value(tally, which);

    fprintf(to, "%s\"%s\":", comma, column->name);
    if (isnan(value))
        fputs("null", to);
    else if (column->form == COLUMN_ERRNO && errno_name((int)value))
        fprintf(to, "\"%s\"", errno_name((int)value));
    else
        fprintf(to, "%.12g", value);
}

static void print_scope(FILE *to, const char *comma, enum column_scope scope,
                        const struct tally *tally, size_t which)
{
    for (size_t i = 0; i < experiment_column_count; i++)
        if (experiment_columns[i].scope == scope && experiment_columns[i].name) {
            print_figure(to, comma, &experiment_columns[i], tally, which);
            comma = ",";
        }
}

static int print_point(FILE *to, const struct experiment *experiment, size_t point)
{
    const struct scenario *scenario = experiment->scenario;
    const struct tally *tally = &experiment->tallies[point];

    fprintf(to, "{\"type\":\"point\",\"v\":1,\"point\":%zu,\"parameters\":[", point + 1);
    if (print_parameters(to, experiment, point) < 0)
        return -ENOMEM;
    fprintf(to, "],\"expectations_met\":%s", experiment->unmet[point] ? "false" : "true");
    print_scope(to, ",", COLUMN_ALL, tally, 0);
    for (size_t side = 0; side < 2; side++) {
        fprintf(to, ",\"%s\":{", flow_side_name((enum flow_side)side));
        print_scope(to, "", COLUMN_SIDE, tally, side);
        fputc('}', to);
    }
    fputs(",\"firewalls\":[", to);
    for (size_t f = 0; f < scenario->n_firewalls; f++) {
        fputs(f > 0 ? ",{\"name\":" : "{\"name\":", to);
        if (print_string(to, scenario->firewall[f].name) < 0)
            return -ENOMEM;
        print_scope(to, ",", COLUMN_FIREWALL, tally, f);
        fputc('}', to);
    }
    fputs("]}\n", to);
    return 0;
}

static void print_sample(FILE *to, const struct experiment *experiment, size_t point,
                         const struct tally_sample *sample)
{
    fprintf(to, "{\"type\":\"sample\",\"v\":1,\"point\":%zu,\"t_s\":%.12g", point + 1,
            mtime_seconds(sample->t));
    for (size_t side = 0; side < 2; side++)
        fprintf(to, ",\"%s\":{\"sockets\":%u,\"leaked\":%u}", flow_side_name((enum flow_side)side),
                sample->sockets[side], sample->leaked[side]);
    fputs(",\"entries\":[", to);
    for (size_t f = 0; f < experiment->scenario->n_firewalls; f++)
        fprintf(to, "%s%u", f > 0 ? "," : "", sample->flows[f]);
    fprintf(to, "],\"packets\":%llu}\n", (unsigned long long)sample->packets);
}

int experiment_json(FILE *to, const struct experiment *experiment)
{
    for (size_t point = 0; point < experiment->n_points; point++) {
        const struct tally *tally = &experiment->tallies[point];

        if (print_point(to, experiment, point) < 0)
            return -ENOMEM;
        for (size_t i = 0; i < tally->n_samples; i++)
            print_sample(to, experiment, point, &tally->samples[i]);
    }
    return ferror(to) ? -EIO : 0;
}
