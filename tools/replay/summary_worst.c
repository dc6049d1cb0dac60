/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/flow_words.h"
#include "tools/replay/summary_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int descending(uint64_t a, uint64_t b)
{
    return a > b ? -1 : a < b;
}

/* Suffering: late packets, then how long before the first. The rest makes the order total, so that
 * it does not matter who was added first. */
static int compare(const struct replay_flow *a, const char *a_capture, const struct replay_flow *b,
                   const char *b_capture)
{
    int r = descending(a->late_packets, b->late_packets);

    r = r ? r : descending((uint64_t)a->late.silence, (uint64_t)b->late.silence);
    r = r ? r : descending((uint64_t)b->late.time, (uint64_t)a->late.time);
    r = r ? r : descending(b->late.number, a->late.number);
    r = r ? r : descending(b->first_number, a->first_number);
    r = r ? r : memcmp(a->flow.addr, b->flow.addr, sizeof(a->flow.addr));
    r = r ? r : memcmp(a->flow.port, b->flow.port, sizeof(a->flow.port));
    return r ? r : strcmp(a_capture ? a_capture : "", b_capture ? b_capture : "");
}

int summary_add_worst(struct summary *summary, const struct replay_flow *flow, const char *capture)
{
    struct worst *worst = summary->worst;
    size_t n = summary->n_worst, at = n;
    char *copy = NULL;

    while (at > 0 && compare(flow, capture, &worst[at - 1].flow, worst[at - 1].capture) < 0)
        at--;
    if (at == SUMMARY_WORST)
        return 0;
    if (capture && !(copy = strdup(capture)))
        return -ENOMEM;
    if (n == SUMMARY_WORST)
        free(worst[--n].capture);
    memmove(&worst[at + 1], &worst[at], (n - at) * sizeof(*worst));
    worst[at] = (struct worst){.flow = *flow, .capture = copy};
    summary->n_worst = n + 1;
    worst[at].flow.limit = replay_flow_limit(flow);
    worst[at].flow.flow.timeout = 0;
    worst[at].flow.flow.policy = NULL;
    return 0;
}
