/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "tools/simulate/experiment_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Spaces and dots become `_`: a name that a program can use. Labels and names of the language hold
 * neither quotes nor commas. */
static void print_name(FILE *to, const char *owner, const char *name)
{
    if (*owner != '\0') {
        for (; *owner != '\0'; owner++)
            fputc(*owner == ' ' || *owner == '.' ? '_' : *owner, to);
        fputc('_', to);
    }
    fputs(name, to);
}

static void print_axis_name(FILE *to, const struct axis *axis)
{
    static const char *const units[] = {
        [AXIS_WORD] = "", [AXIS_NUMBER] = "", [AXIS_SECONDS] = "_s", [AXIS_PERCENT] = "_percent"};

    for (const char *p = axis->label; *p != '\0'; p++)
        fputc(*p == ' ' ? '_' : *p, to);
    fputs(units[axis_kind(axis)], to);
}

static int print_axis_value(FILE *to, const struct axis *axis, size_t value)
{
    const char *text = axis->values[value];
    char *quoted;

    if (axis_kind(axis) != AXIS_WORD) {
        fprintf(to, "%.12g", axis_number(axis, value));
        return 0;
    }
    quoted = malloc(PUT_STRING(strlen(text)));
    if (!quoted)
        return -ENOMEM;
    fwrite(quoted, 1, (size_t)(put_csv_string(quoted, text) - quoted), to);
    free(quoted);
    return 0;
}

/* Nothing where there is none. */
static void print_value(FILE *to, enum column_form form, double value)
{
    if (isnan(value))
        return;
    if (form == COLUMN_ERRNO)
        fputs(errno_name((int)value) ? errno_name((int)value) : "", to);
    else
        fprintf(to, "%.12g", value);
}

/* The heading with tally NULL. */
static void print_figures(FILE *to, const struct experiment *experiment, const struct tally *tally)
{
    const char *comma = experiment->scenario->n_axes > 0 ? "," : "";

    for (size_t i = 0; i < experiment_column_count; i++) {
        const struct column *column = &experiment_columns[i];

        if (!column->name)
            continue;
        for (size_t which = 0; which < column_times(column, experiment->scenario); which++) {
            fputs(comma, to);
            comma = ",";
            if (tally)
                print_value(to, column->form, column->value(tally, which));
            else
                print_name(to, column_owner(column, experiment->scenario, which), column->name);
        }
    }
    fputc('\n', to);
}

int experiment_csv(FILE *to, const struct experiment *experiment)
{
    const struct scenario *scenario = experiment->scenario;

    for (size_t a = 0; a < scenario->n_axes; a++) {
        fputs(a > 0 ? "," : "", to);
        print_axis_name(to, &scenario->axis[a]);
    }
    print_figures(to, experiment, NULL);
    for (size_t i = 0; i < experiment->n_points; i++) {
        for (size_t a = 0; a < scenario->n_axes; a++) {
            fputs(a > 0 ? "," : "", to);
            if (print_axis_value(to, &scenario->axis[a], experiment_choice(experiment, i)[a]) < 0)
                return -ENOMEM;
        }
        print_figures(to, experiment, &experiment->tallies[i]);
    }
    return ferror(to) ? -EIO : 0;
}
