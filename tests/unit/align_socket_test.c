/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets from text: SOCKETS/NAME.text, in the form of a version of ss or netstat, must give
 * NAME.ok, written anew with GOLDEN_WRITE=1; and from anything else. */
#include "tools/align/socket_parts.h"

#include "tests/unit/random_seed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const samples[] = {
    "ss-091226",    "ss-4.9",       "ss-6.1",       "ss-6.14",     "ss-one-state",
    "ss-no-timers", "netstat-1.60", "netstat-2.10", "netstat-cut", "pasted",
};
#define N_SAMPLES (sizeof(samples) / sizeof(*samples))

struct text {
    char *at;
    size_t n;
};

static struct text read_text(const char *name, const char *kind)
{
    struct text text = {NULL, 0};
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s.%s", getenv("SOCKETS"), name, kind);
    file = fopen(path, "re");
    if (!file)
        fail_msg("%s: cannot be read", path);
    text.at = calloc(1, 65536);
    assert_non_null(text.at);
    text.n = fread(text.at, 1, 65535, file);
    fclose(file);
    return text;
}

static void show_time(FILE *to, const char *name, mtime_t t)
{
    if (t != MTIME_NEVER && t != 0)
        fprintf(to, " %s %.3f", name, mtime_seconds(t));
}

static void show_bounds(FILE *to, const char *name, struct bounds b)
{
    fprintf(to, " %s %g..", name, mtime_seconds(b.low));
    if (b.high != MTIME_NEVER)
        fprintf(to, "%g", mtime_seconds(b.high));
}

static void show_addresses(FILE *to, const struct socket_fact *f)
{
    int family = f->family == 4 ? AF_INET : AF_INET6;
    char local[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN];

    assert_non_null(inet_ntop(family, f->local, local, sizeof(local)));
    assert_non_null(inet_ntop(family, f->peer, peer, sizeof(peer)));
    fprintf(to, "%u: %s %u %s %u %s%s", f->line, local, f->local_port, peer, f->peer_port,
            f->listened ? "server" : "client", f->listened_guessed ? "?" : "");
}

static void show_keepalive(FILE *to, const struct socket_fact *f)
{
    static const char *const known[] = {"?", "off", "on"};
    static const char *const from[] = {"", " read", " inferred", " default"};

    fprintf(to, "; keepalive %s%s", known[f->keepalive], from[f->figures]);
    if (f->figures != FIGURES_UNKNOWN) {
        show_bounds(to, "idle", f->idle);
        show_bounds(to, "interval", f->interval);
    }
    assert_int_equal(f->count, 0);
    assert_int_equal(f->user_timeout, 0);
}

static void show_owner(FILE *to, const struct socket_fact *f)
{
    if (f->inode != 0)
        fprintf(to, " inode %" PRIu64, f->inode);
    if (f->uid_known)
        fprintf(to, " uid %u", f->uid);
    if (f->pid != 0)
        fprintf(to, " pid %d %s", f->pid, f->process);
    if (f->container[0])
        fprintf(to, " container %s", f->container);
    if (f->systemd_socket)
        fprintf(to, " systemd-socket");
}

static void show_socket(FILE *to, const struct socket_fact *f)
{
    show_addresses(to, f);
    fprintf(to, " %s", socket_state_name(f->state));
    if (f->timer_known)
        fprintf(to, " %s %.3f/%u/%u", socket_timer_name(f->timer), mtime_seconds(f->timer_left),
                f->retransmits, f->probes);
    if (f->send_queue || f->receive_queue)
        fprintf(to, " send %u receive %u", f->send_queue, f->receive_queue);
    show_keepalive(to, f);
    fprintf(to, ";");
    show_time(to, "sent", f->last_sent);
    show_time(to, "received", f->last_received);
    if (f->rtt != 0)
        fprintf(to, " rtt %.6f", mtime_seconds(f->rtt));
    show_owner(to, f);
    fprintf(to, "\n");
}

