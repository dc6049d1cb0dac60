/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy_parse.h"
#include "tools/align/advice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SEC(n) ((mtime_t)((n)*1e9))

static int load(void **state)
{
    const struct template *templates;
    char why[256];
    size_t n;

    (void)state;
    return templates_load(&templates, &n, why, sizeof(why));
}

static struct path parse(const char *text)
{
    struct path path;
    char why[512] = "";
    int r = path_parse(&path, text, NULL, why, sizeof(why));

    if (r < 0)
        fail_msg("%s: %s", text, why);
    return path;
}

static void paths_are_read(void **state)
{
    struct path path = parse("aws-nlb-tcp,cisco-asa=30min,10min");

    (void)state;
    assert_int_equal(path.n, 3);
    assert_string_equal(path.hops[0].name, "aws-nlb-tcp");
    assert_int_equal(limit_of(&path.hops[0], SOCKET_ESTABLISHED).timeout, SEC(350));
    assert_int_equal(limit_of(&path.hops[1], SOCKET_ESTABLISHED).timeout, SEC(1800));
    assert_int_equal(limit_of(&path.hops[2], SOCKET_ESTABLISHED).timeout, SEC(600));
    assert_int_equal(path.hops[2].profile.on_late, ON_LATE_DROP);
    assert_int_equal(limit_of_life(&path.hops[2]).timeout, MTIME_NEVER);
    path_finish(&path);
}

static void faulty_paths(void **state)
{
    static const char *const texts[] = {"",
                                        "aws",
                                        "aws-nlb-tcp,",
                                        "aws-nlb-tcp=x",
                                        "aws-nlb-tcp=0",
                                        "=5",
                                        "aws-nlb-tcp,,linux-ipvs"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct path path;
        char why[512] = "";

        assert_int_equal(path_parse(&path, texts[i], NULL, why, sizeof(why)), -EINVAL);
        assert_true(why[0] != '\0');
        assert_null(path.hops);
    }
}

static void expect_part(const struct path *path, enum flow_side side, const char *process,
                        size_t first, size_t n)
{
    struct path_part part = path_part_of(path, side, process);

    assert_int_equal(part.first, first);
    assert_int_equal(part.n, n);
}

static void a_proxy_splits_the_path(void **state)
{
    struct path path = parse("aws-nlb-tcp,haproxy-tcp,linux-ipvs,nginx-stream,cisco-asa");

    (void)state;
    expect_part(&path, FLOW_CLIENT, "", 0, 2);
    expect_part(&path, FLOW_SERVER, NULL, 3, 2);
    expect_part(&path, FLOW_SERVER, "haproxy", 0, 2); /* towards its clients */
    expect_part(&path, FLOW_CLIENT, "haproxy", 1, 3);
    expect_part(&path, FLOW_SERVER, "nginx", 1, 3);
    expect_part(&path, FLOW_CLIENT, "nginx", 3, 2);
    expect_part(&path, FLOW_CLIENT, "hap", 0, 2); /* not its name */
    path_finish(&path);
    path = parse("aws-nlb-tcp,cisco-asa");
    expect_part(&path, FLOW_CLIENT, NULL, 0, 2);
    expect_part(&path, FLOW_SERVER, "nginx", 0, 2);
    path_finish(&path);
}

static void half_closed_has_its_own(void **state)
{
    struct path path = parse("linux-ipvs,juniper-srx");
    struct hop *hop = &path.hops[0];

    (void)state;
    assert_int_equal(limit_of(hop, SOCKET_CLOSE_WAIT).which, TIMEOUT_TCP_CLOSE_WAIT);
    assert_int_equal(limit_of(hop, SOCKET_FIN_WAIT_2).timeout, SEC(60));
    hop->profile.half_close = HALF_CLOSE_BOTH_FINS;
    assert_int_equal(limit_of(hop, SOCKET_FIN_WAIT_2).timeout, SEC(900));
    assert_false(limit_of(hop, SOCKET_FIN_WAIT_2).absolute);
    hop->profile.half_close = HALF_CLOSE_ONE_FIN;
    hop->profile.refresh_in = REFRESH_IN_ESTABLISHED;
    assert_true(limit_of(hop, SOCKET_FIN_WAIT_2).absolute);
    assert_false(limit_of(hop, SOCKET_ESTABLISHED).absolute);
    path_finish(&path);
}

