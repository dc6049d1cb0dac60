/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/socket_parts.h"

#include <errno.h>

/* Lines that one command printed: what one of them shows was asked for for all. */
struct block {
    size_t begin;
    enum socket_line kind; /* LINE_BAD: none yet */
    struct ss_shown shown;
};

struct reader {
    struct socket_table *table, listening;
    struct block block;
    enum socket_line last;
    unsigned line;
    bool any; /* something was recognised */
};

/* ss shows no timer where none runs. */
static void end_block(struct reader *reader)
{
    struct socket_table *table = reader->table;
    const struct block *block = &reader->block;
    bool assumed = !block->shown.timer && block->shown.details && block->shown.info;

    for (size_t i = block->begin; i < table->n && block->kind == LINE_SS; i++) {
        struct socket_fact *fact = &table->sockets[i];

        if (fact->timer_known || !(block->shown.timer || assumed))
            continue;
        fact->timer_known = true;
        fact->timer = TIMER_OFF;
        table->timers_assumed = table->timers_assumed || assumed;
    }
    reader->block = (struct block){.begin = table->n, .kind = LINE_BAD};
}

static void note_shown(struct block *block, const struct ss_shown *shown)
{
    block->shown.timer = block->shown.timer || shown->timer;
    block->shown.details = block->shown.details || shown->details;
    block->shown.info = block->shown.info || shown->info;
}

static int add_socket(struct reader *reader, enum socket_line what, struct socket_fact *fact,
                      const struct ss_shown *shown)
{
    if (reader->block.kind != what && reader->block.kind != LINE_BAD)
        end_block(reader);
    reader->block.kind = what;
    note_shown(&reader->block, shown);
    fact->line = reader->line;
    /* Listening makes it so, not the name of who has a connection. */
    fact->systemd_socket = fact->systemd_socket && strcmp(fact->process, "systemd") != 0;
    return socket_table_add(reader->table, fact);
}

/* TCP_INFO of ss, of the socket on the line before. */
static void add_info(struct reader *reader, struct slice line)
{
    struct ss_shown shown = {0};

    if (reader->last != LINE_SS)
        return;
    ss_read(line, &reader->table->sockets[reader->table->n - 1], &shown);
    note_shown(&reader->block, &shown);
}

static int add_line(struct reader *reader, struct slice line)
{
    struct slice rest = line, word = slice_word(&rest);
    struct socket_fact fact;
    struct ss_shown shown;
    enum socket_line what;

    if (word.n == 0)
        return 0;
    what = socket_line_read(line, &fact, &shown);
    if (what == LINE_BAD && word.at > line.at && reader->line > 1 && reader->last != LINE_NETSTAT) {
        add_info(reader, line);
        return 0;
    }
    reader->last = what;
    reader->any = reader->any || (what != LINE_BAD && what != LINE_COMMAND);
    switch (what) {
    case LINE_SS:
    case LINE_NETSTAT:
        return add_socket(reader, what, &fact, &shown);
    case LINE_LISTENING:
        return socket_table_add(&reader->listening, &fact);
    case LINE_HEADING:
        /* The command may stand before it. */
        if (reader->block.kind != LINE_BAD)
            end_block(reader);
        return 0;
    case LINE_COMMAND:
        end_block(reader);
        reader->block.shown = shown;
        return 0;
    case LINE_OTHER:
        return 0;
    case LINE_BAD:
        break;
    }
    end_block(reader);
    return socket_table_bad(reader->table, reader->line);
}

int socket_table_text(struct socket_table *table, const char *text, size_t size)
{
    struct reader reader = {.table = table, .last = LINE_HEADING};
    struct slice rest = {text, size};
    size_t first = table->n;
    int r = 0;

    reader.block = (struct block){.begin = first, .kind = LINE_BAD};
    while (r == 0 && rest.n > 0) {
        const char *end = memchr(rest.at, '\n', rest.n);
        struct slice line = {rest.at, end ? (size_t)(end - rest.at) : rest.n};

        rest = slice_after(rest, line.n + 1);
        while (line.n > 0 && line.at[line.n - 1] == '\r')
            line.n--;
        reader.line++;
        r = add_line(&reader, line);
    }
    end_block(&reader);
    if (r == 0 && !reader.any)
        r = -EINVAL;
    for (size_t i = first; i < table->n; i++)
        figures_look(&table->sockets[i]);
    socket_listened(table, &reader.listening, true);
    socket_table_finish(&reader.listening);
    return r;
}
