/* SPDX-License-Identifier: GPL-2.0-or-later */
/* software.c against the table that its figures are from, cell by cell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "middlebox/record/flow.h"
#include "tools/scenario/software.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum cell {
    ID,
    SOFTWARE,
    KIND,
    NAMES,
    UNITS,
    IDLE,
    INTERVAL,
    COUNT,
    ON,
    DEAD,
    HOW,
    NOTES,
    SOURCE,
    QUOTE,
    VERIFIED,
    UNVERIFIED
};
#define CELLS (UNVERIFIED + 1)
#define ROWS_MAX 128

static char *table[ROWS_MAX][CELLS];
static size_t n_rows;

/* Rows that are no program's TCP socket. */
static const struct {
    const char *id, *why;
} left_out[] = {
    {"dev-digi-portserver", "a device with a TCP of its own: a system, not a program"},
    {"openvpn-keepalive", "pings inside a tunnel, over UDP as shipped"},
    {"wireguard", "UDP"},
    {"strongswan-natt", "UDP port 4500"},
    {"aws-nlb-tls-multiplier", "the middlebox's own probes"},
    {"freebsd-ipfw-keepalive", "the middlebox's own probes: on-expiry dcd"},
};

/* What a row comes to where its cells are sentences. */
static const struct {
    const char *id;
    enum flow_side side;
    unsigned idle, interval, count;
} told[] = {
    /* "OS or 10 in drivers", "OS 9": the server's are the system's */
    {"mongodb-server", FLOW_SERVER, 300, 0, 0},
    /* "one number covers idle time plus probes", 15 in total: 5 + 1 * 10 */
    {"db2-dsdriver", FLOW_CLIENT, 5, 1, 10},
    {"db2-jcc", FLOW_CLIENT, 5, 1, 10},
    {"db2-registry", FLOW_CLIENT, 5, 1, 10},
};
static const struct {
    const char *id;
    enum flow_side side;
    unsigned heartbeat, timeout, idle_close;
} behaves[] = {
    {"pgbouncer", FLOW_CLIENT, 0, 0, 600},
    {"mysql-server", FLOW_SERVER, 0, 0, 28800},
    {"oracle-sqlnet-ns-probe", FLOW_SERVER, 0, 0, 0},
    {"ibm-mq-hbint", FLOW_CLIENT, 300, 600, 0},
    {"ibm-mq-hbint", FLOW_SERVER, 300, 600, 0},
    {"rabbitmq-heartbeat", FLOW_CLIENT, 30, 60, 0},
    {"rabbitmq-heartbeat", FLOW_SERVER, 30, 60, 0},
    {"nats-server", FLOW_CLIENT, 0, 0, 0},
    {"nats-server", FLOW_SERVER, 120, 360, 0},
    {"mqtt-mosquitto-client", FLOW_CLIENT, 60, 0, 0},
    {"mqtt-mosquitto-client", FLOW_SERVER, 0, 90, 0},
    {"mqtt-broker-max", FLOW_SERVER, 0, 90, 0},
    {"amqp10-idle", FLOW_CLIENT, 0, 0, 0},
    {"amqp10-idle", FLOW_SERVER, 0, 0, 0},
    {"kafka-client", FLOW_CLIENT, 0, 0, 540},
    {"kafka-broker", FLOW_SERVER, 0, 0, 600},
    {"webmethods-broker", FLOW_CLIENT, 60, 240, 0},
    {"openssh-sshd-clientalive", FLOW_SERVER, 0, 0, 0},
    {"openssh-ssh-serveralive", FLOW_CLIENT, 0, 0, 0},
    {"dovecot-imap-idle", FLOW_SERVER, 120, 1800, 0},
    {"openldap-slapd-idletimeout", FLOW_SERVER, 0, 0, 0},
    {"grpc-core-client", FLOW_CLIENT, 0, 0, 0},
    {"grpc-core-server", FLOW_SERVER, 7200, 7220, 0},
    {"grpc-spec-a8", FLOW_CLIENT, 0, 0, 0},
    {"iscsi-open-iscsi", FLOW_CLIENT, 5, 10, 0},
    {"iscsi-open-iscsi", FLOW_SERVER, 0, 0, 0},
    {"bgp-frr", FLOW_CLIENT, 60, 180, 0},
    {"bgp-frr", FLOW_SERVER, 60, 180, 0},
};
/* "pairs it with TCP_USER_TIMEOUT", "TCP_USER_TIMEOUT = timeout*(retries+1)" */
static const struct {
    const char *id;
    unsigned user_timeout;
} user_timeouts[] = {{"tigerbeetle", 17}, {"nfs-client", 180}};

