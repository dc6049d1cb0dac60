/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "tools/simulate/experiment_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELL 48
#define ROWS_ABOVE 2 /* whose, and what */

/* Cells by column, then row; the first rows are the heading. */
struct table {
    size_t n_rows, n_columns, room;
    char (*cells)[CELL];
    bool *left; /* by column: words, not numbers */
};

static char *cell(const struct table *table, size_t column, size_t row)
{
    return table->cells[column * table->n_rows + row];
}

static int table_init(struct table *table, const struct experiment *experiment)
{
    size_t room = experiment->scenario->n_axes;

    for (size_t i = 0; i < experiment_column_count; i++)
        room += column_times(&experiment_columns[i], experiment->scenario);
    *table = (struct table){.n_rows = experiment->n_points + ROWS_ABOVE, .room = room};
    table->cells = calloc(room * table->n_rows, sizeof(*table->cells));
    table->left = calloc(room, sizeof(*table->left));
    return table->cells && table->left ? 0 : -ENOMEM;
}

static void table_finish(struct table *table)
{
    free(table->cells);
    free(table->left);
}

/* A label's first word is whose it is: "server keepalive idle". */
static void add_axis(struct table *table, const struct experiment *experiment, size_t a)
{
    const struct axis *axis = &experiment->scenario->axis[a];
    const char *space = strchr(axis->label, ' ');
    size_t column = table->n_columns++;

    if (space)
        snprintf(cell(table, column, 0), CELL, "%.*s", (int)(space - axis->label), axis->label);
    snprintf(cell(table, column, 1), CELL, "%s", space ? space + 1 : axis->label);
    table->left[column] = axis_kind(axis) == AXIS_WORD;
    for (size_t i = 0; i < experiment->n_points; i++)
        snprintf(cell(table, column, ROWS_ABOVE + i), CELL, "%s",
                 axis->values[experiment_choice(experiment, i)[a]]);
}

static void show(char *to, enum column_form form, double value)
{
    const char *name;

    if (isnan(value)) {
        snprintf(to, CELL, "-");
        return;
    }
    switch (form) {
    case COLUMN_COUNT:
        snprintf(to, CELL, "%.0f", value);
        return;
    case COLUMN_MEAN:
        snprintf(to, CELL, "%.*f", value >= 100 || value == 0 ? 0 : value >= 10 ? 1 : 2, value);
        return;
    case COLUMN_SHARE:
        snprintf(to, CELL, "%.*f%%", value >= 0.1 || value == 0 ? 0 : 2, 100 * value);
        return;
    case COLUMN_SECONDS:
        *put_duration(to, (mtime_t)(value * (double)MTIME_SEC)) = '\0';
        return;
    case COLUMN_ERRNO:
        name = errno_name((int)value);
        snprintf(to, CELL, "%s", name ? name : strerror((int)value));
        return;
    }
}

static bool silent(const struct experiment *experiment, const struct column *column, size_t which)
{
    for (size_t i = 0; i < experiment->n_points; i++)
        if (!column_silent(column->value(&experiment->tallies[i], which)))
            return false;
    return true;
}

/* Packets of minutes are not a day's. */
static bool day_makes_sense(const struct experiment *experiment)
{
    for (size_t i = 0; i < experiment->n_points; i++)
        if (experiment->tallies[i].played < 3600 * MTIME_SEC)
            return false;
    return true;
}

/* One connection's share is all or nothing. */
static bool share_makes_sense(const struct experiment *experiment)
{
    for (size_t i = 0; i < experiment->n_points; i++)
        if (experiment->tallies[i].connections > 1)
            return true;
    return false;
}

/* When the first of thousands noticed says nothing of the rest; and nobody runs out of sockets at
 * the client. */
static bool tells(const struct experiment *experiment, const struct column *column, size_t which)
{
    if (column->scope != COLUMN_SIDE)
        return true;
    if (column->form == COLUMN_SECONDS || column->form == COLUMN_ERRNO)
        return experiment->scenario->workload.clients == 0;
    return which == FLOW_SERVER || strncmp(column->name, "sockets_", strlen("sockets_")) != 0;
}

