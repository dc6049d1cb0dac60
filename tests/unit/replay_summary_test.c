/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections made by hand, and what people read of them. */
#include "policy/policy_parse.h"
#include "tests/unit/random_seed.h"
#include "tools/replay/compare.h"
#include "tools/replay/flow_words.h"
#include "tools/replay/summary_private.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START (1767225600 * MTIME_SEC) /* 2026-01-01 */

static struct random seed;

static uint64_t any(uint64_t below)
{
    return random_u64(&seed) % below;
}

/* An address is the server's number; few enough that they meet again. */
static struct replay_flow flow_to(uint32_t server, enum replay_outcome outcome)
{
    struct replay_flow f = {.outcome = outcome,
                            .first_number = any(1000) + 1,
                            .last_number = 5000,
                            .longest_idle = (mtime_t)any(1000 * MTIME_SEC),
                            .longest_idle_at = START + (mtime_t)any(MTIME_SEC),
                            .limit = 350 * MTIME_SEC,
                            .end = FLOW_END_IDLE};

    f.flow = (struct flow){.id = any(100000) + 1,
                           .family = 4,
                           .proto = IPPROTO_TCP,
                           .port = {(uint16_t)(1024 + any(60000)), 1521},
                           .state = FLOW_ESTABLISHED,
                           .opened = START + 123456789,
                           .last = START + 5000 * MTIME_SEC + 1,
                           .packets = {any(100), any(100)},
                           .bytes = {any(100000), any(100000)}};
    memcpy(f.flow.addr[FLOW_CLIENT], (uint8_t[]){192, 0, 2, (uint8_t)any(250)}, 4);
    server = htonl(0xc6336400u + server); /* 198.51.100.0 */
    memcpy(f.flow.addr[FLOW_SERVER], &server, 4);
    return f;
}

static void make_late(struct replay_flow *f, uint64_t packets, mtime_t silence)
{
    f->late_packets = packets;
    f->late = (struct replay_late){.number = any(1000) + 1,
                                   .time = START + (mtime_t)any(1000000) * 1001,
                                   .silence = silence,
                                   .side = (enum flow_side)any(2),
                                   .tcp_flags = 0x10,
                                   .action = any(2) ? ACTED_DROPPED : ACTED_RESET_SENDER};
    f->limit = (mtime_t)(200 + any(150)) * MTIME_SEC;
    f->longest_idle = silence;
    if (any(3) == 0)
        f->flow.keepalive[any(2)] = (struct flow_keepalive){
            .seen = 3, .answered = 3, .interval = 600 * MTIME_SEC + (mtime_t)any(1000)};
}

static struct replay_flow any_flow(void)
{
    struct replay_flow f =
        flow_to((uint32_t)any(7), any(4) == 0 ? REPLAY_BROKEN : (enum replay_outcome)any(5));

    if (f.outcome == REPLAY_BROKEN)
        make_late(&f, any(6) + 1, (mtime_t)(350 + any(5)) * MTIME_SEC);
    return f;
}

static struct replay_totals totals_of(const struct replay_flow *flows, size_t n, uint64_t number)
{
    struct replay_totals totals = {.flows = n,
                                   .packets = 10 * n + 1,
                                   .bytes = 1000 * n,
                                   .peak_flows = number,
                                   .mean_flows = (double)number / 3,
                                   .first = START + (mtime_t)number,
                                   .last = START + (mtime_t)(number * 7777777777),
                                   .capture = {.packets = 11 * n, .not_ip = n}};

    for (size_t i = 0; i < n; i++)
        totals.by_outcome[flows[i].outcome]++;
    return totals;
}

static const char *const paths[] = {"a b.pcap", "\"ü\\.pcap"};

static struct summary *summary_over(const struct replay_flow *flows, size_t n, uint64_t number)
{
    struct summary *summary = summary_create();
    struct replay_totals totals = totals_of(flows, n, number);

