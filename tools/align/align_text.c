/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/record/put.h"
#include "tools/align/show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    CELL_VERDICT,
    CELL_DUE,
    CELL_PROCESS,
    CELL_LOCAL,
    CELL_PEER,
    CELL_STATE,
    CELL_KEEPALIVE,
    CELL_LIMIT,
    CELL_REFRESH,
    CELLS,
};
struct line {
    char cell[CELLS][96];
};
static const struct line heading = {{"VERDICT", "FORGOTTEN IN", "PROCESS", "LOCAL", "PEER", "STATE",
                                     "KEEPALIVE", "LIMIT", "REFRESHED BY"}};

static void put_end_of(char *cell, size_t size, uint8_t family, const uint8_t *address,
                       uint16_t port)
{
    char text[64];

    *put_address(text, family, address) = '\0';
    snprintf(cell, size, family == 6 ? "[%s]:%u" : "%s:%u", text, port);
}

/* As ss calls them. */
static const char *state_word(enum socket_state state)
{
    switch (state) {
    case SOCKET_ESTABLISHED:
        return "ESTAB";
    case SOCKET_FIN_WAIT_2:
        return "FIN-WAIT-2";
    case SOCKET_CLOSE_WAIT:
        return "CLOSE-WAIT";
    default:
        return socket_state_name(state);
    }
}

static const char *mark(enum policy_origin origin)
{
    static const char *const marks[] = {
        [ORIGIN_ASSUMED] = "~", [ORIGIN_SET] = "", [ORIGIN_UNVERIFIED] = "?"};

    return marks[origin];
}

static void put_fact(struct line *line, const struct row *row)
{
    const size_t size = sizeof(line->cell[0]);
    const struct socket_fact *fact = row->fact;
    enum flow_side here = row->connection.here;

    if (!fact) { /* planned */
        snprintf(line->cell[CELL_PROCESS], size, "%s",
                 row->software[here] ? row->software[here]->name
                 : row->system[here] ? row->system[here]->name
                                     : "-");
        snprintf(line->cell[CELL_LOCAL], size, "%s", flow_side_name(here));
        snprintf(line->cell[CELL_PEER], size, "%s",
                 row->proxied ? "proxy"
                              : flow_side_name(here == FLOW_CLIENT ? FLOW_SERVER : FLOW_CLIENT));
        strcpy(line->cell[CELL_STATE], "ESTAB");
        return;
    }
    if (fact->process[0] == '\0')
        strcpy(line->cell[CELL_PROCESS], "?");
    else if (fact->pid > 0)
        snprintf(line->cell[CELL_PROCESS], size, "%s/%d", fact->process, fact->pid);
    else
        snprintf(line->cell[CELL_PROCESS], size, "%s", fact->process);
    put_end_of(line->cell[CELL_LOCAL], size, fact->family, fact->local, fact->local_port);
    put_end_of(line->cell[CELL_PEER], size, fact->family, fact->peer, fact->peer_port);
    snprintf(line->cell[CELL_STATE], size, "%s", state_word(fact->state));
}

static void make_line(struct line *line, const struct row *row)
{
    const size_t size = sizeof(line->cell[0]);
    const struct verdict *v = &row->verdict;
    char buf[SHOW_TIME], keepalive[sizeof(line->cell[0])];

    *line = (struct line){0};
    put_fact(line, row);
    snprintf(line->cell[CELL_VERDICT], size, "%s", verdict_name(v->kind));
    snprintf(line->cell[CELL_DUE], size, "%s",
             v->due == MTIME_NEVER ? "-" : show_time(buf, v->due));
    snprintf(line->cell[CELL_KEEPALIVE], size, "%s",
             show_keepalive(keepalive, size, &row->connection.end[row->connection.here]));
    if (v->limit.hop && v->limit.timeout < MTIME_NEVER)
        snprintf(line->cell[CELL_LIMIT], size, "%s %s%s", v->limit.hop->name,
                 show_time(buf, v->limit.timeout), mark(v->limit.origin));
    else
        strcpy(line->cell[CELL_LIMIT], "none");
    snprintf(line->cell[CELL_REFRESH], size, "%s", v->limit.hop ? show_refresh(&v->limit) : "-");
}