static char *show(const struct text *text)
{
    struct socket_table table = {0};
    char *shown = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&shown, &n);

    assert_non_null(to);
    assert_int_equal(socket_table_text(&table, text->at, text->n), 0);
    for (size_t i = 0; i < table.n; i++)
        show_socket(to, &table.sockets[i]);
    fprintf(to, "not read:");
    for (size_t i = 0; i < table.n_bad; i++)
        fprintf(to, " %u", table.bad_lines[i]);
    fprintf(to, "\n%s", table.timers_assumed ? "timers assumed\n" : "");
    fclose(to);
    socket_table_finish(&table);
    return shown;
}

static void each_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct text text = read_text(samples[i], "text"), want;
        char *shown = show(&text);

        if (getenv("GOLDEN_WRITE")) {
            char path[512];
            FILE *to;

            snprintf(path, sizeof(path), "%s/%s.ok", getenv("SOCKETS"), samples[i]);
            to = fopen(path, "we");
            assert_non_null(to);
            fputs(shown, to);
            fclose(to);
        }
        want = read_text(samples[i], "ok");
        assert_string_equal(shown, want.at);
        free(shown);
        free(text.at);
        free(want.at);
    }
}

/* As mail and Windows leave them. */
static void with_crlf_and_without_the_last_newline(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct text text = read_text(samples[i], "text"), want = read_text(samples[i], "ok");
        struct text other = {calloc(2, text.n), 0};
        char *shown;

        assert_non_null(other.at);
        for (size_t at = 0; at < text.n; at++) {
            if (text.at[at] == '\n')
                other.at[other.n++] = '\r';
            other.at[other.n++] = text.at[at];
        }
        other.n -= 2;
        shown = show(&other);
        assert_string_equal(shown, want.at);
        free(shown);
        free(other.at);
        free(text.at);
        free(want.at);
    }
}

static void check(const struct socket_table *table, unsigned lines)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct socket_fact *f = &table->sockets[i];

        assert_true(f->family == 4 || f->family == 6);
        assert_in_range(f->line, 1, lines);
        assert_true(f->local_port != 0 && f->peer_port != 0 && f->state != SOCKET_GONE);
        assert_true(f->timer_left >= 0 && f->last_sent >= 0 && f->last_received >= 0);
        assert_true(f->idle.low <= f->idle.high && f->interval.low <= f->interval.high);
        assert_true(f->keepalive == KEEPALIVE_ON || f->figures == FIGURES_UNKNOWN);
        assert_non_null(memchr(f->process, '\0', sizeof(f->process)));
        assert_non_null(memchr(f->container, '\0', sizeof(f->container)));
    }
    for (size_t i = 0; i < table->n_bad; i++)
        assert_in_range(table->bad_lines[i], i ? table->bad_lines[i - 1] + 1 : 1, lines);
}

/* Exactly so many bytes, so that a sanitizer sees whoever reads on. */
static void read_copy(const char *text, size_t n)
{
    char *copy = malloc(n ? n : 1);
    struct socket_table table = {0};
    unsigned lines = 1;
    int r;

    assert_non_null(copy);
    memcpy(copy, text, n);
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    r = socket_table_text(&table, copy, n);
    assert_true(r == 0 || r == -EINVAL);
    assert_true(r == 0 || table.n == 0);
    check(&table, lines);
    socket_table_finish(&table);
    free(copy);
}

static void every_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct text text = read_text(samples[i], "text");

        for (size_t n = 0; n <= text.n; n++)
            read_copy(text.at, n);
        free(text.at);
    }
}

static void every_byte_changed(void **state)
{
    struct random numbers = random_start(__func__);

    (void)state;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct text text = read_text(samples[i], "text");

        for (size_t at = 0; at < text.n; at++) {
            char was = text.at[at];

            text.at[at] = (char)(was ^ (1 + random_below(&numbers, 255)));
            read_copy(text.at, text.n);
            text.at[at] = was;
        }
        free(text.at);
    }
}

