/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a replay says of connections: told packet by packet, and the same whatever the threads. */
#include "tests/unit/random_seed.h"
#include "tests/unit/wire.h"

#include "policy/policy_parse.h"
#include "tools/replay/replay.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#define START (INT64_C(1700000000) * MTIME_SEC)
#define S MTIME_SEC

/* ---- captures ---- */

static char path[] = "/tmp/replay_run_test.XXXXXX";

static void put32(FILE *to, uint32_t v)
{
    fwrite(&v, sizeof(v), 1, to);
}

/* pcap, raw IP, nanoseconds. */
static FILE *capture_begin(void)
{
    static const uint32_t header[6] = {0xa1b23c4d, 0x00040002, 0, 0, 65535, 101};
    FILE *to = fopen(path, "w");

    assert_non_null(to);
    fwrite(header, sizeof(header), 1, to);
    return to;
}

static void capture_add(FILE *to, mtime_t time, const struct wire *w)
{
    put32(to, (uint32_t)(time / S));
    put32(to, (uint32_t)(time % S));
    put32(to, w->len);
    put32(to, w->len);
    fwrite(w->data, w->len, 1, to);
}

static int make_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 || close(fd) < 0 ? -1 : 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

/* ---- one replay ---- */

struct result {
    struct replay_flow *flows; /* by id */
    size_t n, room;
    struct replay_totals totals;
    struct capture_fault fault;
    int r;
};

static void keep(void *arg, const struct replay_flow *flow)
{
    struct result *result = arg;
    size_t at = result->n;

    if (result->n == result->room) {
        result->room = result->room ? 2 * result->room : 256;
        result->flows = realloc(result->flows, result->room * sizeof(*result->flows));
        assert_non_null(result->flows);
    }
    while (at > 0 && result->flows[at - 1].flow.id > flow->flow.id) {
        result->flows[at] = result->flows[at - 1];
        at--;
    }
    result->flows[at] = *flow;
    result->n++;
}

static struct result replay(const char *text, unsigned threads)
{
    const char *const paths[] = {path};
    struct result result = {0};
    struct replay_options options = {.threads = threads, .flow = keep, .arg = &result};
    size_t broken;

    assert_int_equal(policy_parse(&options.policy, "test", text, strlen(text), NULL, NULL), 0);
    result.r = replay_run(paths, 1, &options, &result.totals, &result.fault, &broken);
    for (size_t i = 0; i < result.n; i++)
        result.flows[i].flow.policy = NULL;
    policy_unref(options.policy);
    return result;
}

/* ---- told packet by packet ---- */

struct told {
    double at;
    unsigned side;
    uint8_t flags;
    uint32_t seq, ack, len;
};

enum { SYN = TCP_SYN, SYNACK = TCP_SYN | TCP_ACK, ACK = TCP_ACK, FIN = TCP_FIN | TCP_ACK };
#define OPEN                                                                                       \
    {0, 0, SYN, 100, 0, 0}, {0.1, 1, SYNACK, 500, 101, 0},                                         \
    {                                                                                              \
        0.2, 0, ACK, 101, 501, 0                                                                   \
    }
#define PROFILE(more)                                                                              \
    "late-memory 1s 1\n"                                                                           \
    "profile p from linux-nf-conntrack { tcp-established 100s\n tcp-syn-sent 20s\n "               \
    "on-expiry silent\n" more "}\ndefault use p\n"

static struct result tell(const char *policy, const struct told *told, size_t n)
{
    FILE *to = capture_begin();

    for (size_t i = 0; i < n; i++) {
        struct wire w;

        wire_tcp(&w, 0, told[i].side, told[i].flags, told[i].seq, told[i].ack, 60000, told[i].len);
        capture_add(to, START + (mtime_t)(told[i].at * 1e9), &w);
    }
    assert_int_equal(fclose(to), 0);
    return replay(policy, 1);
}
#define TELL(policy, ...)                                                                          \
    tell(policy, (const struct told[]){__VA_ARGS__},                                               \
         sizeof((const struct told[]){__VA_ARGS__}) / sizeof(struct told))

