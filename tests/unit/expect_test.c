/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each kind of expectation on a story made by hand: one that is met, one that is not, and what is
 * said of it. */
#include "timeline_story.h"

#include "tools/timeline/expect.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#undef expect_check /* cmocka's, for arguments of mocks */

static const struct row {
    const char *text; /* after `expect` */
    bool met;
    const char *seen; /* a part of what is said; NULL: not asked for */
} rows[] = {
    /* the server was reset at 2h40.0005s */
    {"server error ECONNRESET", true, "ECONNRESET at 2:00:40.000"},
    {"server error ECONNRESET at 2h40s..2h41s", true, NULL},
    {"server error ECONNRESET at 0s..2h40s", false, "ECONNRESET at 2:00:40.000"},
    {"server error ECONNRESET at 2h41s..3h", false, "ECONNRESET at 2:00:40.000"},
    {"server error ETIMEDOUT", false, "ECONNRESET at 2:00:40.000"},
    {"not server error ETIMEDOUT", true, NULL},
    {"server error none", false, "ECONNRESET at 2:00:40.000"},
    {"server error none at 0s..2h40s", true, NULL},
    {"client error none", true, NULL},
    {"client error ECONNRESET", false, "no error"},
    {"client eof", false, "no end of file"},
    {"not client eof", true, NULL},
    /* states: at the end unless said */
    {"client state ESTABLISHED", true, "ESTABLISHED"},
    {"server state ESTABLISHED", false, "no socket"},
    {"server state gone", true, NULL},
    {"client state gone", false, "ESTABLISHED"},
    {"server state ESTABLISHED at 2h40s", true, NULL},
    {"server state gone at 2h41s", true, NULL},
    {"server state gone at 0s..2h", true, NULL}, /* before it was there */
    {"server state gone at 1s..2h", false, "ESTABLISHED keepalive (7199.00/0/0) at 0:00:01.000"},
    {"client state SYN_SENT at 0s..1s", true, NULL},
    {"client state SYN_SENT at 1s..4h", false, "ESTABLISHED"},
    {"client state CLOSE_WAIT at 0s..4h", false, NULL},
    /* timers */
    {"server timer keepalive 59min59s..1h at 1h1s", true, NULL},
    {"server timer keepalive 1h1s..2h at 1h1s", false, "keepalive (3599.00/0/0) at 1:00:01.000"},
    {"server timer keepalive 0s..59min58s at 1h1s", false, NULL},
    {"server timer keepalive 10s..11s at 1h", false, NULL},
    {"server timer keepalive 10s..11s at 1h..2h", true, NULL},    /* passes by */
    {"server timer keepalive 0s..0s at 2h1s..2h39s", true, NULL}, /* over, not fired yet */
    {"server timer keepalive 74s..75s 0 1 at 2h40s", true, NULL},
    {"server timer keepalive 74s..75s 0 2 at 2h40s", false, "(75.00/0/1)"},
    {"server timer keepalive 74s..75s 1 1 at 2h40s", false, "(75.00/0/1)"},
    {"client timer off at 1h", true, NULL},
    {"client timer on at 1h", false, "off"},
    {"client timer on at 1s", true, NULL},
    {"client timer on 150ms..200ms at 1s", true, NULL},
    {"server timer keepalive at 3h", false, "no socket"},
    /* counts */
    {"server probes 1", true, "1, the first at 2:00:40.000"},
    {"server probes 2..9", false, "1, the first at 2:00:40.000"},
    {"server probes 0", false, NULL},
    {"server probes 0 at 0s..2h", true, "none then, but one at 2:00:40.000"},
    {"client probes 0", true, "none"},
    {"client retransmits 0", true, NULL},
    {"client retransmits 1..5", false, "none"},
    {"client connections 1", true, NULL},
    {"client connections 0", false, "1 socket"},
    {"server connections 0", true, NULL},
    {"server connections 1 at 1h", true, NULL},
    {"server connections 0 at 1h", false, "1 socket"},
    /* packets */
    {"client sends S times 1", true, NULL},
    {"client sends S times 2", false, "1, the first at 0:00:00.000"},
    {"client sends S times 2..3", false, NULL},
    {"server sends S.", true, NULL},
    {"server sends S", false, "none"},
    {"client sends packet times 3", true, NULL},
    {"not client sends packet at 2s..4h", true, NULL},
    {"not client sends packet at 1s..4h", false, NULL},
    {"client receives R", false, NULL},
    {"server receives R", true, NULL},
    {"server receives R from client", true, NULL},
    {"firewall drops probe", true, NULL},
    {"firewall drops probe from client", false, NULL},
    {"firewall drops . times 1", true, NULL},
    {"firewall drops P.", false, "none"},
    {"firewall sends R from client times 1", true, NULL},
    {"firewall sends R from server", false, NULL},
    {"firewall sends icmp", false, "none"},
    {"server sends probe at 2h40s", true, NULL},
    {"server sends probe at 2h41s..4h", false, "none then, but one at 2:00:40.000"},
    {"server sends window-probe", false, NULL},
    {"client receives nothing at 2s..4h", true, NULL},
    {"client receives nothing at 1s..4h", false, "1, the first at 0:00:01.001"},
    {"server receives nothing at 2s..2h", true, NULL},
    /* the firewall */
    {"firewall flow ESTABLISHED at 1h", true, NULL},
    {"firewall flow ESTABLISHED at 1h1001ms", false, "no flow at 1:00:01.001"},
    {"firewall flow gone at 1h1001ms", true, NULL},
    {"firewall flow gone at 1h", false, "flow ESTABLISHED"},
    {"firewall flow gone", true, NULL},
    {"firewall flow SYN_SENT at 0s..1s", true, NULL},
    {"firewall event expired", true, "expired at 1:00:01.000"},
    {"firewall event expired at 1h1s..1h2s", true, NULL},
    {"firewall event expired at 0s..1h", false, "expired at 1:00:01.000"},
    {"firewall event late", true, NULL},
    {"firewall event ended", false, "no such event"},
    {"not firewall event ended", true, NULL},
    /* who believes */
    {"client believes", true, "connection 1"},
    {"server believes", false, "it knows"},
    {"not server believes", true, NULL},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static char *lines_of_all(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    assert_non_null(to);
    for (size_t i = 0; i < ROWS; i++)
        fprintf(to, "expect %s\n", rows[i].text);
    assert_int_equal(fclose(to), 0);
    return text;
}

static void make(struct story *s)
{
    static char text[32768];
    char *lines = lines_of_all();

    snprintf(text, sizeof(text), "%s%s%s", STORY_HEAD, lines, STORY_TAIL);
    free(lines);
    story_init(s, text);
    story_play(s);
    assert_int_equal(s->scenario->n_expectations, ROWS);
}

static void each_is_judged(void **state)
{
    struct expect_result results[ROWS];
    struct story s;
    unsigned wrong = 0;

    (void)state;
    make(&s);
    assert_false(expect_check(s.timeline, results));
    for (size_t i = 0; i < ROWS; i++) {
        bool said = !rows[i].seen || strstr(results[i].seen, rows[i].seen);

        if (results[i].met == rows[i].met && said)
            continue;
        print_error("expect %s: %s, seen: %s\n", rows[i].text, results[i].met ? "met" : "not met",
                    results[i].seen);
        wrong++;
    }
    assert_int_equal(wrong, 0);
    story_finish(&s);
}

static void all_met_is_true(void **state)
{
    struct expect_result results[2];
    struct story s;

    (void)state;
    story_make(&s, "expect server error ECONNRESET\nexpect client state ESTABLISHED\n");
    assert_true(expect_check(s.timeline, results));
    story_finish(&s);
}

static void reports_name_the_line(void **state)
{
    struct expect_result results[2];
    struct story s;
    char *text = NULL;
    size_t len = 0;
    FILE *to;

    (void)state;
    story_make(&s, "expect server error ECONNRESET\nexpect client eof\n");
    assert_false(expect_check(s.timeline, results));
    to = open_memstream(&text, &len);
    expect_report(to, s.scenario, results);
    assert_int_equal(fclose(to), 0);
    assert_string_equal(text, "hour:9: expected client eof; seen: no end of file\n");
    free(text);
    story_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_judged),
        cmocka_unit_test(all_met_is_true),
        cmocka_unit_test(reports_name_the_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
