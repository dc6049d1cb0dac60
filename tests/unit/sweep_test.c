/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sweep against what it replaces: a replay for every value. Captures are random: silences of all
 * sizes, often exactly a timeout long, SYNs again, ports in use again, both ways to end, segments
 * out of window, connections without a beginning. Policies are random, too.
 */
#include "tests/unit/random_seed.h"
#include "tests/unit/wire.h"

#include "policy/policy_parse.h"
#include "tools/replay/sweep_lives.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#define VALUES 14
#define START (INT64_C(1700000000) * MTIME_SEC)

struct stamped {
    mtime_t time;
    struct wire wire;
};
struct tape {
    struct stamped *at;
    size_t n, room;
};

static void record(struct tape *tape, mtime_t time, const struct wire *wire)
{
    if (tape->n == tape->room) {
        tape->room = tape->room ? 2 * tape->room : 1024;
        tape->at = realloc(tape->at, tape->room * sizeof(*tape->at));
        assert_non_null(tape->at);
    }
    tape->at[tape->n++] = (struct stamped){time, *wire};
}

/* Seconds, mostly: a silence is then often just as long as a timeout. */
static mtime_t silence(struct random *r)
{
    mtime_t t = (mtime_t)random_any_size(r, random_below(r, 3) ? 5 : 14) * MTIME_SEC;

    return random_below(r, 3) ? t : t + random_below(r, 1000000000);
}

struct talk {
    uint32_t next[2]; /* sequence numbers */
    bool open[2];
};

/* A segment as a TCP would send it, or nearly. */
static void segment(struct random *r, struct talk *t, unsigned flow, struct wire *w)
{
    unsigned side = random_below(r, 2);
    uint8_t flags = TCP_ACK;
    uint32_t len = 0, seq = t->next[side], ack = t->next[!side];

    switch (random_below(r, 24)) {
    case 0: /* a new connection, or its first segment again */
        side = 0;
        if (random_below(r, 3))
            t->next[0] = (uint32_t)random_u64(r);
        wire_tcp(w, flow, 0, TCP_SYN, t->next[0]++, 0, 60000, 0);
        return;
    case 1:
        wire_tcp(w, flow, 0, TCP_SYN, t->next[0] - 1, 0, 60000, 0);
        return;
    case 2:
        if (random_below(r, 2))
            t->next[1] = (uint32_t)random_u64(r);
        wire_tcp(w, flow, 1, TCP_SYN | TCP_ACK, t->next[1]++, t->next[0], 60000, 0);
        return;
    case 3:
        flags = TCP_FIN | TCP_ACK;
        t->next[side]++;
        break;
    case 4:
        flags = random_below(r, 2) ? TCP_RST : TCP_RST | TCP_ACK;
        break;
    case 5: /* a keepalive probe */
    case 6:
        seq--;
        break;
    case 7: /* out of window */
        seq += random_below(r, 2) ? 1u << 30 : UINT32_C(0) - (1u << 20);
        flags = random_below(r, 2) ? TCP_ACK : TCP_FIN | TCP_ACK;
        break;
    case 8: /* nothing a TCP sends */
        flags = (uint8_t)random_below(r, 64);
        break;
    case 9:
        wire_tcp(w, flow, side, flags, seq, ack, 0, 0);
        return;
    case 10:
        flags = TCP_RST;
        seq += random_below(r, 2) ? random_below(r, 100) : 1u << 30;
        break;
    default:
        len = random_below(r, 3) ? random_below(r, 100) : 0;
        t->next[side] += len;
    }
    wire_tcp(w, flow, side, flags, seq, ack, 60000, len);
}

/* Three steps that succeed, or the middle of a connection. */
static void connection(struct random *r, struct tape *tape, unsigned flow, mtime_t until)
{
    struct talk talk = {{(uint32_t)random_u64(r), (uint32_t)random_u64(r)}, {false, false}};
    mtime_t now = START + silence(r);
    unsigned proper = random_below(r, 4) ? 3 : 0;
    struct wire w;

    while (now < until) {
        if (proper == 3)
            wire_tcp(&w, flow, 0, TCP_SYN, talk.next[0]++, 0, 60000, 0);
        else if (proper == 2)
            wire_tcp(&w, flow, 1, TCP_SYN | TCP_ACK, talk.next[1]++, talk.next[0], 60000, 0);
        else if (proper == 1)
            wire_tcp(&w, flow, 0, TCP_ACK, talk.next[0], talk.next[1], 60000, 0);
        else
            segment(r, &talk, flow, &w);
        record(tape, now, &w);
        now += proper ? MTIME_MSEC : random_below(r, 3) ? silence(r) : random_below(r, 1000000);
        proper -= proper > 0;
    }
}

