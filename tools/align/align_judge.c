/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/align.h"
#include "tools/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool any_breaks(const struct join *join)
{
    for (size_t i = 0; i < join->n; i++)
        if (join->rows[i].verdict.kind == VERDICT_WILL_BREAK)
            return true;
    return false;
}

static int show(const struct align *align, const struct join *join)
{
    struct advices advices = {0};
    struct price *prices = NULL;
    struct shown shown = {.join = join, .advices = &advices, .path = &align->path};
    int r = advices_make(&advices, join);

    if (r == 0)
        r = prices_make(&prices, &shown.n_prices, join, &advices, align->arrivals);
    shown.prices = prices;
    if (r == 0)
        r = (align->json ? align_json : align_text)(stdout, &shown);
    free(prices);
    advices_finish(&advices);
    if (r < 0)
        return command_failed("align", "%s", strerror(-r));
    /* Who reads us has seen enough. */
    if (fflush(stdout) == EOF && errno != EPIPE)
        return command_failed("align", "standard output: %s", strerror(errno));
    return any_breaks(join) ? NO : DONE;
}

int align_judge(struct align *align)
{
    struct join join;
    char why[512];
    int status, r;

    if (align->plan)
        r = plan_make(&join, &align->planned, &align->path, why, sizeof(why));
    else
        r = join_make(&join, &align->sockets, align->peers_from ? &align->peers : NULL,
                      &align->path, align->has_table ? &align->table : NULL, align->filter);
    if (r == -EINVAL)
        return command_misused("align", "%s", why);
    if (r < 0)
        return command_failed("align", "%s", strerror(-r));
    status = show(align, &join);
    join_finish(&join);
    return status;
}
