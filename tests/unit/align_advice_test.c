/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/align/advice.h"

#include <stdlib.h>
#include <string.h>

#define SEC(n) ((mtime_t)((n)*1e9))

static const struct template *templates;
static size_t n_templates;

static int load(void **state)
{
    char why[256] = "";
    int r = templates_load(&templates, &n_templates, why, sizeof(why));

    (void)state;
    if (r < 0)
        print_error("%s\n", why);
    return r;
}

struct text {
    enum template_line kind;
    char at[4096];
};

static void collect(void *arg, enum template_line kind, const char *line)
{
    struct text *text = arg;

    if (kind != text->kind)
        return;
    strcat(text->at, line);
    strcat(text->at, "\n");
}

/* What people will copy, for figures of which no two look alike in any unit. */
static const struct figures some = {
    .idle = SEC(120), .interval = SEC(25), .count = 7, .heartbeat = SEC(180)};
static const struct golden {
    const char *name;
    enum template_part part;
    const char *set;
} goldens[] = {
    {"linux", PART_KEEPALIVE,
     "net.ipv4.tcp_keepalive_time = 120\nnet.ipv4.tcp_keepalive_intvl = 25\n"
     "net.ipv4.tcp_keepalive_probes = 7\n"},
    {"systemd", PART_KEEPALIVE,
     "[Socket]\nKeepAlive=true\nKeepAliveTimeSec=120\nKeepAliveIntervalSec=25\nKeepAliveProbes="
     "7\n"},
    {"postgresql", PART_KEEPALIVE,
     "tcp_keepalives_idle = 120\ntcp_keepalives_interval = 25\ntcp_keepalives_count = 7\n"},
    {"postgresql-client", PART_KEEPALIVE,
     "keepalives=1 keepalives_idle=120 keepalives_interval=25 keepalives_count=7\n"},
    {"pgjdbc", PART_KEEPALIVE, "jdbc:postgresql://HOST/DB?tcpKeepAlive=true\n"},
    {"pgbouncer", PART_KEEPALIVE,
     "[pgbouncer]\ntcp_keepalive = 1\ntcp_keepidle = 120\ntcp_keepintvl = 25\ntcp_keepcnt = 7\n"},
    {"mysql", PART_KEEPALIVE, ""},
    {"mysql-connector-j", PART_KEEPALIVE, "jdbc:mysql://HOST/DB?tcpKeepAlive=true\n"},
    {"mariadb", PART_KEEPALIVE,
     "[mariadb]\ntcp_keepalive_time = 120\ntcp_keepalive_interval = 25\n"
     "tcp_keepalive_probes = 7\n"},
    {"oracle", PART_KEEPALIVE, "SQLNET.EXPIRE_TIME = 2\n"},
    {"oracle", PART_HEARTBEAT, "SQLNET.EXPIRE_TIME = 3\nUSE_NS_PROBES_FOR_DCD = true\n"},
    {"oracle-client", PART_KEEPALIVE,
     "(DESCRIPTION=(EXPIRE_TIME=2)(ADDRESS=(PROTOCOL=tcp)(HOST=HOST)(PORT=1521))"
     "(CONNECT_DATA=(SERVICE_NAME=NAME)))\n"},
    {"sshd", PART_HEARTBEAT, "ClientAliveInterval 180\nClientAliveCountMax 3\n"},
    {"ssh", PART_HEARTBEAT, "Host *\n    ServerAliveInterval 180\n    ServerAliveCountMax 3\n"},
    {"redis", PART_KEEPALIVE, "tcp-keepalive 120\n"},
    {"nginx", PART_KEEPALIVE, "listen PORT so_keepalive=2m:25s:7;\n"},
    {"nginx-client", PART_KEEPALIVE, "proxy_socket_keepalive on;\n"},
    {"haproxy", PART_KEEPALIVE,
     "option clitcpka\nclitcpka-idle 120s\nclitcpka-intvl 25s\nclitcpka-cnt 7\n"},
    {"haproxy-client", PART_KEEPALIVE,
     "option srvtcpka\nsrvtcpka-idle 120s\nsrvtcpka-intvl 25s\nsrvtcpka-cnt 7\n"},
    /* linux/tcp.h: TCP_KEEPIDLE 4, TCP_KEEPINTVL 5, TCP_KEEPCNT 6 */
    {"envoy", PART_KEEPALIVE,
     "socket_options:\n"
     "- { level: 1, name: 9, int_value: 1, state: STATE_LISTENING }\n"
     "- { level: 6, name: 4, int_value: 120, state: STATE_LISTENING }\n"
     "- { level: 6, name: 5, int_value: 25, state: STATE_LISTENING }\n"
     "- { level: 6, name: 6, int_value: 7, state: STATE_LISTENING }\n"},
    {"envoy-client", PART_KEEPALIVE,
     "upstream_connection_options:\n  tcp_keepalive:\n    keepalive_time: 120\n"
     "    keepalive_interval: 25\n    keepalive_probes: 7\n"},
    {"cyrus-imapd", PART_KEEPALIVE,
     "tcp_keepalive: 1\ntcp_keepalive_idle: 120\ntcp_keepalive_intvl: 25\ntcp_keepalive_cnt: 7\n"},
    {"dovecot", PART_HEARTBEAT, "imap_idle_notify_interval = 180 secs\n"},
    {"rabbitmq", PART_HEARTBEAT, "heartbeat = 360\ntcp_listen_options.keepalive = true\n"},
    {"kafka", PART_KEEPALIVE, ""},
    {"kafka", PART_HEARTBEAT, "connections.max.idle.ms=180000\n"},
    {"java", PART_KEEPALIVE,
     "socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);\n"
     "socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, 120);\n"
     "socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, 25);\n"
     "socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, 7);\n"},
    {"go", PART_KEEPALIVE,
     "net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 120 * time.Second, "
     "Interval: 25 * time.Second, Count: 7}}\n"},
    {"nodejs", PART_KEEPALIVE, "socket.setKeepAlive(true, 120000);\n"},
    {"python", PART_KEEPALIVE,
     "s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)\n"
     "s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 120)\n"
     "s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 25)\n"
     "s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 7)\n"},
    {"mongodb", PART_KEEPALIVE, ""},
    {"exim", PART_KEEPALIVE, ""},
    {"openldap", PART_KEEPALIVE, "KEEPALIVE_IDLE 120\nKEEPALIVE_PROBES 7\nKEEPALIVE_INTERVAL 25\n"},
    {"other", PART_KEEPALIVE, "idle 120 s, interval 25 s, count 7\n"},
    {"curl", PART_KEEPALIVE, "--keepalive-time 120 --keepalive-cnt 7\n"},
    {"windows", PART_KEEPALIVE,
     "reg add HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters /v KeepAliveTime /t "
     "REG_DWORD /d 120000 /f\n"
     "reg add HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters /v KeepAliveInterval /t "
     "REG_DWORD /d 25000 /f\n"},
    {"aix", PART_KEEPALIVE, "no -p -o tcp_keepidle=240 -o tcp_keepintvl=50 -o tcp_keepcnt=7\n"},
    {"freebsd", PART_KEEPALIVE,
     "net.inet.tcp.keepidle=120000\nnet.inet.tcp.keepintvl=25000\nnet.inet.tcp.keepcnt=7\n"},
    {"macos", PART_KEEPALIVE,
     "sysctl -w net.inet.tcp.keepidle=120000 net.inet.tcp.keepintvl=25000 "
     "net.inet.tcp.keepcnt=7\n"},
    {"solaris", PART_KEEPALIVE,
     "ipadm set-prop -p _keepalive_interval=120000 tcp\n"
     "ipadm set-prop -p _keepalive_abort_interval=175000 tcp\n"},
};