static void datagrams(struct random *r, struct tape *tape, unsigned flow, mtime_t until)
{
    bool echo = flow % 5 == 4;
    struct wire w;

    for (mtime_t now = START + silence(r); now < until;
         now += random_below(r, 3) ? silence(r) : MTIME_MSEC) {
        unsigned side = random_below(r, 3) == 0;

        if (echo)
            wire_echo(&w, flow, side, side);
        else
            wire_udp(&w, flow, side, random_below(r, 30));
        record(tape, now, &w);
        if (random_below(r, 30) == 0) {
            wire_unreachable(&w, flow, side, 1);
            record(tape, now, &w);
        }
    }
}

static int by_time(const void *a, const void *b)
{
    mtime_t x = ((const struct stamped *)a)->time, y = ((const struct stamped *)b)->time;

    return (x > y) - (x < y);
}

static void put32(FILE *to, uint32_t v)
{
    fwrite(&v, sizeof(v), 1, to);
}

/* pcap, raw IP, nanoseconds. */
static void write_capture(const char *path, const struct tape *tape)
{
    FILE *to = fopen(path, "w");

    assert_non_null(to);
    put32(to, 0xa1b23c4d);
    put32(to, 0x00040002);
    put32(to, 0);
    put32(to, 0);
    put32(to, 65535);
    put32(to, 101);
    for (size_t i = 0; i < tape->n; i++) {
        put32(to, (uint32_t)(tape->at[i].time / MTIME_SEC));
        put32(to, (uint32_t)(tape->at[i].time % MTIME_SEC));
        put32(to, tape->at[i].wire.len);
        put32(to, tape->at[i].wire.len);
        fwrite(tape->at[i].wire.data, 1, tape->at[i].wire.len, to);
    }
    assert_int_equal(fclose(to), 0);
}

/* One of the words. */
static const char *word(struct random *r, const char *const *words)
{
    unsigned n = 0;

    while (words[n])
        n++;
    return words[random_below(r, n)];
}

#define WORD(r, ...) word(r, (const char *const[]){__VA_ARGS__, NULL})

static void random_profile(struct random *r, FILE *to, const char *name)
{
    static const char *const timeouts[] = {
        "tcp-syn-sent",  "tcp-syn-recv",  "tcp-established", "tcp-fin-wait", "tcp-close-wait",
        "tcp-last-ack",  "tcp-time-wait", "tcp-close",       "udp",          "udp-stream",
        "icmp",          "icmpv6",        "generic",         "tcp-no-data",  "tcp-max-retrans",
        "active-timeout"};

    fprintf(to, "profile %s from linux-nf-conntrack {\n", name);
    for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++)
        if (random_below(r, 4) == 0)
            fprintf(to, " %s %us\n", timeouts[i], 1 + (unsigned)random_any_size(r, 13));
    if (random_below(r, 2))
        fprintf(to, " tcp-unacknowledged %us\n", 120 + random_below(r, 2000));
    fprintf(to, " on-late %s\n",
            WORD(r, "drop", "reset", "adopt", "adopt", "icmp", "reset-client", "reset-server"));
    fprintf(to, " on-expiry %s\n", WORD(r, "silent", "silent", "reset-both", "reset-client"));
    fprintf(to, " on-invalid %s\n", WORD(r, "drop", "pass"));
    if (random_below(r, 3) == 0)
        fprintf(to, " refresh %s\n", WORD(r, "client", "server", "none"));
    if (random_below(r, 4) == 0)
        fprintf(to, " refresh-by payload\n");
    if (random_below(r, 5) == 0)
        fprintf(to, " refresh-in established\n");
    if (random_below(r, 4) == 0)
        fprintf(to, " half-close both-fins\n");
    if (random_below(r, 3) == 0)
        fprintf(to, " rst %s\n", WORD(r, "ends", "ignored"));
    fprintf(to, " max-retrans %u\n}\n", 1 + random_below(r, 3));
}