static int read_table(void **state)
{
    static char text[1 << 16];
    const char *path = getenv("KEEPALIVES");
    FILE *from = path ? fopen(path, "r") : NULL;
    size_t len = from ? fread(text, 1, sizeof(text) - 1, from) : 0;
    char *line = text, *rest;

    (void)state;
    if (from)
        fclose(from);
    if (len == 0 || len == sizeof(text) - 1)
        return -1;
    for (bool first = true; (rest = strchr(line, '\n')); line = rest + 1, first = false) {
        *rest = '\0';
        if (first)
            continue;
        if (n_rows == ROWS_MAX)
            return -1;
        for (size_t i = 0; i < CELLS; i++)
            if (!(table[n_rows][i] = strsep(&line, "\t")))
                return -1;
        n_rows++;
    }
    return 0;
}

/* A cell's leading number; 0 for "OS", "0 = OS", "-", "same", "backoff", "infinite". */
static unsigned number(const char *cell)
{
    return (unsigned)strtoul(cell, NULL, 10);
}

static bool names(const char *ids, const char *id)
{
    size_t len = strlen(id);

    for (const char *at = ids; at && (at = strstr(at, id)); at += len)
        if ((at == ids || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

static const struct software *named(const char *id, enum flow_side side)
{
    const struct software *found = NULL;

    for (size_t i = 0; i < software_count; i++)
        if (names(softwares[i].id[side], id)) {
            assert_null(found);
            found = &softwares[i];
        }
    return found;
}

static bool is_left_out(const char *id)
{
    for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
        if (strcmp(left_out[i].id, id) == 0)
            return true;
    return strncmp(id, "os-", 3) == 0; /* system.c */
}

static void every_row_once(void **state)
{
    size_t covered = 0;

    (void)state;
    for (size_t i = 0; i < n_rows; i++) {
        const char *id = table[i][ID];
        bool has = named(id, FLOW_CLIENT) || named(id, FLOW_SERVER);

        print_message("# %s%s\n", id, has ? "" : ": left out");
        assert_int_not_equal(has, is_left_out(id));
        covered += has;
    }
    assert_true(covered > 50);
}

/* And no entry without a row, and no side without an entry that says something. */
static void every_id_is_a_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < software_count; i++) {
        const struct software *software = &softwares[i];

        assert_true(software->id[0] || software->id[1]);
        assert_ptr_equal(software_find(software->name, strlen(software->name)), software);
        for (int side = 0; side < 2; side++) {
            char ids[128] = "", *rest = ids, *id;

            if (software->id[side])
                snprintf(ids, sizeof(ids), "%s", software->id[side]);
            while ((id = strsep(&rest, " ")) && *id) {
                size_t row = 0;

                while (row < n_rows && strcmp(table[row][ID], id) != 0)
                    row++;
                print_message("# %s: %s\n", software->name, id);
                assert_true(row < n_rows);
            }
        }
    }
    assert_null(software_find("postgres", 8));
    assert_null(software_find("", 0));
}

static void keepalive_figures(char **row, enum flow_side side, const struct software *software)
{
    const struct keepalive_times *times = &software->side[side].times;
    unsigned idle = number(row[IDLE]), interval = number(row[INTERVAL]), count = number(row[COUNT]);
    /* the row is an option that is off by default; the entry is that option, set */
    bool on = strncasecmp(row[ON], "yes", 3) == 0 || strcmp(software->name, "oracle-broken") == 0;

    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
        if (strcmp(told[i].id, row[ID]) == 0 && told[i].side == side) {
            idle = told[i].idle;
            interval = told[i].interval;
            count = told[i].count;
        }
    assert_int_equal(software->side[side].keepalive == SOFTWARE_KEEPALIVE_ON, on);
    assert_true(times->idle == idle * MTIME_SEC);
    assert_true(times->interval == interval * MTIME_SEC);
    assert_int_equal(times->count, count);
}

static void keepalive_as_the_row_says(void **state)
{
    size_t checked = 0;

    (void)state;
    for (size_t i = 0; i < n_rows; i++)
        for (int side = 0; side < 2; side++) {
            const struct software *software = named(table[i][ID], (enum flow_side)side);

            if (!software || strcmp(table[i][KIND], "tcp-keepalive") != 0)
                continue;
            print_message("# %s, %s\n", table[i][ID], flow_side_name((enum flow_side)side));
            keepalive_figures(table[i], (enum flow_side)side, software);
            checked++;
        }
    assert_true(checked >= 45);
}

static void behaviour_as_the_row_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(behaves) / sizeof(behaves[0]); i++) {
        const struct software *software = named(behaves[i].id, behaves[i].side);

        print_message("# %s, %s\n", behaves[i].id, flow_side_name(behaves[i].side));
        assert_non_null(software);
        const struct behaviour *behaviour = &software->side[behaves[i].side].behaviour;
        assert_true(behaviour->heartbeat == behaves[i].heartbeat * MTIME_SEC);
        assert_true(behaviour->heartbeat_timeout == behaves[i].timeout * MTIME_SEC);
        assert_true(behaviour->idle_close == behaves[i].idle_close * MTIME_SEC);
        assert_true(behaviour->heartbeat == 0 || behaviour->heartbeat_bytes > 0);
    }
}

