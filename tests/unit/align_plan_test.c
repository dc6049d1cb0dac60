/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/align/advice.h"
#include "tools/align/plan.h"

#include <errno.h>
#include <string.h>

static int load(void **state)
{
    const struct template *templates;
    char why[256];
    size_t n;

    (void)state;
    return templates_load(&templates, &n, why, sizeof(why));
}

static const struct plan_case {
    const char *client, *server, *path;
    size_t rows;
    enum verdict_kind kind;
    enum verdict_why why;
    const char *advice; /* the first; NULL: none */
} plans[] = {
    /* what the issue names: the server's two hours are too long, and pgjdbc has none */
    {"pgjdbc", "postgresql", "aws-nlb-tcp,linux-ipvs", 1, VERDICT_WILL_BREAK, WHY_TOO_LATE,
     "postgresql"},
    {"pgjdbc", NULL, "aws-nlb-tcp,linux-ipvs", 1, VERDICT_NEVER_NOTICED, WHY_OFF, "pgjdbc"},
    {NULL, "redis", "aws-nlb-tcp", 1, VERDICT_AT_RISK, WHY_LOST_PROBE, "redis"},
    {NULL, "redis", "linux-ipvs", 1, VERDICT_SAFE, WHY_REFRESHED, NULL},
    {"go", "nginx", "aws-nlb-tcp", 1, VERDICT_SAFE, WHY_REFRESHED, NULL},
    {NULL, "rabbitmq", "aws-alb", 1, VERDICT_SAFE, WHY_HEARTBEAT, NULL},
    {NULL, "sshd", "aws-alb", 1, VERDICT_WILL_BREAK, WHY_PAYLOAD, "sshd"},
    {NULL, "sshd", "azure-load-balancer", 1, VERDICT_WILL_BREAK, WHY_TOO_LATE, "sshd"},
    {"pgjdbc", "postgresql", "haproxy-tcp=1h,cisco-asa", 2, VERDICT_WILL_BREAK, WHY_PAYLOAD, NULL},
    {NULL, "aix", "cisco-asa", 1, VERDICT_NEVER_NOTICED, WHY_OFF, "aix"},
    {NULL, "freebsd", "cisco-asa", 1, VERDICT_WILL_BREAK, WHY_TOO_LATE, "freebsd"},
    {NULL, "mysql@freebsd", "cisco-asa", 1, VERDICT_WILL_BREAK, WHY_TOO_LATE, "mysql"},
    {NULL, "postgresql", "linux-nf-conntrack", 1, VERDICT_SAFE, WHY_REFRESHED, NULL},
    {"pgjdbc", NULL, "linux-nf-conntrack", 1, VERDICT_SAFE, WHY_ADOPTED, NULL},
    {NULL, "redis", "netbsd-npf", 1, VERDICT_AT_RISK, WHY_LIMIT_ASSUMED, NULL},
    {"pgjdbc", NULL, "cisco-asa-dcd", 1, VERDICT_SAFE, WHY_ASKED, NULL},
};

static void play(const struct plan_case *c)
{
    struct planned planned = {.client = c->client, .server = c->server};
    struct advices advices;
    struct path path;
    struct join join;
    char why[512] = "";

    assert_int_equal(path_parse(&path, c->path, NULL, why, sizeof(why)), 0);
    if (plan_make(&join, &planned, &path, why, sizeof(why)) != 0)
        fail_msg("%s", why);
    assert_int_equal(join.n, c->rows);
    if (join.rows[0].verdict.kind != c->kind || join.rows[0].verdict.why != c->why)
        fail_msg("%s - %s - %s: %s, %s", c->client ? c->client : "", c->path,
                 c->server ? c->server : "", verdict_name(join.rows[0].verdict.kind),
                 verdict_why_name(join.rows[0].verdict.why));
    assert_int_equal(advices_make(&advices, &join), 0);
    if (c->advice) {
        assert_true(advices.n > 0);
        assert_string_equal(advices.items[0].software->name, c->advice);
        assert_true(advices.items[0].possible);
    } else if (c->kind == VERDICT_SAFE || c->why == WHY_LIMIT_ASSUMED) {
        assert_int_equal(advices.n, 0);
    }
    advices_finish(&advices);
    join_finish(&join);
    path_finish(&path);
}

static void software_as_shipped(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
        play(&plans[i]);
}

/* TCP keepalive does nothing for it and it has no heartbeat: said, not passed over. */
static void what_cannot_be_helped_is_said(void **state)
{
    struct planned planned = {.server = "redis"};
    struct advices advices;
    struct path path;
    struct join join;
    char why[512];

    (void)state;
    assert_int_equal(path_parse(&path, "aws-alb", NULL, why, sizeof(why)), 0);
    assert_int_equal(plan_make(&join, &planned, &path, why, sizeof(why)), 0);
    assert_int_equal(advices_make(&advices, &join), 0);
    assert_int_equal(advices.n, 1);
    assert_int_equal(advices.items[0].part, PART_HEARTBEAT);
    assert_false(advices.items[0].possible);
    advices_finish(&advices);
    join_finish(&join);
    path_finish(&path);
}

/* The system's times are those of that system. */
static void also_its_own_system(void **state)
{
    static const char *const names[][2] = {
        {"mysql@freebsd", "freebsd"}, {"exim@hpux", "other"}, {"mysql", "linux"}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct planned planned = {.server = names[i][0]};
        struct advices advices;
        struct path path;
        struct join join;
        char why[512];

        assert_int_equal(path_parse(&path, "aws-nlb-tcp", NULL, why, sizeof(why)), 0);
        assert_int_equal(plan_make(&join, &planned, &path, why, sizeof(why)), 0);
        assert_int_equal(advices_make(&advices, &join), 0);
        assert_int_equal(advices.n, 2);
        assert_string_equal(advices.items[1].software->name, names[i][1]);
        advices_finish(&advices);
        join_finish(&join);
        path_finish(&path);
    }
}

/* A driver that only turns keepalive on needs the system's times besides. */
static void also_the_system(void **state)
{
    struct planned planned = {.client = "pgjdbc"};
    struct advices advices;
    struct path path;
    struct join join;
    char why[512];

    (void)state;
    assert_int_equal(path_parse(&path, "aws-nlb-tcp", NULL, why, sizeof(why)), 0);
    assert_int_equal(plan_make(&join, &planned, &path, why, sizeof(why)), 0);
    assert_int_equal(advices_make(&advices, &join), 0);
    assert_int_equal(advices.n, 2);
    assert_string_equal(advices.items[1].software->name, "linux");
    advices_finish(&advices);
    join_finish(&join);
    path_finish(&path);
}

static void unknown_software(void **state)
{
    static const char *const names[] = {
        "", "@", "nosuch", "postgresql@nosuch", "nosuch@linux", "@linux", "postgresql@"};
    struct path path;
    struct join join;
    char why[512];

    (void)state;
    assert_int_equal(path_parse(&path, "aws-nlb-tcp", NULL, why, sizeof(why)), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct planned planned = {.server = names[i]};

        why[0] = '\0';
        assert_int_equal(plan_make(&join, &planned, &path, why, sizeof(why)), -EINVAL);
        assert_non_null(strstr(why, "--server"));
    }
    path_finish(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(software_as_shipped), cmocka_unit_test(what_cannot_be_helped_is_said),
        cmocka_unit_test(also_the_system),     cmocka_unit_test(also_its_own_system),
        cmocka_unit_test(unknown_software),
    };

    return cmocka_run_group_tests(tests, load, NULL);
}