    assert_non_null(summary);
    assert_int_equal(summary_set_policy(summary, "aws-nat-gateway"), 0);
    summary_set_captures(summary, paths, 2);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(summary_add(summary, &flows[i]), 0);
    summary_totals(summary, &totals);
    return summary;
}

typedef void (*writer)(FILE *to, const struct summary *summary);

static char *written(writer write, const struct summary *summary)
{
    char *text;
    size_t len;
    FILE *to = open_memstream(&text, &len);

    write(to, summary);
    fclose(to);
    return text;
}

static int read_text(const char *text, struct summary **out, unsigned long *line)
{
    FILE *from = fmemopen((void *)(uintptr_t)text, strlen(text) ? strlen(text) : 1, "r");
    int r;

    *out = summary_create();
    r = summary_read(from, *out, line);
    fclose(from);
    return r;
}

static void merged_is_as_one_and_what_was_written_reads_back(void **unused)
{
    enum { N = 300, PARTS = 7 };
    static struct replay_flow flows[N];
    char *one_text, *merged_text, *again_text;
    struct summary *merged = summary_create(), *backwards = summary_create(), *again;
    struct summary *parts[PARTS];
    unsigned long line;

    (void)unused;
    for (size_t i = 0; i < N; i++) {
        flows[i] = any_flow();
        flows[i].late.capture = (uint32_t)any(3);
    }
    for (size_t p = 0; p < PARTS; p++) {
        size_t from = p * N / PARTS, to = (p + 1) * N / PARTS;

        parts[p] = summary_over(flows + from, to - from, 5 + p);
        one_text = written(summary_json, parts[p]);
        assert_int_equal(read_text(one_text, &again, &line), 0);
        again_text = written(summary_json, again);
        assert_string_equal(again_text, one_text);
        assert_int_equal(summary_merge(merged, again), 0);
        free(one_text);
        free(again_text);
        summary_destroy(again);
    }
    for (size_t p = PARTS; p-- > 0;)
        assert_int_equal(summary_merge(backwards, parts[p]), 0);
    merged_text = written(summary_json, merged);
    one_text = written(summary_json, backwards);
    assert_string_equal(merged_text, one_text);
    assert_int_equal(merged->figures.parts, PARTS);
    assert_int_equal(merged->figures.flows, N);
    assert_int_equal(merged->peak, 5 + PARTS - 1);
    assert_int_equal(merged->figures.peak_sum, 5 * PARTS + PARTS * (PARTS - 1) / 2);
    free(one_text);

    /* All but the table's entries, which are of runs: as of one. */
    summary_destroy(backwards);
    backwards = summary_over(flows, N, 1);
    assert_int_equal(backwards->n_worst, SUMMARY_WORST);
    for (size_t i = 0; i < SUMMARY_WORST; i++) {
        assert_int_equal(backwards->worst[i].flow.late.number, merged->worst[i].flow.late.number);
        assert_int_equal(backwards->worst[i].flow.late.time, merged->worst[i].flow.late.time);
    }
    one_text = written(summary_csv, backwards);
    again_text = written(summary_csv, merged);
    assert_string_equal(one_text, again_text);
    free(one_text);
    free(again_text);
    free(merged_text);
    for (size_t p = 0; p < PARTS; p++)
        summary_destroy(parts[p]);
    summary_destroy(merged);
    summary_destroy(backwards);
}

static void several_summaries_in_one_file_add_up(void **unused)
{
    struct replay_flow flows[20];
    struct summary *one, *both = summary_create(), *read;
    char *text, *twice, *expected, *got;
    unsigned long line;

    (void)unused;
    for (size_t i = 0; i < 20; i++)
        flows[i] = any_flow();
    one = summary_over(flows, 20, 3);
    text = written(summary_json, one);
    assert_true(asprintf(&twice, "{\"type\":\"connection\",\"v\":7}\n%s\n%s", text, text) > 0);
    assert_int_equal(read_text(twice, &read, &line), 0);
    assert_int_equal(summary_merge(both, one), 0);
    assert_int_equal(summary_merge(both, one), 0);
    expected = written(summary_json, both);
    got = written(summary_json, read);
    assert_string_equal(got, expected);
    free(text);
    free(twice);
    free(expected);
    free(got);
    summary_destroy(one);
    summary_destroy(both);
    summary_destroy(read);
}

