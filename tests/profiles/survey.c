/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/profiles/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const headings[COLUMNS] = {
    "id",
    "product",
    "tcp_syn_sent",
    "tcp_syn_recv",
    "tcp_established",
    "tcp_half_closed",
    "close_wait",
    "last_ack",
    "time_wait",
    "close_reset",
    "udp_single",
    "udp_multiple",
    "icmp",
    "generic",
    "min_configurable",
    "max_configurable",
    "on_expiry",
    "idle_timer_refresh",
    "other_behaviours",
    "source",
    "quoted_figure",
    "verified",
    "unverified_fields",
};

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 20);
    size_t n = 0;

    if (file && text)
        n = fread(text, 1, (1 << 20) - 1, file);
    if (file)
        fclose(file);
    if (n > 0)
        return text;
    free(text);
    return NULL;
}

static bool split(char *line, struct row *row)
{
    unsigned i = 0;

    for (char *cell = line; cell && i < COLUMNS; i++) {
        row->cell[i] = cell;
        cell = strchr(cell, '\t');
        if (cell)
            *cell++ = '\0';
        if (cell && i + 1 == COLUMNS)
            return false;
    }
    return i == COLUMNS;
}

bool survey_read(struct survey *survey, const char *path, const char **why)
{
    char *line, *rest;

    *survey = (struct survey){.text = read_file(path)};
    *why = "cannot be read";
    if (!survey->text)
        return false;
    survey->rows = calloc(1000, sizeof(*survey->rows));
    if (!survey->rows)
        return false;
    *why = "a line without its 23 columns";
    for (line = strtok_r(survey->text, "\n", &rest); line && survey->n < 1000;
         line = strtok_r(NULL, "\n", &rest))
        if (!split(line, &survey->rows[survey->n++]))
            return false;
    *why = "another heading";
    for (unsigned i = 0; i < COLUMNS; i++)
        if (survey->n == 0 || strcmp(survey->rows[0].cell[i], headings[i]) != 0)
            return false;
    return true;
}

void survey_finish(struct survey *survey)
{
    free(survey->rows);
    free(survey->text);
    *survey = (struct survey){0};
}