static void a_late_packet_breaks_it_once(void **state)
{
    struct result r =
        TELL(PROFILE("on-late drop\n"), OPEN, {1, 0, ACK, 101, 501, 10}, {1.1, 1, ACK, 501, 111, 0},
             {101.1, 0, ACK, 111, 501, 7}, {102, 1, ACK, 501, 118, 0}, {300, 0, ACK, 118, 501, 9});
    const struct replay_flow *f = r.flows;

    (void)state;
    assert_int_equal(r.n, 1);
    assert_int_equal(f->outcome, REPLAY_BROKEN);
    assert_int_equal(f->late.number, 6);
    assert_true(f->late.silence == 100 * S && f->late.time == START + 101 * S + S / 10);
    assert_int_equal(f->late.side, FLOW_CLIENT);
    assert_int_equal(f->late.action, ACTED_DROPPED);
    assert_int_equal(f->late_packets, 3);
    assert_int_equal(f->flow.packets[0], 5);
    assert_int_equal(f->flow.packets[1], 3);
    assert_int_equal(f->flow.bytes[0], 5 * 40 + 26);
    assert_true(f->longest_idle == 198 * S && f->longest_idle_at == START + 102 * S);
    assert_int_equal(f->first_number, 1);
    assert_int_equal(f->last_number, 8);
    assert_int_equal(f->end, FLOW_END_IDLE);
    free(r.flows);
}

static void just_in_time_is_fine(void **state)
{
    struct result r = TELL(PROFILE("on-late drop\n"), OPEN, {1, 0, ACK, 101, 501, 10},
                           {1.1, 1, ACK, 501, 111, 0}, {101.099, 0, ACK, 111, 501, 7});

    (void)state;
    assert_int_equal(r.n, 1);
    assert_int_equal(r.flows->outcome, REPLAY_FINE);
    assert_true(r.flows->longest_idle == 99999 * (S / 1000));
    assert_true(r.flows->limit == 100 * S);
    assert_int_equal(r.flows->end, FLOW_END_NONE);
    assert_int_equal(r.totals.peak_flows, 1);
    free(r.flows);
}

/* Half of the time, one entry. */
static void entries_are_counted_by_their_lives(void **state)
{
    struct result r = TELL(PROFILE("on-late drop\n"), OPEN, {100.2, 0, ACK, 101, 501, 10},
                           {200.4, 1, ACK, 501, 111, 0});

    (void)state;
    assert_int_equal(r.flows->outcome, REPLAY_BROKEN);
    assert_int_equal(r.totals.peak_flows, 1);
    /* over at 100.2 s exactly: that packet was late */
    assert_true(r.totals.mean_flows > 0.49999 && r.totals.mean_flows < 0.50001);
    free(r.flows);
}

static void adopted_is_not_broken(void **state)
{
    struct result r =
        TELL(PROFILE("on-late adopt\n"), OPEN, {1, 0, ACK, 101, 501, 10},
             {1.1, 1, ACK, 501, 111, 0}, {500, 1, ACK, 501, 111, 7}, {501, 0, ACK, 111, 508, 0});

    (void)state;
    assert_int_equal(r.n, 1);
    assert_int_equal(r.flows->outcome, REPLAY_FINE);
    assert_true(r.flows->longest_idle == 498900 * (S / 1000));
    assert_int_equal(r.flows->flow.packets[0], 4);
    assert_int_equal(r.flows->flow.port[FLOW_SERVER], 5432); /* though the server spoke first */
    assert_int_equal(r.totals.engine.opened, 2);
    free(r.flows);
}

static void keepalives_save_it(void **state)
{
    struct result r = TELL(
        PROFILE("on-late drop\n"), OPEN, {1, 0, ACK, 101, 501, 10}, {1.1, 1, ACK, 501, 111, 0},
        {60, 0, ACK, 110, 501, 0}, {60.1, 1, ACK, 501, 111, 0}, {120, 0, ACK, 110, 501, 0},
        {120.1, 1, ACK, 501, 111, 0}, {150, 0, ACK, 111, 501, 5}, {150.1, 1, ACK, 501, 116, 0});

    (void)state;
    assert_int_equal(r.n, 1);
    assert_int_equal(r.flows->outcome, REPLAY_SAVED);
    assert_int_equal(r.flows->flow.keepalive[FLOW_CLIENT].seen, 2);
    assert_int_equal(r.flows->flow.keepalive[FLOW_CLIENT].answered, 2);
    assert_true(r.flows->longest_idle_payload == 148900 * (S / 1000));
    free(r.flows);
}

static void what_ran_before_is_midstream(void **state)
{
    struct result r = TELL(PROFILE("on-late drop\n"), {0, 1, FIN, 500, 100, 0},
                           {7200, 0, ACK, 100, 501, 10}, {7201, 1, ACK, 501, 110, 0});

    (void)state;
    assert_int_equal(r.n, 2); /* a FIN alone is over after some time */
    assert_true(r.flows[0].midstream && r.flows[1].midstream);
    assert_int_equal(r.flows[0].outcome, REPLAY_FINE);
    assert_int_equal(r.flows[1].outcome, REPLAY_FINE);
    assert_int_equal(r.totals.midstream, 2);
    free(r.flows);
}