static int naive(const void *one, const void *two)
{
    const struct replay_flow *a = one, *b = two;

    if (a->late_packets != b->late_packets)
        return a->late_packets > b->late_packets ? -1 : 1;
    if (a->late.silence != b->late.silence)
        return a->late.silence > b->late.silence ? -1 : 1;
    return a->late.time < b->late.time ? -1 : a->late.time > b->late.time;
}

static void the_worst_are_the_worst(void **unused)
{
    enum { N = 500 };
    static struct replay_flow flows[N];
    struct summary *summary;

    (void)unused;
    for (size_t i = 0; i < N; i++) {
        flows[i] = flow_to(1, REPLAY_BROKEN);
        make_late(&flows[i], any(30), (mtime_t)(400 + any(3)) * MTIME_SEC);
    }
    summary = summary_over(flows, N, 1);
    qsort(flows, N, sizeof(flows[0]), naive);
    assert_int_equal(summary->n_worst, SUMMARY_WORST);
    for (size_t i = 0; i < SUMMARY_WORST; i++) {
        assert_int_equal(summary->worst[i].flow.late_packets, flows[i].late_packets);
        assert_int_equal(summary->worst[i].flow.late.time, flows[i].late.time);
    }
    summary_destroy(summary);
}

/* Millions of servers: those that something broke to are counted exactly, the totals too. */
static void servers_stay_bounded(void **unused)
{
    struct summary *summary = summary_create();
    uint64_t broken = 0;
    const struct server *server = NULL;
    struct server *sorted;
    char *text;

    (void)unused;
    for (uint32_t i = 0; i < 5 * (uint32_t)SUMMARY_SERVERS / 2; i++) {
        struct replay_flow f = flow_to(i, REPLAY_FINE);

        assert_int_equal(summary_add(summary, &f), 0);
        if (i % 1000 != 0)
            continue;
        /* One of the highest addresses, so that without its breaks it would be let go. */
        f = flow_to(0x10000000u + i % 3000, REPLAY_BROKEN);
        make_late(&f, 2, 400 * MTIME_SEC);
        assert_int_equal(summary_add(summary, &f), 0);
        broken++;
    }
    assert_true(summary->servers.n <= SUMMARY_SERVERS);
    assert_true(summary->servers.room <= 2 * SUMMARY_SERVERS);
    assert_true(summary->servers.let_go > 0);
    sorted = servers_sorted(&summary->servers);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(sorted[i].by_outcome[REPLAY_BROKEN], (broken + 2 - i) / 3);
        assert_int_equal(sorted[i].late_packets, 2 * sorted[i].by_outcome[REPLAY_BROKEN]);
        assert_false(sorted[i].incomplete);
        server = &sorted[i];
    }
    assert_non_null(server);
    free(sorted);
    text = written(summary_text, summary);
    assert_non_null(strstr(text, "There were more than"));
    free(text);
    summary_destroy(summary);
}

/* One that was let go and came again says that it is incomplete; and so does one that only another
 * part let go. */
