/* SPDX-License-Identifier: GPL-2.0-or-later */
/* system.c against the table that its keepalive figures are from: every operating system of the
 * table is a preset, or left out with the reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/scenario/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S MTIME_SEC

enum cell { ID, SOFTWARE, KIND, NAMES, UNITS, IDLE, INTERVAL, COUNT, ON, DEAD };
#define CELLS (DEAD + 1)

static char text[256 * 1024];

static const struct {
    const char *id, *why;
} left_out[] = {
    {"os-hpux10", "its count and default values are not known"},
    {"dev-digi-portserver", "neither count nor interval is known; probes as AIX does"},
};
static const struct {
    const char *id, *name;
} renamed[] = {{"os-hpux11", "hpux"}, {"os-hp-nonstop", "nonstop"}, {"os-os2", "os2"}};
/* Of no row, and where they are from instead. */
static const struct {
    const char *name, *why;
} rowless[] = {
    {"windows-xp", "the count that the Windows row has for before Vista"},
    {"stcp", "field report"},
    {"stcp-old", "field report"},
};

static const struct system *find(const char *name)
{
    return system_find(name, strlen(name));
}

static const struct system *of_row(const char *id)
{
    for (size_t i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++)
        if (strcmp(renamed[i].id, id) == 0)
            return find(renamed[i].name);
    return strncmp(id, "os-", 3) == 0 ? find(id + 3) : NULL;
}

static bool is_left_out(const char *id)
{
    for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
        if (strcmp(left_out[i].id, id) == 0)
            return true;
    return false;
}

/* A figure, if the cell begins with one. */
static bool number(const char *cell, mtime_t *out)
{
    char *end;

    *out = strtoll(cell, &end, 10);
    return end != cell;
}

static mtime_t dead_after(const struct system *s)
{
    if (s->keepalive_backoff)
        return s->keepalive.idle + s->keepalive_abort;
    return s->keepalive.idle + s->keepalive.count * s->keepalive.interval;
}

static void check_row(char **cell, const struct system *s)
{
    mtime_t n;

    if (!s)
        fail_msg("%s: no preset, and no reason why not", cell[ID]);
    assert_true(number(cell[IDLE], &n));
    assert_int_equal(s->keepalive.idle, n * S);
    if (number(cell[INTERVAL], &n))
        assert_int_equal(s->keepalive.interval, n * S);
    if (number(cell[COUNT], &n))
        assert_int_equal(s->keepalive.count, n);
    assert_int_equal(s->keepalive_always, strncmp(cell[ON], "YES", 3) == 0);
    if (number(cell[DEAD], &n))
        assert_int_equal(dead_after(s), n * S);
}

static void every_row_is_a_preset(void **state)
{
    FILE *file = fopen(getenv("KEEPALIVES"), "r");
    char *line, *next = text;
    unsigned rows = 0;

    (void)state;
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    while ((line = strsep(&next, "\n")) && *line) {
        char *cell[CELLS] = {0};

        for (size_t i = 0; i < CELLS; i++)
            cell[i] = strsep(&line, "\t");
        if (strncmp(cell[ID], "os-", 3) != 0 && strncmp(cell[ID], "dev-", 4) != 0)
            continue;
        rows++;
        if (!is_left_out(cell[ID]))
            check_row(cell, of_row(cell[ID]));
        else if (of_row(cell[ID]))
            fail_msg("%s: left out, and a preset", cell[ID]);
    }
    for (size_t i = 0; i < sizeof(rowless) / sizeof(rowless[0]); i++)
        if (!find(rowless[i].name))
            fail_msg("%s (%s): no preset", rowless[i].name, rowless[i].why);
    assert_int_equal(rows + sizeof(rowless) / sizeof(rowless[0]) -
                         sizeof(left_out) / sizeof(left_out[0]),
                     system_count);
}

/* What the cells say in words. */
static void what_is_told(void **state)
{
    (void)state;
    assert_int_equal(find("windows-xp")->keepalive.count, 5); /* "5 before" */
    assert_int_equal(find("solaris")->keepalive_abort, 480 * S);
    assert_true(find("solaris")->keepalive_backoff);
    assert_int_equal(find("hpux")->keepalive.interval * find("hpux")->keepalive.count, 600 * S);
    assert_int_equal(find("aix")->tick, 500 * MTIME_MSEC);
    assert_int_equal(find("aix")->probe_bytes, 1); /* field case 5 */
    assert_int_equal(find("linux")->probe_bytes, 0);
}