static void units_names_and_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
        const struct template *t = template_find(goldens[i].name);
        struct text text = {.kind = LINE_SET};

        assert_non_null(t);
        assert_int_equal(template_render(t, goldens[i].part, &some, collect, &text), 0);
        assert_string_equal(text.at, goldens[i].set);
    }
}

/* A template nobody wrote down here would go untested. */
static void every_template_is_golden(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_templates; i++)
        for (unsigned part = 0; part < 2; part++) {
            bool has = part == PART_KEEPALIVE ? templates[i].has_keepalive || templates[i].also
                                              : templates[i].has_heartbeat;
            bool golden = false;

            for (size_t k = 0; k < sizeof(goldens) / sizeof(goldens[0]); k++)
                golden = golden || (strcmp(goldens[k].name, templates[i].name) == 0 &&
                                    goldens[k].part == part);
            if (has != golden)
                fail_msg("%s, part %u", templates[i].name, part);
        }
}

/* Notes give figures, too: none may be another unit's. */
static void notes_say_the_same(void **state)
{
    static const char *const wanted[][2] = {
        {"postgresql-client", "keepalives_idle=120&keepalives_interval=25&keepalives_count=7"},
        {"linux", "KEEPIDLE=120 KEEPINTVL=25 KEEPCNT=7"},
        {"oracle-client", "?expire_time=2"},
        {"redis", "SET tcp-keepalive 120"},
        {"openldap", "keepalive=120:7:25"},
        {"nodejs", "keepAliveInitialDelay: 120000"},
        {"solaris", "tcp_keepalive_interval 120000"},
        {"envoy-client", "time 120s, interval 25s, probes 7"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        struct text text = {.kind = LINE_NOTE};

        assert_int_equal(
            template_render(template_find(wanted[i][0]), PART_KEEPALIVE, &some, collect, &text), 0);
        if (!strstr(text.at, wanted[i][1]))
            fail_msg("%s: %s", wanted[i][0], text.at);
    }
}

/* Each names its source, where it belongs and how it takes effect. */
static void templates_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_templates; i++) {
        struct text source = {.kind = LINE_SOURCE};

        assert_int_equal(template_render(&templates[i], PART_KEEPALIVE, &some, collect, &source),
                         0);
        assert_true(source.at[0] != '\0');
        for (unsigned part = 0; part < 2; part++) {
            struct text file = {.kind = LINE_FILE}, then = {.kind = LINE_THEN};
            bool sets =
                part == PART_KEEPALIVE ? templates[i].has_keepalive : templates[i].has_heartbeat;

            template_render(&templates[i], (enum template_part)part, &some, collect, &file);
            template_render(&templates[i], (enum template_part)part, &some, collect, &then);
            if (sets && (file.at[0] == '\0' || then.at[0] == '\0'))
                fail_msg("%s, part %u", templates[i].name, part);
        }
    }
}