#define FLOW(client, cport, server, sport, timeout, left, idle, more)                              \
    "{\"type\":\"flow\",\"v\":1,\"id\":7,\"proto\":\"tcp\",\"client\":\"" client                   \
    "\",\"client_port\":" cport ",\"server\":\"" server "\",\"server_port\":" sport                \
    ",\"state\":\"ESTABLISHED\",\"idle_s\":" idle ",\"timeout_s\":" timeout                        \
    ",\"remaining_s\":" left ",\"timeout_name\":\"tcp-established\",\"age_s\":14,"                 \
    "\"longest_idle_s\":1.2,\"rule\":\"default\"" more "}\n"
#define HERE ",\"profile\":\"aws-nat-gateway\""

static struct table table_of(const char *text, struct policy *own)
{
    struct table table;
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

    assert_non_null(file);
    table_init(&table);
    assert_int_equal(table_read(&table, file), 0);
    fclose(file);
    assert_int_equal(table_complete(&table, own), 0);
    return table;
}

static const uint8_t client4[16] = {192, 0, 2, 2}, server4[16] = {198, 51, 100, 2};

static void tables_are_read(void **state)
{
    static const char text[] =
        FLOW("192.0.2.2", "40000", "198.51.100.2", "5432", "350", "337.5", "12.5", HERE)
            FLOW("192.0.2.2", "40001", "198.51.100.2", "5432", "null", "null", "12.5", HERE)
                FLOW("2001:db8::1", "40000", "2001:db8::2", "22", "350", "1", "349", HERE);
    struct table table = table_of(text, NULL);
    enum flow_side side;
    const struct table_flow *flow = table_find(&table, 4, server4, 5432, client4, 40000, &side);
    struct limit limit;

    (void)state;
    assert_int_equal(table.n, 3);
    assert_int_equal(table.n_bad, 0);
    assert_non_null(flow);
    assert_int_equal(side, FLOW_SERVER);
    limit = table_limit(&table, flow, SOCKET_ESTABLISHED);
    assert_int_equal(limit.timeout, SEC(350));
    assert_int_equal(limit.left, SEC(337.5));
    assert_int_equal(limit.origin, ORIGIN_SET);
    assert_int_equal(limit.hop->profile.on_late, ON_LATE_RESET_CLIENT);
    assert_false(limit.hop->behaviour_unknown);
    assert_ptr_equal(table_find(&table, 4, client4, 40000, server4, 5432, &side), flow);
    assert_int_equal(side, FLOW_CLIENT);
    flow = table_find(&table, 4, client4, 40001, server4, 5432, &side);
    assert_int_equal(table_limit(&table, flow, SOCKET_ESTABLISHED).timeout, MTIME_NEVER);
    assert_null(table_find(&table, 4, client4, 40002, server4, 5432, &side));
    assert_null(table_find(&table, 6, client4, 40000, server4, 5432, &side));
    table_finish(&table);
}

static void bad_lines_are_numbered(void **state)
{
    static const char text[] =
        FLOW("192.0.2.2", "40000", "198.51.100.2", "5432", "350", "337.5", "12.5",
             HERE) "nonsense\n\n{}\n" FLOW("192.0.2.2", "70000", "198.51.100.2", "5432", "350",
                                           "337.5", "12.5", HERE)
            FLOW("192.0.2.300", "1", "198.51.100.2", "5432", "350", "337.5", "12.5", HERE)
                FLOW("192.0.2.2", "1", "2001:db8::1", "5432", "350", "337.5", "12.5", HERE)
                    FLOW("192.0.2.2", "1", "198.51.100.2", "5432", "-1", "337.5", "12.5",
                         HERE) "{\"type\":\"flow\",\"proto\":\"udp\"}\n"
                               "{\"type\":\"flow\",\"v\":1,\"pro";
    static const unsigned wanted[] = {2, 4, 5, 6, 7, 8, 10};
    struct table table = table_of(text, NULL);

    (void)state;
    assert_int_equal(table.n, 1);
    assert_int_equal(table.n_bad, sizeof(wanted) / sizeof(wanted[0]));
    assert_memory_equal(table.bad_lines, wanted, sizeof(wanted));
    table_finish(&table);
}