static void complain(void *arg, const char *message)
{
    fprintf(stderr, "# %s\n%s\n", message, (const char *)arg);
}

static struct policy *random_policy(struct random *r)
{
    struct policy *policy = NULL;
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    assert_non_null(to);
    random_profile(r, to, "a");
    random_profile(r, to, "b");
    if (random_below(r, 3) == 0)
        fprintf(to, "rule x match \"%s\" %s\n",
                WORD(r, "src port 40003", "dst net 198.51.100.0/24", "ip6", "udp"),
                WORD(r, "use b", "use b", "drop", "reject"));
    fprintf(to, "default use a\n");
    fclose(to);
    if (policy_parse(&policy, "random", text, len, complain, text) < 0)
        fail_msg("a policy of this test's does not parse");
    free(text);
    return policy;
}

static int by_value(const void *a, const void *b)
{
    mtime_t x = ((const struct sweep_point *)a)->timeout,
            y = ((const struct sweep_point *)b)->timeout;

    return (x > y) - (x < y);
}

static void random_values(struct random *r, struct sweep *sweep)
{
    static const enum policy_timeout often[] = {TIMEOUT_TCP_ESTABLISHED, TIMEOUT_TCP_ESTABLISHED,
                                                TIMEOUT_UDP_STREAM, TIMEOUT_UDP};

    sweep->timeout = random_below(r, 2) ? often[random_below(r, 4)]
                                        : (enum policy_timeout)random_below(r, POLICY_TIMEOUTS);
    for (size_t v = 0; v < sweep->n; v++)
        sweep->points[v].timeout = (mtime_t)(1 + random_any_size(r, 14)) * MTIME_SEC +
                                   (random_below(r, 4) ? 0 : random_below(r, 3) - 1);
    qsort(sweep->points, sweep->n, sizeof(*sweep->points), by_value);
}

/* What replay_run() counts with that value. */
static void compare(const char *path, struct policy *policy, const struct sweep *sweep, size_t v)
{
    const struct sweep_point *point = &sweep->points[v];
    mtime_t before[8];
    struct replay_options options = {.policy = policy, .threads = 1};
    struct replay_totals totals;
    struct capture_fault fault;
    size_t broken;

    for (size_t i = 0; i < policy->n_profiles; i++) {
        before[i] = policy->profiles[i].timeout[sweep->timeout];
        policy->profiles[i].timeout[sweep->timeout] = point->timeout;
    }
    assert_int_equal(replay_run(&path, 1, &options, &totals, &fault, &broken), 0);
    for (size_t i = 0; i < policy->n_profiles; i++)
        policy->profiles[i].timeout[sweep->timeout] = before[i];
    if (totals.by_outcome[REPLAY_BROKEN] != point->broken || totals.flows != point->flows ||
        totals.engine.opened != point->entries || totals.peak_flows != point->peak ||
        fabs(totals.mean_flows - point->mean) > 1e-6 * (totals.mean_flows + 1))
        fail_msg("%s %.9f: broken %lu, flows %lu, entries %lu, peak %lu, mean %.9f; a replay says "
                 "%lu, %lu, %lu, %lu, %.9f",
                 policy_timeout_name(sweep->timeout), mtime_seconds(point->timeout), point->broken,
                 point->flows, point->entries, point->peak, point->mean,
                 totals.by_outcome[REPLAY_BROKEN], totals.flows, totals.engine.opened,
                 totals.peak_flows, totals.mean_flows);
}

static void compare_all(const char *path, struct policy *policy, struct sweep *sweep,
                        uint64_t packets, unsigned threads)
{
    struct replay_options options = {.policy = policy, .threads = threads};
    struct replay_totals totals;
    struct capture_fault fault;
    size_t broken;

    assert_int_equal(sweep_run(&path, 1, &options, sweep, &totals, &fault, &broken), 0);
    assert_int_equal(totals.packets, packets);
    for (size_t v = 0; v < sweep->n; v++)
        compare(path, policy, sweep, v);
}

