/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario/scenario_build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LOSE_MAX 1000

static void add_lost(struct words *words, struct scenario_link *link, unsigned side, uint32_t nth)
{
    uint32_t *lose = reallocarray(link->lose[side], link->n_lose[side] + 1, sizeof(*lose));
    size_t i = link->n_lose[side];

    if (!lose) {
        words->build->faults.error = -ENOMEM;
        return;
    }
    link->lose[side] = lose;
    for (size_t k = 0; k < i; k++)
        if (lose[k] == nth) {
            words_fault_last(words, "packet %u is lost already; allowed: each once", nth);
            return;
        }
    for (; i > 0 && lose[i - 1] > nth; i--)
        lose[i] = lose[i - 1];
    lose[i] = nth;
    link->n_lose[side]++;
}

static void take_lose(struct words *words, struct scenario_link *link)
{
    bool client = words_accept(words, "client");
    struct value value;

    if (!client && !words_accept(words, "server")) {
        words_fault(words, "whose packet is lost? allowed: client, server");
        return;
    }
    if (!value_take_one(words, "which of its packets: a number from 1", VALUE_NUMBER, 1, UINT32_MAX,
                        &value))
        return;
    if (link->n_lose[!client] == LOSE_MAX)
        words_fault_last(words, "too many lost packets; allowed: %d", LOSE_MAX);
    else
        add_lost(words, link, client ? FLOW_CLIENT : FLOW_SERVER, (uint32_t)value.number);
}

uint64_t link_statement(struct words *words, struct scenario_link *link, const char *label)
{
    uint64_t given = 0;
    char full[64];
    struct value value;

    if (!words_more(words))
        words_fault(words,
                    "a link without anything to say; allowed: delay DURATION, loss PERCENT%%, "
                    "lose client|server N");
    while (words_resume(words)) {
        if (words_accept(words, "delay")) {
            snprintf(full, sizeof(full), "%s delay", label);
            if (words_once(words, &given, LINK_DELAY, full) &&
                value_take(words, full, VALUE_DURATION, 1000, 60 * (uint64_t)MTIME_SEC, false,
                           &value))
                link->delay = (mtime_t)value.number;
        } else if (words_accept(words, "loss")) {
            snprintf(full, sizeof(full), "%s loss", label);
            if (words_once(words, &given, LINK_LOSS, full) &&
                value_take(words, full, VALUE_PERCENT, 0, 1000000, false, &value))
                link->loss = (double)value.number / 1e6;
        } else if (words_accept(words, "lose")) {
            take_lose(words, link);
        } else {
            words_fault(words,
                        "\"%.*s\" is no setting of a link; allowed: delay DURATION, loss "
                        "PERCENT%%, lose client|server N",
                        POLICY_WORD_ARG(words->all[words->i].word));
        }
    }
    return given;
}