static void a_syn_again_is_no_break(void **state)
{
    struct result r =
        TELL(PROFILE("on-late drop\n"), {0, 0, SYN, 100, 0, 0}, {40, 0, SYN, 100, 0, 0},
             {40.1, 1, SYNACK, 500, 101, 0}, {40.2, 0, ACK, 101, 501, 0});

    (void)state;
    assert_int_equal(r.n, 1);
    assert_int_equal(r.flows->outcome, REPLAY_FINE);
    assert_true(r.flows->retransmitted_syn);
    assert_true(r.flows->longest_idle == 40 * S && r.flows->limit == 20 * S);
    free(r.flows);
}

static void ports_in_use_again_are_another(void **state)
{
    struct result r =
        TELL(PROFILE("on-late drop\n"), OPEN, {1, 0, ACK, 101, 501, 10}, {150, 0, SYN, 9000, 0, 0},
             {150.1, 1, SYNACK, 7000, 9001, 0}, {150.2, 0, ACK, 9001, 7001, 0},
             /* a client that lost its memory: the old entry is there still */
             {160, 0, SYN, 70000, 0, 0}, {160.1, 1, SYNACK, 80000, 70001, 0},
             {160.2, 0, ACK, 70001, 80001, 0}, {160.3, 1, ACK, 80001, 70001, 0});

    (void)state;
    assert_int_equal(r.n, 3);
    assert_int_equal(r.flows[0].outcome, REPLAY_EXPIRED);
    assert_int_equal(r.flows[0].flow.packets[0], 3);
    assert_int_equal(r.flows[1].outcome, REPLAY_FINE);
    assert_int_equal(r.flows[1].flow.packets[0], 2);
    assert_int_equal(r.flows[1].flow.packets[1], 1);
    assert_int_equal(r.flows[2].outcome, REPLAY_FINE);
    assert_int_equal(r.flows[2].flow.packets[0], 2);
    assert_int_equal(r.flows[2].flow.packets[1], 2);
    assert_true(r.flows[2].flow.opened == START + 160 * S);
    assert_int_equal(r.totals.engine.opened, 2);
    free(r.flows);
}

static void what_comes_after_its_end_is_its_own(void **state)
{
    struct result r =
        TELL(PROFILE("on-late drop\n rst ends\n"), OPEN, {1, 1, TCP_RST | TCP_ACK, 501, 101, 0},
             {1.1, 0, ACK, 101, 501, 10}, {2, 0, FIN, 111, 501, 0});

    (void)state;
    assert_int_equal(r.n, 1);
    assert_int_equal(r.flows->outcome, REPLAY_FINE);
    assert_int_equal(r.flows->flow.packets[0], 4);
    assert_int_equal(r.flows->late_packets, 0);
    assert_int_equal(r.flows->end, FLOW_END_DETECTED);
    free(r.flows);
}

static void refused_is_not_broken(void **state)
{
    struct result r =
        TELL("profile p from linux-nf-conntrack { }\nrule r match \"tcp\" reject\ndefault use p\n",
             OPEN, {1, 0, ACK, 101, 501, 10});

    (void)state;
    assert_int_equal(r.n, 1);
    assert_int_equal(r.flows->outcome, REPLAY_REFUSED);
    assert_int_equal(r.totals.engine.opened, 0);
    free(r.flows);
}

static void time_that_goes_back_stands_still(void **state)
{
    struct result r =
        TELL(PROFILE("on-late drop\n"), OPEN, {50, 0, ACK, 101, 501, 10}, {3, 1, ACK, 501, 111, 0},
             {50, 0, ACK, 101, 501, 10}, {149.9, 0, ACK, 111, 501, 1});

    (void)state;
    assert_int_equal(r.n, 1);
    assert_int_equal(r.flows->outcome, REPLAY_FINE);
    assert_int_equal(r.totals.capture.backwards, 1);
    assert_true(r.flows->longest_idle == 99900 * (S / 1000));
    free(r.flows);
}

/* ---- whatever the threads ---- */

static void random_wire(struct random *r, struct wire *w, unsigned flow)
{
    static const uint8_t flags[] = {SYN, SYNACK, ACK, ACK, ACK, ACK, FIN, TCP_RST, TCP_RST | ACK};
    unsigned side = random_below(r, 2), kind = random_below(r, 20);

    if (kind == 0)
        wire_unreachable(w, flow, side, 100);
    else if (kind == 1)
        wire_echo(w, flow, side, random_below(r, 2));
    else if (kind < 4)
        wire_udp(w, flow, side, random_below(r, 20));
    else
        wire_tcp(w, flow, side, flags[random_below(r, sizeof(flags))], 1000 + random_below(r, 5),
                 1000 + random_below(r, 5), 60000, random_below(r, 9));
    if (kind == 10 && !(flow & 1))
        wire_fragment(w, 7, random_below(r, 2) ? 0 : 24, random_below(r, 2));
    if (random_below(r, 30) == 0) /* cut short, or nonsense */
        w->len = random_below(r, w->len);
}

