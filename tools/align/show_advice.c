/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/show.h"

struct printer {
    FILE *to;
    bool sources;
};

static void print_advice(void *arg, enum template_line kind, const char *text)
{
    const struct printer *printer = arg;

    if ((kind == LINE_SOURCE) != printer->sources)
        return;
    switch (kind) {
    case LINE_FILE:
        fprintf(printer->to, "  in %s\n", text);
        return;
    case LINE_SET:
        fprintf(printer->to, "      %s\n", text);
        return;
    case LINE_THEN:
        fprintf(printer->to, "  then %s\n", text);
        return;
    case LINE_NOTE:
        fprintf(printer->to, "  %s\n", text);
        return;
    case LINE_SOURCE:
        fprintf(printer->to, "  (syntax from %s)\n", text);
    }
}

static void rule_text(FILE *to, const struct advice *item)
{
    const struct figures *f = &item->figures;
    bool heartbeat = item->part == PART_HEARTBEAT;
    mtime_t idle = heartbeat ? f->heartbeat : f->idle;
    mtime_t interval = heartbeat ? f->heartbeat : f->interval;
    char d[SHOW_TIME];

    fprintf(to, "  rule: (%.0f + %u * %.0f) * 9/8 + %.3g = %.1f s", mtime_seconds(idle), item->lost,
            mtime_seconds(interval), mtime_seconds(item->rtt),
            mtime_seconds(verdict_silence(idle, interval, item->lost, item->rtt)));
    fprintf(to, " < %s of %s", show_time(d, item->limit.timeout), item->limit.hop->name);
    if (!heartbeat)
        fprintf(to, "; a dead peer is given up after %s",
                show_time(d, f->idle + f->interval * f->count));
    fputc('\n', to);
}

int show_advice(FILE *to, const struct advice *item)
{
    struct printer printer = {.to = to};
    const struct figures *f = &item->figures;
    char a[SHOW_TIME];
    int r;

    fprintf(to, "\n%.*s\n  %s, for %zu connection%s%s%s: ", item->software->title_len,
            item->software->title, item->here ? "here" : "at the other end", item->n,
            item->n == 1 ? "" : "s", item->process[0] ? " such as of " : "", item->process);
    if (item->hopeless) {
        fprintf(to,
                "nothing that is sent helps\n  %s ends them after %s: connect anew before (a "
                "pool's max lifetime), or raise that limit\n",
                item->limit.hop->name, show_time(a, item->limit.timeout));
        return 0;
    }
    if (!item->possible) {
        fprintf(to, "%s\n",
                item->part == PART_HEARTBEAT
                    ? "TCP keepalive does not help, and it has no heartbeat that we know of: send "
                      "something yourself, or raise the limit"
                    : "no keepalive is short enough");
        return 0;
    }
    if (item->part == PART_HEARTBEAT)
        fprintf(to, "every %s%s\n", show_time(a, f->heartbeat),
                item->limit.payload ? ", for TCP keepalive does not help" : "");
    else
        fprintf(to, "idle %lld s, interval %lld s, count %u\n", (long long)(f->idle / MTIME_SEC),
                (long long)(f->interval / MTIME_SEC), f->count);
    rule_text(to, item);
    r = template_render(item->software, item->part, f, print_advice, &printer);
    printer.sources = true;
    return r < 0 ? r : template_render(item->software, item->part, f, print_advice, &printer);
}

void show_price(FILE *to, const struct price *price)
{
    const struct ceiling *ceiling = ceiling_of(price->hop);
    char a[SHOW_TIME], b[SHOW_TIME];

    fprintf(to,
            "  the settings above, for %s: %zu connection%s, %.3g packets/s, %.0f a day (now %.0f "
            "a day)\n",
            price->hop->name, price->n, price->n == 1 ? "" : "s", price->packets,
            price->packets * 86400, price->packets_now * 86400);
    if (price->raised == 0) {
        fprintf(to, "  raising the limit of %s would only put it off: %s\n", price->hop->name,
                price->probes_no_help ? "probes do not refresh it"
                                      : "no keepalive is known to come in time then");
        return;
    }
    if (ceiling && price->raised > ceiling->most) {
        fprintf(to,
                "  raising the limit of %s to the %s that today's keepalive needs: it can be at "
                "most %s (%s)\n",
                price->hop->name, show_time(a, price->raised), show_time(b, ceiling->most),
                ceiling->setting);
        return;
    }
    fprintf(to, "  or raise the limit of %s from %s to %s: ", price->hop->name,
            show_time(a, price->limit), show_time(b, price->raised));
    if (price->entries >= 0)
        fprintf(to,
                "%.0f more entries in its table (%.3g connections/s fall silent, each stays %s "
                "longer)\n",
                price->entries, price->arrivals, show_time(a, price->raised - price->limit));
    else
        fprintf(to,
                "%.0f more entries in its table for each connection per second that falls silent "
                "(--arrivals)\n",
                mtime_seconds(price->raised - price->limit));
    if (ceiling)
        fprintf(to, "      by %s\n", ceiling->setting);
    if (price->without > 0)
        fprintf(to, "      and %zu without keepalive %s forgotten all the same\n", price->without,
                price->without == 1 ? "is" : "are");
}
