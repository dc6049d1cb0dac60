/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever somebody pastes as a list of sockets: what is read of it is whole, no line is lost, and
 * its two halves are two looks at the same host. */
#include "tests/fuzz/fuzz.h"

#include "tools/align/socket.h"

#include <errno.h>
#include <string.h>

static void check_bounds(struct bounds b)
{
    FUZZ_CHECK(b.low >= 0 && b.low <= b.high);
}

static void check_socket(const struct socket_fact *f)
{
    FUZZ_CHECK(f->family == 4 || f->family == 6);
    FUZZ_CHECK(f->local_port != 0 && f->peer_port != 0);
    FUZZ_CHECK((unsigned)f->state < SOCKET_STATES && (unsigned)f->timer < SOCKET_TIMERS);
    FUZZ_CHECK(f->timer_left >= 0 && f->last_sent >= 0 && f->last_received >= 0 && f->rtt >= 0);
    FUZZ_CHECK(f->pid >= 0 && memchr(f->process, '\0', sizeof(f->process)) &&
               memchr(f->container, '\0', sizeof(f->container)));
    FUZZ_CHECK(f->keepalive == KEEPALIVE_ON || f->figures == FIGURES_UNKNOWN);
    check_bounds(f->idle);
    check_bounds(f->interval);
    for (size_t i = 0; f->process[i]; i++)
        FUZZ_CHECK(f->process[i] >= ' ' && f->process[i] <= '~');
}

static unsigned count_lines(const char *text, size_t size)
{
    unsigned lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    return lines;
}

static void read_text(struct socket_table *table, const char *text, size_t size)
{
    unsigned lines = count_lines(text, size), last = 0;
    int r = socket_table_text(table, text, size);

    FUZZ_CHECK(r == 0 || (r == -EINVAL && table->n == 0));
    for (size_t i = 0; i < table->n; i++) {
        check_socket(&table->sockets[i]);
        FUZZ_CHECK(table->sockets[i].state != SOCKET_GONE);
        FUZZ_CHECK(table->sockets[i].line > (i ? table->sockets[i - 1].line : 0) &&
                   table->sockets[i].line <= lines);
    }
    for (size_t i = 0; i < table->n_bad; last = table->bad_lines[i++])
        FUZZ_CHECK(table->bad_lines[i] > last && table->bad_lines[i] <= lines);
}

static void look_again(struct socket_table *table, const struct socket_table *later)
{
    size_t n = table->n;

    for (mtime_t elapsed = MTIME_SEC; elapsed < 100000 * MTIME_SEC; elapsed *= 100) {
        FUZZ_CHECK(socket_table_narrow(table, later, elapsed) == 0);
        FUZZ_CHECK(table->n == n);
        for (size_t i = 0; i < n; i++)
            check_socket(&table->sockets[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct socket_table whole = {0}, first = {0}, second = {0};
    const char *text = (const char *)data;

    read_text(&whole, text, size);
    read_text(&first, text, size / 2);
    read_text(&second, text + size / 2, size - size / 2);
    look_again(&whole, &second);
    look_again(&first, &whole);
    socket_table_finish(&whole);
    socket_table_finish(&first);
    socket_table_finish(&second);
    return 0;
}