static void write_random(struct random *r, unsigned packets)
{
    FILE *to = capture_begin();
    mtime_t now = START;

    for (unsigned i = 0; i < packets; i++) {
        struct wire w;

        random_wire(r, &w, random_below(r, 200));
        if (w.len == 0)
            w.len = 1;
        now += random_below(r, 20) ? random_below(r, 100000000)
                                   : (mtime_t)random_below(r, 200) * S / 2;
        capture_add(to, random_below(r, 50) ? now : now - S, &w);
    }
    assert_int_equal(fclose(to), 0);
}

static void expect_same(const struct result *one, const struct result *more)
{
    const struct replay_totals *a = &one->totals, *b = &more->totals;

    assert_int_equal(one->r, more->r);
    for (size_t i = 0; i < one->n && i < more->n; i++)
        if (one->flows[i].flow.id != more->flows[i].flow.id)
            fail_msg("connection %llu, not %llu", (unsigned long long)more->flows[i].flow.id,
                     (unsigned long long)one->flows[i].flow.id);
    assert_int_equal(one->n, more->n);
    for (size_t i = 0; i < one->n; i++)
        assert_memory_equal(&one->flows[i], &more->flows[i], sizeof(one->flows[i]));
    assert_int_equal(a->flows, b->flows);
    assert_memory_equal(a->by_outcome, b->by_outcome, sizeof(a->by_outcome));
    assert_int_equal(a->midstream, b->midstream);
    assert_int_equal(a->packets, b->packets);
    assert_int_equal(a->bytes, b->bytes);
    assert_int_equal(a->peak_flows, b->peak_flows);
    assert_true(a->mean_flows == b->mean_flows);
    assert_true(a->first == b->first && a->last == b->last);
    assert_memory_equal(a->engine.packets, b->engine.packets, sizeof(a->engine.packets));
    assert_memory_equal(a->engine.ended, b->engine.ended, sizeof(a->engine.ended));
    assert_memory_equal(a->engine.by_state, b->engine.by_state, sizeof(a->engine.by_state));
    assert_int_equal(a->engine.opened, b->engine.opened);
    assert_int_equal(a->engine.expired, b->engine.expired);
    assert_int_equal(a->engine.late, b->engine.late);
    assert_memory_equal(&a->capture, &b->capture, sizeof(a->capture));
}

static void threads_change_nothing(void **state)
{
    static const char *const profiles[] = {"linux-nf-conntrack", "aws-nat-gateway", "cisco-asa"};
    struct random r = random_start(__func__);
    unsigned broken = 0;

    (void)state;
    for (unsigned round = 0; round < 30; round++) {
        unsigned most = random_below(&r, 3) ? 100 + random_below(&r, 1000) : 30;
        struct result one;
        char text[400];

        snprintf(text, sizeof(text),
                 "max-flows %u\nprofile p from %s { tcp-established %us\n on-late %s\n }\n"
                 "rule r match \"net 192.0.2.32/28\" drop\ndefault use p\n",
                 most, profiles[random_below(&r, 3)], 1 + random_below(&r, 60),
                 random_below(&r, 2) ? "drop" : "adopt");
        write_random(&r, 1 + random_below(&r, 4000));
        one = replay(text, 1);
        broken += one.totals.by_outcome[REPLAY_BROKEN] > 0;
        for (unsigned threads = 2; threads <= 3; threads++) {
            struct result more = replay(text, threads);

            expect_same(&one, &more);
            free(more.flows);
        }
        free(one.flows);
    }
    assert_true(broken > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_packet_breaks_it_once),
        cmocka_unit_test(just_in_time_is_fine),
        cmocka_unit_test(entries_are_counted_by_their_lives),
        cmocka_unit_test(adopted_is_not_broken),
        cmocka_unit_test(keepalives_save_it),
        cmocka_unit_test(what_ran_before_is_midstream),
        cmocka_unit_test(a_syn_again_is_no_break),
        cmocka_unit_test(ports_in_use_again_are_another),
        cmocka_unit_test(what_comes_after_its_end_is_its_own),
        cmocka_unit_test(refused_is_not_broken),
        cmocka_unit_test(time_that_goes_back_stands_still),
        cmocka_unit_test(threads_change_nothing),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