/* No heartbeat, idle close or TCP_USER_TIMEOUT that no row tells of; and every such row is told. */
static void nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < software_count; i++)
        for (int side = 0; side < 2; side++) {
            const struct behaviour *behaviour = &softwares[i].side[side].behaviour;
            bool known = false;
            mtime_t user_timeout = 0;

            for (size_t j = 0; j < sizeof(behaves) / sizeof(behaves[0]); j++)
                known |= behaves[j].side == (enum flow_side)side &&
                         names(softwares[i].id[side], behaves[j].id);
            for (size_t j = 0; j < sizeof(user_timeouts) / sizeof(user_timeouts[0]); j++)
                if (names(softwares[i].id[side], user_timeouts[j].id))
                    user_timeout = user_timeouts[j].user_timeout * MTIME_SEC;
            print_message("# %s, %s\n", softwares[i].name, flow_side_name((enum flow_side)side));
            if (!softwares[i].id[side])
                assert_int_equal(softwares[i].side[side].keepalive, SOFTWARE_KEEPALIVE_UNSET);
            if (!known)
                assert_true(behaviour->heartbeat == 0 && behaviour->heartbeat_timeout == 0 &&
                            behaviour->idle_close == 0);
            assert_true(behaviour->read_timeout == 0 && behaviour->reconnect == 0);
            assert_true(softwares[i].side[side].user_timeout == user_timeout);
        }
    for (size_t i = 0; i < n_rows; i++) {
        bool told_of = strcmp(table[i][KIND], "tcp-keepalive") == 0 || is_left_out(table[i][ID]);

        for (size_t j = 0; j < sizeof(behaves) / sizeof(behaves[0]); j++)
            told_of |= strcmp(behaves[j].id, table[i][ID]) == 0;
        assert_true(told_of);
    }
}

/* What the table could not verify is marked, and nothing else. */
static void unverified_is_marked(void **state)
{
    (void)state;
    for (size_t i = 0; i < software_count; i++)
        for (int side = 0; side < 2; side++) {
            bool unverified = false;

            for (size_t row = 0; row < n_rows; row++)
                if (names(softwares[i].id[side], table[row][ID]))
                    unverified |= strcmp(table[row][VERIFIED], "yes") != 0 ||
                                  strcmp(table[row][UNVERIFIED], "-") != 0;
            print_message("# %s, %s\n", softwares[i].name, flow_side_name((enum flow_side)side));
            assert_int_equal(softwares[i].side[side].unverified, unverified);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_once),
        cmocka_unit_test(every_id_is_a_row),
        cmocka_unit_test(keepalive_as_the_row_says),
        cmocka_unit_test(behaviour_as_the_row_says),
        cmocka_unit_test(nothing_else),
        cmocka_unit_test(unverified_is_marked),
    };

    return cmocka_run_group_tests_name("software", tests, read_table, NULL);
}