/* The rule holds for whatever is advised, and nothing longer was left out without need. */
static void figures_keep_the_rule(void **state)
{
    static const double limits[] = {4,   5,   8,   20,  30,  40,   60,   61,   90,    120,
                                    240, 300, 350, 600, 900, 1800, 3600, 7200, 86400, 432000};

    (void)state;
    for (size_t i = 0; i < n_templates; i++)
        for (size_t k = 0; k < sizeof(limits) / sizeof(limits[0]); k++) {
            const struct template *t = &templates[i];
            struct figures f;
            unsigned lost = 0;
            mtime_t rtt = SEC(0.05);

            if (!advice_choose(t, PART_KEEPALIVE, SEC(limits[k]), rtt, &f, &lost))
                continue;
            assert_in_range(lost, 1, 2);
            /* not by verdict_silence(), which could be wrong as well */
            if ((mtime_seconds(f.idle) + lost * mtime_seconds(f.interval)) * 9 / 8 + 0.05 >=
                limits[k])
                fail_msg("%s at %g s: %g + %u * %g", t->name, limits[k], mtime_seconds(f.idle),
                         lost, mtime_seconds(f.interval));
            assert_true(f.count >= 3);
            assert_int_equal(f.idle % t->unit, 0);
            assert_true(f.interval <= f.idle);
            assert_true(mtime_seconds(f.idle + f.interval * f.count) <= 3600);
            if (t->interval_rule == FIGURE_THIRD)
                assert_int_equal(f.interval * 3, f.idle);
        }
}

