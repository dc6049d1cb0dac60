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
        r = show_advice(to, &shown->advices->items[i]);
    if (r == 0 && shown->n_prices > 0)
        fputs("\nWhat it costs\n", to);
    for (size_t i = 0; r == 0 && i < shown->n_prices; i++)
        show_price(to, &shown->prices[i]);
    return r;
}
