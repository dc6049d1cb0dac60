/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/duration.h"
#include "tools/scenario/scenario_printer.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static const struct axis *axis_of(const struct scenario *scenario, const char *label)
{
    for (size_t i = 0; i < scenario->n_axes; i++)
        if (strcmp(scenario->axis[i].label, label) == 0)
            return &scenario->axis[i];
    return NULL;
}

bool print_is_axis(const struct scenario *scenario, const char *label)
{
    return axis_of(scenario, label) != NULL;
}

void print_value(FILE *to, const struct scenario *scenario, const char *label, const char *value)
{
    const struct axis *axis = axis_of(scenario, label);

    if (!axis) {
        fprintf(to, " %s", value);
        return;
    }
    for (size_t i = 0; i < axis->n_values; i++)
        fprintf(to, "%c%s", i > 0 ? ',' : ' ', axis->values[i]);
}

void print_duration(FILE *to, const struct scenario *scenario, const char *label, mtime_t value)
{
    char text[DURATION_TEXT] = "0s";

    if (value > 0)
        duration_format(value, text, sizeof(text));
    print_value(to, scenario, label, text);
}

void print_number(FILE *to, const struct scenario *scenario, const char *label, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    print_value(to, scenario, label, text);
}

/* The parser reads ten thousandths of a percent. */
void print_share(FILE *to, const struct scenario *scenario, const char *label, double value)
{
    char text[32];

    snprintf(text, sizeof(text), "%g%%", round(value * 1e6) / 1e4);
    print_value(to, scenario, label, text);
}

void print_text(FILE *to, const char *text)
{
    fputs(" \"", to);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', to);
        putc(*text, to);
    }
    putc('"', to);
}

static void print_told(FILE *to, const char *statement, const char *text)
{
    if (!text)
        return;
    fputs(statement, to);
    print_text(to, text);
    putc('\n', to);
}

static void print_head(FILE *to, const struct scenario *s)
{
    print_told(to, "title", s->title);
    print_told(to, "story", s->story);
    print_told(to, "remedy", s->remedy);
    if (s->virtual_only)
        fputs("virtual-only\n", to);
    if (s->seed != 1 || print_is_axis(s, "seed")) {
        fputs("seed", to);
        print_number(to, s, "seed", s->seed);
        putc('\n', to);
    }
}

static void print_path(FILE *to, const struct scenario *s)
{
    print_host(to, s, FLOW_CLIENT);
    for (size_t i = 0; i < s->n_firewalls; i++) {
        print_link(to, s, i);
        print_firewall(to, s, i);
    }
    print_link(to, s, s->n_firewalls);
    print_host(to, s, FLOW_SERVER);
    if (print_is_axis(s, "link delay")) {
        fputs("set link delay", to);
        print_value(to, s, "link delay", "");
        putc('\n', to);
    }
    if (print_is_axis(s, "link loss")) {
        fputs("set link loss", to);
        print_value(to, s, "link loss", "");
        putc('\n', to);
    }
}

int scenario_print(FILE *to, const struct scenario *scenario)
{
    mtime_t sample = scenario->until / 400;
    int r;

    print_head(to, scenario);
    print_path(to, scenario);
    if (scenario->workload.clients)
        print_workload(to, scenario);
    r = print_deeds(to, scenario);
    for (size_t i = 0; i < scenario->n_expectations; i++)
        fprintf(to, "expect %s\n", scenario->expectations[i].text);
    if (scenario->plot == PLOT_TIME)
        fputs("plot time\n", to);
    if (scenario->sample != (sample > MTIME_SEC ? sample : MTIME_SEC)) {
        fputs("sample", to);
        print_duration(to, scenario, "", scenario->sample);
        putc('\n', to);
    }
    fputs("until", to);
    print_duration(to, scenario, "", scenario->until);
    putc('\n', to);
    return r < 0 ? r : ferror(to) ? -EIO : 0;
}