/* At speed 10 the firewall's 350 s are 35 of the sockets'. */
static void a_fast_firewall(void **state)
{
    static const char text[] =
        "{\"type\":\"status\",\"v\":1,\"uptime_s\":100,\"speed\":10,\"policy\":\"/etc/x\","
        "\"opened\":5000,\"ended_idle\":50}\n" FLOW("192.0.2.2", "40000", "198.51.100.2", "5432",
                                                    "350", "340", "10", HERE);
    struct table table = table_of(text, NULL);
    enum flow_side side;
    const struct table_flow *flow = table_find(&table, 4, client4, 40000, server4, 5432, &side);

    (void)state;
    assert_non_null(flow);
    assert_int_equal(flow->timeout, SEC(35));
    assert_int_equal(flow->left, SEC(34));
    assert_string_equal(table.policy, "/etc/x");
    assert_true(table_arrivals(&table, table.hops[0], SEC(35)) == 0.5);
    table_finish(&table);
}

static void a_policy_says_what_its_profiles_do(void **state)
{
    static const char text[] = FLOW("192.0.2.2", "40000", "198.51.100.2", "5432", "40", "30", "10",
                                    ",\"profile\":\"branch\"");
    static const char policy[] =
        "profile branch { tcp-established 40s\n on-expiry reset-both\n refresh-by payload }\n"
        "default use branch\n";
    struct policy *own = NULL;
    struct table table = table_of(text, NULL);
    enum flow_side side;
    struct limit limit;

    (void)state;
    limit = table_limit(&table, table_find(&table, 4, client4, 40000, server4, 5432, &side),
                        SOCKET_ESTABLISHED);
    assert_true(limit.hop->behaviour_unknown);
    assert_int_equal(limit.timeout, SEC(40));
    table_finish(&table);
    assert_int_equal(policy_parse(&own, "test", policy, strlen(policy), NULL, NULL), 0);
    table = table_of(text, own);
    policy_unref(own);
    limit = table_limit(&table, table_find(&table, 4, client4, 40000, server4, 5432, &side),
                        SOCKET_ESTABLISHED);
    assert_false(limit.hop->behaviour_unknown);
    assert_true(limit.payload);
    assert_int_equal(limit.hop->profile.on_expiry, ON_EXPIRY_RESET_BOTH);
    table_finish(&table);
}

static struct socket_fact fact(bool server, uint16_t own, uint16_t peer)
{
    struct socket_fact f = {.family = 4,
                            .listened = server,
                            .state = SOCKET_ESTABLISHED,
                            .keepalive = KEEPALIVE_OFF,
                            .idle = BOUNDS_UNKNOWN,
                            .interval = BOUNDS_UNKNOWN,
                            .last_sent = MTIME_NEVER,
                            .last_received = MTIME_NEVER};

    memcpy(f.local, server ? server4 : client4, 16);
    memcpy(f.peer, server ? client4 : server4, 16);
    f.local_port = own;
    f.peer_port = peer;
    return f;
}

static void sockets_meet_flows_and_peers(void **state)
{
    static const char text[] =
        FLOW("192.0.2.2", "40000", "198.51.100.2", "5432", "350", "337.5", "12.5", HERE)
            FLOW("192.0.2.2", "40001", "198.51.100.2", "5432", "350", "1.5", "348.5",
                 HERE ",\"client_keepalives\":3,\"client_keepalive_interval_s\":60");
    struct socket_fact here[] = {fact(true, 5432, 40000), fact(true, 5432, 40001),
                                 fact(true, 5432, 40002), fact(true, 5432, 40003),
                                 fact(true, 5432, 40004)};
    struct socket_fact there[] = {fact(false, 40009, 5432), fact(false, 40000, 5432)};
    struct socket_table sockets = {.sockets = here, .n = 5};
    struct socket_table peers = {.sockets = there, .n = 2};
    struct table table = table_of(text, NULL);
    struct path none = {0};
    struct join join;

    (void)state;
    here[3].state = SOCKET_TIME_WAIT;
    memcpy(here[4].peer, here[4].local, 16);
    there[1].keepalive = KEEPALIVE_ON;
    there[1].figures = FIGURES_READ;
    there[1].idle = (struct bounds){SEC(300), SEC(300)};
    there[1].interval = (struct bounds){SEC(30), SEC(30)};
    there[1].count = 5;
    assert_int_equal(join_make(&join, &sockets, &peers, &none, &table, NULL), 0);
    assert_int_equal(join.n, 2);
    assert_int_equal(join.missing, 1);
    assert_int_equal(join.passing, 1);
    assert_int_equal(join.inside, 1);
    /* one lost probe of the client; and the other's probes, as the firewall saw them: safe */
    assert_int_equal(join.rows[0].verdict.why, WHY_LOST_PROBE);
    assert_int_equal(join.rows[0].verdict.side, FLOW_CLIENT);
    assert_int_equal(join.rows[0].verdict.due, SEC(337.5));
    assert_int_equal(join.rows[1].verdict.kind, VERDICT_SAFE);
    assert_int_equal(join.rows[1].fact->peer_port, 40001);
    join_finish(&join);
    table_finish(&table);
}

