/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/duration.h"
#include "tools/scenario/scenario_build.h"
#include "tools/scenario/scenario_printer.h"

#include <stdlib.h>
#include <string.h>

#define LABEL 128
#define DELAY_DEFAULT (250 * INT64_C(1000))

/* A line of the policy that scenario_firewall.c wrote: a setting and its one or two values. */
static void print_setting(FILE *to, const struct scenario *s, const char *name, const char *line,
                          size_t len)
{
    char text[2 * LABEL], setting[64] = "", value[LABEL] = "", second[LABEL] = "", label[LABEL];

    snprintf(text, sizeof(text), "%.*s", (int)len, line);
    if (sscanf(text, "%63s %127s %127s", setting, value, second) < 2 ||
        strcmp(setting, "profile") == 0 || strcmp(setting, "default") == 0)
        return;
    snprintf(label, sizeof(label), "%s %s", name, setting);
    if ((strcmp(text, FIREWALL_ADOPTS) == 0 || strcmp(text, FIREWALL_REMEMBERS) == 0) &&
        !print_is_axis(s, label))
        return;
    fprintf(to, " %s", setting);
    print_value(to, s, label, value);
    if (*second)
        fprintf(to, " %s", second);
}

static void print_settings(FILE *to, const struct scenario *s, const struct scenario_firewall *f)
{
    const char *line = f->policy_text;

    while (*line) {
        size_t len = strcspn(line, "\n");

        print_setting(to, s, f->name, line, len);
        line += len + (line[len] == '\n');
    }
}

void print_firewall(FILE *to, const struct scenario *scenario, size_t index)
{
    const struct scenario_firewall *f = &scenario->firewall[index];
    char label[LABEL], usual[32] = "firewall";

    fputs("firewall", to);
    snprintf(label, sizeof(label), "%s profile", f->name);
    if (f->policy_file) {
        fputs(" policy", to);
        print_text(to, f->policy_file);
    } else {
        print_value(to, scenario, label, f->profile);
    }
    if (index > 0)
        snprintf(usual, sizeof(usual), "firewall%zu", index + 1);
    if (strcmp(f->name, usual) != 0)
        fprintf(to, " named %s", f->name);
    if (!f->policy_file)
        print_settings(to, scenario, f);
    putc('\n', to);
}

void print_link(FILE *to, const struct scenario *scenario, size_t index)
{
    const struct scenario_link *link = &scenario->link[index];
    char delay[LABEL], loss[LABEL];
    bool delayed, lossy;

    snprintf(delay, sizeof(delay), "link %zu delay", index + 1);
    snprintf(loss, sizeof(loss), "link %zu loss", index + 1);
    delayed = link->delay != DELAY_DEFAULT || print_is_axis(scenario, delay);
    lossy = link->loss > 0 || print_is_axis(scenario, loss);
    if (!delayed && !lossy && link->n_lose[0] + link->n_lose[1] == 0)
        return;
    fputs("link", to);
    if (delayed) {
        fputs(" delay", to);
        print_duration(to, scenario, delay, link->delay);
    }
    if (lossy) {
        fputs(" loss", to);
        print_share(to, scenario, loss, link->loss);
    }
    for (unsigned side = 0; side < 2; side++)
        for (size_t i = 0; i < link->n_lose[side]; i++)
            fprintf(to, " lose %s %u", flow_side_name((enum flow_side)side), link->lose[side][i]);
    putc('\n', to);
}

/* The shortest text that is read as this number. */
static void print_shape(FILE *to, double shape)
{
    char text[40];

    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, shape);
        if (strtod(text, NULL) >= shape && strtod(text, NULL) <= shape)
            break;
    }
    fprintf(to, " %s", text);
}

static const char *duration(mtime_t time, char buf[DURATION_TEXT])
{
    return time > 0 ? duration_format(time, buf, DURATION_TEXT) : "0s";
}

static void print_idle(FILE *to, const struct scenario *s)
{
    const struct distribution *d = &s->workload.idle;
    char from[DURATION_TEXT];

    fputs(" idle", to);
    switch (d->spread) {
    case SPREAD_FIXED:
        print_duration(to, s, "idle", d->a);
        break;
    case SPREAD_UNIFORM:
        fprintf(to, " uniform %s", duration(d->a, from));
        fprintf(to, "..%s", duration(d->b, from));
        break;
    case SPREAD_EXPONENTIAL:
        fputs(" exponential", to);
        print_duration(to, s, "idle exponential", d->a);
        break;
    case SPREAD_LOGNORMAL:
        fputs(" lognormal", to);
        print_duration(to, s, "idle lognormal", d->a);
        print_shape(to, d->shape);
        break;
    case SPREAD_PARETO:
        fputs(" pareto", to);
        print_duration(to, s, "idle pareto", d->a);
        print_shape(to, d->shape);
        break;
    }
}

void print_workload(FILE *to, const struct scenario *scenario)
{
    const struct workload *w = &scenario->workload;

    fputs("repeat", to);
    print_number(to, scenario, "clients", w->clients);
    fputs(" clients over", to);
    print_duration(to, scenario, "over", w->over);
    fprintf(to, " arrivals %s", w->regular ? "regular" : "random");
    print_idle(to, scenario);
    fprintf(to, " requests %u..%u request", w->requests_from, w->requests_to);
    print_number(to, scenario, "request", w->request_bytes);
    fputs(" answer", to);
    print_number(to, scenario, "answer", w->answer_bytes);
    if (w->answer_after > 0 || print_is_axis(scenario, "answer after")) {
        fputs(" after", to);
        print_duration(to, scenario, "answer after", w->answer_after);
    }
    if (w->vanish > 0 || print_is_axis(scenario, "vanish")) {
        fputs(" vanish", to);
        print_share(to, scenario, "vanish", w->vanish);
    }
    putc('\n', to);
}