static void what_was_let_go_is_incomplete(void **unused)
{
    struct summary *full = summary_create(), *small = summary_create();
    struct server_key key = {.family = 4, .port = 80, .proto = IPPROTO_TCP};
    struct server *server;

    (void)unused;
    for (uint32_t i = 0; i <= SUMMARY_SERVERS; i++) {
        memcpy(key.addr,
               (uint8_t[]){(uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i},
               4);
        server = servers_place(&full->servers, &key);
        assert_non_null(server);
        assert_int_equal(server->incomplete, i == SUMMARY_SERVERS);
    }
    assert_non_null(
        servers_place(&small->servers, &(struct server_key){.family = 6, .port = 9, .proto = 6}));
    memset(key.addr, 0, sizeof(key.addr));
    assert_non_null(servers_place(&small->servers, &key));
    assert_int_equal(servers_merge(&small->servers, &full->servers), 0);
    key.family = 6;
    key.port = 9;
    assert_true(servers_place(&small->servers, &key)->incomplete);
    key.family = 4;
    key.port = 80;
    assert_false(servers_place(&small->servers, &key)->incomplete);
    summary_destroy(full);
    summary_destroy(small);
}

static void keepalives_meet_the_rule(void **unused)
{
    static const struct {
        mtime_t limit, idle, interval; /* seconds */
    } known[] = {{350, 240, 30}, {3600, 3000, 75}, {60, 40, 6}, {300, 180, 30}, {86400, 7200, 75}};
    struct keepalive_setting k;

    (void)unused;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        assert_true(keepalive_for(known[i].limit * MTIME_SEC, &k));
        assert_int_equal(k.idle, known[i].idle * MTIME_SEC);
        assert_int_equal(k.interval, known[i].interval * MTIME_SEC);
    }
    for (mtime_t limit = MTIME_SEC / 4; limit < 100000 * MTIME_SEC; limit += limit / 7) {
        if (!keepalive_for(limit, &k)) {
            assert_true(limit < 6 * MTIME_SEC);
            continue;
        }
        /* (idle + 2 * interval) * 9/8 + 1s < limit, in eighths of a nanosecond. */
        assert_true((k.idle + 2 * k.interval) * 9 + 8 * MTIME_SEC < 8 * limit);
        assert_true(k.idle >= MTIME_SEC && k.interval >= MTIME_SEC);
        assert_true(k.idle % MTIME_SEC == 0 && k.interval % MTIME_SEC == 0);
        assert_true(k.idle * 3 > limit || k.idle == 7200 * MTIME_SEC || limit < 10 * MTIME_SEC);
    }
    k = (struct keepalive_setting){80 * MTIME_SEC, 4 * MTIME_SEC};
    assert_int_equal(keepalive_silence(&k), 100 * MTIME_SEC);
    assert_false(keepalive_for(MTIME_NEVER, &k));
    assert_false(keepalive_for(0, &k));
}

static void no_keepalive_where_none_helps(void **unused)
{
    static const struct {
        const char *text;
        bool helps;
    } policies[] = {
        {"profile p { tcp-established 5min }\ndefault use p\n", true},
        {"profile p { tcp-established 5min\n refresh-by payload }\ndefault use p\n", false},
        {"profile p { tcp-established 5min\n refresh none }\ndefault use p\n", false}};

    (void)unused;
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        struct replay_flow f = flow_to(1, REPLAY_BROKEN);
        struct policy *policy;

        make_late(&f, 1, 400 * MTIME_SEC);
        assert_int_equal(
            policy_parse(&policy, "p", policies[i].text, strlen(policies[i].text), NULL, NULL), 0);
        f.flow.policy = policy;
        assert_int_equal(replay_flow_keepalive_helps(&f), policies[i].helps);
        /* The silence that broke it was in no entry's time: what the profile says. */
        f.limit = 0;
        assert_int_equal(replay_flow_limit(&f), 300 * MTIME_SEC);
        f.end = FLOW_END_RESOURCES;
        assert_false(replay_flow_keepalive_helps(&f));
        policy_unref(policy);
    }
}

