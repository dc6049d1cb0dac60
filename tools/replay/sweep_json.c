/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "tools/replay/sweep.h"

#include <string.h>

static void put_field(FILE *to, const char *name, mtime_t t)
{
    char text[PUT_LINE], *end = put_seconds(text, t);

    fprintf(to, ",\"%s\":%.*s", name, (int)(end - text), text);
}

static void put_name(FILE *to, const char *name, const char *value)
{
    char text[PUT_STRING(4096)], *end;
    char cut[4096];

    snprintf(cut, sizeof(cut), "%s", value);
    end = put_json_string(text, cut);
    fprintf(to, ",\"%s\":%.*s", name, (int)(end - text), text);
}

/* Three decimals, with a point whatever the locale. */
static void put_mean(FILE *to, double mean)
{
    unsigned long long thousandths = (unsigned long long)(mean * 1000 + 0.5);

    fprintf(to, "%llu.%03llu", thousandths / 1000, thousandths % 1000);
}

void sweep_json(FILE *to, const struct sweep *sweep, const struct sweep_about *about)
{
    const struct sweep_point *safe = sweep_safe(sweep);

    fputs("{\"type\":\"sweep\",\"v\":1", to);
    put_name(to, "capture", about->capture);
    put_name(to, "policy", about->subject);
    put_name(to, "timeout", policy_timeout_name(sweep->timeout));
    fprintf(to, ",\"packets\":%llu", (unsigned long long)about->totals->packets);
    put_field(to, "duration_s", about->totals->last - about->totals->first);
    put_field(to, "own_s", about->own > 0 ? about->own : MTIME_NEVER);
    put_field(to, "safe_s", safe ? safe->timeout : MTIME_NEVER);
    fputs("}\n", to);
    for (size_t i = 0; i < sweep->n; i++) {
        const struct sweep_point *p = &sweep->points[i];

        fputs("{\"type\":\"sweep_point\",\"v\":1", to);
        put_field(to, "timeout_s", p->timeout);
        fprintf(
            to,
            ",\"connections\":%llu,\"broken\":%llu,\"entries_opened\":%llu,\"entries_peak\":%llu"
            ",\"entries_mean\":",
            (unsigned long long)p->flows, (unsigned long long)p->broken,
            (unsigned long long)p->entries, (unsigned long long)p->peak);
        put_mean(to, p->mean);
        fputs("}\n", to);
    }
}

void sweep_csv(FILE *to, const struct sweep *sweep)
{
    fputs("timeout_s,connections,broken,entries_opened,entries_peak,entries_mean\n", to);
    for (size_t i = 0; i < sweep->n; i++) {
        const struct sweep_point *p = &sweep->points[i];
        char text[PUT_LINE], *end = put_seconds(text, p->timeout);

        fprintf(to, "%.*s,%llu,%llu,%llu,%llu,", (int)(end - text), text,
                (unsigned long long)p->flows, (unsigned long long)p->broken,
                (unsigned long long)p->entries, (unsigned long long)p->peak);
        put_mean(to, p->mean);
        fputc('\n', to);
    }
}
