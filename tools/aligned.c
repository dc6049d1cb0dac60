/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/aligned.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int aligned_init(struct aligned *table, size_t n_columns)
{
    *table = (struct aligned){.n_columns = n_columns};
    table->to = open_memstream(&table->cells, &table->len);
    return table->to ? 0 : -ENOMEM;
}

void aligned_add(struct aligned *table, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(table->to, format, args);
    va_end(args);
    fputc('\0', table->to);
    table->n_cells++;
}

static void print(FILE *to, const struct aligned *table, const size_t *width)
{
    const char *p = table->cells;
    size_t owed = 0;

    for (size_t i = 0; i < table->n_cells; i++) {
        size_t column = i % table->n_columns, len = strlen(p);
        bool right = column < 64 && table->right >> column & 1;
        size_t before = right ? width[column] - len : 0;

        if (len > 0) /* so that no line ends in spaces */
            fprintf(to, "%*s%s", (int)(owed + before), "", p);
        owed = len > 0 ? width[column] + 2 - len - before : owed + width[column] + 2;
        if (column + 1 == table->n_columns) {
            fputc('\n', to);
            owed = 0;
        }
        p += len + 1;
    }
}

int aligned_finish(struct aligned *table, FILE *to)
{
    size_t *width = calloc(table->n_columns, sizeof(*width));
    int r = fclose(table->to) == 0 && width ? 0 : -ENOMEM;

    if (r == 0) {
        const char *p = table->cells;

        for (size_t i = 0; i < table->n_cells; i++, p += strlen(p) + 1)
            if (strlen(p) > width[i % table->n_columns])
                width[i % table->n_columns] = strlen(p);
        print(to, table, width);
    }
    free(width);
    free(table->cells);
    *table = (struct aligned){0};
    return r;
}
