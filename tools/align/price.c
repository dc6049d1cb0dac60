/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/advice.h"

#include <errno.h>
#include <stdlib.h>

/* Probes and answers of a connection per second. */
static double packets_now(const struct connection *c)
{
    double sum = 0;

    for (unsigned side = 0; side < 2; side++) {
        const struct end *end = &c->end[side];
        mtime_t every = end->idle.low > end->interval.low ? end->idle.low : end->interval.low;

        if (end->keepalive == KEEPALIVE_ON && every > 0 && end->idle.high < MTIME_NEVER)
            sum += 2 / mtime_seconds(every);
    }
    return sum;
}

/* Per connection, from the advice that holds for it. */
static double packets_then(const struct row *row, const struct advices *advices)
{
    double most = packets_now(&row->connection);

    for (size_t i = 0; i < advices->n; i++) {
        const struct advice *item = &advices->items[i];
        const struct template *own = row->software[item->side];
        mtime_t every = item->part == PART_HEARTBEAT ? item->figures.heartbeat : item->figures.idle;
        bool its = own ? own == item->software : item->software->system;

        if (item->possible && its && every > 0 && 2 / mtime_seconds(every) > most)
            most = 2 / mtime_seconds(every);
    }
    return most;
}

/* To minutes, and to five of them above an hour: nobody writes 8185 s into a firewall. */
static mtime_t round_up(mtime_t t)
{
    mtime_t step = t > 3600 * MTIME_SEC ? 300 * MTIME_SEC : 60 * MTIME_SEC;

    return t >= MTIME_NEVER - step ? MTIME_NEVER : (t / step + 1) * step;
}

/* So that today's keepalive comes in time, one probe lost. */
static mtime_t raised_for(const struct connection *c, const struct limit *limit)
{
    mtime_t best = MTIME_NEVER;

    if (limit->payload || limit->absolute)
        return MTIME_NEVER;
    for (unsigned side = 0; side < 2; side++) {
        const struct end *end = &c->end[side];
        mtime_t idle = end->idle.high, interval = end->interval.high, t;

        if (end->keepalive != KEEPALIVE_ON || idle == MTIME_NEVER)
            continue;
        if (interval == MTIME_NEVER)
            interval = idle;
        t = round_up(verdict_silence(idle > interval ? idle : interval, interval, 1, c->rtt));
        if (t < best)
            best = t;
    }
    return best;
}

static struct price *price_of(struct price **prices, size_t *n, const struct limit *limit)
{
    struct price *more;

    for (size_t i = 0; i < *n; i++)
        if ((*prices)[i].hop == limit->hop)
            return &(*prices)[i];
    more = reallocarray(*prices, *n + 1, sizeof(*more));
    if (!more)
        return NULL;
    *prices = more;
    more[*n] = (struct price){.hop = limit->hop, .limit = limit->timeout, .arrivals = -1};
    return &more[(*n)++];
}

static int add_row(struct price **prices, size_t *n, const struct row *row,
                   const struct advices *advices)
{
    struct price *price = price_of(prices, n, &row->verdict.limit);
    mtime_t raised;

    if (!price)
        return -ENOMEM;
    raised = raised_for(&row->connection, &row->verdict.limit);
    price->n++;
    price->packets_now += packets_now(&row->connection);
    price->packets += packets_then(row, advices);
    if (row->verdict.limit.timeout < price->limit)
        price->limit = row->verdict.limit.timeout;
    if (raised == MTIME_NEVER)
        price->without++;
    else if (raised > price->raised)
        price->raised = raised;
    price->probes_no_help = row->verdict.limit.payload || row->verdict.limit.absolute;
    return 0;
}

int prices_make(struct price **prices, size_t *n, const struct join *join,
                const struct advices *advices, double arrivals)
{
    int r = 0;

    *prices = NULL;
    *n = 0;
    for (size_t i = 0; r == 0 && i < join->n; i++)
        if (advice_is_needed(&join->rows[i]))
            r = add_row(prices, n, &join->rows[i], advices);
    for (size_t i = 0; r == 0 && i < *n; i++) {
        struct price *price = &(*prices)[i];

        price->arrivals = arrivals;
        if (arrivals < 0 && join->table && price->hop->fact)
            price->arrivals = table_arrivals(join->table, price->hop, price->limit);
        price->entries = price->arrivals < 0 || price->raised == 0
                             ? -1
                             : price->arrivals * mtime_seconds(price->raised - price->limit);
    }
    return r;
}
