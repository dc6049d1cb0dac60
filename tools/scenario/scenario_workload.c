/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario/scenario_build.h"

#include <stdio.h>
#include <stdlib.h>

#define CLIENTS_MAX 20000000
#define REQUESTS_MAX 100000
#define REQUESTS_ALL 1000000000
#define ALLOWED                                                                                    \
    "arrivals random|regular, idle DISTRIBUTION, requests N|N..M, request BYTES, answer BYTES "    \
    "[after D], vanish PERCENT%%"

/* A plain number with decimals, for shapes. */
static bool take_shape(struct words *words, const char *what, double least, double *out)
{
    struct policy_word word;
    char text[32], *end;

    if (!words_take(words, &word, what))
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)(word.len < 31 ? word.len : 31), word.text);
    *out = strtod(text, &end);
    if (word.len < 31 && *end == '\0' && strspn(text, "0123456789.") == strlen(text) &&
        *out >= least && *out <= 10)
        return true;
    words_fault_last(words, "\"%.*s\" is not possible here; allowed: %s, a number from %g to 10",
                     POLICY_WORD_ARG(word), what, least);
    return false;
}

static bool take_mean(struct words *words, const char *label, struct distribution *d)
{
    struct value value;

    if (!value_take(words, label, VALUE_DURATION, (uint64_t)MTIME_MSEC, SCENARIO_UNTIL_MAX, false,
                    &value))
        return false;
    d->a = (mtime_t)value.number;
    return true;
}

static void take_distribution(struct words *words, struct distribution *d)
{
    uint64_t from, to;

    *d = (struct distribution){.spread = SPREAD_FIXED};
    if (words_accept(words, "uniform")) {
        d->spread = SPREAD_UNIFORM;
        if (value_take_range(words, "two durations, A..B", VALUE_DURATION, 0, SCENARIO_UNTIL_MAX,
                             &from, &to)) {
            d->a = (mtime_t)from;
            d->b = (mtime_t)to;
        }
    } else if (words_accept(words, "exponential")) {
        d->spread = SPREAD_EXPONENTIAL;
        take_mean(words, "idle exponential", d);
    } else if (words_accept(words, "lognormal")) {
        d->spread = SPREAD_LOGNORMAL;
        if (take_mean(words, "idle lognormal", d))
            take_shape(words, "sigma", 0.01, &d->shape);
    } else if (words_accept(words, "pareto")) {
        d->spread = SPREAD_PARETO;
        if (take_mean(words, "idle pareto", d))
            take_shape(words, "alpha", 0.1, &d->shape);
    } else {
        take_mean(words, "idle", d);
    }
}

static void take_answer(struct words *words, struct workload *w)
{
    struct value value;

    if (value_take(words, "answer", VALUE_NUMBER, 1, 100000000, false, &value))
        w->answer_bytes = (uint32_t)value.number;
    if (words_accept(words, "after") &&
        value_take(words, "answer after", VALUE_DURATION, 0, SCENARIO_UNTIL_MAX, false, &value))
        w->answer_after = (mtime_t)value.number;
}

static void take_setting(struct words *words, struct workload *w, uint64_t *given)
{
    static const char *const names[] = {"arrivals", "idle",   "requests",
                                        "request",  "answer", "vanish"};
    struct value value;
    uint64_t from, to;

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (words_next_is(words, names[i])) {
            words->i++;
            if (!words_once(words, given, i, names[i]))
                return;
            words->i--;
        }
    if (words_accept(words, "arrivals")) {
        w->regular = words_accept(words, "regular");
        if (!w->regular && !words_accept(words, "random"))
            words_fault(words, "how do they arrive? allowed: random, regular");
    } else if (words_accept(words, "idle")) {
        take_distribution(words, &w->idle);
    } else if (words_accept(words, "requests")) {
        if (value_take_range(words, "how many requests: N or N..M", VALUE_NUMBER, 0, REQUESTS_MAX,
                             &from, &to)) {
            w->requests_from = (uint32_t)from;
            w->requests_to = (uint32_t)to;
        }
    } else if (words_accept(words, "request")) {
        if (value_take(words, "request", VALUE_NUMBER, 1, 100000000, false, &value))
            w->request_bytes = (uint32_t)value.number;
    } else if (words_accept(words, "answer")) {
        take_answer(words, w);
    } else if (words_accept(words, "vanish")) {
        if (value_take(words, "vanish", VALUE_PERCENT, 0, 1000000, false, &value))
            w->vanish = (double)value.number / 1e6;
    } else {
        words_fault(words, "\"%.*s\" is no setting of a workload; allowed: " ALLOWED,
                    POLICY_WORD_ARG(words->all[words->i].word));
    }
}

void workload_statement(struct words *words)
{
    struct workload *w = &words->build->scenario->workload;
    uint64_t given = 0;
    struct value value;

    *w = (struct workload){.requests_from = 1,
                           .requests_to = 1,
                           .request_bytes = 100,
                           .answer_bytes = 1000,
                           .idle = {.spread = SPREAD_EXPONENTIAL, .a = 600 * MTIME_SEC}};
    if (!value_take(words, "clients", VALUE_NUMBER, 1, CLIENTS_MAX, false, &value))
        return;
    w->clients = (uint32_t)value.number;
    if (!words_accept(words, "clients") || !words_accept(words, "over")) {
        words_fault(words, "how many come, and over how long? allowed: repeat N clients over "
                           "DURATION, then " ALLOWED);
        return;
    }
    if (!value_take(words, "over", VALUE_DURATION, (uint64_t)MTIME_MSEC, SCENARIO_UNTIL_MAX, false,
                    &value))
        return;
    w->over = (mtime_t)value.number;
    while (words_resume(words))
        take_setting(words, w, &given);
    if ((uint64_t)w->clients * (w->requests_to + UINT64_C(1)) > REQUESTS_ALL)
        words_fault_last(words, "too many requests of all clients together; allowed: %d",
                         REQUESTS_ALL);
}