/* Connections to two servers, behind two rules: neither's keepalive is the other's. */
static void each_timeout_has_its_keepalive(void **unused)
{
    static const mtime_t limits[] = {3600 * MTIME_SEC, 350 * MTIME_SEC, 3600 * MTIME_SEC,
                                     4 * MTIME_SEC};
    struct replay_flow flows[4];
    struct summary *summary;
    char *text;

    (void)unused;
    for (size_t i = 0; i < 4; i++) {
        flows[i] = flow_to((uint32_t)i, REPLAY_BROKEN);
        make_late(&flows[i], 1, 5000 * MTIME_SEC);
        flows[i].limit = limits[i];
        for (unsigned d = 0; d < 2; d++)
            flows[i].flow.keepalive[d] = (struct flow_keepalive){0};
    }
    flows[2].flow.keepalive[1] =
        (struct flow_keepalive){.seen = 2, .answered = 2, .interval = 4000 * MTIME_SEC};
    summary = summary_over(flows, 4, 3);
    text = written(summary_text, summary);
    assert_non_null(strstr(
        text, "Keepalives that would have saved all of them, on either end, by the timeout that "
              "broke them:\n"
              "  timeout  broken  had a slower one  idle               interval\n"
              "  4s            1                 0  too short for any\n"
              "  350s          1                 0  4min               30s\n"
              "  1h            2                 1  50min              75s\n"));
    free(text);
    summary_destroy(summary);
    summary = summary_over(flows, 3, 3);
    text = written(summary_json, summary);
    assert_non_null(strstr(text, "{\"type\":\"limit\",\"v\":1,\"timeout_s\":350,"
                                 "\"keepalive_would_save\":1,\"keepalive_too_slow\":0,"
                                 "\"keepalive_idle_s\":240,\"keepalive_interval_s\":30}\n"
                                 "{\"type\":\"limit\",\"v\":1,\"timeout_s\":3600,"
                                 "\"keepalive_would_save\":2,\"keepalive_too_slow\":1,"
                                 "\"keepalive_idle_s\":3000,\"keepalive_interval_s\":75}\n"));
    assert_non_null(strstr(text, "\"shortest_timeout_s\":350,"));
    free(text);
    summary_destroy(summary);
}

static void what_is_no_summary_is_refused(void **unused)
{
    static const struct {
        const char *text;
        unsigned long line;
    } bad[] = {
        {"\n\n", 0},
        {"{\"type\":\"connection\",\"v\":1}\n", 0},
        {"hello\n", 1},
        {"\n{\"type\":\"summary\",\"v\":1\n", 2},
        {"[]\n", 1},
        {"{\"v\":1}\n", 1},
        {"{\"type\":5,\"v\":1}\n", 1},
        {"{\"type\":\"summary\",\"v\":1}\n", 1},
        {"{\"type\":\"server\",\"v\":1}\n", 1},
        {"{\"type\":\"worst\",\"v\":1}\n", 1},
    };
    struct summary *summary;
    unsigned long line;

    (void)unused;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(read_text(bad[i].text, &summary, &line), -EINVAL);
        assert_int_equal(line, bad[i].line);
        summary_destroy(summary);
    }
}

/* Each member of each line is missed, and its loss leaves nothing but an error. */
static void every_member_counts(void **unused)
{
    struct replay_flow f = flow_to(1, REPLAY_BROKEN);
    struct summary *summary, *read;
    char *text, *p;
    unsigned long line;
    size_t renamed = 0;

    (void)unused;
    make_late(&f, 2, 400 * MTIME_SEC);
    f.late.capture = 1;
    summary = summary_over(&f, 1, 3);
    text = written(summary_json, summary);
    for (p = text; (p = strstr(p, "\":")); p += 2) {
        static const char *const derived[] = {
            "mean_entries", "keepalive_idle_s", "keepalive_interval_s", "servers", "rank",
            "proto",        "late_flags",       "connections"};
        char *name = p, was = p[-1];
        bool needed = true;

        while (name[-1] != '"')
            name--;
        for (size_t i = 0; i < sizeof(derived) / sizeof(derived[0]); i++)
            needed = needed && (strlen(derived[i]) != (size_t)(p - name) ||
                                strncmp(derived[i], name, strlen(derived[i])) != 0);
        p[-1] = '#';
        if (needed && !(name[0] == 't' && name[1] == 'y')) {
            if (read_text(text, &read, &line) != -EINVAL)
                fail_msg("not missed: %.*s", (int)(p - name), name);
            summary_destroy(read);
            renamed++;
        }
        p[-1] = was;
    }
    assert_true(renamed > 80);
    free(text);
    summary_destroy(summary);
}