static void what_is_due_first_comes_first(void **state)
{
    struct socket_fact here[] = {fact(true, 5432, 40000), fact(true, 5432, 40001),
                                 fact(true, 5432, 40002)};
    struct socket_table sockets = {.sockets = here, .n = 3};
    struct path path = parse("350s");
    struct join join;

    (void)state;
    here[0].keepalive = KEEPALIVE_ON;
    here[0].idle = here[0].interval = (struct bounds){SEC(10), SEC(10)};
    here[0].figures = FIGURES_READ;
    here[1].last_sent = SEC(5);
    here[2].last_sent = SEC(100);
    here[2].last_received = SEC(90);
    assert_int_equal(join_make(&join, &sockets, NULL, &path, NULL, NULL), 0);
    assert_int_equal(join.rows[0].fact->peer_port, 40002);
    assert_int_equal(join.rows[0].verdict.due, SEC(260));
    assert_int_equal(join.rows[1].fact->peer_port, 40001);
    assert_int_equal(join.rows[2].verdict.kind, VERDICT_SAFE);
    join_finish(&join);
    path_finish(&path);
}

/* Little's law: 10 connections a second that each stay 8050 s longer; two packets every 240 s. */
static void prices(void **state)
{
    struct socket_fact here[] = {fact(true, 5432, 40000), fact(true, 5432, 40001)};
    struct socket_table sockets = {.sockets = here, .n = 2};
    struct path path = parse("aws-nlb-tcp");
    struct advices advices;
    struct price *price;
    struct join join;
    size_t n;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        here[i].keepalive = KEEPALIVE_ON;
        here[i].figures = FIGURES_READ;
        here[i].idle = (struct bounds){SEC(7200), SEC(7200)};
        here[i].interval = (struct bounds){SEC(75), SEC(75)};
        here[i].count = 9;
        strcpy(here[i].process, "postgres");
    }
    assert_int_equal(join_make(&join, &sockets, NULL, &path, NULL, NULL), 0);
    assert_int_equal(advices_make(&advices, &join), 0);
    assert_int_equal(advices.n, 1);
    assert_int_equal(advices.items[0].n, 2);
    assert_string_equal(advices.items[0].software->name, "postgresql");
    assert_int_equal(prices_make(&price, &n, &join, &advices, 10), 0);
    assert_int_equal(n, 1);
    assert_int_equal(price->raised, SEC(8400)); /* (7200 + 75) * 9/8 = 8184.4, in five minutes */
    assert_true(price->entries > 80499 && price->entries < 80501);
    assert_true(price->packets * 86400 > 1439 && price->packets * 86400 < 1441);
    assert_true(price->packets_now * 86400 > 47.9 && price->packets_now * 86400 < 48.1);
    free(price);
    advices_finish(&advices);
    join_finish(&join);
    path_finish(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_read),
        cmocka_unit_test(faulty_paths),
        cmocka_unit_test(a_proxy_splits_the_path),
        cmocka_unit_test(half_closed_has_its_own),
        cmocka_unit_test(tables_are_read),
        cmocka_unit_test(bad_lines_are_numbered),
        cmocka_unit_test(a_fast_firewall),
        cmocka_unit_test(a_policy_says_what_its_profiles_do),
        cmocka_unit_test(sockets_meet_flows_and_peers),
        cmocka_unit_test(what_is_due_first_comes_first),
        cmocka_unit_test(prices),
    };

    return cmocka_run_group_tests(tests, load, NULL);
}