static int read_string(struct socket_table *table, const char *text)
{
    return socket_table_text(table, text, strlen(text));
}

static void what_is_no_text_of_sockets(void **state)
{
    static const char *const none[] = {"",
                                       "\n",
                                       "hello\nworld\n",
                                       "ESTAB 0 0 192.0.2.1:22\n",
                                       "ESTAB 0 0 192.0.2.1:0 192.0.2.2:0\n",
                                       "$ ss -tnoie\n",
                                       "ESTAB -1 0 192.0.2.1:1 192.0.2.2:1\n",
                                       "ESTAB 0 0 192.0.2.1:1 [2001:db8::1]:1\n",
                                       "ESTAB 4294967296 0 192.0.2.1:1 192.0.2.2:1\n",
                                       "ESTAB 0 0 192.0.2.256:1 192.0.2.2:1\n",
                                       "ESTAB 0 0 [2001:db8::1:1 [2001:db8::1]:1\n",
                                       "ESTAB 0 0 192.0.2.1:65536 192.0.2.2:1\n"};
    struct socket_table table = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        assert_int_equal(read_string(&table, none[i]), -EINVAL);
        assert_int_equal(table.n, 0);
    }
    socket_table_finish(&table);
    /* Nothing is connected there: that is an answer. */
    assert_int_equal(read_string(&table, "State Recv-Q Send-Q Local Address:Port\n"), 0);
    assert_int_equal(read_string(&table, "LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n"), 0);
    assert_int_equal(table.n + table.n_bad, 0);
    socket_table_finish(&table);
}

static struct socket_fact read_one(const char *text)
{
    struct socket_table table = {0};
    struct socket_fact fact;

    assert_int_equal(read_string(&table, text), 0);
    assert_int_equal(table.n, 1);
    fact = table.sockets[0];
    socket_table_finish(&table);
    return fact;
}