static bool wanted(const struct experiment *experiment, const struct column *column, size_t which)
{
    if (!column->heading || silent(experiment, column, which) || !tells(experiment, column, which))
        return false;
    if (column->form == COLUMN_SHARE)
        return share_makes_sense(experiment);
    if (column->scope == COLUMN_ALL && column->form == COLUMN_MEAN)
        return day_makes_sense(experiment);
    if (!column->name)
        return !day_makes_sense(experiment);
    return true;
}

static void add_column(struct table *table, const struct experiment *experiment,
                       const struct column *column, size_t which)
{
    size_t at = table->n_columns++;

    snprintf(cell(table, at, 0), CELL, "%s", column_owner(column, experiment->scenario, which));
    snprintf(cell(table, at, 1), CELL, "%s", column->heading);
    table->left[at] = column->form == COLUMN_ERRNO;
    for (size_t i = 0; i < experiment->n_points; i++)
        show(cell(table, at, ROWS_ABOVE + i), column->form,
             column->value(&experiment->tallies[i], which));
}

/* Owner by owner: what is the client's stands together. */
static void add_scope(struct table *table, const struct experiment *experiment,
                      enum column_scope scope)
{
    const struct column *end = experiment_columns + experiment_column_count;
    const struct column column = {.scope = scope};
    size_t owners = column_times(&column, experiment->scenario);

    for (size_t which = 0; which < owners; which++)
        for (const struct column *c = experiment_columns; c < end; c++)
            if (c->scope == scope && wanted(experiment, c, which))
                add_column(table, experiment, c, which);
}

/* Cuts what trails, so that a line has no spaces at its end. */
static void print_line(FILE *to, const struct table *table, const size_t *width, size_t row)
{
    size_t owed = 0;

    for (size_t c = 0; c < table->n_columns; c++) {
        const char *text = cell(table, c, row);
        size_t len = strlen(text), pad = width[c] - len;
        bool left = table->left[c] || row == 0;

        /* Whose it is stands once, above the first of its columns. */
        if (row == 0 && c > 0 && strcmp(text, cell(table, c - 1, 0)) == 0)
            pad += len, len = 0;
        if (len > 0)
            fprintf(to, "%*s%.*s", (int)(owed + (left ? 0 : pad)), "", (int)len, text);
        owed = (len > 0 ? (left ? pad : 0) : owed + pad) + 2;
    }
    fputc('\n', to);
}

static int print_rows(FILE *to, const struct table *table)
{
    size_t *width = calloc(table->n_columns + 1, sizeof(*width));

    if (!width)
        return -ENOMEM;
    for (size_t c = 0; c < table->n_columns; c++)
        for (size_t row = 0; row < table->n_rows; row++)
            if (strlen(cell(table, c, row)) > width[c])
                width[c] = strlen(cell(table, c, row));
    for (size_t row = 0; row < table->n_rows; row++)
        print_line(to, table, width, row);
    free(width);
    return 0;
}

/* One point: a line a figure. */
static void print_list(FILE *to, const struct table *table)
{
    char name[2 * CELL];
    int width = 0;

    for (int pass = 0; pass < 2; pass++)
        for (size_t c = 0; c < table->n_columns; c++) {
            const char *owner = cell(table, c, 0);
            int len =
                snprintf(name, sizeof(name), "%s%s%s", owner, *owner ? " " : "", cell(table, c, 1));

            if (pass == 0 && len > width)
                width = len;
            if (pass == 1)
                fprintf(to, "%-*s  %s\n", width, name, cell(table, c, ROWS_ABOVE));
        }
}

int experiment_text(FILE *to, const struct experiment *experiment)
{
    struct table table;
    int r = table_init(&table, experiment);

    if (r < 0)
        goto out;
    for (size_t a = 0; a < experiment->scenario->n_axes; a++)
        add_axis(&table, experiment, a);
    add_scope(&table, experiment, COLUMN_ALL);
    add_scope(&table, experiment, COLUMN_SIDE);
    add_scope(&table, experiment, COLUMN_FIREWALL);
    if (experiment->n_points == 1)
        print_list(to, &table);
    else
        r = print_rows(to, &table);
    if (r == 0 && ferror(to))
        r = -EIO;
out:
    table_finish(&table);
    return r;
}