static void print_line(FILE *to, const struct line *line, const size_t *width)
{
    size_t owed = 0;

    for (size_t k = 0; k < CELLS; k++) {
        size_t len = strlen(line->cell[k]);

        fprintf(to, "%*s%s", (int)owed, "", line->cell[k]);
        owed = width[k] - len + 2;
    }
    fputc('\n', to);
}

static int rows_text(FILE *to, const struct join *join)
{
    struct line *lines = calloc(join->n + 1, sizeof(*lines));
    size_t width[CELLS] = {0};
    int r = 0;

    if (!lines)
        return -ENOMEM;
    lines[0] = heading;
    for (size_t i = 0; i < join->n; i++)
        make_line(&lines[i + 1], &join->rows[i]);
    for (size_t i = 0; i <= join->n; i++)
        for (size_t k = 0; k < CELLS; k++)
            if (strlen(lines[i].cell[k]) > width[k])
                width[k] = strlen(lines[i].cell[k]);
    for (size_t i = 0; r == 0 && i <= join->n; i++) {
        print_line(to, &lines[i], width);
        if (i == 0)
            continue;
        fputs("    ", to);
        r = show_reason(to, &join->rows[i - 1]);
        fputc('\n', to);
    }
    free(lines);
    return r;
}

static void path_text(FILE *to, const struct path *path)
{
    char buf[SHOW_TIME];

    if (path->n == 0)
        return;
    fputs("path: client", to);
    for (size_t i = 0; i < path->n; i++) {
        const struct hop *hop = &path->hops[i];

        fprintf(to, " - %s%s (%s%s)", hop->name, hop->profile.kind == KIND_PROXY ? ", a proxy" : "",
                show_time(buf, hop->profile.timeout[TIMEOUT_TCP_ESTABLISHED]),
                mark(hop->profile.origin[TIMEOUT_TCP_ESTABLISHED]));
    }
    fputs(" - server\n", to);
}

static void counts_text(FILE *to, const struct join *join)
{
    size_t by_kind[VERDICT_KINDS] = {0};
    const char *comma = ": ";

    for (size_t i = 0; i < join->n; i++)
        by_kind[join->rows[i].verdict.kind]++;
    fprintf(to, "%zu connection%s", join->n, join->n == 1 ? "" : "s");
    for (unsigned k = 0; k < VERDICT_KINDS; k++)
        if (by_kind[k] > 0) {
            fprintf(to, "%s%zu %s", comma, by_kind[k], verdict_name((enum verdict_kind)k));
            comma = ", ";
        }
    fputc('\n', to);
}

static void left_out_text(FILE *to, const struct join *join)
{
    const struct {
        size_t n;
        const char *why;
    } parts[] = {
        {join->missing, "not in the firewall's table: they do not pass it, or are forgotten"},
        {join->inside, "within this host"},
        {join->passing, "being opened or closed"},
        {join->filtered, "not asked for"},
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (parts[i].n > 0)
            fprintf(to, "left out: %zu %s\n", parts[i].n, parts[i].why);
}

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

static int item_text(FILE *to, const struct advice *item)
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

static void price_text(FILE *to, const struct price *price)
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

int align_text(FILE *to, const struct shown *shown)
{
    int r;

    path_text(to, shown->path);
    counts_text(to, shown->join);
    left_out_text(to, shown->join);
    if (shown->join->n == 0)
        return 0;
    fputc('\n', to);
    r = rows_text(to, shown->join);
    if (r == 0 && shown->advices->n > 0)
        fputs("\nWhat to set\n", to);
    for (size_t i = 0; r == 0 && i < shown->advices->n; i++)
        r = item_text(to, &shown->advices->items[i]);
    if (r == 0 && shown->n_prices > 0)
        fputs("\nWhat it costs\n", to);
    for (size_t i = 0; r == 0 && i < shown->n_prices; i++)
        price_text(to, &shown->prices[i]);
    return r;
}