static void countdowns_of_ss(void **state)
{
    static const struct {
        const char *text;
        mtime_t want; /* -1: not to be read */
    } forms[] = {
        {"", 0},
        {"1ms", MTIME_MSEC},
        {"476ms", 476 * MTIME_MSEC},
        {"9sec", 9 * MTIME_SEC},
        {"1.002ms", 1002 * MTIME_MSEC},
        {"9.999sec", 9999 * MTIME_MSEC},
        {"59sec", 59 * MTIME_SEC},
        {"1min", 60 * MTIME_SEC},
        {"1min5sec", 65 * MTIME_SEC},
        {"9min59sec", 599 * MTIME_SEC},
        {"119min", 7140 * MTIME_SEC},
        {"71582min", 0}, /* was due: 2^32 ms less a little */
        {"1.2ms", -1},
        {"1.0000sec", -1},
        {"1h", -1},
        {"min", -1},
        {"-1sec", -1},
        {"5", -1},
        {"1min60sec", -1},
        {"99999999999999999999sec", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        struct socket_table table = {0};
        const struct socket_fact *fact;
        char text[256];

        /* The second line's timer does not run; the first one's might, if it cannot be read. */
        snprintf(text, sizeof(text),
                 "ESTAB 0 0 192.0.2.1:22 192.0.2.2:5000 timer:(keepalive,%s,0)\n"
                 "ESTAB 0 0 192.0.2.1:22 192.0.2.2:5001\n",
                 forms[i].text);
        assert_int_equal(read_string(&table, text), 0);
        fact = &table.sockets[0];
        if (table.n_bad != (forms[i].want < 0) || table.n != 2 - table.n_bad ||
            (forms[i].want >= 0 && fact->timer_left != forms[i].want))
            fail_msg("%s: %g s", forms[i].text, mtime_seconds(fact->timer_left));
        socket_table_finish(&table);
    }
}

static void addresses(void **state)
{
    static const struct {
        const char *text, *want;
        unsigned port;
    } forms[] = {
        {"192.0.2.1:22", "192.0.2.1", 22},
        {"192.0.2.1%eth0:22", "192.0.2.1", 22},
        {"[2001:db8::1]:65535", "2001:db8::1", 65535},
        {"2001:db8::1:22", "2001:db8::1", 22},
        {"[fe80::1%eth0.7]:22", "fe80::1", 22},
        {"[fe80::1]%eth0.7:22", "fe80::1", 22},
        {"fe80::1%eth0:22", "fe80::1", 22},
        {"[::ffff:192.0.2.1]:22", "192.0.2.1", 22},
        {"::ffff:192.0.2.1:22", "192.0.2.1", 22},
        {":::22", "::", 22},
        {"*:*", "::", 0},
        {"0.0.0.0:*", "0.0.0.0", 0},
        {"192.0.2.1", NULL, 0},
        {"192.0.2.1:", NULL, 0},
        {"192.0.2.1:ssh", NULL, 0},
        {"db1:22", NULL, 0},
        {":22", NULL, 0},
        {"[]:22", NULL, 0},
        {"[::1]x:22", NULL, 0},
        {"%eth0:22", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        struct slice s = {forms[i].text, strlen(forms[i].text)};
        char shown[INET6_ADDRSTRLEN];
        uint8_t family, address[16];
        uint16_t port;

        if (socket_address(s, &family, address, &port) != (forms[i].want != NULL))
            fail_msg("%s", forms[i].text);
        if (!forms[i].want)
            continue;
        inet_ntop(family == 4 ? AF_INET : AF_INET6, address, shown, sizeof(shown));
        assert_string_equal(shown, forms[i].want);
        assert_int_equal(port, forms[i].port);
    }
}

static void containers_and_instances(void **state)
{
#define ID "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
    static const struct {
        const char *path, *container;
        bool instance;
    } paths[] = {
        {"0::/system.slice/docker-" ID ".scope", "001122334455", false},
        {"12:cpuset:/docker/" ID, "001122334455", false},
        {"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope", "001122334455",
         false},
        {"0::/user.slice/libpod-" ID ".scope/container", "001122334455", false},
        {"0::/system.slice/docker-" ID "0.scope", NULL, false},
        {"0::/lxc.payload.web/system.slice/nginx.service", "web", false},
        {"0::/lxc/mail", "mail", false},
        {"0::/machine.slice/machine-db.scope/payload", "db", false},
        {"0::/system.slice/ssh.service", NULL, false},
        {"0::/system.slice/system-ssh.slice/ssh@3-192.0.2.1:22-192.0.2.2:50000.service", NULL,
         true},
        {"0::/system.slice/ssh@0-4711-192.0.2.1:22-192.0.2.2:50000.service", NULL, true},
        {"0::/system.slice/postgresql@15-main.service", NULL, false},
        {"0::/", NULL, false},
        {"", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        struct slice path = {paths[i].path, strlen(paths[i].path)};
        char name[64] = "";

        assert_int_equal(owner_container(path, name, sizeof(name)), paths[i].container != NULL);
        assert_string_equal(name, paths[i].container ? paths[i].container : "");
        assert_int_equal(owner_is_instance(path), paths[i].instance);
    }
}

/* A process is named by whoever runs it, and its name goes to a terminal. */
static void names_from_outside(void **state)
{
    struct socket_fact fact;

    (void)state;
    fact = read_one("ESTAB 0 0 192.0.2.1:22 192.0.2.2:5000 "
                    "users:((\"\033[2J timer:(on,1sec,0)\",pid=7,fd=3)) timer:(keepalive,2sec,0)");
    assert_string_equal(fact.process, "?[2J timer:(on,1sec,0)");
    assert_int_equal(fact.timer, TIMER_KEEPALIVE);
    fact =
        read_one("ESTAB 0 0 192.0.2.1:22 192.0.2.2:5000 users:((\"a name that is longer than any "
                 "of Linux can be\",pid=2147483647,fd=3))");
    assert_string_equal(fact.process, "a name that is longer than any ");
    assert_int_equal(fact.pid, INT32_MAX);
}

static void who_listens_is_the_server(void **state)
{
    static const struct {
        const char *listener, *socket;
        bool server;
    } pairs[] = {
        {"0.0.0.0:5000", "192.0.2.1:5000 192.0.2.2:80", true},
        {"*:5000", "192.0.2.1:5000 192.0.2.2:80", true},
        {"[::]:5000", "192.0.2.1:5000 192.0.2.2:80", true},
        {"[::]:5000", "[2001:db8::1]:5000 [2001:db8::2]:80", true},
        {"0.0.0.0:5000", "[2001:db8::1]:5000 [2001:db8::2]:80", false},
        {"192.0.2.1:5000", "192.0.2.1:5000 192.0.2.2:80", true},
        {"127.0.0.1:5000", "192.0.2.1:5000 192.0.2.2:80", false},
        {"0.0.0.0:5001", "192.0.2.1:5000 192.0.2.2:6000", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        struct socket_fact fact;
        char text[256];

        snprintf(text, sizeof(text), "ESTAB 0 0 %s\nLISTEN 0 9 %s *:*\n", pairs[i].socket,
                 pairs[i].listener);
        fact = read_one(text);
        if (fact.listened != pairs[i].server || fact.listened_guessed)
            fail_msg("%s", text);
    }
}

static void a_later_look_finds_its_socket(void **state)
{
    struct socket_table table = {0}, later = {0};

    (void)state;
    assert_int_equal(read_string(&table, "ESTAB 0 0 192.0.2.1:22 192.0.2.2:5000 ino:1 sk:1\n"
                                         "ESTAB 0 0 192.0.2.1:22 192.0.2.2:5001 ino:2 sk:1\n"
                                         "ESTAB 0 0 192.0.2.1:22 192.0.2.2:5002 ino:3 sk:1\n"
                                         "ESTAB 0 0 [2001:db8::1]:22 [2001:db8::2]:5 ino:4 sk:1\n"),
                     0);
    assert_int_equal(read_string(&later, "ESTAB 7 8 [2001:db8::1]:22 [2001:db8::2]:5 ino:4 sk:1\n"
                                         "ESTAB 0 0 192.0.2.1:22 192.0.2.2:5003 ino:2 sk:1\n"
                                         "ESTAB 0 0 192.0.2.1:22 192.0.2.2:5001 ino:9 sk:1\n"
                                         "TIME-WAIT 0 0 192.0.2.1:22 192.0.2.2:5000 ino:0 sk:1\n"),
                     0);
    assert_int_equal(socket_table_narrow(&table, &later, MTIME_SEC), 0);
    assert_int_equal(table.n, 4);
    assert_int_equal(table.sockets[0].state, SOCKET_TIME_WAIT);
    assert_int_equal(table.sockets[1].state, SOCKET_GONE);
    assert_int_equal(table.sockets[2].state, SOCKET_GONE);
    assert_int_equal(table.sockets[3].state, SOCKET_ESTABLISHED);
    assert_int_equal(table.sockets[3].receive_queue, 7);
    assert_int_equal(table.sockets[3].send_queue, 8);
    /* Those that are gone do not come back. */
    assert_int_equal(socket_table_narrow(&table, &table, MTIME_SEC), 0);
    assert_int_equal(table.sockets[1].state, SOCKET_GONE);
    socket_table_finish(&later);
    assert_int_equal(socket_table_narrow(&table, &later, MTIME_SEC), 0);
    assert_int_equal(table.sockets[3].state, SOCKET_GONE);
    socket_table_finish(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_version),
        cmocka_unit_test(with_crlf_and_without_the_last_newline),
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(every_byte_changed),
        cmocka_unit_test(what_is_no_text_of_sockets),
        cmocka_unit_test(countdowns_of_ss),
        cmocka_unit_test(addresses),
        cmocka_unit_test(containers_and_instances),
        cmocka_unit_test(names_from_outside),
        cmocka_unit_test(who_listens_is_the_server),
        cmocka_unit_test(a_later_look_finds_its_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