static size_t one_round(struct random *r, const char *path)
{
    struct sweep_point points[VALUES];
    struct sweep sweep = {.points = points,
                          .n = 1 + random_below(r, VALUES),
                          .often = random_below(r, 2) ? 1 + random_below(r, 200) : 0};
    struct policy *policy = random_policy(r);
    unsigned threads = 1 + random_below(r, 2);
    mtime_t until = START + (mtime_t)(1 + random_any_size(r, 17)) * MTIME_SEC;
    struct tape tape = {0};
    size_t compared = 0;

    random_values(r, &sweep);
    for (unsigned flow = 0; flow < 30; flow++) {
        if (flow % 5 < 3)
            connection(r, &tape, flow, until);
        else
            datagrams(r, &tape, flow, until);
    }
    qsort(tape.at, tape.n, sizeof(*tape.at), by_time);
    write_capture(path, &tape);
    if (tape.n > 0 && !sweep_refused(policy, &sweep)) {
        compare_all(path, policy, &sweep, tape.n, threads);
        compared = sweep.n;
    }
    free(tape.at);
    policy_unref(policy);
    return compared;
}

static void equals_a_replay_for_every_value(void **state)
{
    struct random r = random_start("equals_a_replay_for_every_value");
    const char *rounds = getenv("ROUNDS");
    char path[] = "/tmp/sweep_test.XXXXXX";
    int fd = mkstemp(path);
    size_t compared = 0;

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (unsigned i = 0; i < (rounds ? strtoul(rounds, NULL, 10) : 60); i++) {
        struct random now = r;

        printf("# round %u: SEED=%" PRIu64 "\n", i, now.state);
        compared += one_round(&r, path);
    }
    unlink(path);
    printf("# %zu values\n", compared);
    assert_true(rounds || compared > 100);
}

struct step {
    mtime_t ms;
    unsigned flow, side;
    uint8_t flags;
    uint32_t seq, ack, len;
};
struct found {
    const char *policy;
    enum policy_timeout timeout;
    uint64_t often;
    mtime_t seconds[3];
    struct step steps[8];
};

/* Each was wrong once, and chance takes long to come by it again. */
static const struct found found_once[] = {
    /* B is over at the very moment A opens, and the times are counted in between. */
    {"profile a from linux-nf-conntrack {rst ends}\ndefault use a",
     TIMEOUT_TCP_ESTABLISHED,
     1,
     {100, 200},
     {{0, 2, 0, TCP_SYN, 1, 0, 0},
      {1, 2, 1, TCP_SYN | TCP_ACK, 1, 2, 0},
      {2, 2, 0, TCP_ACK, 2, 2, 0},
      {3000, 4, 0, TCP_SYN, 1, 0, 0},
      {3000, 2, 0, TCP_RST, 2, 0, 0},
      {3001, 4, 0, TCP_SYN, 1, 0, 0}}},
    /* Data that did not restart the idle time made it longer for some values; then a RST. */
    {"profile a from linux-nf-conntrack {on-late reset\nrefresh none\nrst ends}\ndefault use a",
     TIMEOUT_TCP_NO_DATA,
     0,
     {1, 377},
     {{0, 2, 0, TCP_SYN, 1, 0, 0},
      {1, 2, 1, TCP_SYN | TCP_ACK, 1, 2, 0},
      {2, 2, 0, TCP_ACK, 2, 2, 0},
      {3, 2, 1, TCP_ACK, 2, 2, 12},
      {6000, 2, 0, TCP_SYN, 94, 0, 0},
      {148000, 2, 1, TCP_RST, 171, 0, 0}}},
    /* The same, after a silence that parted them. */
    {"profile a from linux-nf-conntrack {on-late adopt\non-invalid pass\n"
     "refresh client\nrst ends}\ndefault use a",
     TIMEOUT_TCP_UNACKNOWLEDGED,
     0,
     {8, 4192},
     {{0, 2, 0, TCP_ACK, 0xffffff00, 1000, 0},
      {588, 2, 1, TCP_ACK, 1000, 0xfffffee8, 11},
      {9588, 2, 0, TCP_ACK, 0xffffff00, 1011, 41},
      {12588, 2, 0, TCP_RST, 0x3fffff00, 0, 0},
      {16588, 2, 1, TCP_ACK, 1011, 0xffffff29, 88},
      {603588, 2, 0, TCP_SYN, 0xffffff28, 0, 0},
      {604588, 2, 1, TCP_RST, 0xa6000000, 0, 0}}},
    /* A RST of another connection makes it doubtful, but active-timeout is about to end it. */
    {"profile a from linux-nf-conntrack {on-late adopt\non-invalid pass\n"
     "half-close both-fins\nactive-timeout 3s\nrst ends}\ndefault use a",
     TIMEOUT_TCP_UNACKNOWLEDGED,
     0,
     {1, 2},
     {{0, 2, 0, TCP_SYN, 1, 0, 0},
      {1, 2, 1, TCP_SYN | TCP_ACK, 1, 2, 0},
      {2, 2, 0, TCP_ACK, 2, 2, 0},
      {1003, 2, 0, TCP_FIN | TCP_ACK, 2, 3, 0},
      {1004, 2, 1, TCP_RST, 0x40000000, 0, 0},
      {4700, 2, 1, TCP_ACK, 3, 3, 3}}},
};