/* Field case 4. */
static void openvos(void **state)
{
    const struct system *new = find("stcp"), *old = find("stcp-old");

    (void)state;
    assert_int_equal(new->fin_timeout, 1200 * S);
    assert_int_equal(old->fin_timeout, MTIME_NEVER);
    assert_false(new->fin_timeout_orphaned);
    assert_int_equal(new->persist_min, 100 * S);
    assert_int_equal(new->persist_max, 100 * S);
    assert_int_equal(new->zero_window_abort, 0);
    assert_int_equal(new->keepalive.idle, 7200 * S);
    assert_true(new->keepalive_from_receipt);
}

/* Documentation/networking/ip-sysctl.rst; as a kernel 6.18 has them. */
static void linux_sysctls(void **state)
{
    const struct system *s = find("linux");

    (void)state;
    assert_int_equal(s->clock, CLOCK_WHEEL);
    assert_int_equal(s->hz, 250);
    assert_int_equal(s->syn_retries, 6);
    assert_int_equal(s->synack_retries, 5);
    assert_int_equal(s->syn_linear, 4);
    assert_int_equal(s->retries, 15);
    assert_int_equal(s->rto_min, 200 * MTIME_MSEC);
    assert_int_equal(s->rto_max, 120 * S);
    assert_int_equal(s->fin_timeout, 60 * S);
    assert_int_equal(s->time_wait, 60 * S);
    assert_int_equal(s->challenge_interval, 500 * MTIME_MSEC);
    assert_int_equal(s->challenge_limit, 0);
    assert_int_equal(s->reset, RESET_EXACT);
    assert_int_equal(s->icmp, ICMP_REMEMBERED);
    assert_false(s->rst_on_timeout);
    assert_true(s->keepalive_rst);
}

/* Nothing that time rules would stumble over. */
static void every_preset_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < system_count; i++) {
        const struct system *s = &systems[i];

        if ((s->clock == CLOCK_WHEEL) != (s->hz > 0) || (s->clock == CLOCK_TICKS) != (s->tick > 0))
            fail_msg("%s: clock", s->name);
        if (s->keepalive.idle <= 0 || s->keepalive_backoff == (s->keepalive.interval > 0) ||
            s->keepalive_backoff == (s->keepalive.count > 0) ||
            s->keepalive_backoff != (s->keepalive_abort > 0))
            fail_msg("%s: keepalive", s->name);
        if (s->keepalive_pushed && !s->keepalive_from_receipt)
            fail_msg("%s: pushed by what it does not count", s->name);
        if (s->rto_min <= 0 || s->rto_initial < s->rto_min || s->rto_max < 60 * S)
            fail_msg("%s: RTO (RFC 6298)", s->name);
        if (!s->retries || !s->syn_retries || !s->synack_retries)
            fail_msg("%s: retries", s->name);
        if (s->persist_min <= 0 || s->persist_min > s->persist_max)
            fail_msg("%s: persist", s->name);
        if (s->delayed_ack <= 0 || s->delayed_ack > 500 * MTIME_MSEC)
            fail_msg("%s: delayed ACK (RFC 1122 4.2.3.2)", s->name);
        if (s->fin_timeout <= 0 || s->time_wait <= 0)
            fail_msg("%s: closing", s->name);
        if (!s->mss || !s->receive_buffer || s->window_scale != (s->wscale > 0) ||
            (UINT32_C(65535) << s->wscale) + (1u << s->wscale) < s->receive_buffer)
            fail_msg("%s: window", s->name);
    }
}

static void names(void **state)
{
    (void)state;
    for (size_t i = 0; i < system_count; i++) {
        const char *name = systems[i].name;

        assert_ptr_equal(find(name), &systems[i]); /* also: unique */
        assert_true(strlen(systems[i].product) > 3);
    }
    assert_null(find("linu"));
    assert_null(find("linuxx"));
    assert_null(find(""));
    assert_string_equal(system_find("aix keepalive", 3)->name, "aix");
    assert_string_equal(systems[0].name, "linux");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_a_preset),
        cmocka_unit_test(what_is_told),
        cmocka_unit_test(openvos),
        cmocka_unit_test(linux_sysctls),
        cmocka_unit_test(every_preset_is_whole),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