static void bytes_changed_at_random_do_no_harm(void **unused)
{
    struct replay_flow flows[30];
    struct summary *summary, *read;
    char *text, *copy;
    size_t len;
    unsigned long line;

    (void)unused;
    for (size_t i = 0; i < 30; i++)
        flows[i] = any_flow();
    summary = summary_over(flows, 30, 3);
    text = written(summary_json, summary);
    len = strlen(text);
    for (size_t i = 0; i < 3000; i++) {
        copy = strdup(text);
        for (uint64_t n = any(3) + 1; n > 0; n--)
            copy[any(len)] = "0123456789-.eE\",:{}[]nul\n\\x"[any(27)];
        if (read_text(copy, &read, &line) == 0) {
            free(written(summary_text, read));
            free(written(summary_json, read));
            free(written(summary_csv, read));
        }
        summary_destroy(read);
        free(copy);
    }
    free(text);
    summary_destroy(summary);
}

static void results_of_two_firewalls_do_not_join(void **unused)
{
    struct replay_flow f = flow_to(1, REPLAY_FINE);
    struct summary *summary = summary_over(&f, 1, 3), *read;
    char *one = written(summary_json, summary), *both;
    char *other;
    unsigned long line;

    (void)unused;
    assert_int_equal(summary_set_policy(summary, "cisco-asa"), 0);
    other = written(summary_json, summary);
    assert_true(asprintf(&both, "%s%s", one, other) > 0);
    assert_int_equal(read_text(both, &read, &line), -EINVAL);
    free(one);
    free(other);
    free(both);
    summary_destroy(read);
    summary_destroy(summary);
}

static char *flow_written(void (*write)(FILE *to, const struct replay_flow *flow),
                          const struct replay_flow *flow)
{
    char *text;
    size_t len;
    FILE *to = open_memstream(&text, &len);

    write(to, flow);
    fclose(to);
    return text;
}

static size_t count_of(const char *text, char c)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == c;
    return n;
}

static struct replay_flow broken_flow(void)
{
    struct replay_flow f = flow_to(2, REPLAY_BROKEN);

    f.flow.id = 17;
    memcpy(f.flow.addr[FLOW_CLIENT], (uint8_t[]){192, 0, 2, 2}, 4);
    f.flow.port[FLOW_CLIENT] = 40000;
    f.flow.packets[0] = 812;
    f.flow.packets[1] = 790;
    f.longest_idle = 3722 * MTIME_SEC;
    f.longest_idle_at = START + 600 * MTIME_SEC + 123 * MTIME_MSEC;
    f.late_packets = 5;
    f.late = (struct replay_late){.number = 812,
                                  .time = START + 4322 * MTIME_SEC,
                                  .silence = 3722 * MTIME_SEC,
                                  .side = FLOW_SERVER,
                                  .tcp_flags = 0x18,
                                  .action = ACTED_RESET_SENDER};
    f.flow.keepalive[FLOW_SERVER] =
        (struct flow_keepalive){.seen = 2, .answered = 0, .interval = 7200 * MTIME_SEC};
    return f;
}

/* Where that word stands in the line; nowhere: its length. */
static size_t column(const char *line, const char *word)
{
    size_t at = 0;

    while (line[at] != '\0' && strncmp(line + at, word, strlen(word)) != 0)
        at++;
    return at;
}

static void a_connection_in_words(void **unused)
{
    struct replay_flow f = broken_flow();
    char *head = flow_written(replay_flow_text, NULL), *text = flow_written(replay_flow_text, &f);
    char *csv_head = flow_written(replay_flow_csv, NULL), *csv;

    (void)unused;
    assert_string_equal(
        text, "      17 tcp   ESTABLISHED 192.0.2.2:40000      198.51.100.2:1521          "
              "812/790   1h2min 2026-01-01 00:10:00.123     350s broken  late: packet "
              "812 of the server [P.] at 2026-01-01 01:12:02.000 after 1h2min, reset to "
              "its sender; 5 late in all; keepalive: server every 2h (2 seen) "
              "unanswered\n");
    assert_int_equal(column(text, "ESTAB"), column(head, "STATE"));
    assert_int_equal(column(text, "192.0"), column(head, "CLIENT"));
    assert_int_equal(column(text, "2026-"), column(head, "FROM"));
    assert_int_equal(column(text, "broken"), column(head, "OUTCOME"));
    csv = flow_written(replay_flow_csv, &f);
    assert_int_equal(count_of(csv, ','), count_of(csv_head, ','));
    free(csv);
    f = flow_to(3, REPLAY_FINE);
    f.limit = MTIME_NEVER;
    csv = flow_written(replay_flow_csv, &f);
    assert_int_equal(count_of(csv, ','), count_of(csv_head, ','));
    free(csv);
    free(csv_head);
    free(head);
    free(text);
}