static void figures_are_these(void **state)
{
    static const struct {
        const char *name;
        double limit, idle, interval;
        unsigned count;
    } rows[] = {
        {"linux", 3600, 600, 60, 5}, {"linux", 350, 240, 30, 5},  {"linux", 300, 180, 20, 5},
        {"linux", 240, 120, 20, 5},  {"linux", 60, 30, 5, 6},     {"linux", 40, 20, 3, 6},
        {"linux", 20, 10, 2, 5},     {"redis", 350, 180, 60, 3},  {"oracle", 350, 240, 6, 10},
        {"oracle", 90, 60, 6, 10},   {"nodejs", 350, 300, 1, 10}, {"windows", 350, 240, 30, 10},
        {"curl", 350, 90, 90, 5},
    };
    struct figures f;
    unsigned lost;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(advice_choose(template_find(rows[i].name), PART_KEEPALIVE, SEC(rows[i].limit),
                                  0, &f, &lost));
        assert_int_equal(f.idle, SEC(rows[i].idle));
        assert_int_equal(f.interval, SEC(rows[i].interval));
        assert_int_equal(f.count, rows[i].count);
    }
    /* a minute is the least that Oracle can */
    assert_false(advice_choose(template_find("oracle"), PART_KEEPALIVE, SEC(60), 0, &f, &lost));
    assert_false(advice_choose(template_find("linux"), PART_KEEPALIVE, SEC(2), 0, &f, &lost));
}

/* One may be missed. */
static void heartbeats_keep_the_rule(void **state)
{
    struct figures f;
    unsigned lost;

    (void)state;
    for (double limit = 3; limit < 4000; limit *= 1.3) {
        assert_true(advice_choose(template_find("sshd"), PART_HEARTBEAT, SEC(limit), 0, &f, &lost));
        assert_true(mtime_seconds(f.heartbeat) * 2 * 9 / 8 < limit);
        assert_true(f.heartbeat == SEC(600) || mtime_seconds(f.heartbeat) * 5 > limit);
    }
}

static const struct template *owner(const char *process, bool server, unsigned port)
{
    struct socket_fact fact = {.listened = server};

    snprintf(fact.process, sizeof(fact.process), "%s", process);
    fact.local_port = (uint16_t)(server ? port : 40000);
    fact.peer_port = (uint16_t)(server ? 40000 : port);
    return template_of(&fact);
}

static void software_is_recognised(void **state)
{
    static const struct {
        const char *process;
        bool server;
        unsigned port;
        const char *name; /* NULL: not known */
    } rows[] = {
        {"postgres", true, 5433, "postgresql"},
        {"postgres", false, 5432, "postgresql-client"},
        {"psql", false, 5433, "postgresql-client"},
        {"java", false, 5432, "pgjdbc"},
        {"java", false, 3306, "mysql-connector-j"},
        {"java", true, 9092, "kafka"},
        {"java", true, 8080, "java"},
        {"pgbouncer", false, 5432, "pgbouncer"},
        {"pgbouncer", true, 6432, "pgbouncer"},
        {"mysqld", true, 3306, "mysql"},
        {"mariadbd", true, 3306, "mariadb"},
        {"haproxy", true, 443, "haproxy"},
        {"haproxy", false, 8080, "haproxy-client"},
        {"nginx", true, 443, "nginx"},
        {"nginx", false, 8080, "nginx-client"},
        {"sshd", true, 22, "sshd"},
        {"ssh", false, 2222, "ssh"},
        {"redis-server", true, 6379, "redis"},
        {"python3.11", false, 8080, "python"},
        {"python3", false, 5432, "postgresql-client"},
        {"", true, 5432, "postgresql"},
        {"", false, 5432, "postgresql-client"},
        {"", true, 6379, "redis"},
        {"", false, 40001, NULL},
        {"myapp", false, 5432, NULL}, /* a port says little of a strange process */
        {"myapp", true, 22, NULL},
        {"pos", true, 1, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct template *t = owner(rows[i].process, rows[i].server, rows[i].port);

        if (!rows[i].name)
            assert_null(t);
        else if (!t || strcmp(t->name, rows[i].name) != 0)
            fail_msg("%s port %u: %s", rows[i].process, rows[i].port, t ? t->name : "nothing");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_names_and_order),    cmocka_unit_test(every_template_is_golden),
        cmocka_unit_test(notes_say_the_same),       cmocka_unit_test(templates_are_whole),
        cmocka_unit_test(figures_keep_the_rule),    cmocka_unit_test(figures_are_these),
        cmocka_unit_test(heartbeats_keep_the_rule), cmocka_unit_test(software_is_recognised),
    };

    return cmocka_run_group_tests(tests, load, NULL);
}