static void equals_a_replay_where_it_once_did_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(found_once) / sizeof(found_once[0]); i++) {
        const struct found *found = &found_once[i];
        struct sweep_point points[3];
        struct sweep sweep = {.timeout = found->timeout, .points = points, .often = found->often};
        struct policy *policy = NULL;
        struct tape tape = {0};
        char path[] = "/tmp/sweep_test.XXXXXX";
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(policy_parse(&policy, "found", found->policy, strlen(found->policy),
                                      complain, (void *)(uintptr_t)found->policy),
                         0);
        for (; found->seconds[sweep.n]; sweep.n++)
            points[sweep.n].timeout = found->seconds[sweep.n] * MTIME_SEC;
        for (const struct step *s = found->steps; s->flags; s++) {
            struct wire w;

            wire_tcp(&w, s->flow, s->side, s->flags, s->seq, s->ack, 60000, s->len);
            record(&tape, START + s->ms * MTIME_MSEC, &w);
        }
        write_capture(path, &tape);
        compare_all(path, policy, &sweep, tape.n, 1);
        unlink(path);
        free(tape.at);
        policy_unref(policy);
    }
}

/* One connection after the other, each with a silence: at the end as much is held as at the
 * beginning. */
static void memory_follows_what_lives(void **state)
{
    enum { CONNECTIONS = 3000 };
    struct sweep_point points[] = {{.timeout = 2 * MTIME_SEC}, {.timeout = 10 * MTIME_SEC}};
    struct policy *policy = NULL;
    struct replay_options options = {.threads = 2};
    struct replay_totals totals;
    struct capture_fault fault;
    char path[] = "/tmp/sweep_test.XXXXXX";
    const char *paths = path;
    struct tape tape = {0};
    size_t broken;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        mtime_t now = START + i * 10 * MTIME_SEC;
        struct wire w;

        wire_tcp(&w, i, 0, TCP_SYN, 1, 0, 60000, 0);
        record(&tape, now, &w);
        wire_tcp(&w, i, 1, TCP_SYN | TCP_ACK, 1, 2, 60000, 0);
        record(&tape, now + MTIME_MSEC, &w);
        wire_tcp(&w, i, 0, TCP_ACK, 2, 2, 60000, 0);
        record(&tape, now + 2 * MTIME_MSEC, &w);
        wire_tcp(&w, i, 0, TCP_ACK, 2, 2, 60000, 10);
        record(&tape, now + 5 * MTIME_SEC, &w);
    }
    write_capture(path, &tape);
    assert_int_equal(policy_from_profile(&policy, "aws-nat-gateway"), 0);
    options.policy = policy;
    for (unsigned threads = 1; threads < 4; threads++) {
        struct sweep sweep = {
            .timeout = TIMEOUT_TCP_ESTABLISHED, .points = points, .n = 2, .often = 64};

        options.threads = threads;
        assert_int_equal(sweep_run(&paths, 1, &options, &sweep, &totals, &fault, &broken), 0);
        assert_int_equal(points[0].broken, CONNECTIONS);
        assert_int_equal(points[1].broken, 0);
        assert_in_range(sweep.held, 1, CONNECTIONS / 5); /* of some 9000 */
    }
    unlink(path);
    free(tape.at);
    policy_unref(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_follows_what_lives),
        cmocka_unit_test(equals_a_replay_where_it_once_did_not),
        cmocka_unit_test(equals_a_replay_for_every_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