static void the_text_says_what_matters(void **unused)
{
    struct replay_flow f = broken_flow();
    struct summary *summary = summary_over(&f, 1, 3);
    char *text = written(summary_text, summary);

    (void)unused;
    assert_non_null(strstr(text, "\n  broken             1  "));
    assert_non_null(strstr(text, "would have saved it: idle 4min, interval 30s"));
    assert_non_null(strstr(text, "(idle + 2 * interval) * 9/8 + 1s < 350s"));
    assert_non_null(strstr(text, "1 reset to its sender. Late packets in all: 5."));
    assert_non_null(strstr(text, "198.51.100.2:1521  tcp"));
    free(text);
    summary_destroy(summary);
}

static void firewalls_side_by_side(void **unused)
{
    static const char policy_text[] = "profile p { tcp-established 5min }\ndefault use p\n";
    struct replay_flow flows[] = {broken_flow(), flow_to(2, REPLAY_FINE),
                                  flow_to(5, REPLAY_BROKEN)};
    struct compared compared[2] = {{.name = "one"}, {.name = "two"}};
    struct policy *policy;
    char *text, *csv;
    size_t len, csv_len;
    FILE *to = open_memstream(&text, &len), *csv_to = open_memstream(&csv, &csv_len);
    struct summary *one = summary_over(flows, 2, 3), *two = summary_over(flows, 3, 3);

    (void)unused;
    assert_int_equal(policy_parse(&policy, "p", policy_text, strlen(policy_text), NULL, NULL), 0);
    compared[0].summary = one;
    compared[1].summary = two;
    compared[0].policy = compared[1].policy = policy;
    compare_text(to, compared, 2);
    compare_json(to, compared, 2);
    compare_csv(csv_to, compared, 2);
    fclose(to);
    fclose(csv_to);
    assert_non_null(strstr(text, "198.51.100.2:1521    1    1\n198.51.100.5:1521    0    1\n"));
    assert_non_null(strstr(text,
                           "\"server\":\"198.51.100.5\",\"server_port\":1521,\"proto\":\"tcp\","
                           "\"broken\":{\"one\":0,\"two\":1}}\n"));
    assert_int_equal(count_of(csv, ','), 3 * 15);
    free(text);
    free(csv);
    policy_unref(policy);
    summary_destroy(one);
    summary_destroy(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merged_is_as_one_and_what_was_written_reads_back),
        cmocka_unit_test(several_summaries_in_one_file_add_up),
        cmocka_unit_test(the_worst_are_the_worst),
        cmocka_unit_test(servers_stay_bounded),
        cmocka_unit_test(what_was_let_go_is_incomplete),
        cmocka_unit_test(keepalives_meet_the_rule),
        cmocka_unit_test(no_keepalive_where_none_helps),
        cmocka_unit_test(each_timeout_has_its_keepalive),
        cmocka_unit_test(what_is_no_summary_is_refused),
        cmocka_unit_test(every_member_counts),
        cmocka_unit_test(bytes_changed_at_random_do_no_harm),
        cmocka_unit_test(results_of_two_firewalls_do_not_join),
        cmocka_unit_test(a_connection_in_words),
        cmocka_unit_test(the_text_says_what_matters),
        cmocka_unit_test(firewalls_side_by_side),
    };

    seed = random_start("replay_summary");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
